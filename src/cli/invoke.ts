/**
 * `invoke` and `rerun`: start an execution of a function, or repeat an earlier one.
 *
 * Owns: their flags, and the requests that they send.
 * Does not own: how an execution is started and waited for.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { DurableClient } from "../DurableClient.ts"
import { connected, connection } from "./connection.ts"
import { execution, functionName, json, jsonOf, text } from "./flags.ts"
import { findExecution } from "./lookup.ts"
import { start, starting } from "./starting.ts"

export const invoke = Command.make(
  "invoke",
  {
    target: Argument.String("FUNCTION").pipe(
      Argument.withDescription("Name or ARN of a function; without a version or an alias it is $LATEST")
    ),
    payload: text("payload", "JSON|@FILE", "The payload as JSON, in a file, or of the standard input with @-"),
    ...starting,
    json,
    ...connection
  },
  ({ payload, target, ...flags }) =>
    Effect.gen(function* () {
      const sent = payload === undefined ? undefined : yield* jsonOf("payload", payload)
      yield* start(target, sent, flags)
    }).pipe(connected(flags))
).pipe(
  Command.withDescription("Start an execution, wait for its end, and print its result"),
  Command.withExamples([
    { command: 'effect-durable invoke order --payload \'{"sku":"tea"}\'', description: "Wait for the result" },
    { command: "effect-durable invoke order --payload @order.json --follow", description: "See what happens" },
    { command: "effect-durable invoke order --name order-1 --event", description: "Print the ARN and leave" }
  ])
)

export const rerun = Command.make(
  "rerun",
  { reference: execution, function: functionName, ...starting, json, ...connection },
  ({ function: among, reference, ...flags }) =>
    Effect.gen(function* () {
      const client = yield* DurableClient
      const arn = yield* findExecution(reference, among)
      const { FunctionArn, InputPayload } = yield* client.get(arn, { includeExecutionData: true })
      yield* start(FunctionArn, InputPayload, flags)
    }).pipe(connected(flags))
).pipe(Command.withDescription("Start a new execution with the payload and the version of another one"))
