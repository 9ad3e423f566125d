/**
 * What the tests of the local engine share: folders that go away, databases in them, and a view of a state that can be
 * compared.
 */
import { LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { mkdtempSync, rmSync } from "node:fs"
import { request, type IncomingHttpHeaders } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Execution from "../../src/engine/Execution.ts"
import * as Service from "../../src/engine/Service.ts"
import * as Stored from "../../src/engine/Stored.ts"
import { assemble, type AssemblyOptions } from "../../src/local/Assembly.ts"
import type { FunctionCall, FunctionEnd, Functions } from "../../src/local/Functions.ts"

/** A folder of its own that is deleted when the scope closes. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-durable-local-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Everything of an execution that an engine which starts again has to know. */
export const viewOfExecution = (execution: Service.Execution) => ({
  identity: execution.identity,
  head: Stored.difference(undefined, execution).head,
  operations: Array.from({ length: execution.started.size }, (_, index) => Execution.entryAt(execution, index + 1)),
  events: Service.history(Service.empty, "").concat(Array.from(eventsOf(execution))),
  waiting: Array.from(execution.waiting).toSorted()
})

const eventsOf = (execution: Service.Execution) => Stored.difference(undefined, execution).events

/** Everything that is not an execution. Places of timers count, and not their numbers. */
const viewOfRest = (state: Service.ServiceState) => ({
  now: state.now,
  lastStamp: state.lastStamp,
  timers: Array.from(Service.timers(state), ({ due, executionArn, kind, operationId }) => ({
    due,
    executionArn,
    kind,
    operationId
  }))
})

/** A state as it can be compared, with the executions that these answer for it. */
export const viewOf = (state: Service.ServiceState, executions: Iterable<Service.Execution>) => ({
  ...viewOfRest(state),
  executions: Array.from(executions, viewOfExecution).toSorted((a, b) => (a.identity.arn < b.identity.arn ? -1 : 1))
})

// --- An engine whose functions a test plays ----------------------------------------------------------------------------

/** A call of a function, which ends as the test says. */
export interface Played extends FunctionCall {
  readonly end: (end: FunctionEnd) => Effect.Effect<void>
  /** The payload as a value. */
  readonly event: Json
}

/** JSON that a test looks into. */
export type Json = any // oxlint-disable-line typescript/no-explicit-any -- what comes over the wire, for assertions only

/** Functions that a test plays: `orders` and `payments` are durable, `email` and `other` are not. */
export class Stage {
  readonly #calls = Effect.runSync(Queue.unbounded<Played>())
  readonly functions: Functions = {
    names: ["orders", "payments", "email", "other"],
    find: (name) =>
      name === "orders" || name === "payments"
        ? { kind: "durable" }
        : name === "email" || name === "other"
          ? { kind: "plain" }
          : undefined,
    run: (call) =>
      Effect.gen({ self: this }, function* () {
        const ended = yield* Deferred.make<FunctionEnd>()
        const end = (how: FunctionEnd) => Effect.asVoid(Deferred.succeed(ended, how))
        yield* Queue.offer(this.#calls, { ...call, end, event: JSON.parse(call.payload) })
        return yield* Deferred.await(ended)
      })
  }

  /** The next call, as soon as there is one. */
  readonly next: Effect.Effect<Played> = Queue.take(this.#calls)
}

export const returned = (answer: unknown): FunctionEnd => ({ _tag: "Returned", body: JSON.stringify(answer) })

/** An engine on a database of its own, whose functions a test plays. */
export const played = (options: Partial<AssemblyOptions> = {}) =>
  Effect.gen(function* () {
    const stage = new Stage()
    const database = options.database ?? join(yield* folder, "local.db")
    const engine = yield* assemble({
      host: "127.0.0.1",
      port: 0,
      functions: () => Effect.succeed(stage.functions),
      ...options,
      database
    })
    return { ...engine, stage, database }
  })

/** The real client of AWS for an engine. */
export const clientOf = (url: string, configuration: LambdaClientConfig = {}) =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new LambdaClient({
          endpoint: url,
          region: "us-east-1",
          credentials: { accessKeyId: "local", secretAccessKey: "local" },
          ...configuration
        })
    ),
    (client) => Effect.sync(() => client.destroy())
  )

/** What is signed by a client of AWS, as far as the engine looks at it. */
export const signature = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/lambda/aws4_request"

/** A request by hand, and its answer. */
export const ask = (
  url: string,
  {
    body,
    headers = {},
    method = "GET",
    path
  }: {
    readonly path: string
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string | undefined
  }
) =>
  Effect.callback<{
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly text: string
    readonly json: Json
  }>((resume) => {
    const sent = request(`${url}${path}`, { method, headers: { authorization: signature, ...headers } }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = response.headers["content-type"]?.startsWith("application/json") === true
        const json: Json = isJson && text !== "" ? JSON.parse(text) : undefined
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text, json }))
      })
    })
    sent.on("error", (error) => resume(Effect.die(error)))
    sent.end(body)
  })
