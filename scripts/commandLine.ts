/**
 * The command lines of the commands that check something: their parts, the values of these, and the messages for
 * invalid ones.
 *
 * A command declares its parts once; its values and its usage are derived from them. An invalid command line, such as
 * one with an unknown flag or with zero programs, ends the process with exit code 2, a sentence and the usage, before
 * anything begins: nothing has been checked, so it is neither a success nor a failure.
 */
import { randomInt } from "node:crypto"
import process from "node:process"
import { parseArgs } from "node:util"

/** A part of a command line, which the command declares under its name. */
export interface Part<A> {
  /** A flag without a value, a flag with a value, or the words that belong to no flag. */
  readonly form: "flag" | "value" | "words"
  /** The text for the value in the usage. */
  readonly word: string
  readonly isRequired?: boolean
  /** Further lines of the usage. */
  readonly more?: string
  /**
   * Returns the value of the texts that were found, which are in the order of the command line. Throws {@link
   * Nonsense}.
   */
  readonly read: (found: ReadonlyArray<string>, name: string) => A
}

type Parts = Readonly<Record<string, Part<unknown>>>

type Values<P extends Parts> = { readonly [K in keyof P]: P[K] extends Part<infer A> ? A : never }

/** The reason why a command line is invalid, as a sentence. */
export class Nonsense extends Error {}

/**
 * Reads the command line of this process. `refuse` ends the process for a reason that only the command itself can find.
 */
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

/** A value that is parsed from a text. Undefined if the flag is missing. */
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

/** One of several words. Default: the first. */
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

/** A count. By default at least 1: a command that checks nothing finds nothing. */
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

/** The seed of all random values: the flag, or the environment variable SEED, or a new seed each time. */
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

/** The names of the things to check. Without a name, everything is checked. */
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

/** Returns the values of a command line. Throws {@link Nonsense}. */
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
