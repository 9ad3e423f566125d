/**
 * The tables of options in the pages: each is made from the doc comments of the types that the operation takes.
 *
 * A page has a table where it says so, with the types in the order of its rows:
 *
 *     <!-- options: operations/step.ts StepOptions, Plain.ts Recording -->
 *     <!-- end of options -->
 *
 * What stands behind `Default:` in a comment, up to the end of its sentence, is the default; the rest is the meaning.
 *
 * Owns: the rows of such a table. Does not own: which pages there are, and how they are formatted.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../declarations.ts"
import { parseComment, replaceLinks } from "./comment.ts"

interface Option {
  readonly name: string
  readonly meaning: string
  readonly byDefault: string
}

const region = /(<!-- options: ([^>]+?) -->\n)[^]*?(<!-- end of options -->)/g

/** The pages that have tables, by their paths from the root of the repository, with the tables as they should be. */
export const pagesWithOptions = (): ReadonlyMap<string, string> =>
  new Map(
    globSync("docs/**/*.md", { cwd: root })
      .map((path): [string, string] => [path, readFileSync(join(root, path), "utf8")])
      .filter(([, text]) => text.search(region) !== -1)
      .map(([path, text]) => [path, withTables(text)])
  )

/** A page with its tables as they should be. */
export const withTables = (page: string): string =>
  page.replaceAll(region, (_, begin: string, types: string, end: string) => {
    const rows = types.split(", ").flatMap(optionsOf).map(rowOf)
    return `${begin}\n${["| Option | Default | Meaning |", "| --- | --- | --- |", ...rows].join("\n")}\n\n${end}`
  })

const rowOf = ({ byDefault, meaning, name }: Option): string =>
  `| \`${name}\` | ${cell(byDefault)} | ${cell(meaning)} |`

const cell = (text: string): string => text.replaceAll("\n", " ").replaceAll("|", String.raw`\|`)

/** The options of `FILE TYPE`, but for those that are internal. */
const optionsOf = (place: string): ReadonlyArray<Option> => {
  const [file = "", type = ""] = place.split(" ")
  const source = readFileSync(join(root, "src", file), "utf8")
  const body = new RegExp(String.raw`^export interface ${type}\b[^]*?\{$([^]*?)^\}$`, "m").exec(source)?.[1]
  if (body === undefined) throw new Error(`src/${file} has no interface ${type}, which a page has a table of.`)
  const members = body.matchAll(/(\/\*\*(?:(?!\*\/)[^])*\*\/)\s+readonly (\w+)(\??):/g)
  return Array.from(members).flatMap(([, comment = "", name = "", mark]) =>
    comment.includes("@internal") ? [] : [optionOf(name, mark === "?", comment)]
  )
}

const optionOf = (name: string, isOptional: boolean, comment: string): Option => {
  const text = replaceLinks(parseComment(comment.replaceAll("*/", "\n*/")).text, (_, shown) => shown).trim()
  const [sentence = "", found = ""] = /Default:\s([^]*?)\.(?=\s|$)/.exec(text) ?? []
  const byDefault = found === "" ? (isOptional ? "none" : "needed") : found
  return { name, byDefault, meaning: text.replace(sentence, "").replaceAll(/\s+/g, " ").trim() }
}

/** The types of options of operations and handlers that no page has a table of. */
export const missingTables = (pages: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const shown = [...pages.values()]
    .flatMap((text) => Array.from(text.matchAll(region), ([, , types]) => types))
    .join(", ")
  return globSync("{operations/*,lambda/LambdaHandler}.ts", { cwd: join(root, "src") }).flatMap((file) =>
    Array.from(
      readFileSync(join(root, "src", file), "utf8").matchAll(/^export interface ((?!No)\w*Options)\b/gm),
      ([, type = ""]) => `${file} ${type}`
    )
      .filter((type) => !shown.split(", ").includes(type))
      .map((type) => `src/${type.replace(" ", ": ")} needs a table in a page of docs/operations`)
  )
}
