/**
 * Generates the pages in `docs/reference/` from the declarations and the doc comments of everything that users can
 * import, and the tables of options in other pages.
 *
 * The reference is built and not committed, so it is always written. The tables are in committed pages: with `--check`
 * the script only checks whether they are up to date. In both cases it reports what doc comments lack: a summary,
 * units, errors, an example, a category, a version. It exits with 1 if there is a problem. The last line is `reference:
 * N exports documented, N problems`; with `--json` the line before it says the same as JSON.
 */
import { execFileSync } from "node:child_process"
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { commandLine, flag } from "./commandLine.ts"
import { root } from "./declarations.ts"
import { findProblems } from "./reference/demands.ts"
import { readModules } from "./reference/exports.ts"
import { missingTables, pagesWithOptions } from "./reference/options.ts"
import { makePages } from "./reference/pages.ts"

const folder = join(root, "docs/reference")
const { check, json } = commandLine("reference", { check: flag, json: flag }).values

const write = (into: string, pages: ReadonlyMap<string, string>): void => {
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(join(into, path), text)
  }
}

const readPages = (from: string): Map<string, string> =>
  new Map(globSync("**/*.md", { cwd: from }).map((path) => [path, readFileSync(join(from, path), "utf8")]))

/** The pages as the formatter of the repository leaves them. */
const formatted = (pages: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  const scratch = mkdtempSync(join(tmpdir(), "effect-durable-pages-"))
  try {
    write(scratch, pages)
    execFileSync(join(root, "node_modules/.bin/oxfmt"), ["-c", join(root, ".oxfmtrc.json"), scratch], { cwd: scratch })
    return readPages(scratch)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const outdated = (pages: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const there = existsSync(folder) ? readPages(folder) : new Map<string, string>()
  return [...new Set([...pages.keys(), ...there.keys()])].filter((path) => pages.get(path) !== there.get(path))
}

const outdatedIn = (pages: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...pages.keys()].filter((path) => pages.get(path) !== readFileSync(join(root, path), "utf8"))

const modules = readModules()
const exported = modules.reduce((sum, { exports }) => sum + exports.length, 0)
const pages = formatted(makePages(modules))
const changed = outdated(pages)
const guides = formatted(pagesWithOptions())
const changedGuides = outdatedIn(guides)
const problems = [
  ...findProblems(modules),
  ...missingTables(guides),
  ...(check ? changedGuides.map((path) => `The options in ${path} are out of date. Run npm run reference.`) : [])
]

if (changed.length > 0) {
  rmSync(folder, { recursive: true, force: true })
  write(folder, pages)
  console.log(`Wrote ${changed.length} pages of docs/reference.`)
}
if (!check && changedGuides.length > 0) {
  write(root, new Map([...guides].filter(([path]) => changedGuides.includes(path))))
  console.log(`Wrote the options in ${changedGuides.join(", ")}.`)
}
for (const problem of problems) console.log(problem)
if (json) console.log(JSON.stringify({ exports: exported, problems }))
console.log(`reference: ${exported} exports documented, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
