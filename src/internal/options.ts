/**
 * Options, checked where something is created from them, such as a handler or an engine. An invalid option is refused at
 * once, with what was expected, what was found and what to write.
 *
 * Owns: these checks and their messages. Does not own: the options, their ranges and their defaults.
 *
 * Invariant: `undefined` means that an option is not given, and is never refused.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { describeDuration, howToWrite, millisIn } from "./durations.ts"
import { describeFound } from "./found.ts"

/** The range of a number, inclusive at both ends. */
export interface Range {
  readonly atLeast: number
  readonly atMost: number
}

/** The range of a duration in milliseconds, and its wording in a message: `"from 0 to 15 minutes"`. */
export interface DurationRange extends Range {
  readonly said: string
}

/** The range up to the longest time that Lambda gives to an invocation. */
export const withinInvocation: DurationRange = { atLeast: 0, atMost: 900_000, said: "from 0 to 15 minutes" }

/** The range up to the longest time that an execution may take. */
export const withinExecution: DurationRange = {
  atLeast: 1,
  atMost: 31_622_400_000,
  said: "of more than 0, up to 366 days"
}

/** The option that is read, and its owner: `margin`, `LambdaHandler.make`. */
export type Whose = readonly [option: string, owner: string]

/** Reads a duration in milliseconds. `howTo` returns advice for a value that is no duration. */
export const millisOption = <D extends number | undefined>(
  whose: Whose,
  given: Duration.Input | undefined,
  { atLeast, atMost, said }: DurationRange,
  fallback: D,
  howTo: (given: unknown) => string = () => 'Write "1 minute", a Duration or a number of milliseconds.'
): number | D => {
  if (given === undefined) return fallback
  const millis = millisIn(given)
  if (millis !== undefined && millis >= atLeast && millis <= atMost) return millis
  const advice = millis === undefined ? howTo(given) : 'A number means milliseconds; "1 minute" says its unit.'
  return refuse(whose, `a duration ${said}`, describeDuration(given), advice)
}

/** Reads a whole number. */
export const countOption = <D extends number | undefined>(
  whose: Whose,
  given: number | undefined,
  { atLeast, atMost }: Range,
  fallback: D,
  unit = ""
): number | D => {
  if (given === undefined) return fallback
  if (Number.isSafeInteger(given) && given >= atLeast && given <= atMost) return given
  const bounds = atMost === Infinity ? `of at least ${atLeast}` : `from ${atLeast} to ${atMost}`
  return refuse(whose, `a whole number${unit === "" ? "" : ` of ${unit}`} ${bounds}`, describeFound(given), orNone)
}

/** Reads one of a few texts. */
export const choiceOption = <const A extends string, D extends A | undefined>(
  whose: Whose,
  given: A | undefined,
  allowed: readonly [A, ...ReadonlyArray<A>],
  fallback: D
): A | D => {
  if (given === undefined) return fallback
  if (allowed.includes(given)) return given
  return refuse(whose, allowed.map((text) => JSON.stringify(text)).join(" or "), describeFound(given), orNone)
}

/** Reads a text that matches a pattern. */
export const textOption = <D extends string | undefined>(
  whose: Whose,
  given: string | undefined,
  { pattern, said }: { readonly pattern: RegExp; readonly said: string },
  fallback: D
): string | D => {
  if (given === undefined) return fallback
  return typeof given === "string" && pattern.test(given) ? given : refuse(whose, said, describeFound(given), orNone)
}

/** The advice for an option that is none of the allowed values. */
export const orNone = "Give that, or leave the option out for its default."

const refuse = ([option, owner]: Whose, expected: string, found: string, advice: string): never => {
  throw new Error(`Expected the option ${option} of ${owner} to be ${expected}, found ${found}. ${advice}`)
}

/**
 * Returns these readers for all options of one owner, with advice on how to spell a duration. A handler, whose code has to
 * be small, does not use this.
 */
export const optionsOf = (owner: string) => ({
  millis: <D extends number | undefined>(
    option: string,
    given: Duration.Input | undefined,
    range: DurationRange,
    fallback: D
  ) => millisOption([option, owner], given, range, fallback, howToWrite),
  count: <D extends number | undefined>(
    option: string,
    given: number | undefined,
    range: Range,
    fallback: D,
    unit?: string
  ) => countOption([option, owner], given, range, fallback, unit),
  choice: <const A extends string, D extends A | undefined>(
    option: string,
    given: A | undefined,
    allowed: readonly [A, ...ReadonlyArray<A>],
    fallback: D
  ) => choiceOption([option, owner], given, allowed, fallback),
  text: <D extends string | undefined>(
    option: string,
    given: string | undefined,
    expected: { readonly pattern: RegExp; readonly said: string },
    fallback: D
  ) => textOption([option, owner], given, expected, fallback)
})
