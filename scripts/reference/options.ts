/**
 * The tables of options in the pages, each generated from the doc comments of the operation's option types.
 *
 * Markers show where a page has a table, and name the types in the order of its rows:
 *
 *     <!-- options: operations/step.ts StepOptions, Plain.ts Recording -->
 *     <!-- end of options -->
 *
 * In a comment, the text after `Default:`, up to the end of the sentence, is the default; the rest is the meaning.
 *
 * Owns: the rows of such a table. Does not own: the list of pages, and their format.
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

/** Returns the pages that have tables, by their paths from the root of the repository, with up-to-date tables. */
export const pagesWithOptions = (): ReadonlyMap<string, string> =>
  new Map(
    globSync("docs/**/*.md", { cwd: root })
      .map((path): [string, string] => [path, readFileSync(join(root, path), "utf8")])
      .filter(([, text]) => text.search(region) !== -1)
      .map(([path, text]) => [path, withTables(text)])
  )

/** Returns a page with up-to-date tables. */
export const withTables = (page: string): string =>
  page.replaceAll(region, (_, begin: string, types: string, end: string) => {
    const rows = types.split(", ").flatMap(optionsOf).map(rowOf)
    return `${begin}\n${["| Option | Default | Meaning |", "| --- | --- | --- |", ...rows].join("\n")}\n\n${end}`
  })

const rowOf = ({ byDefault, meaning, name }: Option): string =>
  `| \`${name}\` | ${cell(byDefault)} | ${cell(meaning)} |`

const cell = (text: string): string => text.replaceAll("\n", " ").replaceAll("|", String.raw`\|`)

/** Returns the options of `FILE TYPE`, except internal ones. */
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

/** Returns the option types of operations and handlers for which no page has a table. */
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
