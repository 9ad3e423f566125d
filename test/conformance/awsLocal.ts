/**
 * The backend of AWS's own test runner, in real time.
 *
 * It is what AWS ships for tests on a developer's machine, and the only thing outside of an account that validates updates
 * the way AWS sees them. The driver stands between it and the handler to see what is sent, and to survive a crash.
 */
import { LocalDurableTestRunner } from "@aws/durable-execution-sdk-js-testing"
import { cast } from "effect/Function"
import { setTimeout } from "node:timers/promises"
import { sentError, sentPayload, type AnyHandler, type Backend, type Run, type Start } from "./backend.ts"
import { correct, timeoutError } from "./corrections.ts"
import { DurableExecutionInvocationInputWithClient, type Client, type State } from "./event.ts"
import type { Ended, Json } from "./matcher.ts"
import type { Watch } from "./process.ts"
import type { CallbackAction } from "./requirement.ts"

/** One for the process, because the runner is. `raw` leaves the history as the runner tells it. */
export const awsLocal = async (watch: Watch, options: { readonly raw?: boolean } = {}): Promise<Backend> => {
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: false })
  return {
    name: "aws-local",
    width: 8,
    lateness: 1_000,
    start: async (start) => new LocalRun(start, watch, options.raw ?? false),
    close: () => LocalDurableTestRunner.teardownTestEnvironment()
  }
}

type ClientEvent = DurableExecutionInvocationInputWithClient

class LocalRun implements Run {
  readonly #start: Start
  readonly #watch: Watch
  readonly #raw: boolean
  readonly #runner: LocalDurableTestRunner
  #ended: Ended | undefined
  #stopped = false
  #arn = ""
  #invocations = 0
  readonly #invokes = new Map<unknown, Json>()
  readonly #crashes: Array<number> = []

  constructor(start: Start, watch: Watch, raw: boolean) {
    this.#start = start
    this.#watch = watch
    this.#raw = raw
    this.#runner = new LocalDurableTestRunner({ handlerFunction: this.#guard(start.handler) })
    for (const [name, target] of Object.entries(start.targets)) {
      this.#runner.registerFunction(name, (event: unknown) => this.#afterCaller(target(event)))
    }
    for (const [name, handler] of Object.entries(start.durableTargets)) {
      this.#runner.registerDurableFunction(name, (event, context) =>
        cast(this.#afterCaller(handler(cast(event), cast(context))))
      )
    }
    this.#runner.run({ payload: JSON.parse(start.input) }).then(
      (result) => {
        const status = result.getStatus() ?? "UNKNOWN"
        this.#ended = status === "SUCCEEDED" ? { status, value: result.getResult() ?? null } : { status }
      },
      (error: unknown) => {
        this.#ended = { status: `REJECTED: ${error instanceof Error ? error.message : JSON.stringify(error)}` }
      }
    )
    void this.#attendCallbacks()
  }

  executionArn = (): string => this.#arn

  events = (): ReadonlyArray<Json> => {
    const events = this.#rawEvents()
    return this.#raw ? events : correct(events, { invokes: this.#invokes, crashes: this.#crashes })
  }

  ended = (): Ended | undefined => this.#ended

  stop = (): void => {
    this.#stopped = true
  }

  /** The events that are known so far. The runner's public list comes late. */
  #rawEvents(): ReadonlyArray<Json> {
    const index: { readonly getHistoryEvents: () => ReadonlyArray<unknown> } = Reflect.get(
      this.#runner,
      "operationIndex"
    )
    const events: Array<Json> = JSON.parse(JSON.stringify(index.getHistoryEvents()))
    return events.sort((a, b) => Number(a["EventId"]) - Number(b["EventId"]))
  }

  // --- The handler ---------------------------------------------------------------------------------------------------

  /** The handler, invoked again when its process dies, as Lambda would. */
  #guard(handler: AnyHandler) {
    return async (event: unknown, context: unknown) => {
      this.#invocations++
      try {
        for (let next = cast<unknown, ClientEvent>(event); ;) {
          this.#arn = next.DurableExecutionArn
          const ended = await this.#invoke(handler, next, context)
          if (ended !== "crashed") return cast<unknown, never>(ended.answer)
          next = await this.#afterCrash(next)
        }
      } finally {
        this.#invocations--
      }
    }
  }

  #invoke(
    handler: AnyHandler,
    event: ClientEvent,
    context: unknown
  ): Promise<"crashed" | { readonly answer: unknown }> {
    return new Promise((resolve, reject) => {
      let alive = true
      if (this.#start.mayCrash) {
        this.#watch.onExit = () => {
          alive = false
          resolve("crashed")
        }
      }
      const client = this.#witness(event.durableExecutionClient, () => alive)
      const input = new DurableExecutionInvocationInputWithClient(
        event.DurableExecutionArn,
        event.CheckpointToken,
        this.#known(event.InitialExecutionState),
        client
      )
      handler(cast(input), cast(context)).then((answer) => alive && resolve({ answer }), reject)
    })
  }

  /** Sees what the handler sends. A dead process hears of nothing any more. */
  #witness(client: Client, isAlive: () => boolean): Client {
    const ifAlive = <A>(answer: A): A | Promise<A> => (isAlive() ? answer : new Promise<A>(() => {}))
    return {
      checkpoint: async (params) => {
        await ifAlive(undefined)
        for (const update of params.Updates ?? []) {
          if (update["Type"] === "CHAINED_INVOKE" && update["Action"] === "START")
            this.#invokes.set(update["Id"], update)
        }
        const reply = await client.checkpoint(params)
        const { NewExecutionState: state } = reply
        return ifAlive({ ...reply, ...(state === undefined ? undefined : { NewExecutionState: this.#known(state) }) })
      },
      getExecutionState: async (params) => {
        await ifAlive(undefined)
        return ifAlive(this.#known(await client.getExecutionState(params)))
      }
    }
  }

  /** Callbacks that have timed out say by which limit, in what the handler sees as well. */
  #known<S extends { readonly Operations?: ReadonlyArray<unknown> | undefined }>(state: S): S {
    if (this.#raw || state.Operations === undefined) return state
    const limits = new Map(this.#rawEvents().map((event) => [event["Id"], event["CallbackStartedDetails"]]))
    return {
      ...state,
      Operations: state.Operations.map((operation) => {
        const { CallbackDetails, Id, Status, Type } = cast<unknown, Json>(operation)
        if (Type !== "CALLBACK" || Status !== "TIMED_OUT") return operation
        const { HeartbeatTimeout, Timeout } = cast<unknown, Json>(limits.get(Id) ?? {})
        const details = cast<unknown, Json>(CallbackDetails ?? {})
        const error = { ...timeoutError(Timeout, HeartbeatTimeout), ...withoutNothing(details["Error"]) }
        return { ...cast<unknown, Json>(operation), CallbackDetails: { ...details, Error: error } }
      })
    }
  }

  async #afterCrash({ CheckpointToken, DurableExecutionArn, durableExecutionClient }: ClientEvent) {
    // The service waits a little before it invokes again, and the runner tells of events late.
    await setTimeout(500)
    this.#crashes.push(this.#rawEvents().length)
    const { Operations = [] } = await durableExecutionClient.getExecutionState({ CheckpointToken, DurableExecutionArn })
    const state: State = { Operations, NextMarker: "" }
    return new DurableExecutionInvocationInputWithClient(
      DurableExecutionArn,
      CheckpointToken,
      state,
      durableExecutionClient
    )
  }

  /** An answer that does not come before the invocation of the caller has ended. */
  async #afterCaller<A>(answer: Promise<A>): Promise<A> {
    // Whatever it is, it is looked at in the end only.
    await answer.catch(() => {})
    while (this.#invocations > 0) await setTimeout(5)
    await setTimeout(20)
    return answer
  }

  // --- Callbacks -----------------------------------------------------------------------------------------------------

  async #attendCallbacks(): Promise<void> {
    const asked = new Set<unknown>()
    while (this.#ended === undefined && !this.#stopped) {
      for (const event of this.#rawEvents()) {
        if (event["EventType"] !== "CallbackStarted" || asked.has(event["EventId"])) continue
        asked.add(event["EventId"])
        void this.#attend(event)
      }
      await setTimeout(50)
    }
  }

  async #attend(started: Json): Promise<void> {
    const { CallbackId } = cast<unknown, Json>(started["CallbackStartedDetails"])
    for (;;) {
      const action = this.#start.onCallback(started, this.#rawEvents())
      if (action === undefined) return
      while (this.#invocations > 0) await setTimeout(5)
      await setTimeout((action.Delay ?? 0) * 1_000 + 20)
      await this.#complete(action, CallbackId).catch((error: unknown) => this.#start.onRefused(started, action, error))
      if (action.Operation !== "heartbeat") return
    }
  }

  #complete(action: CallbackAction, CallbackId: unknown): Promise<unknown> {
    const api: Record<string, (request: unknown) => Promise<unknown>> = Reflect.get(this.#runner, "durableApi")
    switch (action.Operation) {
      case "success":
        return api["sendCallbackSuccess"]?.({ CallbackId, Result: Buffer.from(sentPayload(action)) }) ?? missing()
      case "failure":
        return api["sendCallbackFailure"]?.({ CallbackId, Error: sentError(action) }) ?? missing()
      default:
        return api["sendCallbackHeartbeat"]?.({ CallbackId }) ?? missing()
    }
  }
}

const missing = (): Promise<never> => Promise.reject(new Error("AWS's test runner has no such call any more."))

const withoutNothing = (value: unknown): Json =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, field]) => field !== undefined && field !== null))
