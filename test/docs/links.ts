/** Finds links and what they can lead to: headings of Markdown files, and the names that a doc comment can see. */
import { dirname, join } from "node:path"
import { proseOf, read } from "./blocks.ts"

export interface Link {
  readonly place: string
  readonly target: string
}

/** The links of a Markdown file, code left out. */
export const markdownLinks = (file: string): ReadonlyArray<Link> =>
  proseOf(file).flatMap((line, index) => {
    const text = line.replaceAll(/`[^`]*`/g, (code) => "`".repeat(code.length))
    const inline = text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)
    const definitions = text.matchAll(/^ *\[[^\]]+\]: (\S+)/g)
    const html = text.matchAll(/<(?:a|img)\b[^>]* (?:href|src)="([^"]+)"/g)
    return Array.from([...inline, ...definitions, ...html], ([, target = ""]) => ({
      place: `${file}:${index + 1}`,
      target
    }))
  })

/** The anchors of a Markdown file: one for each heading, as GitHub names it, and those that it sets itself. */
export const anchorsOf = (file: string): ReadonlySet<string> => anchorsIn(proseOf(file))

export const anchorsIn = (lines: ReadonlyArray<string>): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const line of lines) {
    const heading = /^#{1,6} (.+?)(?: #+)?$/.exec(line)?.[1]
    if (heading !== undefined) anchors.add(unused(slugOf(heading), anchors))
    for (const [, id = ""] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id)
  }
  return anchors
}

/** Letters, digits, `-` and `_` in small letters, with a `-` for each space. */
const slugOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-")

const unused = (slug: string, taken: ReadonlySet<string>): string => {
  let name = slug
  for (let count = 1; taken.has(name); count++) name = `${slug}-${count}`
  return name
}

/** The `{@link …}`s in the comments of a source file. */
export const commentLinks = (file: string): ReadonlyArray<Link> =>
  read(file)
    .split("\n")
    .flatMap((line, index) =>
      Array.from(line.matchAll(/\{@link ([^}|]+)/g), ([, target = ""]) => ({
        place: `${file}:${index + 1}`,
        target: target.trim()
      }))
    )

/** The names that a source file declares, imports or hands on, members of its types and classes included. */
export const namesIn = (file: string): ReadonlySet<string> => {
  // Comments are no declarations.
  const code = read(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
  const declared = code.matchAll(/\b(?:const|let|class|interface|type|function|namespace|as) (\w+)/g)
  const listed = Array.from(code.matchAll(/\{([^{}]*)\}/g), ([, list = ""]) =>
    [...list.matchAll(/(\w+)\s*(?:,|$)/g)].map(([, name = ""]) => name)
  )
  const members = code.matchAll(/^ {2}(?:static |readonly |get |override )*(\w+)\??[:(<]/gm)
  return new Set([
    ...Array.from(declared, ([, name = ""]) => name),
    ...listed.flat(),
    ...Array.from(members, ([, name = ""]) => name)
  ])
}

/** The files that a source file imports as a whole, by their names there. */
export const namespacesIn = (file: string): ReadonlyMap<string, string> =>
  new Map(
    Array.from(read(file).matchAll(/\* as (\w+) from "(\.[^"]+)"/g), ([, name = "", path = ""]) => [
      name,
      join(dirname(file), path)
    ])
  )
