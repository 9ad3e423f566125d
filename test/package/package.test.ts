/** What a user installs, and what the scripts of the repository promise. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import manifest from "../../package.json" with { type: "json" }

const root = join(import.meta.dirname, "../..")

const run = (command: string, ...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" })
  return { status, stderr, lines: stdout.trimEnd().split("\n") }
}

describe("the package", () => {
  it("has a source behind every entry point", () => {
    for (const [name, entry] of Object.entries(manifest.exports)) {
      if (typeof entry === "string") continue
      const source = entry["effect-durable-source"]
      assert.isTrue(existsSync(join(root, source)), name)
      assert.strictEqual(entry.default, source.replace(/^\.\/src/, "./dist").replace(/\.ts$/, ".js"))
      assert.strictEqual(entry.types, source.replace(/^\.\/src/, "./dist").replace(/\.ts$/, ".d.ts"))
    }
  })

  it("has a path to every module of its entry points, so that bundlers need not carry the others", () => {
    const sources = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [] : [entry["effect-durable-source"]]
    )
    for (const [path, folder] of [
      [".", "./src"],
      ["./lambda", "./src/lambda"]
    ] as const) {
      const index = readFileSync(join(root, folder, "index.ts"), "utf8")
      const modules = [...index.matchAll(/^export \* as (\w+) from/gm)].map(([, name = ""]) => name)
      assert.isAbove(modules.length, 4)
      for (const name of modules) {
        assert.include(sources, `${folder}/${name}.ts`)
        assert.property(manifest.exports, path === "." ? `./${name}` : `${path}/${name}`)
      }
    }
  })

  it("installs nothing but itself beside effect", () => {
    assert.notProperty(manifest, "dependencies")
    const optional = ["@aws-sdk/client-lambda", "@aws-sdk/credential-providers", "@effect/platform-node"]
    assert.deepStrictEqual(Object.keys(manifest.peerDependencies), [...optional, "effect"])
    assert.deepStrictEqual(
      Object.entries(manifest.peerDependenciesMeta),
      optional.map((name) => [name, { optional: true }])
    )
  })

  it("is packed with all of its sources and its documentation, and without tests, examples and tools", () => {
    const { lines, status, stderr } = run("npm", "pack", "--ignore-scripts", "--dry-run", "--json")
    assert.strictEqual(status, 0, stderr)
    const [packed] = JSON.parse(lines.join("\n"))
    const files: ReadonlyArray<string> = packed.files.map((file: { readonly path: string }) => file.path)
    const sources = globSync("src/**/*.{ts,js,css,svg}", { cwd: root })
    assert.deepStrictEqual(files.filter((file) => file.startsWith("src/")).toSorted(), sources.toSorted())
    const pages = globSync("docs/**/*.md", { cwd: root })
    assert.deepStrictEqual(files.filter((file) => file.startsWith("docs/")).toSorted(), pages.toSorted())
    const others = files.filter((file) => !/^(src|dist|docs)\//.test(file))
    assert.deepStrictEqual(others.toSorted(), ["CHANGELOG.md", "LICENSE", "LLMS.md", "README.md", "package.json"])
  })
})

// The first one may have to build the package.
describe("npm run bench", () => {
  const bench = (...args: ReadonlyArray<string>) => run(process.execPath, "bench/main.ts", ...args)

  it("measures the built package beside AWS's SDK", () => {
    const { lines, status, stderr } = bench("steps/10/async", "primitives/empty", "--rounds", "1", "--json")
    assert.strictEqual(status, 0, stderr)
    const { failed, measures } = JSON.parse(lines.at(-2) ?? "")
    assert.deepStrictEqual(failed, [])
    const requests = measures.find(({ name }: { readonly name: string }) => name === "steps/10/async/requests")
    assert.strictEqual(requests.ours.median, 10)
    assert.strictEqual(requests.aws.median, 20)
    assert.strictEqual(requests.ratio, 2)
    assert.match(lines.at(-1) ?? "", /^\d+ measures, \d+ losses$/)
  })

  it("measures sizes, cold starts and the client", () => {
    const { lines, status, stderr } = bench("size/hello", "cold", "client", "--rounds", "1", "--json")
    assert.strictEqual(status, 0, stderr)
    const { failed, measures } = JSON.parse(lines.at(-2) ?? "")
    assert.deepStrictEqual(failed, [])
    assert.deepStrictEqual(
      measures.map(({ name }: { readonly name: string }) => name),
      ["size/hello/bytes", "size/hello/gzip", "cold/import", "cold/first", "cold/rss", "client/first", "client/later"]
    )
    for (const { aws, ours } of measures) {
      assert.isAbove(ours.median, 0)
      assert.isAbove(aws.median, 0)
    }
  })

  it.each([
    ["an unknown name", ["step"]],
    ["a case that there is not", ["steps/7"]],
    ["no rounds", ["steps", "--rounds", "0"]],
    ["an unknown option", ["steps", "--verbose"]]
  ])("refuses to be called with %s", (_, args) => {
    const { status, stderr } = bench(...args)
    assert.strictEqual(status, 2)
    assert.include(stderr, "usage: npm run bench -- [NAME…]")
  })
})
