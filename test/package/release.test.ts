/** What a release makes of the package. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../../package.json" with { type: "json" }
import { released } from "../../scripts/release/links.ts"
import { notesOf } from "../../scripts/release/notes.ts"

const root = join(import.meta.dirname, "../..")

const release = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["scripts/release.ts", "--dry-run", ...args], { cwd: root, encoding: "utf8" })

describe("the links of a released page", () => {
  const base = "https://example.com/blob/v1"
  const packaged = "https://example.com/package@1"
  const files = ["README.md", "docs/a.md", "docs/operations/step.md"]

  it("are addresses in README", () => {
    const text = "[a](docs/a.md#b) [`code`](LICENSE) [out](https://example.org) [in](#in) [folder](examples/)"
    assert.strictEqual(
      released("README.md", text, { base, files, packaged }),
      `[a](${base}/docs/a.md#b) [\`code\`](${base}/LICENSE) [out](https://example.org) [in](#in) [folder](${base}/examples)`
    )
  })

  it("lead out of other pages only to what is not in the package", () => {
    const text = "[step](operations/step.md) [all](operations) [test](../test/a.test.ts) [readme](../README.md)"
    assert.strictEqual(
      released("docs/a.md", text, { base, files, packaged }),
      `[step](operations/step.md) [all](operations) [test](${base}/test/a.test.ts) [readme](../README.md)`
    )
  })

  it("lead to the package where the repository has no such file", () => {
    assert.strictEqual(
      released("README.md", "[reference](docs/reference/README.md#a)", { base, files, packaged }),
      `[reference](${packaged}/docs/reference/README.md#a)`
    )
  })

  it("are none in code", () => {
    const text = "`[a](b)`\n\n```ts\nlist[0](c)\n```\n"
    assert.strictEqual(released("README.md", text, { base, files, packaged }), text)
  })
})

describe("the notes of a version", () => {
  const changelog = "# Changelog\n\n## 1.1.0 (unreleased)\n\n- new\n\n## 1.0.0\n\n- first\n\n## 0.9.0\n"

  it("are its section of the changelog", () => {
    assert.deepStrictEqual(notesOf(changelog, "1.0.0"), { text: "- first\n", isUnreleased: false })
    assert.deepStrictEqual(notesOf(changelog, "1.1.0"), { text: "- new\n", isUnreleased: true })
  })

  it("are asked for where there are none", () => {
    assert.throws(() => notesOf(changelog, "1.1"), 'CHANGELOG.md has no section "## 1.1"')
    assert.throws(() => notesOf(changelog, "0.9.0"), 'The section "## 0.9.0" of CHANGELOG.md is empty')
  })
})

describe("npm run release", () => {
  it("stops without an author and a repository, and says where they belong", () => {
    const { status, stderr, stdout } = release("--config", "nowhere.json")
    assert.strictEqual(status, 1)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "A release has an author and a repository. Write them into nowhere.json")
  })

  it("fills them in, and makes links of README into addresses", () => {
    const folder = mkdtempSync(join(tmpdir(), "release-test-"))
    const repository = "https://github.com/ada/effect-durable"
    const config = join(folder, "config.json")
    writeFileSync(config, JSON.stringify({ author: "Ada", repository }))
    const { status, stderr, stdout } = release("--config", config, "--to", folder)
    assert.strictEqual(status, 0, stderr)
    assert.match(stdout, /^commit [0-9a-f]{40}\nintegrity sha512-\S{88}$/m)
    const [bill = ""] = globSync("*.cdx.json", { cwd: folder })
    const { component } = JSON.parse(readFileSync(join(folder, bill), "utf8")).metadata
    assert.strictEqual(component.name, manifest.name)
    assert.strictEqual(component.version, manifest.version)
    assert.lengthOf(globSync("*.notes.md", { cwd: folder }), 1)
    const [packed = ""] = globSync("*.tgz", { cwd: folder })
    spawnSync("tar", ["xzf", packed], { cwd: folder })
    const {
      author,
      bugs,
      homepage,
      repository: found
    } = JSON.parse(readFileSync(join(folder, "package/package.json"), "utf8"))
    assert.deepStrictEqual(
      { author, bugs, homepage, found },
      {
        author: "Ada",
        bugs: { url: `${repository}/issues` },
        homepage: `${repository}#readme`,
        found: { type: "git", url: `git+${repository}.git` }
      }
    )
    const readme = readFileSync(join(folder, "package/README.md"), "utf8")
    assert.include(readme, `](${repository}/blob/v${manifest.version}/docs/`)
    assert.notMatch(readme, /\]\((?!https:|#)/)
    rmSync(folder, { recursive: true })
  })
})

describe("the range of effect", () => {
  it("has only the minor version that the suite runs on", () => {
    const [major, minor] = manifest.devDependencies.effect.split(".")
    assert.match(manifest.peerDependencies.effect, new RegExp(`^~${major}\\.${minor}\\.\\d+$`))
  })
})
