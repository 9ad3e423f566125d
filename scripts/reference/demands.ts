/** The required parts of the doc comment of every export, so that nobody needs to read the source. */
import type { Declaration, Export, Member, Module } from "./exports.ts"

interface Demand {
  /** A missing part, described for the person who has to add it. */
  readonly missing: string
  readonly meets: (declaration: Declaration, all: Export, module: Module) => boolean
}

const demands: ReadonlyArray<Demand> = [
  {
    missing: "a summary: a sentence that ends with a full stop",
    // For users, a type and a value of one name are one thing, so one of the two needs a summary.
    meets: (_, { declarations }) => declarations.some(({ doc }) => doc.summary.endsWith("."))
  },
  { missing: "@since with the version that brought it", meets: ({ doc }) => /^\d+\.\d+\.\d+$/.test(doc.since ?? "") },
  { missing: "@category", meets: ({ doc }) => doc.category !== undefined && doc.category !== "" },
  {
    missing: "an @example with a block of ts that runs",
    meets: (declaration) => !isCalled(declaration) || declaration.doc.examples.some((text) => /^```ts$/m.test(text))
  },
  {
    missing: "**Errors**: which, and when",
    meets: (declaration) => !canFail(declaration) || /\*\*Errors\*\*/.test(declaration.doc.text)
  },
  {
    missing: "**Errors** or **Defects**: those of the operation",
    meets: ({ doc, kind }) =>
      kind !== "function" || doc.category !== "operations" || /\*\*(?:Errors|Defects)\*\*/.test(doc.text)
  }
]

/** Returns the missing parts of the reference, each with its place. */
export const findProblems = (modules: ReadonlyArray<Module>): ReadonlyArray<string> =>
  modules.flatMap((module) => [
    ...(module.doc.summary === "" ? [`${module.name}: the module has no comment at its head`] : []),
    ...module.exports.flatMap((exported) =>
      exported.declarations.flatMap((declaration) => {
        const place = `${declaration.source}: ${module.name}.${exported.name}`
        return [
          ...demands
            .filter(({ meets }) => !meets(declaration, exported, module))
            .map(({ missing }) => `${place} needs ${missing}`),
          ...declaration.members.flatMap((member) =>
            membersProblems(exported.name, declaration, member).map((text) => place + text)
          )
        ]
      })
    )
  ])

const membersProblems = (name: string, { doc, kind }: Declaration, member: Member): ReadonlyArray<string> => {
  const explained = kind === "function" ? doc.text : member.doc.text
  const isOptions = kind === "interface" && name.endsWith("Options")
  const problems: Array<string> = []
  if (isOptions && explained === "") problems.push(`.${member.name} needs a comment`)
  if (isMeasured(member.type) && !namesUnit(explained)) problems.push(`, ${member.name}: needs its unit`)
  return problems
}

/** Returns whether users call or run an export, so that it needs an example. */
const isCalled = ({ kind, type }: Declaration): boolean =>
  kind === "function" || (kind === "value" && /^(?:Effect\.Effect|Layer\.Layer)\b|=>|^\{\s*(?:<|\()/.test(type))

/** Returns whether an export is, or returns, an Effect with an error. */
const canFail = ({ kind, type }: Declaration): boolean => {
  if (kind !== "function" && kind !== "value") return false
  const inside = /^Effect\.Effect<([^]*)>$/.exec(type)?.[1]
  return inside !== undefined && (typeArguments(inside)[1] ?? "never") !== "never"
}

/** Returns the type arguments of a list. Nested arguments do not end an argument. */
const typeArguments = (list: string): ReadonlyArray<string> => {
  const found = [""]
  let depth = 0
  for (const [index, character] of Array.from(list).entries()) {
    if ("<([{".includes(character)) depth++
    if (")]}".includes(character) || (character === ">" && list[index - 1] !== "=")) depth--
    if (character === "," && depth === 0) found.push("")
    else found[found.length - 1] += character
  }
  return found.map((one) => one.trim())
}

/** Returns whether a type is a number or a duration, which need a unit. */
const isMeasured = (type: string): boolean => /\b(?:number|bigint|Duration\.Input)\b(?! \| string)/.test(type)

const namesUnit = (text: string): boolean =>
  /\b(?:milliseconds?|ms|seconds?|minutes?|hours?|days?|bytes?|characters|attempts?|operations?|items?|calls?|crash(?:es)?|times|invocations?|duration|from 1|less than 1|whole\s+number|share)\b|\d s\b/i.test(
    text
  )
