/**
 * Executions to look at: an engine in memory whose clock stands still until the scene moves it, and whose functions the scene
 * plays, so that every picture of it is the same.
 *
 * Owns: what happens in them. Does not own: the engine.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import type { Assembled, AssemblyOptions } from "../../src/local/Assembly.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { callback, context, invoke, retry, step, wait } from "../engine/support.ts"
import { played, type Played, returned, type Stage } from "../local/support.ts"

/** A clock that goes on when it is told to. */
export class HandClock {
  now: number
  #sleepers: ReadonlyArray<{ readonly due: number; readonly wake: () => void }> = []

  constructor(start: number) {
    this.now = start
  }

  readonly pass = (milliseconds: number): Effect.Effect<void> =>
    Effect.andThen(
      Effect.sync(() => {
        this.now += milliseconds
        const due = this.#sleepers.filter((sleeper) => sleeper.due <= this.now)
        this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.due > this.now)
        for (const { wake } of due) wake()
      }),
      // Whoever was woken does what it does.
      Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))
    )

  readonly clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => this.now,
    currentTimeMillis: Effect.sync(() => this.now),
    currentTimeNanosUnsafe: () => BigInt(this.now) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(this.now) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(this.now) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(this.now) * 1_000_000n),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const sleeper = { due: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        this.#sleepers = [...this.#sleepers, sleeper]
        return Effect.sync(() => (this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)))
      })
  }
}

/** An execution whose function the scene plays. */
export class Playing {
  readonly arn: string
  readonly name: string
  readonly #scene: Scene
  #call: Played | undefined
  #token = ""

  constructor(scene: Scene, arn: string) {
    this.#scene = scene
    this.arn = arn
    this.name = arn.split("/").at(-2) ?? ""
  }

  /** The function has been invoked. */
  readonly invoked = Effect.gen({ self: this }, function* () {
    const call = yield* this.#scene.next(({ event }) => event.DurableExecutionArn === this.arn)
    this.#call = call
    this.#token = call.event.CheckpointToken
    return this
  })

  readonly checkpoint = (...updates: ReadonlyArray<OperationUpdate>) =>
    Effect.sync(() => {
      const request = { DurableExecutionArn: this.arn, CheckpointToken: this.#token, Updates: updates }
      this.#token = Result.getOrThrow(this.#scene.machine.command(Service.checkpoint, request)).CheckpointToken ?? ""
    })

  readonly answer = (answer: unknown) =>
    Effect.gen({ self: this }, function* () {
      yield* this.#call?.end(returned(answer)) ?? Effect.void
      yield* this.#scene.pass(0)
    })

  readonly suspend = this.answer({ Status: "PENDING" })

  readonly crash = Effect.gen({ self: this }, function* () {
    const error = { ErrorType: "Runtime.ExitError", ErrorMessage: "Runtime exited with error: signal: killed" }
    yield* this.#call?.end({ _tag: "Exited", error }) ?? Effect.void
    yield* this.#scene.pass(0)
  })
}

/** An engine and what one can do with it. */
export class Scene {
  readonly machine: Assembled["machine"]
  readonly url: string
  readonly stage: Stage
  readonly pass: HandClock["pass"]
  readonly #waiting: Array<Played> = []

  constructor({ machine, stage, url }: Assembled & { readonly stage: Stage }, hand: HandClock) {
    this.machine = machine
    this.url = url
    this.stage = stage
    this.pass = hand.pass
  }

  /** Starts an execution, and waits until its function is invoked. */
  readonly start = (functionName: string, executionName: string, payload: unknown) =>
    Effect.suspend(() => {
      const { executionArn } = Result.getOrThrow(
        this.machine.command(Service.startExecution, {
          functionName: `${functionName}:$LATEST`,
          executionName,
          payload: JSON.stringify(payload),
          invocationType: "Event" as const
        })
      )
      return new Playing(this, executionArn).invoked
    })

  /** The next call of which this holds. Others wait for whoever asks for them. */
  readonly next = (isWanted: (call: Played) => boolean): Effect.Effect<Played> =>
    Effect.suspend(() => {
      const at = this.#waiting.findIndex(isWanted)
      const [found] = at === -1 ? [] : this.#waiting.splice(at, 1)
      if (found !== undefined) return Effect.succeed(found)
      return Effect.flatMap(this.stage.next, (call) => {
        this.#waiting.push(call)
        return this.next(isWanted)
      })
    })
}

/** An engine in memory for the scope, at a time of its own. */
export const scene = (options: Partial<AssemblyOptions> = {}) =>
  Effect.suspend(() => {
    const hand = new HandClock(Date.UTC(2026, 10, 30, 9, 0, 0))
    return played({ database: ":memory:", ...options }).pipe(
      Effect.map((engine) => new Scene(engine, hand)),
      Effect.provideService(Clock.Clock, hand.clock)
    )
  })

const done = (Id: string, result: unknown, extra: Partial<OperationUpdate> = {}) =>
  step(Id, "SUCCEED", { Payload: JSON.stringify(result), ...extra })

// --- The story of an order -----------------------------------------------------------------------------------------------

/** An order that is on its way: retries, blocks, another execution, waits, and a person who has to answer. */
export const order = Effect.fnUntraced(function* (scene: Scene, name: string) {
  const playing = yield* scene.start("orders", name, {
    orderId: name,
    items: [{ sku: "kettle", count: 1 }],
    cents: 4_900
  })
  const { checkpoint, invoked, suspend } = playing
  const { pass } = scene
  yield* pass(40)
  yield* checkpoint(step("validate", "START", { Name: "validate the order" }))
  yield* pass(85)
  yield* checkpoint(done("validate", { valid: true }), step("reserve", "START", { Name: "reserve stock" }))
  const unreachable = { ErrorType: "WarehouseUnreachable", ErrorMessage: "connect ECONNREFUSED 10.0.3.7:8443" }
  for (const delay of [1, 2]) {
    yield* pass(420)
    yield* checkpoint(retry("reserve", delay, { Error: unreachable }))
    yield* suspend
    yield* pass(delay * 1_000)
    yield* invoked
    yield* checkpoint(step("reserve", "START"))
  }
  yield* pass(260)
  yield* checkpoint(
    done("reserve", { shelf: "B-17", until: "2026-12-01T09:00:00Z" }),
    context("notify", "START", { Name: "notify", SubType: "Parallel" }),
    context("b0", "START", { Name: "by mail", SubType: "ParallelBranch", ParentId: "notify" }),
    step("mail", "START", { Name: "send mail", ParentId: "b0" }),
    context("b1", "START", { Name: "by text message", SubType: "ParallelBranch", ParentId: "notify" }),
    step("text", "START", { Name: "send text message", ParentId: "b1" })
  )
  yield* pass(310)
  yield* checkpoint(
    done("text", { id: "sms-88" }, { ParentId: "b1" }),
    context("b1", "SUCCEED", { SubType: "ParallelBranch", ParentId: "notify", Payload: `{"id":"sms-88"}` })
  )
  yield* pass(240)
  yield* checkpoint(
    done("mail", { id: "m-4711" }, { ParentId: "b0" }),
    context("b0", "SUCCEED", { SubType: "ParallelBranch", ParentId: "notify", Payload: `{"id":"m-4711"}` }),
    context("notify", "SUCCEED", { SubType: "Parallel", Payload: `[{"id":"m-4711"},{"id":"sms-88"}]` }),
    invoke("charge", "payments:$LATEST", { Name: "charge the card", Payload: `{"orderId":"${name}","cents":4900}` })
  )
  yield* charged(scene)
  yield* suspend
  yield* pass(5)
  yield* invoked
  yield* pass(30)
  yield* checkpoint(wait("cool", 3_600, { Name: "cooling-off" }))
  yield* suspend
  yield* pass(3_600_000)
  yield* invoked
  yield* pass(25)
  yield* checkpoint(
    context("approval", "START", { Name: "approval", SubType: "WaitForCallback" }),
    callback(
      "ask",
      { TimeoutSeconds: 604_800, HeartbeatTimeoutSeconds: 86_400 },
      { Name: "approval", ParentId: "approval" }
    )
  )
  yield* pass(70)
  yield* suspend
  return playing
})

/** What another function does about a card, meanwhile. */
const charged = Effect.fnUntraced(function* (scene: Scene) {
  const call = yield* scene.next(({ functionName }) => functionName === "payments")
  yield* scene.pass(60)
  const request = {
    DurableExecutionArn: String(call.event.DurableExecutionArn),
    CheckpointToken: String(call.event.CheckpointToken),
    Updates: [step("book", "START", { Name: "book" }), done("book", "r-40213")]
  }
  Result.getOrThrow(scene.machine.command(Service.checkpoint, request))
  yield* scene.pass(640)
  yield* call.end(returned({ Status: "SUCCEEDED", Result: `{"receipt":"r-40213"}` }))
  yield* scene.pass(0)
})

// --- Other executions ----------------------------------------------------------------------------------------------------

/** One that ends with its first invocation. */
export const short = Effect.fnUntraced(function* (scene: Scene, functionName: string, name: string, result: unknown) {
  const playing = yield* scene.start(functionName, name, { orderId: name })
  yield* scene.pass(35)
  yield* playing.checkpoint(step("s", "START", { Name: "pack" }))
  yield* scene.pass(140)
  yield* playing.checkpoint(done("s", "packed"))
  yield* playing.answer({ Status: "SUCCEEDED", Result: JSON.stringify(result) })
  return playing
})

/** What a thrown error looks like that had two causes. */
const thrown = {
  ErrorType: "PaymentFailed",
  ErrorMessage: "The bank did not take the payment",
  ErrorData: JSON.stringify({
    "~defect": {
      cause: {
        error: {
          name: "TypeError",
          message: "fetch failed",
          cause: { error: { name: "Error", message: "connect ECONNREFUSED 10.0.3.9:443", code: "ECONNREFUSED" } }
        }
      }
    }
  }),
  StackTrace: [
    "at charge (file:///srv/payments.ts:41:11)",
    "at process.processTicksAndRejections (node:internal/process)"
  ]
}

/** One that has failed, with an operation that did. */
export const failing = Effect.fnUntraced(function* (scene: Scene, name: string) {
  const playing = yield* scene.start("payments", name, { cents: 129_900 })
  yield* scene.pass(30)
  yield* playing.checkpoint(step("bank", "START", { Name: "ask the bank" }))
  yield* scene.pass(900)
  yield* playing.checkpoint(step("bank", "FAIL", { Error: thrown }))
  yield* scene.pass(20)
  yield* playing.answer({ Status: "FAILED", Error: thrown })
  return playing
})

/** One that sleeps. */
export const waiting = Effect.fnUntraced(function* (scene: Scene, functionName: string, name: string, seconds: number) {
  const playing = yield* scene.start(functionName, name, { every: "night" })
  yield* scene.pass(20)
  yield* playing.checkpoint(wait("w", seconds, { Name: "until tonight" }))
  yield* playing.suspend
  return playing
})

/** One of many operations, a few of which failed, in blocks of a hundred. */
export const large = Effect.fnUntraced(function* (scene: Scene, name: string, operations = 2_999) {
  const playing = yield* scene.start("orders", name, { rows: operations })
  for (let made = 0; made < operations;) {
    const block = `block-${made}`
    const updates: Array<OperationUpdate> = [context(block, "START", { Name: `rows from ${made}`, SubType: "Map" })]
    const many = Math.min(99, operations - made - 1)
    for (let index = 0; index < many; index++) {
      const labels = { Name: "import a row", ParentId: block }
      const failed = index % 97 === 13
      updates.push(
        step(`${block}-${index}`, "START", labels),
        failed
          ? step(`${block}-${index}`, "FAIL", {
              ...labels,
              Error: { ErrorType: "Unreadable", ErrorMessage: `row ${index}` }
            })
          : done(`${block}-${index}`, { row: made + index }, labels)
      )
    }
    made += many + 1
    yield* scene.pass(400)
    yield* playing.checkpoint(...updates)
    yield* scene.pass(90)
    yield* playing.checkpoint(context(block, "SUCCEED", { SubType: "Map", Payload: "null" }))
  }
  yield* playing.answer({ Status: "SUCCEEDED", Result: `{"imported":${operations}}` })
  return playing
})

/** Everything that the list can show. */
export const everything = Effect.fnUntraced(function* (scene: Scene) {
  yield* short(scene, "orders", "order-1036", { shipped: true })
  yield* scene.pass(140_000)
  const stopped = yield* waiting(scene, "orders", "order-1037", 86_400)
  yield* scene.pass(31_000)
  Result.getOrThrow(scene.machine.command(Service.stopExecution, { executionArn: stopped.arn }))
  yield* failing(scene, "charge-1038")
  yield* scene.pass(64_000)
  yield* short(scene, "orders", "order-1039", { shipped: true })
  yield* waiting(scene, "payments", "settle-the-night", 50_000)
  yield* scene.pass(180_000)
  const crashed = yield* scene.start("orders", "order-1040", { orderId: "order-1040" })
  yield* scene.pass(12)
  yield* crashed.crash
  yield* order(scene, "order-1041")
  yield* scene.pass(727_000)
})
