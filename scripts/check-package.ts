/**
 * Checks the package that a user would get. It packs the package, installs it with `effect` alone into an empty
 * project, compiles programs against its declarations, and runs them on the oldest Node that the package supports and
 * on the one of this repository.
 *
 * Run `npm run build` first. The check needs a registry. It prints the list of files and every problem, and exits with
 * 1 if there is a problem. With `--json` it prints the same as JSON. The last line is `package: N passed, N failed`.
 */
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { commandLine, flag } from "./commandLine.ts"
import { capture, install, pack, type Packed } from "./npm/packed.ts"

const { json } = commandLine("check:package", { json: flag }).values
const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "effect-durable-package-"))
const project = join(folder, "project")

/**
 * The maximum size of the package, in bytes. Raise it only with a reason. The last reason was that every operation
 * refuses arguments of a wrong kind with a message; before that, the page of the local engine and the command line; and
 * before that, the documentation, which is a fifth of the package. A quarter of the documentation is the reference,
 * which is included because other pages link to it.
 */
const budget = { packed: 1_570_000, unpacked: 6_750_000 }

const expectEqual = (what: string, found: string, expected: string): void => {
  if (found !== expected) throw new Error(`${what} is ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}.`)
}

// --- The package -----------------------------------------------------------------------------------------------------

/** Returns one line per folder, in which each module appears once, with the kinds of its files. */
const listing = (files: ReadonlyArray<string>): string =>
  Array.from(Map.groupBy(files, dirname), ([path, inside]) => {
    const parts = inside.map(
      (file) => /^(.+?)((?:\.d)?\.\w+(?:\.map)?)$/.exec(basename(file)) ?? ["", basename(file), ""]
    )
    const names = new Set(parts.map(([, name]) => name))
    const kinds = new Set(parts.map(([, , kind]) => kind))
    return `${path}: ${names.size} × ${[...kinds].join(" ")}: ${[...names].join(" ")}`
  }).join("\n")

// --- A user's project ------------------------------------------------------------------------------------------------

/** The first program of the README, and the files that a user would write next to it. */
const programs = (): Readonly<Record<string, string>> => ({
  "fulfil.ts": /```ts\n(\/\/ fulfil\.ts\n.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "",
  "main.ts": `
    import { LambdaHandler } from "effect-durable/lambda"
    import { Reply, TestEngine } from "effect-durable/testing"
    import * as Effect from "effect/Effect"
    import * as Layer from "effect/Layer"
    import { CardDeclined, Charge, Fulfil, fulfil } from "./fulfil.js"

    const order = { orderId: "o-1", cents: 1_250 }
    const run = (charge: TestEngine.Stub) =>
      Effect.runPromise(Effect.provide(TestEngine.run(Fulfil, order), TestEngine.layer([fulfil, charge])))
    console.log(await run(TestEngine.stub(Charge, () => Effect.void)))
    console.log(await run(TestEngine.stub(Charge, Reply.fail(new CardDeclined({ code: "expired" })))))

    export const handler: LambdaHandler.Handler = LambdaHandler.make(fulfil, { layer: Layer.empty })
    await handler(order).catch((error: Error) => console.log(error.name))
  `
})

const expectedOutput = ["shipped the parcel of o-1", "declined: expired", "NotDurable"].join("\n")

const compilerOptions = {
  target: "ES2024",
  lib: ["ES2024", "DOM"],
  types: [],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false
}

const runOn = (node: string): void =>
  expectEqual("The output", capture(project, node, "main.js").trim(), expectedOutput)

const runOnVersion = (version: string): void => {
  const { arch, platform } = process
  const place = join(folder, "node")
  const name = `node-${platform === "win32" ? "win" : platform}-${arch}`
  install(place, `${name}@${version}`)
  const node = join(place, "node_modules", name, platform === "win32" ? "bin/node.exe" : "bin/node")
  expectEqual("The version of Node", capture(place, node, "--version").trim(), `v${version}`)
  runOn(node)
}

/** The oldest version of Node that the manifest of the package supports. */
const oldest = manifest.engines.node.replace(/^>=(\d+\.\d+)$/, "$1.0")

// --- The checks ------------------------------------------------------------------------------------------------------

const checks: Readonly<Record<string, (packed: Packed) => void>> = {
  "holds the build, the sources, the documentation and nothing else": ({ files }) => {
    const allowed =
      /^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|(dist|src)\/.+\/assets\/\w+\.(css|js|svg)|docs\/.+\.md|package\.json|(README|CHANGELOG|LLMS)\.md|LICENSE)$/
    const strange = files.filter((file) => !allowed.test(file) || /\.test(-d)?\.ts$/.test(file))
    if (strange.length > 0) throw new Error(`It also holds ${strange.join(", ")}.`)
  },
  "holds every module of the sources, and no other": ({ files }) => {
    const sources = globSync("src/**/*.ts", { cwd: root })
    const assets = globSync("src/**/assets/*", { cwd: root })
    const expected = new Set([
      ...sources.flatMap((source) => {
        const module = source.replace(/^src/, "dist").replace(/\.ts$/, "")
        return [source, ...[".js", ".js.map", ".d.ts", ".d.ts.map"].map((extension) => module + extension)]
      }),
      ...assets.flatMap((asset) => [asset, asset.replace(/^src/, "dist")])
    ])
    const held = files.filter((file) => /^(src|dist)\//.test(file))
    const missing = [...expected].filter((file) => !held.includes(file))
    const stale = held.filter((file) => !expected.has(file))
    if (missing.length + stale.length > 0) {
      const says = (list: ReadonlyArray<string>): string => list.join(", ") || "nothing"
      throw new Error(`It lacks ${says(missing)}, and holds ${says(stale)} too many. Run npm run build.`)
    }
  },
  "holds every page of the documentation": ({ files }) => {
    const missing = [...globSync("docs/**/*.md", { cwd: root }), "CHANGELOG.md", "LLMS.md"].filter(
      (page) => !files.includes(page)
    )
    if (missing.length > 0) throw new Error(`It lacks ${missing.join(", ")}.`)
  },
  "stays within its budget": ({ size, unpackedSize }) => {
    if (size > budget.packed || unpackedSize > budget.unpacked) {
      throw new Error(`The limits are ${budget.packed} bytes packed and ${budget.unpacked} unpacked.`)
    }
  },
  "installs into an empty project, with effect and nothing else": ({ file }) => {
    if ("dependencies" in manifest) throw new Error(`It depends on ${JSON.stringify(manifest.dependencies)}.`)
    install(project, file, `effect@${manifest.devDependencies.effect}`)
    const alone = join(folder, "effect")
    install(alone, `effect@${manifest.devDependencies.effect}`)
    const expected = [...installed(alone), manifest.name].toSorted().join(" ")
    expectEqual("What is installed", installed(project).join(" "), expected)
  },
  "compiles in a user's project": () => {
    for (const [file, program] of Object.entries(programs())) writeFileSync(join(project, file), program)
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
    capture(project, join(root, "node_modules/.bin/tsc"), "-p", project)
  },
  [`runs the README on Node ${process.versions.node}, without the AWS client`]: () => runOn(process.execPath),
  [`runs the README on Node ${oldest}, without the AWS client`]: () => runOnVersion(oldest)
}

/** The names of all packages in a project. */
const installed = (path: string): ReadonlyArray<string> =>
  readdirSync(join(path, "node_modules"))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(path, "node_modules", name)).map((inner) => `${name}/${inner}`) : [name]
    )
    .filter((name) => !name.startsWith(".") && statSync(join(path, "node_modules", name)).isDirectory())
    .toSorted()

const packed = pack(root, folder)
let failed = 0
console.log(listing(packed.files))
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

const { file, files, size, unpackedSize } = packed
if (json) console.log(JSON.stringify({ files, size, unpackedSize, budget, failed }))
console.log(
  `${basename(file)}: ${files.length} files, ${size} of ${budget.packed} bytes packed, ${unpackedSize} of ${budget.unpacked} unpacked`
)
console.log(`package: ${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
