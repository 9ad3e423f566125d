/**
 * Keeps the reports of the public API, one per entry point, in `api/`: what a user can import, with its types.
 *
 * A change of the API shows as a change of a report, so it is reviewed like any other. Without arguments it says whether
 * the reports are those of `dist/` and shows what differs; with `--update` it writes them. Needs `npm run build` first.
 */
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from "@microsoft/api-extractor"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "effect-durable-api-"))
const update = process.argv.includes("--update")

interface Entry {
  /** The name of the report: that of the package, or the path below it. */
  readonly name: string
  readonly types: string
}

const entries: ReadonlyArray<Entry> = Object.entries(manifest.exports).flatMap(([path, entry]) =>
  typeof entry === "string" ? [] : [{ name: path === "." ? manifest.name : path.slice(2), types: entry.types }]
)

const silent = { default: { logLevel: ExtractorLogLevel.None } }

const configure = ({ name, types }: Entry): IConfigFile => ({
  projectFolder: root,
  mainEntryPointFilePath: join(root, types),
  newlineKind: "lf",
  compiler: {
    // The declarations that users have; the analysis itself has a compiler of its own.
    overrideTsconfig: {
      compilerOptions: {
        target: "ES2024",
        lib: ["ES2024", "DOM"],
        types: [],
        module: "NodeNext",
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: true
      },
      include: ["dist"]
    }
  },
  apiReport: {
    enabled: true,
    reportFolder: join(root, "api"),
    reportTempFolder: folder,
    reportFileName: name,
    // Types that have no name for users are part of the API where they stand in its signatures. Those of the other entry
    // points are those of the first.
    includeForgottenExports: name === manifest.name
  },
  docModel: { enabled: false },
  dtsRollup: { enabled: false },
  tsdocMetadata: { enabled: false },
  messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent }
})

/** Whether the report of an entry point is up to date now. */
const report = (entry: Entry): boolean => {
  if (!existsSync(join(root, entry.types))) throw new Error(`There is no ${entry.types}. Run npm run build.`)
  const config = ExtractorConfig.prepare({
    configObject: configure(entry),
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json")
  })
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: update,
    messageCallback: (message) => {
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true
    }
  })
  if (errorCount > 0) throw new Error(`${entry.types} cannot be analysed.`)
  if (!apiReportChanged) return true
  if (update) console.log(`api/${entry.name}.api.md is new.`)
  else spawnSync("git", ["--no-pager", "diff", "--no-index", "--", ...paths(entry)], { cwd: root, stdio: "inherit" })
  return update
}

const paths = ({ name }: Entry): ReadonlyArray<string> => {
  const committed = join("api", `${name}.api.md`)
  return [existsSync(join(root, committed)) ? committed : "/dev/null", join(folder, `${name}.api.md`)]
}

try {
  const changed = entries.filter((entry) => !report(entry))
  if (changed.length > 0) {
    console.log("The public API differs from its reports. If that is what you want: npm run api -- --update")
    process.exitCode = 1
  } else console.log(`api: ${entries.length} reports are up to date.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
