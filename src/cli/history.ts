/**
 * `history` and `export`: the events of an execution, for people and for programs.
 *
 * Owns: the two commands and the document that `export` writes.
 * Does not own: the text for an event.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { DurableClient, events } from "../DurableClient.ts"
import { connected, connection } from "./connection.ts"
import { eventJson, executionJson, followed } from "./executions.ts"
import { execution, functionName, json, toggle } from "./flags.ts"
import { findExecution } from "./lookup.ts"
import { Output } from "./Output.ts"
import { eventLine } from "./watching.ts"

export const history = Command.make(
  "history",
  {
    reference: execution,
    function: functionName,
    follow: toggle("follow", "Print new events until the execution ends"),
    json: json.pipe(
      Flag.withDescription("Print what the API answers as one JSON document; with --follow a line for each event")
    ),
    ...connection
  },
  ({ follow, function: among, json, reference, ...flags }) =>
    Effect.gen(function* () {
      const { result } = yield* Output
      const arn = yield* findExecution(reference, among)
      if (json && !follow) {
        const all = yield* Stream.runCollect(events(arn))
        return result(JSON.stringify({ Events: all.map((event) => eventJson(event)) }))
      }
      const shown = follow ? followed(arn) : events(arn)
      yield* Stream.runForEach(shown, (event) =>
        Effect.sync(() => result(json ? JSON.stringify(eventJson(event)) : eventLine(event)))
      )
    }).pipe(connected(flags))
).pipe(Command.withDescription("Print the events of an execution, the oldest first"))

const exported = Command.make(
  "export",
  { reference: execution, function: functionName, json, ...connection },
  ({ function: among, reference, ...flags }) =>
    Effect.gen(function* () {
      const { result } = yield* Output
      const client = yield* DurableClient
      const arn = yield* findExecution(reference, among)
      const execution = executionJson(yield* client.get(arn, { includeExecutionData: true }))
      const all = yield* Stream.runCollect(events(arn))
      const document = { ...Object(execution), Events: all.map((event) => eventJson(event)) }
      result(flags.json ? JSON.stringify(document) : JSON.stringify(document, undefined, 2))
    }).pipe(connected(flags))
).pipe(
  Command.withDescription(
    "Print everything that the service reports of an execution, with its events, as one JSON document"
  )
)

export { exported as export }
