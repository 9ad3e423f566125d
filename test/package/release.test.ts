/** What a release makes of the package. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../../package.json" with { type: "json" }
import { released } from "../../scripts/release/links.ts"

const root = join(import.meta.dirname, "../..")

const release = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["scripts/release.ts", "--dry-run", ...args], { cwd: root, encoding: "utf8" })

describe("the links of a released page", () => {
  const base = "https://example.com/blob/v1"
  const files = ["README.md", "docs/a.md", "docs/operations/step.md"]

  it("are addresses in README", () => {
    const text = "[a](docs/a.md#b) [`code`](LICENSE) [out](https://example.org) [in](#in) [folder](examples/)"
    assert.strictEqual(
      released("README.md", text, { base, files }),
      `[a](${base}/docs/a.md#b) [\`code\`](${base}/LICENSE) [out](https://example.org) [in](#in) [folder](${base}/examples)`
    )
  })

  it("lead out of other pages only to what is not in the package", () => {
    const text = "[step](operations/step.md) [all](operations) [test](../test/a.test.ts) [readme](../README.md)"
    assert.strictEqual(
      released("docs/a.md", text, { base, files }),
      `[step](operations/step.md) [all](operations) [test](${base}/test/a.test.ts) [readme](../README.md)`
    )
  })

  it("are none in code", () => {
    const text = "`[a](b)`\n\n```ts\nlist[0](c)\n```\n"
    assert.strictEqual(released("README.md", text, { base, files }), text)
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
    const { status, stderr } = release("--config", config, "--to", folder)
    assert.strictEqual(status, 0, stderr)
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
