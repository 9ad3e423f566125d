/**
 * Builds the package: `dist/` with JavaScript, declarations and maps, one file per source file.
 *
 * Afterwards it imports every entry point as a user would, so that a build that cannot be loaded never leaves this
 * machine.
 */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

const build = (): void => {
  rmSync(join(root, "dist"), { recursive: true, force: true })
  run("tsc", "-p", "tsconfig.build.json")
  globSync("dist/**/*.d.ts", { cwd: root }).forEach(rewriteSpecifiers)
  for (const entry of Object.values(manifest.exports)) {
    if (typeof entry !== "string") run("node", "--input-type=module", "--eval", `await import("${entry.default}")`)
  }
}

/** The compiler turns `./File.ts` into `./File.js` in JavaScript, but leaves it in declarations. */
const rewriteSpecifiers = (file: string): void => {
  const path = join(root, file)
  const text = readFileSync(path, "utf8")
  writeFileSync(path, text.replaceAll(/((?:from |import\(|import )"\.[^"]*)\.ts"/g, '$1.js"'))
}

const run = (command: string, ...args: ReadonlyArray<string>): void => {
  execFileSync(join(root, "node_modules/.bin", command), args, { cwd: root, stdio: "inherit" })
}

try {
  build()
  console.log(`Built ${globSync("dist/**/*.js", { cwd: root }).length} modules.`)
} catch (error) {
  console.error(`The build failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
