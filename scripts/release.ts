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
 * links. Without it a release stops before anything is packed. It writes three files, into `--to` or the folder of the repository:
 * the archive, a software bill of materials in the format of CycloneDX, and the section of CHANGELOG.md about the version. Then it
 * says which commit they are made of, and what the archive's integrity is.
 *
 * It publishes with provenance: the registry shows which commit and which workflow the archive comes from. That works in CI
 * only, and says something only if the tree is clean, the commit has the tag of the version, and the changelog does not call it
 * unreleased: otherwise nothing is published. With `--dry-run` nothing is published either, and what would stand in the way is
 * told. Needs `npm run build` and `npm run reference` first. Exits with 1 and says why when there is no release.
 */
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { commandLine, flag, text } from "./commandLine.ts"
import { capture, pack } from "./npm/packed.ts"
import { released } from "./release/links.ts"
import { notesOf, type Notes } from "./release/notes.ts"

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
    const packaged = `https://unpkg.com/${manifest.name}@${manifest.version}`
    for (const page of globSync("**/*.md", { cwd: place })) {
      const text = readFileSync(join(place, page), "utf8")
      writeFileSync(join(place, page), released(page, text, { base, files, packaged }))
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

/** What the package consists of, besides itself, in the format of CycloneDX. */
const billOfMaterials = (): string => {
  const args = ["sbom", "--omit=dev", "--package-lock-only", "--sbom-format=cyclonedx"]
  const bill = JSON.parse(capture(root, "npm", ...args))
  // npm takes the name of the folder.
  bill.metadata.component.name = manifest.name
  return `${JSON.stringify(bill, null, 2)}\n`
}

/** What keeps this commit from being released under its version. */
const obstacles = ({ isUnreleased }: Notes): ReadonlyArray<string> => {
  const tag = `v${manifest.version}`
  const tags = capture(root, "git", "tag", "--points-at", "HEAD").split("\n")
  return [
    ...(capture(root, "git", "status", "--porcelain") === "" ? [] : ["The tree has changes that are not committed."]),
    ...(tags.includes(tag) ? [] : [`The commit has no tag ${tag}.`]),
    ...(isUnreleased ? [`CHANGELOG.md says that ${manifest.version} is unreleased.`] : [])
  ]
}

const release = (publisher: Publisher, to: string, isDryRun: boolean): void => {
  const notes = notesOf(readFileSync(join(root, "CHANGELOG.md"), "utf8"), manifest.version)
  const inTheWay = obstacles(notes)
  if (!isDryRun && inTheWay.length > 0) throw new Error(inTheWay.join("\n"))
  const file = packReleased(publisher, to)
  const beside = (name: string, text: string): string => {
    const path = file.replace(/\.tgz$/, name)
    writeFileSync(path, text)
    return path
  }
  const files = [file, beside(".cdx.json", billOfMaterials()), beside(".notes.md", notes.text)]
  for (const path of files) console.log(`Wrote ${path}`)
  console.log(`commit ${capture(root, "git", "rev-parse", "HEAD").trim()}`)
  console.log(`integrity sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`)
  if (!isDryRun) capture(root, "npm", "publish", file, "--provenance", "--access", "public")
  for (const obstacle of inTheWay) console.log(`In the way: ${obstacle}`)
  console.log(`${isDryRun ? "Would publish" : "Published"} ${manifest.name} ${manifest.version}: ${file}`)
}

const { values } = commandLine("release", { "dry-run": flag, config: text("FILE"), to: text("FOLDER") })
try {
  release(
    publisherIn(values.config ?? join(root, "release.config.json")),
    resolve(values.to ?? root),
    values["dry-run"]
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
