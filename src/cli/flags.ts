/**
 * Flags and arguments of more than one command, each described once.
 *
 * Owns: their names and values.
 * Does not own: how commands use them.
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

/** Creates a boolean flag. */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

/** Creates an optional flag. */
const optional = <A>(flag: Flag.Flag<A>, metavar: string, description: string): Flag.Flag<A | undefined> =>
  flag.pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

/** Creates an optional flag with a text. */
export const text = (name: string, metavar: string, description: string): Flag.Flag<string | undefined> =>
  optional(Flag.String(name), metavar, description)

/** Creates a flag with a text that may be repeated. */
export const texts = (name: string, metavar: string, description: string): Flag.Flag<ReadonlyArray<string>> =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.atLeast(0))

/** Creates an optional flag with a whole number. */
export const count = (name: string, metavar: string, description: string): Flag.Flag<number | undefined> =>
  optional(Flag.Int(name), metavar, description)

export const json = toggle("json", "Print one JSON document, and nothing else, to the standard output")

/** The function in which an execution is looked up by its name. */
export const functionName = text(
  "function",
  "NAME",
  "The function whose executions are looked up by name; on a local engine all of them are"
)

/** The argument for an execution, by its ARN or its name. */
export const execution = Argument.String("ARN|NAME").pipe(
  Argument.withDescription("The ARN of an execution, or its name")
)

/** Returns the content to send: the text itself, or that of a file (`@FILE`) or of the standard input (`@-`). */
export const contentOf = (flag: string, given: string): Effect.Effect<string, CommandFailed> =>
  given.startsWith("@")
    ? Effect.try({
        // Some editors and shells begin a file with a byte order mark.
        try: () => readFileSync(given === "@-" ? 0 : given.slice(1), "utf8").replace(/^\uFEFF/, ""),
        catch: (error) => misused(`--${flag} ${given} cannot be read: ${messageOf(error)}`)
      })
    : Effect.succeed(given)

/** Returns the content to send if it is JSON, unchanged. */
export const jsonOf = (flag: string, given: string): Effect.Effect<string, CommandFailed> =>
  Effect.flatMap(contentOf(flag, given), (content) =>
    Effect.try({
      try: () => {
        JSON.parse(content)
        return content.trim()
      },
      catch: (error) =>
        misused(
          `--${flag} takes JSON, and this is not JSON: ${messageOf(error)}. A text needs its quotes: --${flag} '"text"'.`
        )
    })
  )
