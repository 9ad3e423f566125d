/**
 * Our handlers beside those that AWS's own SDK makes of the same workflow, both under AWS's test runner: whoever looks at an
 * execution from outside cannot tell them apart. And each calls the other.
 */
import { StepSemantics, withDurableExecution, type DurableContext } from "@aws/durable-execution-sdk-js"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { Durable, DurableFunction, RetryPolicy, type DurableError } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { setImmediate, setTimeout } from "node:timers/promises"
import { awsLocal } from "../conformance/awsLocal.ts"
import type { AnyHandler, Backend } from "../conformance/backend.ts"
import type { Ended, Json } from "../conformance/matcher.ts"
import { watchProcess, type Watch } from "../conformance/process.ts"

const alone = { layer: Layer.empty }

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {
  override get message(): string {
    return `declined: ${this.code}`
  }
}

const Any = DurableFunction.make("any", { payload: Schema.Unknown, success: Schema.Unknown, error: Declined })
const Double = DurableFunction.plain("double", { payload: Schema.Int, success: Schema.Int })
const Callee = DurableFunction.make("callee", { payload: Schema.Int, success: Schema.String, error: Declined })

const targets = { double: async (event: unknown) => Number(event) * 2 }

const declined = Effect.fail(new Declined({ code: "expired" }))

const everySecond = (maxAttempts: number) => RetryPolicy.fixed({ maxAttempts, delay: "1 second" })

const retryEverySecond = (maxAttempts: number) => ({
  retryStrategy: (_: Error, attempt: number) =>
    attempt < maxAttempts ? { shouldRetry: true as const, delay: { seconds: 1 } } : { shouldRetry: false as const }
})

const decline = (): Promise<never> => Promise.reject(new Error("declined: expired"))

type Workflow = (input: unknown) => Effect.Effect<unknown, Declined | DurableError.OperationError, Durable.Execution>

const ours = (workflow: Workflow): AnyHandler => LambdaHandler.make(Any.implement(workflow), alone)

const theirs = (workflow: (input: unknown, context: DurableContext) => Promise<unknown>): AnyHandler =>
  withDurableExecution(workflow)

const real = Context.get(Context.empty(), Clock.Clock)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A callee that waits, and declines what is negative. */
const ourCallee = LambdaHandler.make(
  Callee.implement(
    Effect.fnUntraced(function* (amount) {
      yield* Durable.wait("think", "1 second")
      return amount < 0 ? yield* new Declined({ code: "expired" }) : `charged ${amount}`
    })
  ),
  alone
)

const theirCallee = withDurableExecution(async (amount: number, context) => {
  await context.wait("think", { seconds: 1 })
  if (amount < 0) throw new RangeError("less than nothing")
  return `charged ${amount}`
})

interface Pair {
  readonly ours: AnyHandler
  readonly theirs: AnyHandler
  readonly callee?: { readonly ours: AnyHandler; readonly theirs: AnyHandler }
  readonly ended: Ended
  /** Whether timing decides the order of its events. */
  readonly unordered?: true
}

const pairs: Readonly<Record<string, Pair>> = {
  "steps in a sequence": {
    ours: ours(
      Effect.fnUntraced(function* (input) {
        const first = yield* Durable.step("first", Effect.succeed([input]), { success: Schema.Unknown })
        return yield* Durable.step("second", Effect.succeed({ first }), { success: Schema.Unknown })
      })
    ),
    theirs: theirs(async (input, context) => {
      const first = await context.step("first", async () => [input])
      return context.step("second", async () => ({ first }))
    }),
    ended: { status: "SUCCEEDED", value: { first: ["in"] } }
  },

  "a step that is repeated": {
    ours: ours(() =>
      Durable.step(
        "flaky",
        Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < 3 ? declined : Effect.succeed(attempt))),
        { retry: everySecond(3), error: Declined }
      )
    ),
    theirs: theirs((_, context) =>
      context.step("flaky", ({ attempt }) => (attempt < 3 ? decline() : Promise.resolve(attempt)), retryEverySecond(3))
    ),
    ended: { status: "SUCCEEDED", value: 3 }
  },

  "a step that fails for good": {
    ours: ours(() => Durable.step("broken", declined, { retry: everySecond(2), error: Declined })),
    theirs: theirs((_, context) => context.step("broken", decline, retryEverySecond(2))),
    ended: { status: "FAILED" }
  },

  "a step at most once": {
    ours: ours(() => Durable.step("once", Effect.succeed(1), { semantics: "at-most-once" })),
    theirs: theirs((_, context) =>
      context.step("once", async () => 1, { semantics: StepSemantics.AtMostOncePerRetry })
    ),
    ended: { status: "SUCCEEDED", value: 1 }
  },

  "a wait between steps": {
    ours: ours(
      Effect.fnUntraced(function* () {
        const before = yield* Durable.step("before", Effect.succeed("before"))
        yield* Durable.wait("pause", "1 second")
        return yield* Durable.step("after", Effect.succeed(`${before} and after`))
      })
    ),
    theirs: theirs(async (_, context) => {
      const before = await context.step("before", async () => "before")
      await context.wait("pause", { seconds: 1 })
      return context.step("after", async () => `${before} and after`)
    }),
    ended: { status: "SUCCEEDED", value: "before and after" }
  },

  "children in children": {
    ours: ours(() =>
      Durable.child(
        "outer",
        Effect.gen(function* () {
          const inner = yield* Durable.child(
            "inner",
            Effect.tap(Durable.step("work", Effect.succeed(1)), Durable.wait("pause", "1 second"))
          )
          return yield* Durable.step("sum", Effect.succeed(inner + 1))
        })
      )
    ),
    theirs: theirs((_, context) =>
      context.runInChildContext("outer", async (outer) => {
        const inner = await outer.runInChildContext("inner", async (child) => {
          const one = await child.step("work", async () => 1)
          await child.wait("pause", { seconds: 1 })
          return one
        })
        return outer.step("sum", async () => inner + 1)
      })
    ),
    ended: { status: "SUCCEEDED", value: 2 }
  },

  "a failing child that is caught": {
    ours: ours(() =>
      Durable.child("child", Durable.step("broken", declined, { retry: everySecond(1), error: Declined }), {
        error: Declined
      }).pipe(
        Effect.as(""),
        Effect.catchTag("Declined", ({ message }) => Durable.step("instead", Effect.succeed(message)))
      )
    ),
    theirs: theirs((_, context) =>
      context
        .runInChildContext("child", (child) => child.step("broken", decline, retryEverySecond(1)))
        .catch((error: unknown) => context.step("instead", async () => messageOf(error)))
    ),
    ended: { status: "SUCCEEDED", value: "declined: expired" }
  },

  "an invoke of a plain function": {
    ours: ours(() => Durable.invoke(Double, 21, { name: "call" })),
    theirs: theirs((_, context) => context.invoke("call", "double", 21)),
    ended: { status: "SUCCEEDED", value: 42 }
  },

  "an invoke of a durable function": {
    ours: ours(() => Durable.invoke(Callee, 5, { name: "call" })),
    theirs: theirs((_, context) => context.invoke("call", "callee:$LATEST", 5)),
    callee: { ours: ourCallee, theirs: theirCallee },
    ended: { status: "SUCCEEDED", value: "charged 5" }
  },

  "an invoke of a durable function that fails": {
    ours: ours(() => Durable.invoke(Callee, -5, { name: "call" })),
    theirs: theirs((_, context) => context.invoke("call", "callee:$LATEST", -5)),
    callee: { ours: ourCallee, theirs: theirCallee },
    ended: { status: "FAILED" }
  },

  "steps side by side": {
    ours: ours(() =>
      Effect.all(
        [1, 2, 3].map((each) => Durable.step(`step ${each}`, Effect.delay(Effect.succeed(each), 100 * each))),
        { concurrency: "unbounded" }
      )
    ),
    theirs: theirs((_, context) =>
      Promise.all([1, 2, 3].map((each) => context.step(`step ${each}`, () => setTimeout(100 * each).then(() => each))))
    ),
    ended: { status: "SUCCEEDED", value: [1, 2, 3] },
    unordered: true
  }
}

let watch: Watch
let backend: Backend

beforeAll(async () => {
  watch = watchProcess()
  backend = await awsLocal(watch)
})

afterAll(async () => {
  await backend.close()
  watch.stop()
})

interface Observed {
  readonly ended: Ended
  readonly events: ReadonlyArray<string>
}

/** Runs a handler to its end. */
const observe = async (
  handler: AnyHandler,
  durableTargets: Readonly<Record<string, AnyHandler>> = {}
): Promise<Observed> => {
  const run = await backend.start({
    handler,
    targets,
    durableTargets,
    id: "double",
    mayCrash: false,
    input: '"in"',
    onCallback: () => undefined,
    onRefused: () => {}
  })
  for (;;) {
    const ended = run.ended()
    const events = run.events()
    const isTold = String(events.at(-1)?.["EventType"]).startsWith("Execution") && events.length > 1
    if (ended !== undefined && isTold) return { ended, events: describeEvents(events) }
    await setTimeout(10)
  }
}

/** Events as both sides should have them: type, name, names of the contexts around it, attempt, and delay. */
const describeEvents = (events: ReadonlyArray<Json>): ReadonlyArray<string> => {
  const names = new Map(events.map(({ Id, Name, ParentId }) => [Id, { name: Name, parent: ParentId }]))
  const pathOf = (id: unknown): string => {
    const found = id === undefined ? undefined : names.get(id)
    return found === undefined ? "" : `${pathOf(found.parent)}/${String(found.name)}`
  }
  return events.map((event) => {
    const type = String(event["EventType"])
    if (type.startsWith("Execution") || type === "InvocationCompleted") return type
    const { RetryDetails } = Object(event[`${type}Details`])
    const retry =
      RetryDetails === undefined
        ? ""
        : ` ${JSON.stringify(RetryDetails, ["CurrentAttempt", "NextAttemptDelaySeconds"])}`
    return `${type} ${String(event["SubType"])} ${pathOf(event["Id"])}${retry}`
  })
}

describe.concurrent("under AWS's test runner", () => {
  for (const [name, pair] of Object.entries(pairs)) {
    it(`looks like AWS's own: ${name}`, async () => {
      const calleeOf = (side: "ours" | "theirs") =>
        pair.callee === undefined ? {} : { "callee:$LATEST": pair.callee[side] }
      const [one, other] = await Promise.all([
        observe(pair.ours, calleeOf("ours")),
        observe(pair.theirs, calleeOf("theirs"))
      ])
      assert.deepStrictEqual(one.ended, pair.ended)
      assert.deepStrictEqual(other.ended, pair.ended)
      const inOrder = (events: ReadonlyArray<string>) => (pair.unordered ? events.toSorted() : events)
      assert.deepStrictEqual(inOrder(one.events), inOrder(other.events))
    })
  }
})

describe.concurrent("across the SDKs", () => {
  const caught = (amount: number) =>
    ours(() =>
      Durable.invoke(Callee, amount).pipe(
        Effect.catchTag("Declined", ({ code }) => Effect.succeed(`declined: ${code}`)),
        Effect.catchTag("InvokeFailed", ({ errorMessage, errorType }) => Effect.succeed({ errorType, errorMessage }))
      )
    )

  it("their caller gets the result of our function", async () => {
    const caller = theirs((_, context) => context.invoke("call", "callee:$LATEST", 5))
    const { ended } = await observe(caller, { "callee:$LATEST": ourCallee })
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: "charged 5" })
  })

  it("their caller reads our declared error", async () => {
    const caller = theirs((_, context) =>
      context
        .invoke("call", "callee:$LATEST", -5)
        .catch((error: unknown) => ({ message: messageOf(error), data: JSON.parse(Object(error).errorData) }))
    )
    const { ended } = await observe(caller, { "callee:$LATEST": ourCallee })
    const data = { _tag: "Declined", code: "expired" }
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: { message: "declined: expired", data } })
  })

  it("our caller gets the result of their function", async () => {
    const { ended } = await observe(caught(5), { "callee:$LATEST": theirCallee })
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: "charged 5" })
  })

  it("our caller reads their error, with its type and message", async () => {
    const { ended } = await observe(caught(-5), { "callee:$LATEST": theirCallee })
    const value = { errorType: "RangeError", errorMessage: "less than nothing" }
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value })
  })

  it("our caller gets our declared error as itself", async () => {
    const { ended } = await observe(caught(-5), { "callee:$LATEST": ourCallee })
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: "declined: expired" })
  })
})

describe("a row of steps that is longer than an invocation, under AWS's test runner", () => {
  it("is paused before the time-out, by a wait of its own, and no invocation is rejected", async () => {
    // Each step takes ten seconds of a clock that nobody waits for; an invocation has a minute.
    let passed = 0
    const millis = (): number => Date.now() + passed
    const nanos = (): bigint => BigInt(millis()) * 1_000_000n
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) => Effect.provide(Effect.sleep(duration), Layer.succeed(Clock.Clock, real))
    }
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    const runs: Array<number> = []
    const workflow: Workflow = () =>
      Effect.forEach(numbers, (number) =>
        Durable.step(
          `step ${number}`,
          Effect.sync(() => {
            passed += 10_000
            runs.push(number)
            return number
          })
        )
      )
    const handler = LambdaHandler.make(Any.implement(workflow), { layer: Layer.succeed(Clock.Clock, clock) })
    const limited: AnyHandler = (event, context) =>
      handler(event, { ...Object(context), getRemainingTimeInMillis: () => 60_000 + passed })
    const { ended, events } = await observe(limited)
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: numbers })
    assert.deepStrictEqual(runs, numbers)
    assert.deepStrictEqual(
      events.filter((event) => event.startsWith("Wait")),
      [1, 2, 3].flatMap((number) => [`WaitStarted Wait /pause:${number}`, `WaitSucceeded Wait /pause:${number}`])
    )
  })
})

describe("steps side by side under AWS's test runner, which stamps many of them in one millisecond", () => {
  it("hand over in one order, live and on the replay", { repeats: 20 }, async () => {
    const seen: Array<ReadonlyArray<number>> = []
    const workflow = ours(
      Effect.fnUntraced(function* () {
        const queue = yield* Queue.unbounded<number>()
        const numbers = Array.from({ length: 8 }, (_, index) => index)
        for (const number of numbers) {
          const body = Effect.promise(() => turns(number % 3))
          yield* Effect.forkChild(
            Effect.andThen(Durable.step(`step ${number}`, Effect.as(body, number)), Queue.offer(queue, number))
          )
        }
        const order = yield* Effect.forEach(numbers, () => Queue.take(queue))
        seen.push(order)
        yield* Durable.wait("pause", "1 second")
        return yield* Durable.step("order", Effect.succeed(order))
      })
    )
    const { ended } = await observe(workflow, {})
    assert.lengthOf(seen, 2)
    assert.deepStrictEqual(seen[1], seen[0])
    assert.deepStrictEqual(ended, { status: "SUCCEEDED", value: seen[0] })
  })
})

/** Some turns of the event loop. */
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await setImmediate()
}
