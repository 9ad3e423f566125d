import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"

const Main = DurableFunction.make("main", { success: Schema.Unknown })
const Sub = DurableFunction.make("sub", { payload: Schema.Int, success: Schema.Int })
const Plain = DurableFunction.plain("plain", { payload: Schema.Int, success: Schema.Int })

const all = { concurrency: "unbounded" } as const
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Runs a workflow to its end, and answers with what it gave back and what happened when. */
const timeline = (
  workflow: Effect.Effect<unknown, never, Durable.Execution>,
  functions: ReadonlyArray<DurableFunction.AnyImplementation<never> | TestEngine.Stub> = [],
  options: TestEngine.Options = {}
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    const value = yield* run.result
    const history = yield* run.history
    const start = history[0]?.EventTimestamp ?? 0
    return {
      value,
      history,
      total: (history.at(-1)?.EventTimestamp ?? 0) - start,
      at: (type: string, name?: string) => {
        const event = history.find((one) => one.EventType === type && (name === undefined || one.Name === name))
        return event === undefined ? undefined : event.EventTimestamp - start
      }
    }
  }).pipe(
    Effect.provide(
      TestEngine.layer([Main.implement(() => workflow), ...functions], {
        invocationTimeout: Duration.infinity,
        ...options
      })
    )
  )

const types = (history: ReadonlyArray<HistoryEvent>) =>
  history.map((event) => (event.Name === undefined ? event.EventType : `${event.EventType} ${event.Name}`))

describe("virtual time", () => {
  it.effect("starts on the first day of 2026, or where a test says", () =>
    Effect.gen(function* () {
      const now = Effect.map(DateTime.now, DateTime.formatIso)
      assert.strictEqual((yield* timeline(now)).value, "2026-01-01T00:00:00.000Z")
      const startTime = Date.UTC(1999, 11, 31, 23, 59)
      assert.strictEqual((yield* timeline(now, [], { startTime })).value, "1999-12-31T23:59:00.000Z")
    })
  )

  it.effect("passes exactly as long as a wait of a day, in no real time", () =>
    Effect.gen(function* () {
      const { at, total } = yield* timeline(Durable.wait("day", 86_400_000))
      assert.strictEqual(at("WaitStarted"), 0)
      assert.strictEqual(at("WaitSucceeded"), 86_400_000)
      assert.strictEqual(total, 86_400_000)
    })
  )

  it.effect("passes through a hundred waits in a row", () =>
    Effect.gen(function* () {
      const { total } = yield* timeline(
        Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          () => Durable.wait("day", "1 day"),
          { discard: true }
        )
      )
      assert.strictEqual(total, 100 * day)
    })
  )

  it.effect("lets a wait of two seconds and one of a day run side by side, and ends with the longer", () =>
    Effect.gen(function* () {
      const { at, history, total } = yield* timeline(
        Effect.all([Durable.wait("long", 86_400_000), Durable.wait("short", "2 seconds")], { ...all, discard: true })
      )
      assert.strictEqual(at("WaitSucceeded", "short"), 2 * second)
      assert.strictEqual(at("WaitSucceeded", "long"), day)
      assert.strictEqual(total, day)
      assert.isTrue(types(history).indexOf("WaitSucceeded short") < types(history).indexOf("WaitSucceeded long"))
    })
  )

  it.effect("never lets a longer wait end before a shorter one", () =>
    Effect.gen(function* () {
      const seconds = [50, 3, 17, 3, 86_400, 1, 200]
      const { history } = yield* timeline(
        Effect.forEach(seconds, (n, index) => Durable.wait(`${index}`, n * second), { ...all, discard: true })
      )
      const ended = history.flatMap((event) => (event.EventType === "WaitSucceeded" ? [event.EventTimestamp] : []))
      assert.deepStrictEqual(
        ended.map((time) => (time - (history[0]?.EventTimestamp ?? 0)) / second),
        seconds.toSorted((a, b) => a - b)
      )
    })
  )

  it.effect("costs a step that sleeps for an hour no real time", () =>
    Effect.gen(function* () {
      const { at, value } = yield* timeline(Durable.step("nap", Effect.as(Effect.sleep("1 hour"), "rested")))
      assert.strictEqual(value, "rested")
      assert.strictEqual(at("StepSucceeded"), hour)
    })
  )

  it.effect("lets several steps sleep side by side, and each wakes in its turn", () =>
    Effect.gen(function* () {
      const woken: Array<number> = []
      const { total } = yield* timeline(
        Effect.forEach(
          [3, 1, 2],
          (n) =>
            Durable.step(
              `nap-${n}`,
              Effect.andThen(
                Effect.sleep(n * hour),
                Effect.sync(() => void woken.push(n))
              )
            ),
          { ...all, discard: true }
        )
      )
      assert.deepStrictEqual(woken, [1, 2, 3])
      assert.strictEqual(total, 3 * hour)
    })
  )

  it.effect("lets a step that sleeps and a wait run side by side", () =>
    Effect.gen(function* () {
      const { at, total } = yield* timeline(
        Effect.all([Durable.step("nap", Effect.sleep("2 hours")), Durable.wait("wait", "1 hour")], {
          ...all,
          discard: true
        })
      )
      assert.strictEqual(at("WaitSucceeded"), hour)
      assert.strictEqual(at("StepSucceeded"), 2 * hour)
      assert.strictEqual(total, 2 * hour)
    })
  )

  it.effect("runs inside of a step through forks, races and schedules", () =>
    Effect.gen(function* () {
      const { total, value } = yield* timeline(
        Durable.step(
          "busy",
          Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(Effect.as(Effect.sleep("10 minutes"), "forked"))
            const raced = yield* Effect.race(Effect.as(Effect.sleep("1 minute"), "fast"), Effect.sleep("1 hour"))
            const timedOut = yield* Effect.timeoutOption(Effect.sleep("1 day"), "5 minutes")
            yield* Effect.repeat(Effect.void, { times: 2, schedule: Schedule.spaced("1 minute") })
            return [yield* Fiber.join(fiber), raced ?? "slow", timedOut._tag]
          })
        )
      )
      assert.deepStrictEqual(value, ["forked", "fast", "None"])
      assert.strictEqual(total, 10 * minute)
    })
  )

  it.effect("runs inside of a step in which fibers wait for each other", () =>
    Effect.gen(function* () {
      const { total } = yield* timeline(
        Durable.step(
          "limited",
          Effect.gen(function* () {
            const permits = yield* Semaphore.make(1)
            yield* Effect.forEach([1, 2, 3], () => Semaphore.withPermits(permits, 1)(Effect.sleep("1 hour")), {
              ...all,
              discard: true
            })
          })
        ),
        [],
        { patience: "1 second" }
      )
      assert.strictEqual(total, 3 * hour)
    })
  )

  it.effect("runs inside of a step with a time-out around something that never ends", () =>
    Effect.gen(function* () {
      const { total, value } = yield* timeline(
        Durable.step(
          "hung",
          Effect.map(Effect.timeoutOption(Effect.never, "30 seconds"), (option) => option._tag)
        ),
        [],
        { patience: "1 second" }
      )
      assert.strictEqual(value, "None")
      assert.strictEqual(total, 30 * second)
    })
  )

  it.effect("passes between the attempts of a step", () =>
    Effect.gen(function* () {
      let attempts = 0
      const { total, value } = yield* timeline(
        Durable.step(
          "flaky",
          Effect.suspend(() => (++attempts < 4 ? Effect.die("not yet") : Effect.succeed(attempts))),
          { retry: RetryPolicy.fixed({ maxAttempts: 5, delay: "1 hour" }) }
        )
      )
      assert.strictEqual(value, 4)
      assert.strictEqual(total, 3 * hour)
    })
  )

  it.effect("is what the clock of steps and stubs shows", () =>
    Effect.gen(function* () {
      const shown: Array<number> = []
      const look = Effect.map(Clock.currentTimeMillis, (millis) => void shown.push(millis))
      const { history } = yield* timeline(
        Effect.gen(function* () {
          yield* Durable.step("first", look)
          yield* Durable.wait("day", "1 day")
          yield* Durable.step("second", look)
          yield* Durable.invoke(Plain, 1)
        }).pipe(Effect.orDie),
        [TestEngine.stub(Plain, (n) => Effect.as(Effect.andThen(Effect.sleep("1 hour"), look), n))]
      )
      const start = history[0]?.EventTimestamp ?? 0
      assert.deepStrictEqual(
        shown.map((millis) => millis - start),
        [0, day, day + hour]
      )
    })
  )
})

describe("the time of callees", () => {
  it.effect("passes in a stub that sleeps", () =>
    Effect.gen(function* () {
      const { at, value } = yield* timeline(Effect.orDie(Durable.invoke(Plain, 1)), [
        TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep("6 hours"), n + 1))
      ])
      assert.strictEqual(value, 2)
      assert.strictEqual(at("ChainedInvokeSucceeded"), 6 * hour)
    })
  )

  it.effect("passes in stubs that sleep side by side", () =>
    Effect.gen(function* () {
      const { total, value } = yield* timeline(
        Effect.orDie(Effect.forEach([3, 1, 2], (n) => Durable.invoke(Plain, n, { name: `call-${n}` }), all)),
        [TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep(n * hour), n))]
      )
      assert.deepStrictEqual(value, [3, 1, 2])
      assert.strictEqual(total, 3 * hour)
    })
  )

  it.effect("is exact in executions that are nested", () =>
    Effect.gen(function* () {
      const sub = Sub.implement(
        Effect.fnUntraced(function* (n) {
          yield* Durable.wait("half", n * hour)
          if (n > 1) yield* Effect.orDie(Durable.invoke(Sub, n - 1))
          return n
        })
      )
      const main = Main.implement(() => Effect.orDie(Durable.invoke(Sub, 3)))
      yield* Effect.gen(function* () {
        const client = yield* DurableClient.DurableClient
        const run = yield* TestEngine.start(Main)
        yield* run.result
        const history = yield* run.history
        const start = history[0]?.EventTimestamp ?? 0
        assert.strictEqual((history.at(-1)?.EventTimestamp ?? 0) - start, 6 * hour)
        const { items } = yield* client.list("sub", { qualifier: "$LATEST" })
        const spans = items
          .map((item) => [item.StartTimestamp - start, (item.EndTimestamp ?? 0) - start])
          .toSorted(([a], [b]) => (a ?? 0) - (b ?? 0))
        assert.deepStrictEqual(spans, [
          [0, 6 * hour],
          [3 * hour, 6 * hour],
          [5 * hour, 6 * hour]
        ])
      }).pipe(Effect.provide(TestEngine.layer([main, sub])))
    })
  )

  it.effect("shows an execution the clock of its own start", () =>
    Effect.gen(function* () {
      const started: Array<number> = []
      const sub = Sub.implement((n) => Effect.map(Clock.currentTimeMillis, (millis) => (started.push(millis), n)))
      const { history } = yield* timeline(
        Effect.gen(function* () {
          yield* Durable.wait("day", "1 day")
          yield* Durable.invoke(Sub, 1)
        }).pipe(Effect.orDie),
        [sub]
      )
      assert.deepStrictEqual(started, [(history[0]?.EventTimestamp ?? 0) + day])
    })
  )
})

describe("the order of events", () => {
  const callees: ReadonlyArray<
    readonly [string, DurableFunction.AnyImplementation<never> | TestEngine.Stub, DurableFunction.Any]
  > = [
    ["a stub that answers at once", TestEngine.stub(Plain, (n) => Effect.succeed(n)), Plain],
    ["a stub with an outcome", TestEngine.stub(Plain, Reply.succeed(1)), Plain],
    ["a plain function", Plain.implement((n) => Effect.succeed(n)), Plain],
    ["a workflow that answers at once", Sub.implement((n) => Effect.succeed(n)), Sub]
  ]
  for (const [what, callee] of callees) {
    it.effect(`has the caller's invocation end before its callee answers: ${what}`, () =>
      Effect.gen(function* () {
        const contract = "contract" in callee && callee.contract.name === "sub" ? Sub : Plain
        const { history } = yield* timeline(Effect.orDie(Durable.invoke(contract, 1, { name: "call" })), [callee])
        assert.deepStrictEqual(types(history).slice(1, 4), [
          "ChainedInvokeStarted call",
          "InvocationCompleted",
          "ChainedInvokeSucceeded call"
        ])
      })
    )
  }

  it.effect("is the same in every run", () =>
    Effect.gen(function* () {
      const workflow = Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Durable.invoke(Plain, 2, { name: "forked" }))
        yield* Effect.all([Durable.wait("a", "2 seconds"), Durable.invoke(Plain, 2, { name: "b" })], all)
        yield* Durable.step("c", Effect.sleep("1 second"))
        yield* Effect.all([Durable.invoke(Plain, 1, { name: "d" }), Durable.step("e", Effect.sleep("1 second"))], all)
        return yield* Fiber.join(fiber)
      }).pipe(Effect.orDie)
      const stub = TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep(n * second), n))
      const first = yield* timeline(workflow, [stub])
      for (let run = 0; run < 10; run++) {
        const again = yield* timeline(workflow, [stub])
        assert.deepStrictEqual(again.history, first.history)
      }
    })
  )
})
