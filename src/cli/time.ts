/**
 * `time skip`: ends the waits of executions of a local engine.
 *
 * Owns: the command.
 * Does not own: which waits can be skipped.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { failed, misused } from "./CommandFailed.ts"
import { connected, connection, Endpoint } from "./connection.ts"
import { skipTime } from "./control.ts"
import { functionName, json, toggle } from "./flags.ts"
import { findExecution, nameOf } from "./lookup.ts"
import { Output } from "./Output.ts"

const skip = Command.make(
  "skip",
  {
    reference: Argument.String("ARN|NAME").pipe(
      Argument.withDescription("The ARN of an execution, or its name"),
      Argument.optional
    ),
    all: toggle("all", "The next wait of every open execution"),
    function: functionName,
    json,
    ...connection
  },
  ({ all, function: among, json, reference, ...flags }) =>
    Effect.gen(function* () {
      const { result, say } = yield* Output
      const { url } = yield* Endpoint
      if (url === undefined)
        return yield* misused("Time cannot be skipped at AWS: this command is for engines on this machine.")
      const given = Option.getOrUndefined(reference)
      if ((given === undefined) !== all) return yield* misused("Name one execution, or give --all.")
      const arn = given === undefined ? undefined : yield* findExecution(given, among)
      const skipped = yield* skipTime(url, arn)
      if (json) return result(JSON.stringify({ skipped }))
      if (skipped.length === 0) return yield* failed("No execution waits for time to pass.")
      for (const { executionArn, operation } of skipped) {
        say(`${nameOf(executionArn)} continues${operation === undefined ? "" : ` after "${operation}"`}.`)
      }
    }).pipe(connected(flags))
).pipe(
  Command.withDescription("End the next wait, or the pause before the next attempt, now. Time-outs are not skipped")
)

export const time = Command.make("time").pipe(
  Command.withDescription("The time of a local engine"),
  Command.withSubcommands([skip])
)
