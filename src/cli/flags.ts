/**
 * Flags and arguments that more than one command has, each described once.
 *
 * Owns: how they are called and what they take.
 * Does not own: what commands make of them.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { misused, type CommandFailed } from "./CommandFailed.ts"
import { messageOf } from "./words.ts"

/** A flag that is there or not. */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

/** A flag that may be left out. */
const optional = <A>(flag: Flag.Flag<A>, metavar: string, description: string): Flag.Flag<A | undefined> =>
  flag.pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

/** A flag with a text, which may be left out. */
export const text = (name: string, metavar: string, description: string): Flag.Flag<string | undefined> =>
  optional(Flag.String(name), metavar, description)

/** A flag with a text that may stand there several times. */
export const texts = (name: string, metavar: string, description: string): Flag.Flag<ReadonlyArray<string>> =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.atLeast(0))

/** A flag with a whole number, which may be left out. */
export const count = (name: string, metavar: string, description: string): Flag.Flag<number | undefined> =>
  optional(Flag.Int(name), metavar, description)

export const json = toggle("json", "Print one JSON document, and nothing else, to the standard output")

/** For whom an execution is looked up by its name. */
export const functionName = text(
  "function",
  "NAME",
  "The function whose executions are looked up by name; on a local engine all of them are"
)

/** An execution, by its ARN or its name. */
export const execution = Argument.String("ARN|NAME").pipe(
  Argument.withDescription("The ARN of an execution, or its name")
)

/** What is to be sent: the text itself, of a file (`@FILE`), or of the standard input (`@-`). */
export const contentOf = (flag: string, given: string): Effect.Effect<string, CommandFailed> =>
  given.startsWith("@")
    ? Effect.try({
        // Some editors and shells begin a file with the mark of its encoding.
        try: () => readFileSync(given === "@-" ? 0 : given.slice(1), "utf8").replace(/^\uFEFF/, ""),
        catch: (error) => misused(`--${flag} ${given} cannot be read: ${messageOf(error)}`)
      })
    : Effect.succeed(given)

/** The same for JSON, which is sent as it was written. */
export const jsonOf = (flag: string, given: string): Effect.Effect<string, CommandFailed> =>
  Effect.flatMap(contentOf(flag, given), (content) =>
    Effect.try({
      try: () => {
        JSON.parse(content)
        return content.trim()
      },
      catch: (error) =>
        misused(
          `--${flag} takes JSON, and this is none: ${messageOf(error)}. A text needs its quotes: --${flag} '"text"'.`
        )
    })
  )
