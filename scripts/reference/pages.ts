/** Writes the reference as Markdown: one page per module, and an index page. */
import { posix } from "node:path"
import { replaceLinks } from "./comment.ts"
import type { Declaration, Export, Module } from "./exports.ts"

/** The pages by their paths below the folder of the reference. */
export const makePages = (modules: ReadonlyArray<Module>): ReadonlyMap<string, string> =>
  new Map([
    ["README.md", overview(modules)],
    ...modules.map((module): [string, string] => [pathOf(module), page(module, modules)])
  ])

/**
 * The modules of the package itself are at the top, those of a path below it in a folder with the name of that path.
 */
const pathOf = ({ entry, name }: Module): string => {
  const [, ...below] = entry.specifier.split("/")
  return [...below, `${name}.md`].join("/")
}

const note = "<!-- Made from the doc comments by `npm run reference`. Change those. -->"

const overview = (modules: ReadonlyArray<Module>): string => {
  const entries = Map.groupBy(modules, ({ entry }) => entry.specifier)
  return paragraphs(
    note,
    "# Reference",
    "Every export of every entry point, as the declarations and the doc comments have it. The guides are a better place to begin: [README](../../README.md).",
    'Wherever a duration is taken, it is a text such as `"5 minutes"`, a `Duration`, or a number of **milliseconds**. Sizes are **bytes** of UTF-8. What a function may fail with stands behind **Errors**, what it may die with behind **Defects**; [Troubleshooting](../troubleshooting.md) explains each of them. Examples are run by the tests.',
    ...Array.from(entries, ([specifier, inside]) => [
      `## ${specifier}`,
      table(inside.map((module) => [`[${module.name}](${pathOf(module)})`, oneLine(module.doc.summary)]))
    ]).flat()
  )
}

const page = (module: Module, modules: ReadonlyArray<Module>): string => {
  const { doc, entry, exports, name } = module
  const categories = categoriesOf(exports)
  const anchors = anchorsOf(module)
  const markdown = (text: string): string => replaceLinks(text, (target, shown) => link(target, shown, module, modules))
  const listed = Array.from(categories.values())
    .flat()
    .map((exported) => [`[${exported.name}](#${anchors.get(exported)})`, oneLine(markdown(summaryOf(exported)))])
  return paragraphs(
    note,
    titleOf(module),
    signatureBlock(`import { ${name} } from "${entry.specifier}"`),
    markdown(doc.text),
    table(listed),
    ...Array.from(categories, ([category, inside]) => [
      `## ${capitalised(category)}`,
      ...inside.flatMap((exported) => describe(exported, markdown, module))
    ]).flat()
  )
}

const titleOf = ({ name }: Module): string => `# Module ${name}`

const describe = (exported: Export, markdown: (text: string) => string, module: Module): ReadonlyArray<string> => {
  const { declarations, name } = exported
  const [first] = declarations
  if (first === undefined) return []
  const source = posix.join("../".repeat(pathOf(module).split("/").length + 1), first.source)
  return [
    `### ${name}`,
    signatureBlock(declarations.map(signatureOf).join("\n\n")),
    ...declarations.flatMap(({ doc, kind, members }) => [
      markdown(doc.text),
      ...doc.examples.map(markdown),
      // The comment of a function describes its parameters.
      ...(kind === "function" ? [] : members.flatMap((member) => member.doc.examples.map(markdown)))
    ]),
    `Since ${first.doc.since} · [source](${source})`
  ]
}

const signatureOf = ({ kind, signature }: Declaration): string => {
  const plain = replaceLinks(signature, (name) => name)
  return kind === "interface" || kind === "type" ? plain : `declare ${plain}`
}

/** Returns the categories in the order of the source, with the models at the end: readers look for functions first. */
const categoriesOf = (exports: ReadonlyArray<Export>): ReadonlyMap<string, ReadonlyArray<Export>> => {
  const categories = Map.groupBy(exports, ({ declarations }) => declarations[0]?.doc.category ?? "others")
  const models = categories.get("models")
  if (models === undefined) return categories
  categories.delete("models")
  return categories.set("models", models)
}

const summaryOf = ({ declarations }: Export): string =>
  declarations.map(({ doc }) => doc.summary).find((summary) => summary !== "") ?? ""

/** Returns a link to a name in the scope of a module's doc comment, or the name itself if the reference lacks it. */
const link = (target: string, shown: string, module: Module, modules: ReadonlyArray<Module>): string => {
  const [name = "", member] = target.split(".")
  const there = modules.find((other) => other.name === name && (member !== undefined || other.name !== module.name))
  if (member === undefined) {
    const anchor = anchorOf(module, name)
    if (anchor !== undefined) return `[${shown}](#${anchor})`
    return there === undefined ? shown : `[${shown}](${between(module, there)})`
  }
  const anchor = there === undefined ? undefined : anchorOf(there, member)
  return there === undefined || anchor === undefined ? shown : `[${shown}](${between(module, there)}#${anchor})`
}

const between = (from: Module, to: Module): string => posix.relative(posix.dirname(pathOf(from)), pathOf(to))

const anchorOf = (module: Module, name: string): string | undefined => {
  const exported = module.exports.find((one) => one.name === name)
  return exported === undefined ? undefined : anchorsOf(module).get(exported)
}

/** Returns the anchors of the headings on a page: the names in lower case, with a number if a name is repeated. */
const anchorsOf = (module: Module): ReadonlyMap<Export, string> => {
  const used = new Map<string, number>()
  const anchor = (heading: string): string => {
    const slug = heading.toLowerCase().replaceAll(" ", "-")
    const count = used.get(slug) ?? 0
    used.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  }
  anchor(titleOf(module).slice(2))
  return new Map(
    Array.from(categoriesOf(module.exports)).flatMap(([category, inside]) => {
      anchor(category)
      return inside.map((exported): [Export, string] => [exported, anchor(exported.name)])
    })
  )
}

// --- Markdown --------------------------------------------------------------------------------------------------------

const paragraphs = (...texts: ReadonlyArray<string>): string => `${texts.filter((text) => text !== "").join("\n\n")}\n`

const signatureBlock = (code: string): string => `\`\`\`ts signature\n${code}\n\`\`\``

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  ["| | |", "| --- | --- |", ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n")

const oneLine = (text: string): string => text.replaceAll("\n", " ").replaceAll("|", String.raw`\|`)

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
