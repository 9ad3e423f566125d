/**
 * `callback succeed`, `fail` and `heartbeat`: answers to callbacks from outside.
 *
 * Owns: the three commands.
 * Does not own: which callback a name refers to.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { DurableClient, type ClientError } from "../DurableClient.ts"
import type { CommandFailed } from "./CommandFailed.ts"
import { connected, connection, type Endpoint } from "./connection.ts"
import { errorIn } from "./executions.ts"
import { contentOf, functionName, json, jsonOf, text, toggle } from "./flags.ts"
import { findCallback, maybeCallbackId, type FoundCallback } from "./lookup.ts"
import { Output } from "./Output.ts"

const shared = {
  reference: Argument.String("ID|NAME[/OPERATION]").pipe(
    Argument.withDescription("The id of a callback, or its execution and the name of the operation")
  ),
  function: functionName,
  json,
  ...connection
}

const succeed = Command.make(
  "succeed",
  {
    ...shared,
    result: text("result", "JSON|@FILE", "The value that the workflow gets; without it nothing"),
    raw: toggle("raw", "Send the result as it is, for a workflow that reads something else than JSON")
  },
  ({ raw, reference, result, ...flags }) =>
    Effect.gen(function* () {
      const value =
        result === undefined ? undefined : yield* raw ? contentOf("result", result) : jsonOf("result", result)
      yield* answer(reference, flags, "has succeeded", (client, id) => client.succeedCallback(id, value))
    }).pipe(connected(flags))
).pipe(
  Command.withDescription("Complete a callback with a value"),
  Command.withExamples([
    { command: "effect-durable callback succeed order-1/approval --result true", description: "By its name" }
  ])
)

const fail = Command.make(
  "fail",
  { ...shared, error: text("error", "TEXT|JSON|@FILE", "Why: a text, or an error object of the API") },
  ({ error, reference, ...flags }) =>
    Effect.gen(function* () {
      const why = yield* errorIn(error)
      yield* answer(reference, flags, "has failed", (client, id) => client.failCallback(id, why))
    }).pipe(connected(flags))
).pipe(Command.withDescription("Complete a callback with an error"))

const heartbeat = Command.make("heartbeat", shared, ({ reference, ...flags }) =>
  answer(reference, flags, "continues", (client, id) => client.heartbeatCallback(id)).pipe(connected(flags))
).pipe(
  Command.withDescription("Report that the work behind a callback continues, which restarts its heartbeat time-out")
)

export const callback = Command.make("callback").pipe(
  Command.withDescription("Answer a callback"),
  Command.withSubcommands([succeed, fail, heartbeat])
)

type Send = (client: DurableClient["Service"], callbackId: string) => Effect.Effect<void, ClientError>

/** Answers a callback. A reference that can be an id is tried as an id first, because a name may look like one. */
const answer = (
  reference: string,
  { function: among, json }: { readonly function: string | undefined; readonly json: boolean },
  what: string,
  send: Send
): Effect.Effect<void, ClientError | CommandFailed, DurableClient | Endpoint | Output> =>
  Effect.gen(function* () {
    const { result, say } = yield* Output
    const client = yield* DurableClient
    const byName = Effect.flatMap(findCallback(reference, among), (found) =>
      Effect.as(send(client, found.callbackId), found)
    )
    const byId = Effect.as(send(client, reference), { callbackId: reference, name: "The callback" })
    const { callbackId, name }: FoundCallback = yield* maybeCallbackId(reference)
      ? Effect.catchTag(byId, "NotFound", (unknown) =>
          Effect.mapError(byName, (error) => (error._tag === "CommandFailed" ? unknown : error))
        )
      : byName
    if (json) result(JSON.stringify({ CallbackId: callbackId }))
    else say(`${name} ${what}.`)
  })
