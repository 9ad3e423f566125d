/**
 * Makes a release: packs what was built as the registry is to have it, and publishes it.
 *
 * `npm run release -- [--dry-run] [--config FILE] [--to FOLDER]`
 *
 * Who publishes the package and where it lives stands in one place, `release.config.json`:
 *
 *     { "author": "Ada Lovelace <ada@example.com>", "repository": "https://github.com/ada/effect-durable" }
 *
 * From there come `author`, `repository`, `homepage` and `bugs` of the packed `package.json`, and the addresses of README's
 * links. Without it a release stops before anything is packed. With `--dry-run` it packs, into `--to` or the folder of the
 * repository, and publishes nothing. Needs `npm run build` first. Exits with 1 and says why when there is no release.
 */
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import manifest from "../package.json" with { type: "json" }
import { capture, pack } from "./npm/packed.ts"
import { released } from "./release/links.ts"

const root = join(import.meta.dirname, "..")

interface Publisher {
  readonly author: string
  /** The address of the repository, without a slash at its end. */
  readonly repository: string
}

const publisherIn = (file: string): Publisher => {
  const { author, repository }: Partial<Publisher> = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}
  if (typeof author !== "string" || author === "" || !/^https:\/\/[^/]+\/.*[^/]$/.test(repository ?? "")) {
    throw new Error(
      `A release has an author and a repository. Write them into ${file}: { "author": "NAME <EMAIL>", "repository": "https://github.com/OWNER/NAME" }`
    )
  }
  return { author, repository: repository ?? "" }
}

/** Packs the package twice: as it is here, and as it is there. */
const packReleased = ({ author, repository }: Publisher, to: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-release-"))
  try {
    const { file, files } = pack(root, folder)
    capture(folder, "tar", "xzf", file)
    const place = join(folder, "package")
    const base = `${repository}/blob/v${manifest.version}`
    for (const page of globSync("**/*.md", { cwd: place })) {
      const text = readFileSync(join(place, page), "utf8")
      writeFileSync(join(place, page), released(page, text, { base, files }))
    }
    const described = {
      ...JSON.parse(readFileSync(join(place, "package.json"), "utf8")),
      author,
      homepage: `${repository}#readme`,
      bugs: { url: `${repository}/issues` },
      repository: { type: "git", url: `git+${repository}.git` }
    }
    writeFileSync(join(place, "package.json"), `${JSON.stringify(described, null, 2)}\n`)
    mkdirSync(to, { recursive: true })
    return pack(place, to).file
  } finally {
    rmSync(folder, { recursive: true })
  }
}

try {
  const { values } = parseArgs({
    options: {
      "dry-run": { type: "boolean", default: false },
      config: { type: "string", default: join(root, "release.config.json") },
      to: { type: "string", default: root }
    }
  })
  const file = packReleased(publisherIn(values.config), resolve(values.to))
  if (!values["dry-run"]) capture(root, "npm", "publish", file)
  console.log(`${values["dry-run"] ? "Would publish" : "Published"} ${manifest.name} ${manifest.version}: ${file}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
