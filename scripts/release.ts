/**
 * Makes a release: packs the build for the registry, and publishes it.
 *
 * `npm run release -- [--dry-run] [--config FILE] [--to FOLDER]`
 *
 * One file, `release.config.json`, names the publisher of the package and its repository:
 *
 *     { "author": "Ada Lovelace <ada@example.com>", "repository": "https://github.com/ada/effect-durable" }
 *
 * The fields `author`, `repository`, `homepage` and `bugs` of the packed `package.json`, and the addresses of README's
 * links, come from that file. Without it a release stops before anything is packed. The script writes three files, into
 * `--to` or the folder of the repository: the archive, a software bill of materials in CycloneDX format, and the
 * section of CHANGELOG.md about the version. Then it prints the commit that they are made from, and the integrity of
 * the archive.
 *
 * It publishes with provenance: the registry shows which commit and which workflow the archive comes from. Provenance
 * works in CI only. The script publishes nothing unless the tree is clean, the commit has the tag of the version, and
 * the changelog does not call the version unreleased. With `--dry-run` it publishes nothing, and lists the obstacles.
 * Run `npm run build` and `npm run reference` first. If there is no release, the script exits with 1 and gives the
 * reason.
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

/** Packs the package twice: as it is in the repository, and with the changes for the registry. */
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

/** Returns the components of the package, in CycloneDX format. */
const billOfMaterials = (): string => {
  const args = ["sbom", "--omit=dev", "--package-lock-only", "--sbom-format=cyclonedx"]
  const bill = JSON.parse(capture(root, "npm", ...args))
  // npm uses the name of the folder.
  bill.metadata.component.name = manifest.name
  return `${JSON.stringify(bill, null, 2)}\n`
}

/** Returns the obstacles to releasing this commit under its version. */
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
