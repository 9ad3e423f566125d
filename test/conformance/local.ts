/**
 * The backend of the local engine, in real time: handlers in processes of their own, which ask the Runtime API for their calls
 * and send their checkpoints over HTTP, with the clients that their libraries bring. What an outsider does goes over HTTP, too.
 */
import { cast } from "effect/Function"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { DurableClient } from "../../src/index.ts"
import { LambdaClient } from "../../src/lambda/index.ts"
import { LocalEngine } from "../../src/local/index.ts"
import { parseResult, sentError, sentPayload, type Backend, type Run, type Start } from "./backend.ts"
import type { Ended, Json } from "./matcher.ts"
import type { Watch } from "./process.ts"
import type { CallbackAction } from "./requirement.ts"

const file = new URL("hosted.ts", import.meta.url)

/** One engine for all. Whose handlers it hosts has to be said, because they are made in other processes. */
export const local = async (watch: Watch, options: { readonly handlers: string }): Promise<Backend> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-conformance-engine-"))
  const log = join(folder, "log")
  const env = { CONFORMANCE_PACK: options.handlers, CONFORMANCE_LOG: log }
  const target = (name: string, exported: string) =>
    LocalEngine.handler(file, { name, export: exported, kind: "plain", env })
  const scope = Scope.makeUnsafe()
  const engine = await Effect.runPromise(
    Layer.buildWithScope(
      LocalEngine.layer({
        functions: [
          LocalEngine.handler(file, { name: underTest, env }),
          target("target-echo", "echo"),
          target("target-echo-tenant", "echoOfTenant"),
          target("target-error", "error")
        ],
        database: join(folder, "local.db"),
        port: 0,
        nodeArgs: []
      }),
      scope
    )
  )
  const { url } = Context.get(engine, LocalEngine.LocalEngine)
  const credentials = { accessKeyId: "local", secretAccessKey: "local" }
  const client = await Effect.runPromise(
    Layer.buildWithScope(LambdaClient.layerWith({ endpoint: url, region: "us-east-1", credentials }), scope)
  )
  const lines = linesOf(log)
  return {
    name: "local",
    width: 8,
    lateness: 300,
    start: async (start) => {
      const run = new EngineRun(start, Context.get(client, DurableClient.DurableClient), () => watch.note(lines()))
      await run.begin()
      return run
    },
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const underTest = "under-test"

/** What was added to a file since the last time, in whole lines. */
const linesOf = (path: string): (() => string) => {
  let read = 0
  return () => {
    const text = existsSync(path) ? readFileSync(path, "utf8").slice(read) : ""
    const whole = text.slice(0, text.lastIndexOf("\n") + 1)
    read += whole.length
    return whole
  }
}

class EngineRun implements Run {
  readonly #start: Start
  readonly #client: DurableClient.DurableClient["Service"]
  readonly #readLog: () => void
  readonly #asked = new Set<unknown>()
  #arn = ""
  #events: ReadonlyArray<Json> = []
  #ended: Ended | undefined
  #stopped = false

  constructor(start: Start, client: DurableClient.DurableClient["Service"], readLog: () => void) {
    this.#start = start
    this.#client = client
    this.#readLog = readLog
  }

  async begin(): Promise<void> {
    const { executionArn } = await Effect.runPromise(
      this.#client.start({
        functionName: underTest,
        qualifier: "$LATEST",
        executionName: `${this.#start.id}_${randomUUID()}`,
        payload: this.#start.input,
        type: "Event"
      })
    )
    this.#arn = executionArn
    void this.#watch()
  }

  executionArn = (): string => this.#arn

  events = (): ReadonlyArray<Json> => this.#events

  ended = (): Ended | undefined => this.#ended

  stop = (): void => {
    this.#stopped = true
  }

  /** Looks how far it is until it has ended. */
  async #watch(): Promise<void> {
    while (!this.#stopped && this.#ended === undefined) {
      const { Result: result, Status: status } = await Effect.runPromise(this.#client.get(this.#arn))
      this.#events = await this.#history()
      this.#readLog()
      if (status !== "RUNNING") {
        this.#ended = status === "SUCCEEDED" ? { status, value: parseResult(result) } : { status }
      }
      for (const event of this.#events) {
        if (event["EventType"] !== "CallbackStarted" || this.#asked.has(event["EventId"])) continue
        this.#asked.add(event["EventId"])
        void this.#attend(event)
      }
      await setTimeout(50)
    }
  }

  async #history(): Promise<ReadonlyArray<Json>> {
    const events: Array<Json> = []
    let marker: string | undefined
    do {
      const page = await Effect.runPromise(this.#client.history(this.#arn, { marker, maxItems: 1_000 }))
      events.push(...JSON.parse(JSON.stringify(page.items.map(withArn))))
      marker = page.nextMarker
    } while (marker !== undefined)
    return events
  }

  // --- Callbacks -----------------------------------------------------------------------------------------------------

  async #attend(started: Json): Promise<void> {
    const { CallbackId } = cast<unknown, { readonly CallbackId: string }>(started["CallbackStartedDetails"])
    for (;;) {
      const action = this.#start.onCallback(started, this.#events)
      if (action === undefined) return
      await this.#afterInvocation(started)
      await setTimeout((action.Delay ?? 0) * 1_000)
      try {
        await this.#complete(action, CallbackId)
      } catch (error) {
        this.#start.onRefused(started, action, error)
      }
      if (action.Operation !== "heartbeat") return
    }
  }

  /** Nobody outside is so quick that the invocation still runs, unless it goes on for long. */
  async #afterInvocation(started: Json): Promise<void> {
    const since = performance.now()
    const isOver = (): boolean =>
      this.#events.some(
        ({ EventId, EventType }) => EventType === "InvocationCompleted" && Number(EventId) > Number(started["EventId"])
      )
    while (!this.#stopped && !isOver() && performance.now() - since < patience) await setTimeout(20)
  }

  #complete(action: CallbackAction, callbackId: string): Promise<void> {
    switch (action.Operation) {
      case "success":
        return Effect.runPromise(this.#client.succeedCallback(callbackId, sentPayload(action)))
      case "failure":
        return Effect.runPromise(this.#client.failCallback(callbackId, sentError(action)))
      default:
        return Effect.runPromise(this.#client.heartbeatCallback(callbackId))
    }
  }
}

/** Milliseconds for which an invocation may go on after a callback. */
const patience = 2_000

/** The ARN of a callee is a field of every event that starts one, and a plain function has none. */
const withArn = (event: object): object =>
  "ChainedInvokeStartedDetails" in event && typeof event.ChainedInvokeStartedDetails === "object"
    ? { ...event, ChainedInvokeStartedDetails: { DurableExecutionArn: null, ...event.ChainedInvokeStartedDetails } }
    : event
