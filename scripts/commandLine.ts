/**
 * The command lines of the commands that judge: what may stand in them, what it means, and what is said of one that makes no
 * sense.
 *
 * A command names its parts once, and gets their values and its usage from them. What makes no sense, such as an unknown flag or
 * nought programs, ends the process with 2, a sentence and the usage, before anything has begun: nothing has been judged, so it
 * is neither a success nor a failure.
 */
import { randomInt } from "node:crypto"
import process from "node:process"
import { parseArgs } from "node:util"

/** What may stand in a command line, under its name. */
export interface Part<A> {
  /** A flag that is there or not, one with a value, or the words that belong to no flag. */
  readonly form: "flag" | "value" | "words"
  /** What the usage shows for a value. */
  readonly word: string
  readonly isRequired?: boolean
  /** Further lines of the usage. */
  readonly more?: string
  /** The meaning of what was found, in the order of the line. Throws {@link Nonsense}. */
  readonly read: (found: ReadonlyArray<string>, name: string) => A
}

type Parts = Readonly<Record<string, Part<unknown>>>

type Values<P extends Parts> = { readonly [K in keyof P]: P[K] extends Part<infer A> ? A : never }

/** Why a command line makes no sense, as a sentence. */
export class Nonsense extends Error {}

/** Reads the command line of this process. `refuse` ends it for a reason that only the command itself can see. */
export const commandLine = <P extends Parts>(
  script: string,
  parts: P
): { readonly values: Values<P>; readonly refuse: (problem: string) => never } => {
  const refuse = (problem: string): never => {
    console.error(`${problem}\n${usageOf(script, parts)}`)
    process.exit(2)
  }
  try {
    return { values: read(parts, process.argv.slice(2)), refuse }
  } catch (error) {
    if (error instanceof Nonsense) return refuse(error.message)
    throw error
  }
}

// --- The parts -----------------------------------------------------------------------------------------------------------

export const flag: Part<boolean> = { form: "flag", word: "", read: (found) => found.length > 0 }

/** Something of which a text is the name. Undefined if it is not there. */
export const parsed = <A>(word: string, parse: (text: string) => A | undefined): Part<A | undefined> => ({
  form: "value",
  word,
  read: (found, name) => {
    const text = found.at(-1)
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) throw new Nonsense(`--${name} must be ${word}, found ${JSON.stringify(text)}.`)
    return value
  }
})

export const text = (word: string): Part<string | undefined> => parsed(word, (found) => found)

/** One of some words, the first of them by default. */
export const oneOf = <W extends string>(...words: readonly [W, ...ReadonlyArray<W>]): Part<W> => {
  const part = parsed(words.join("|"), (found) => words.find((word) => word === found))
  return { ...part, read: (found, name) => part.read(found, name) ?? words[0] }
}

/** Any number of texts. Undefined if there is none. */
export const texts = (word: string): Part<ReadonlyArray<string> | undefined> => ({
  form: "value",
  word,
  read: (found) => (found.length === 0 ? undefined : found)
})

export const required = (word: string): Part<string> => ({
  form: "value",
  word,
  isRequired: true,
  read: (found, name) => {
    const text = found.at(-1)
    if (text === undefined) throw new Nonsense(`--${name} is missing.`)
    return text
  }
})

interface Range {
  readonly atLeast?: number
  readonly atMost?: number
}

/** How many. By default at least one: a command that has judged nothing has found nothing. */
export const count = <D extends number | undefined>(
  byDefault: D,
  { atLeast = 1, atMost = 10_000_000 }: Range = {}
): Part<number | D> => ({
  form: "value",
  word: "N",
  read: (found, name) => {
    const text = found.at(-1)
    return text === undefined ? byDefault : wholeNumber(`--${name}`, text, atLeast, atMost)
  }
})

/** The seed of everything that is drawn: the flag, or the variable SEED of the environment, or one that is new each time. */
export const seed = (byDefault?: number): Part<number> => ({
  form: "value",
  word: "S",
  read: (found, name) => {
    const text = found.at(-1)
    if (text !== undefined) return wholeNumber(`--${name}`, text, 0, 2 ** 32 - 1)
    const variable = process.env["SEED"]
    if (variable !== undefined) return wholeNumber("SEED", variable, 0, 2 ** 32 - 1)
    return byDefault ?? randomInt(2 ** 31)
  }
})

/** Names of what is to be judged: none for all of it. */
export const names = (
  known: ReadonlyArray<string>,
  isKnown = (name: string): boolean => known.includes(name)
): Part<ReadonlyArray<string>> => ({
  form: "words",
  word: "NAME",
  more: `NAMEs: ${known.map((name) => (name.includes(" ") ? JSON.stringify(name) : name)).join(", ")}`,
  read: (found) => {
    const unknown = found.find((name) => !isKnown(name))
    if (unknown !== undefined) throw new Nonsense(`There is nothing with the name ${JSON.stringify(unknown)}.`)
    return found
  }
})

const wholeNumber = (name: string, text: string, atLeast: number, atMost: number): number => {
  const number = /^\d+$/.test(text) ? Number(text) : NaN
  if (number >= atLeast && number <= atMost) return number
  throw new Nonsense(`${name} must be a whole number from ${atLeast} to ${atMost}, found ${JSON.stringify(text)}.`)
}

// --- The whole -----------------------------------------------------------------------------------------------------------

/** The values of a command line. Throws {@link Nonsense}. */
export const read = <P extends Parts>(parts: P, args: ReadonlyArray<string>): Values<P> => {
  const { positionals, values } = split(parts, args)
  const found = (name: string, { form }: Part<unknown>): ReadonlyArray<string> =>
    form === "words" ? positionals : [values[name] ?? []].flat().map(String)
  const entries = Object.entries(parts).map(([name, part]) => [name, part.read(found(name, part), name)])
  return Object.fromEntries(entries)
}

const split = (parts: Parts, args: ReadonlyArray<string>) => {
  const flags = Object.entries(parts).filter(([, { form }]) => form !== "words")
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: flags.length < Object.keys(parts).length,
      options: Object.fromEntries(
        flags.map(
          ([name, { form }]) => [name, { type: form === "flag" ? "boolean" : "string", multiple: true }] as const
        )
      )
    })
  } catch (error) {
    const [problem] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/)
    throw new Nonsense(`${problem?.replace(/\.$/, "")}.`)
  }
}

export const usageOf = (script: string, parts: Parts): string => {
  const all = Object.entries(parts)
  const words = all.map(([name, { form, isRequired, word }]) => {
    const shown = form === "words" ? `${word}…` : `--${name} ${word}`.trimEnd()
    return isRequired === true ? shown : `[${shown}]`
  })
  return [`usage: npm run ${script} -- ${words.join(" ")}`, ...all.flatMap(([, { more }]) => more ?? [])].join("\n")
}
