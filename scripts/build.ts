/**
 * Builds the package: `dist/` with JavaScript, declarations and maps, one file per source file.
 *
 * After that it imports every entry point as a user would, so that a build that cannot be loaded is never published.
 */
import { execFileSync } from "node:child_process"
import { copyFileSync, globSync, mkdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { compile, root } from "./declarations.ts"

const build = (): void => {
  rmSync(join(root, "dist"), { recursive: true, force: true })
  compile(join(root, "dist"))
  // Files that are copied unchanged.
  for (const file of globSync("**/assets/*", { cwd: join(root, "src") })) {
    mkdirSync(join(root, "dist", dirname(file)), { recursive: true })
    copyFileSync(join(root, "src", file), join(root, "dist", file))
  }
  for (const entry of Object.values(manifest.exports)) {
    if (typeof entry === "string") continue
    const args = ["--input-type=module", "--eval", `await import("${entry.default}")`]
    execFileSync(join(root, "node_modules/.bin/node"), args, { cwd: root, stdio: "inherit" })
  }
}

try {
  build()
  console.log(`Built ${globSync("dist/**/*.js", { cwd: root }).length} modules.`)
} catch (error) {
  console.error(`The build failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
