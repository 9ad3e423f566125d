/** The architecture page names files and functions that exist, and every part of an invocation; the guides name tests. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { proseOf, read, root } from "./blocks.ts"

const page = "docs/architecture.md"
const text = proseOf(page).join("\n")

/** The paths of the source that the page has in backticks. */
const paths = [...new Set(Array.from(text.matchAll(/`(src\/[\w./-]+)`/g), ([, path = ""]) => path))]

/** The names that the page has behind a file: "`file`: `name`", or several with "and" and commas. */
const names = Array.from(text.matchAll(/`(src\/[\w./-]+\.ts)`:\s+`(\w+)`/g), ([, file = "", name = ""]) => ({
  file,
  name
}))

/** Whether a source file declares a function, a class or a member of this name. */
const declares = (file: string, name: string): boolean => {
  const code = read(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
  const declared = new RegExp(String.raw`\b(?:const|class|function|interface|type) ${name}\b`)
  const member = new RegExp(String.raw`^ {2}(?:static |readonly |get |async |\*)*#?${name}(?:<[^>]*>)?[(:]`, "m")
  return declared.test(code) || member.test(code)
}

describe(page, () => {
  it.each(paths)("names %s, which exists", (path) => {
    assert.isTrue(existsSync(join(root, path)), `there is no ${path}`)
  })

  it.each(names)("names $name of $file, which it defines", ({ file, name }) => {
    assert.isTrue(declares(file, name), `${file} defines no ${name}`)
  })

  it("says of every part of an invocation what it owns", () => {
    assert.isAbove(names.length, 10)
    for (const file of readdirSync(join(root, "src/execution"))) {
      assert.include(text, `](../src/execution/${file})`, `${page} does not say what src/execution/${file} owns`)
    }
  })

  it("names files that open with what they own and what they do not, and in src/execution with invariants", () => {
    const tables = text.slice(text.indexOf("## Who owns what"), text.indexOf("## One invocation"))
    const listed = [
      ...new Set(Array.from(tables.matchAll(/\]\(\.\.\/(src\/[\w./-]+\.ts)\)/g), ([, file = ""]) => file))
    ]
    assert.isAbove(listed.length, 60)
    for (const file of listed) {
      const head = /^\/\*\*[\s\S]*?\*\//.exec(read(file).replace(/^#!.*\n/, ""))?.[0] ?? ""
      assert.match(head, /\bOwns: \S/, `${file} does not open with what it owns`)
      assert.match(head, /\bDoes not own: \S/, `${file} does not open with what it does not own`)
      if (!file.startsWith("src/execution/")) continue
      assert.match(head, /^ \* Invariants:\n \* 1\. \S/m, `${file} does not open with its invariants`)
    }
  })

  it("leads one invoke through six rooms out and four back, none of them twice", () => {
    const walk = text.slice(text.indexOf("**Out**"), text.indexOf("With a `timeout`"))
    const rooms = (part: string) => Array.from(part.matchAll(/^\d\. `(src\/[\w./-]+\.ts)`/gm), ([, file = ""]) => file)
    const [out = "", back = ""] = walk.split("**Back**")
    assert.lengthOf(new Set(rooms(out)), 6)
    assert.lengthOf(new Set(rooms(back)), 4)
    assert.lengthOf(rooms(walk), 10)
  })
})

describe("docs/determinism.md", () => {
  const links = Array.from(
    read("docs/determinism.md").matchAll(/\[([^\]]+)\]\(\.\.\/(test\/determinism\/constructs\w+\.test\.ts)\)/g),
    ([, name = "", file = ""]) => ({ name, file })
  )

  it.each(links)("names a test of $file: $name", ({ file, name }) => {
    assert.include(read(file), name)
  })

  it("has every construct that is tested", () => {
    for (const file of new Set(links.map((link) => link.file))) {
      const tested = Array.from(read(file).matchAll(/survives\(\s*"([^":]+)/g), ([, construct = ""]) => construct)
      for (const construct of new Set(tested)) {
        const named = links.some(
          ({ name, ...link }) =>
            link.file === file && (name === construct || read(file).includes(`"${construct}: ${name}"`))
        )
        assert.isTrue(named, `docs/determinism.md has no row for "${construct}" of ${file}`)
      }
    }
  })
})
