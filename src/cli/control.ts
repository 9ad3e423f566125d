/**
 * The client of an engine's own routes, in addition to AWS's API.
 *
 * Owns: how those routes are called.
 * Does not own: their answers.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseJson } from "../internal/json.ts"
import { failed, type CommandFailed } from "./CommandFailed.ts"
import { Endpoint, nobodyAt } from "./connection.ts"

const ServedFunctions = Schema.Struct({
  functions: Schema.Array(Schema.Struct({ name: Schema.String, kind: Schema.Literals(["durable", "plain"]) }))
})

/** Returns the names of the durable functions of an engine, or undefined if the address belongs to another service. */
export const durableFunctions = (url: string): Effect.Effect<ReadonlyArray<string> | undefined, CommandFailed> =>
  Effect.map(ask(url, "GET", "functions"), (answer) => {
    const read = Schema.decodeUnknownOption(ServedFunctions)(answer)
    return read._tag === "None"
      ? undefined
      : read.value.functions.filter(({ kind }) => kind === "durable").map(({ name }) => name)
  })

const Time = Schema.Struct({ now: Schema.Number })

/**
 * Returns the current time of the service, in milliseconds: that of an engine, which may have leapt over waits, otherwise
 * that of this machine.
 */
export const currentTime: Effect.Effect<number, never, Endpoint> = Effect.gen(function* () {
  const { url } = yield* Endpoint
  const answer = url === undefined ? undefined : yield* Effect.orElseSucceed(ask(url, "GET", "time"), () => undefined)
  const read = Schema.decodeUnknownOption(Time)(answer)
  return read._tag === "Some" ? read.value.now : yield* Clock.currentTimeMillis
})

const Skipped = Schema.Struct({
  skipped: Schema.Array(Schema.Struct({ executionArn: Schema.String, operation: Schema.optionalKey(Schema.String) }))
})

/** Ends the next wait of an execution, or of every execution. Returns what has ended. */
export const skipTime = (
  url: string,
  executionArn: string | undefined
): Effect.Effect<(typeof Skipped.Type)["skipped"], CommandFailed> =>
  Effect.flatMap(ask(url, "POST", "time/skip", { executionArn }), (answer) => {
    const read = Schema.decodeUnknownOption(Skipped)(answer)
    return read._tag === "Some"
      ? Effect.succeed(read.value.skipped)
      : Effect.fail(failed(`The service at ${url} is not an engine of effect-durable, so it cannot skip time.`))
  })

/** Returns the answer as JSON, or undefined if there is no such route. */
const ask = (
  url: string,
  method: "GET" | "POST",
  route: string,
  body?: object
): Effect.Effect<unknown, CommandFailed> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${url}/_local/${route}`, {
          method,
          signal,
          // Not checked, but no page of a browser may send it.
          headers: { authorization: "AWS4-HMAC-SHA256 Credential=local" },
          ...(body !== undefined && { body: JSON.stringify(body) })
        })
        return { status: response.status, text: await response.text() }
      },
      catch: () => failed(nobodyAt(url))
    }),
    ({ status, text }) => {
      const answer = parseJson(text)
      if (status === 200) return Effect.succeed(answer)
      const message: unknown = Reflect.get(Object(answer), "message")
      // Other services have no such route, and report that in their own ways.
      return status === 400 && typeof message === "string" ? Effect.fail(failed(message)) : Effect.undefined
    }
  )
