/** Everything that users can import, read from the declarations: modules, their exports, and the members of these. */
import * as Schema from "effect/Schema"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { compile, root, type EntryPoint } from "../declarations.ts"
import { extract } from "../extractor.ts"
import { parseComment, type DocComment } from "./comment.ts"

/** A namespace of an entry point. */
export interface Module {
  readonly entry: EntryPoint
  readonly name: string
  /** The header comment of its source. */
  readonly doc: DocComment
  /** In the order of the source. */
  readonly exports: ReadonlyArray<Export>
}

/** Everything that a module exports under one name: a value, a type, or both. */
export interface Export {
  readonly name: string
  readonly declarations: ReadonlyArray<Declaration>
}

export interface Declaration {
  readonly kind: "class" | "function" | "interface" | "type" | "value"
  /** Its doc comment, with the place that the check names. */
  readonly doc: DocComment
  readonly source: string
  /** The declaration as TypeScript, including members and their comments. */
  readonly signature: string
  /** The parameters of a function, or the fields of a class or an interface. */
  readonly members: ReadonlyArray<Member>
  /** The return type of a function, or the type of a value. */
  readonly type: string
}

export interface Member {
  readonly name: string
  readonly type: string
  readonly doc: DocComment
}

// --- The model that API Extractor writes -----------------------------------------------------------------------------

const Tokens = Schema.Array(
  Schema.Struct({ text: Schema.String, canonicalReference: Schema.optionalKey(Schema.String) })
)

const Range = Schema.Struct({ startIndex: Schema.Int, endIndex: Schema.Int })

const fields = {
  kind: Schema.String,
  name: Schema.optionalKey(Schema.String),
  canonicalReference: Schema.String,
  docComment: Schema.optionalKey(Schema.String),
  excerptTokens: Schema.optionalKey(Tokens),
  fileUrlPath: Schema.optionalKey(Schema.String),
  parameters: Schema.optionalKey(
    Schema.Array(Schema.Struct({ parameterName: Schema.String, parameterTypeTokenRange: Range }))
  ),
  returnTypeTokenRange: Schema.optionalKey(Range),
  variableTypeTokenRange: Schema.optionalKey(Range),
  propertyTypeTokenRange: Schema.optionalKey(Range)
}

interface Item extends Schema.Struct.Type<typeof fields> {
  readonly members?: ReadonlyArray<Item>
}

const Item = Schema.Struct({
  ...fields,
  members: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<Item, unknown> => Item)))
})

const decodeModel = Schema.decodeUnknownSync(Item)

// --- From the model to what is exported ------------------------------------------------------------------------------

/** Reads every module of every entry point, from declarations that are written for this and deleted afterwards. */
export const readModules = (): ReadonlyArray<Module> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-reference-"))
  try {
    // The declarations find the packages that they import here.
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    mkdirSync(join(folder, "model"))
    const declarations = join(folder, "declarations")
    compile(declarations, "--emitDeclarationOnly", "--sourceMap", "false")
    const modelOf = ({ name }: EntryPoint): string => join(folder, "model", `${name}.api.json`)
    const read = extract(declarations, true, (entry) => ({
      apiReport: { enabled: false, reportFileName: entry.name },
      docModel: { enabled: true, includeForgottenExports: true, apiJsonFilePath: modelOf(entry) }
    }))
    return read.flatMap(([entry]) => modulesOf(entry, decodeModel(JSON.parse(readFileSync(modelOf(entry), "utf8")))))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const modulesOf = (entry: EntryPoint, model: Item): ReadonlyArray<Module> => {
  const items = model.members?.[0]?.members ?? []
  const bases = new Map(items.map((item) => [referenceOf(item), item]))
  const index = readFileSync(join(root, entry.source), "utf8")
  return Array.from(index.matchAll(/^export \* as (\w+) from "(.+)"$/gm), ([, name = "", path = ""]) => {
    const source = join(dirname(entry.source), path)
    const namespace = items.find((item) => item.kind === "Namespace" && item.name === name)
    return {
      entry,
      name,
      doc: parseComment(/^\/\*\*[^]*?\*\//.exec(readFileSync(join(root, source), "utf8"))?.[0] ?? ""),
      exports: exportsOf(namespace?.members ?? [], bases, source)
    }
  })
}

const exportsOf = (
  items: ReadonlyArray<Item>,
  bases: ReadonlyMap<string, Item>,
  source: string
): ReadonlyArray<Export> =>
  Array.from(
    Map.groupBy(items, ({ name = "" }) => name),
    ([name, same]) => ({ name, declarations: same.map((item) => declarationOf(item, bases, source)) })
  ).toSorted((a, b) => placeOf(a, source) - placeOf(b, source))

/** The position of a declaration. Declarations from other files come after those of this one. */
const placeOf = ({ declarations, name }: Export, source: string): number => {
  const file = declarations[0]?.source ?? source
  const text = readFileSync(join(root, file), "utf8")
  const declared = new RegExp(String.raw`\b(?:const|class|function|interface|type) ${name}\b`)
  return text.search(declared) + (file === source ? 0 : 1_000_000 + (file.codePointAt(4) ?? 0) * 1_000_000)
}

const declarationOf = (item: Item, bases: ReadonlyMap<string, Item>, source: string): Declaration => {
  const text = textOf(item)
  const common = { doc: parseComment(item.docComment ?? ""), source: item.fileUrlPath ?? source }
  switch (item.kind) {
    case "Function": {
      const members = (item.parameters ?? []).map(({ parameterName, parameterTypeTokenRange }) => ({
        name: parameterName,
        type: textOf(item, parameterTypeTokenRange),
        doc: common.doc
      }))
      return {
        ...common,
        kind: "function",
        signature: `const ${text}`,
        members,
        type: textOf(item, item.returnTypeTokenRange)
      }
    }
    case "Variable":
      return {
        ...common,
        kind: "value",
        signature: `const ${text}`,
        members: [],
        type: textOf(item, item.variableTypeTokenRange)
      }
    case "TypeAlias":
      return { ...common, kind: "type", signature: text.replace(/^export /, ""), members: [], type: "" }
    case "Class":
    case "Interface": {
      const head = (item.excerptTokens ?? []).map((token) => baseOf(token, bases) ?? token.text).join("")
      const inside = (item.members ?? []).map((member) => `${commentOf(member)}${textOf(member)}`)
      return {
        ...common,
        kind: item.kind === "Class" ? "class" : "interface",
        signature: `${head.replace(/^export (declare )?/, "")}{\n${inside.join("\n")}\n}`,
        members: (item.members ?? []).map(memberOf),
        type: ""
      }
    }
    default:
      throw new Error(`The kind ${item.kind} of ${item.canonicalReference} is unknown.`)
  }
}

const memberOf = (item: Item): Member => ({
  name: item.name ?? "",
  type: textOf(item, item.propertyTypeTokenRange),
  doc: parseComment(item.docComment ?? "")
})

/** A class that a function creates, as every error class, has a base class that users cannot name. */
const baseOf = (
  { canonicalReference: reference = "", text }: { readonly canonicalReference?: string; readonly text: string },
  bases: ReadonlyMap<string, Item>
): string | undefined => {
  if (!text.endsWith("_base")) return undefined
  const base = bases.get(reference.replace(/^.*~/, ""))
  return base === undefined ? undefined : textOf(base, base.variableTypeTokenRange)
}

const referenceOf = ({ canonicalReference }: Item): string => canonicalReference.replace(/^.*[!~]|:.*$/g, "")

const textOf = (
  { excerptTokens: tokens = [] }: Item,
  { endIndex, startIndex } = { startIndex: 0, endIndex: tokens.length }
): string =>
  tokens
    .slice(startIndex, endIndex)
    .map(({ text }) => text)
    .join("")

/** Returns the doc comment of a member, without its tags. */
const commentOf = ({ docComment = "" }: Item): string => {
  const { text } = parseComment(docComment)
  return text === "" ? "" : `/**\n${text.replaceAll(/^/gm, " * ")}\n */\n`
}
