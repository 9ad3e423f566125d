/**
 * `stop`: ends an execution for good.
 *
 * Owns: the command.
 * Does not own: which execution, and how an error is read.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as SchemaParser from "effect/SchemaParser"
import { DurableClient } from "../DurableClient.ts"
import { dateTime } from "../view/moments.ts"
import { StopDurableExecutionResponse } from "../wire/Api.ts"
import { connected, connection } from "./connection.ts"
import { errorIn } from "./executions.ts"
import { execution, functionName, json, text } from "./flags.ts"
import { findExecution, nameOf } from "./lookup.ts"
import { Output } from "./Output.ts"

export const stop = Command.make(
  "stop",
  {
    reference: execution,
    function: functionName,
    error: text("error", "TEXT|JSON|@FILE", "Why: a text, or an error object of the API"),
    json,
    ...connection
  },
  ({ error, function: among, json, reference, ...flags }) =>
    Effect.gen(function* () {
      const { result, say } = yield* Output
      const client = yield* DurableClient
      const why = yield* errorIn(error)
      const arn = yield* findExecution(reference, among)
      const at = yield* client.stop(arn, why)
      if (json) result(JSON.stringify(SchemaParser.encodeSync(StopDurableExecutionResponse)({ StopTimestamp: at })))
      else say(`${nameOf(arn)} has ended at ${dateTime(at)}.`)
    }).pipe(connected(flags))
).pipe(Command.withDescription("Stop an execution for good, without running any of its code"))
