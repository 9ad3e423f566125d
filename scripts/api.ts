/**
 * Maintains the reports of the public API in `api/`, one per entry point: everything that users can import, with its
 * types.
 *
 * A change of the API shows as a change of a report, so it is reviewed like any other. Without arguments it compares
 * the reports with `dist/` and shows the differences; with `--update` it writes them. Run `npm run build` first.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { commandLine, flag } from "./commandLine.ts"
import { entryPoints, root } from "./declarations.ts"
import { extract } from "./extractor.ts"

const { update } = commandLine("api", { update: flag }).values
const folder = mkdtempSync(join(tmpdir(), "effect-durable-api-"))

/** The names of the entry points whose reports are out of date. */
const outdated = (): ReadonlyArray<string> =>
  extract(join(root, "dist"), update, ({ name }) => ({
    apiReport: {
      enabled: true,
      reportFolder: join(root, "api"),
      reportTempFolder: folder,
      reportFileName: name,
      // Types that users cannot import are part of the API where its signatures contain them. Those of the other entry
      // points are the same as those of the first.
      includeForgottenExports: name === manifest.name
    }
  })).flatMap(([{ name }, { apiReportChanged }]) => (apiReportChanged ? [name] : []))

const show = (name: string): void => {
  if (update) return console.log(`api/${name}.api.md is new.`)
  const committed = join("api", `${name}.api.md`)
  const before = existsSync(join(root, committed)) ? committed : "/dev/null"
  const after = join(folder, `${name}.api.md`)
  spawnSync("git", ["--no-pager", "diff", "--no-index", "--", before, after], { cwd: root, stdio: "inherit" })
}

try {
  const changed = outdated()
  changed.forEach(show)
  if (changed.length > 0 && !update) {
    console.log("The public API differs from its reports. If that is what you want: npm run api -- --update")
    process.exitCode = 1
  } else console.log(`api: ${entryPoints.length} reports are up to date.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
