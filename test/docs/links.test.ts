/** Nothing that public text points at is missing. Of a page elsewhere only the address is checked: tests need no network. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { generatedPages, markdownFiles, root, sourceFiles } from "./blocks.ts"
import { counted } from "./counted.ts"
import { anchorsOf, commentLinks, markdownLinks, namesIn, namespacesIn } from "./links.ts"

const isElsewhere = (target: string): boolean => /^[a-z][a-z+.-]*:/.test(target)

describe("the links in Markdown", () => {
  it.each([...markdownFiles, ...generatedPages])("of %s lead somewhere", (file) => {
    for (const { place, target } of markdownLinks(file)) {
      if (isElsewhere(target)) {
        assert.match(target, /^https:\/\/[\w-]+(?:\.[\w-]+)+(?:[/?#]\S*)?$/, place)
        continue
      }
      const [path = "", anchor] = target.split("#")
      const found = path === "" ? file : join(dirname(file), path)
      assert.isFalse(found.startsWith(".."), `${place} links to ${target}, outside of the repository`)
      assert.isTrue(existsSync(join(root, found)), `${place} links to ${target}, and there is no such file`)
      if (anchor === undefined) continue
      const anchors = anchorsOf(found)
      assert.isTrue(
        anchors.has(anchor),
        `${place} links to ${target}, and ${found} has only #${[...anchors].join(" #")}`
      )
    }
  })

  it("are checked, all of them", (context) => {
    const links = [...markdownFiles, ...generatedPages].flatMap(markdownLinks)
    assert.isAbove(links.length, 0)
    counted(context, { "links checked": links.length })
  })
})

describe("the links in doc comments", () => {
  it("lead to names that their file can see", (context) => {
    const links = sourceFiles.flatMap((file) => {
      const found = commentLinks(file)
      for (const { place, target } of found) {
        const [name = "", member] = target.split(".")
        assert.isTrue(namesIn(file).has(name), `${place} links to ${target}, which is not in scope there`)
        const namespace = namespacesIn(file).get(name)
        if (member === undefined || namespace === undefined) continue
        assert.isTrue(namesIn(namespace).has(member), `${place} links to ${target}, which ${namespace} does not have`)
      }
      return found
    })
    counted(context, { "links in doc comments checked": links.length })
  })
})
