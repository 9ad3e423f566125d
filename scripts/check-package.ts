/**
 * Checks what a user would get: packs the package, installs it into an empty project beside `effect`, compiles a program
 * against its declarations and runs it.
 *
 * Needs `npm run build` first, and no network. Exits with 1 and says what is wrong; with `--json` it prints the list of
 * files as JSON. The last line is `package: N passed, N failed`.
 */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "effect-durable-package-"))

const capture = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")} failed.\n${stdout}${stderr}`)
  return stdout
}

interface Packed {
  readonly filename: string
  readonly unpackedSize: number
  readonly files: ReadonlyArray<string>
}

const pack = (): Packed => {
  const [packed] = JSON.parse(capture(root, "npm", "pack", "--json", "--pack-destination", folder))
  return {
    filename: packed.filename,
    unpackedSize: packed.unpackedSize,
    files: packed.files.map((file: { readonly path: string }) => file.path)
  }
}

/** A project like that of a user: the package, and `effect`, which it is a peer of. */
const install = ({ filename }: Packed): string => {
  const project = join(folder, "project")
  const modules = join(project, "node_modules")
  mkdirSync(join(modules, manifest.name), { recursive: true })
  capture(folder, "tar", "-xzf", filename, "--strip-components=1", "-C", join(modules, manifest.name))
  symlinkSync(join(root, "node_modules/effect"), join(modules, "effect"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }))
  return project
}

const program = `
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String })
const greet = Greet.implement((name) => Effect.as(Durable.wait("think", "1 day"), \`Hello \${name}\`))

console.log(await Effect.runPromise(Effect.provide(TestEngine.run(Greet, "Ada"), TestEngine.layer([greet]))))
`

const compilerOptions = {
  target: "ES2024",
  lib: ["ES2024", "DOM"],
  types: [],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false
}

const checks: Readonly<Record<string, (packed: Packed) => void>> = {
  "holds the build, the sources and nothing else": ({ files }) => {
    const allowed = /^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|package\.json|README\.md|LICENSE)$/
    const strange = files.filter((file) => !allowed.test(file) || /\.test(-d)?\.ts$/.test(file))
    if (strange.length > 0) throw new Error(`It also holds ${strange.join(", ")}.`)
  },
  "holds every module of the sources": ({ files }) => {
    const held = new Set(files)
    const missing = globSync("src/**/*.ts", { cwd: root }).flatMap((source) => {
      const module = source.replace(/^src/, "dist").replace(/\.ts$/, "")
      return [source, `${module}.js`, `${module}.d.ts`].filter((file) => !held.has(file))
    })
    if (missing.length > 0) throw new Error(`It lacks ${missing.join(", ")}. Run npm run build.`)
  },
  "installs nothing but itself": () => {
    if ("dependencies" in manifest) throw new Error(`It depends on ${JSON.stringify(manifest.dependencies)}.`)
  },
  "compiles and runs in a user's project": (packed) => {
    const project = install(packed)
    writeFileSync(join(project, "main.ts"), program)
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["main.ts"] }))
    capture(project, join(root, "node_modules/.bin/tsc"), "-p", project)
    const output = capture(project, join(root, "node_modules/.bin/node"), "main.js").trim()
    if (output !== "Hello Ada") throw new Error(`The program printed ${JSON.stringify(output)}.`)
  }
}

const packed = pack()
let failed = 0
for (const [name, check] of Object.entries(checks)) {
  try {
    check(packed)
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
rmSync(folder, { recursive: true })

const { files, filename, unpackedSize } = packed
if (process.argv.includes("--json")) console.log(JSON.stringify({ files, unpackedSize, failed }))
console.log(`${basename(filename)}: ${files.length} files, ${Math.round(unpackedSize / 1_024)} KiB unpacked`)
console.log(`package: ${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
