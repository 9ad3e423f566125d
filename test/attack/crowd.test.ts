/**
 * Many fibers, many operations and many outcomes at one time: attacked with ties that the service itself makes, with limits of
 * concurrency of Effect, and with histories of thousands of operations in pages.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  atEveryRequest,
  differenceIn,
  everywhere,
  run,
  statusesOf,
  valueOf,
  type Options,
  type Program
} from "../support/host.ts"

const both = { concurrency: "unbounded" } as const

const Errand = DurableFunction.plain("errand", { payload: Schema.Int })

/** An errand takes as many hours as it is told; callbacks are answered after three hours, with heartbeats before. */
const outsiders: Omit<Options, "kill"> = {
  parts: [
    TestEngine.stub(Errand, (hours) => Effect.sleep(`${hours} hours`)),
    TestEngine.answer("answered", Reply.after("3 hours", Reply.succeed("yes"))),
    TestEngine.answer("alive", ({ heartbeat }) =>
      Effect.as(Effect.repeat(Effect.delay(heartbeat, "20 minutes"), { times: 8 }), "alive")
    )
  ]
}

const programs: Readonly<Record<string, Program>> = {
  "an invoke that ends with its time-out": (kit) =>
    Effect.gen(function* () {
      const found = yield* Effect.all(
        [1, 2, 3].map((hours) =>
          Effect.map(
            Effect.exit(Durable.invoke(Errand, hours, { name: `errand ${hours}`, timeout: "2 hours" })),
            (exit) => Exit.isSuccess(exit)
          )
        ),
        both
      )
      yield* kit.tell("found", found)
      yield* kit.time("the invokes")
      return yield* kit.step("after")
    }),
  "waits, invokes, sleeps and callbacks that end at one time": (kit) =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const ends = (name: string) => Effect.sync(() => void order.push(name))
      yield* Effect.all(
        [
          Effect.andThen(Durable.wait("wait", "3 hours"), ends("wait")),
          Effect.andThen(Durable.invoke(Errand, 3), ends("invoke")),
          Effect.andThen(Effect.sleep("3 hours"), ends("sleep")),
          Effect.andThen(
            Durable.waitForCallback("answered", () => Effect.void),
            ends("callback")
          ),
          Effect.andThen(
            Effect.exit(Durable.timeout("time-out", Durable.wait("long", "9 days"), "3 hours")),
            ends("time-out")
          )
        ],
        both
      )
      yield* kit.tell("the order", order)
      return yield* kit.step("after")
    }),
  "a callback with heartbeats beside one without": (kit) =>
    Effect.gen(function* () {
      const rules = { heartbeatTimeout: "30 minutes" } as const
      const found = yield* Effect.all(
        [
          Effect.exit(Durable.waitForCallback("alive", () => Effect.void, rules)),
          Effect.exit(Durable.waitForCallback("silent", () => Effect.void, { ...rules, timeout: "5 hours" }))
        ],
        both
      )
      yield* kit.tell(
        "found",
        found.map(({ _tag }) => _tag)
      )
      yield* kit.time("the callbacks")
      return yield* kit.step("after")
    }),
  "a permit that goes from fiber to fiber": (kit) =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make(2)
      const order: Array<number> = []
      yield* Effect.forEach(
        [3, 1, 2, 1, 3],
        (hours, index) =>
          semaphore.withPermit(
            Effect.andThen(
              Durable.wait("permit", `${hours} hours`),
              Effect.sync(() => void order.push(index))
            )
          ),
        both
      )
      yield* kit.tell("the order", order)
      return yield* kit.step("after")
    }),
  "a stream with concurrency": (kit) =>
    Effect.gen(function* () {
      const found = yield* Stream.fromIterable([3, 1, 2, 4]).pipe(
        Stream.mapEffect((hours) => Effect.as(Durable.wait("element", `${hours} hours`), hours), {
          concurrency: 2,
          unordered: true
        }),
        Stream.runCollect
      )
      yield* kit.tell("the elements", found)
      yield* kit.time("the stream")
      return yield* kit.step("after")
    }),
  "an item that succeeds in the same request in which another one fails": (kit) =>
    Effect.gen(function* () {
      const no = Durable.step("no", Effect.die(new Error("no")), { retry: RetryPolicy.none })
      const { all } = yield* Durable.parallel("work", [no, kit.step("yes")])
      yield* kit.tell(
        "the items",
        all.map(({ status }) => status)
      )
      return yield* kit.step("after")
    }),
  "a step that is tried again beside waits, naps and polls": (kit) =>
    Effect.gen(function* () {
      const flaky = (name: string, fails: number) =>
        Durable.step(
          name,
          Effect.flatMap(Durable.StepContext, ({ attempt }) =>
            attempt <= fails ? Effect.die(new Error("not yet")) : Effect.succeed(attempt)
          ),
          { retry: RetryPolicy.fixed({ maxAttempts: 9, delay: "1 hour" }) }
        )
      const found = yield* Effect.all(
        [
          flaky("flaky", 3),
          flaky("other", 1),
          Effect.as(Durable.wait("between", "90 minutes"), 0),
          Effect.as(kit.step("long", { takes: "4 hours" }), 1),
          Effect.as(Effect.andThen(Effect.sleep("300 millis"), kit.step("after a nap")), 2)
        ],
        both
      )
      yield* kit.tell("found", found)
      return yield* kit.step("after")
    })
}

describe("one stream of outcomes, wherever the execution is killed, with", () => {
  for (const [name, program] of Object.entries(programs)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        // A block that was killed before its end was recorded ends again, at another time: only replays have to agree.
        const ran = yield* name.includes("at one time")
          ? atEveryRequest(program, differenceIn, outsiders)
          : everywhere(program, outsiders)
        assert.strictEqual(valueOf(ran), "after")
      })
    )
  }
})

describe("a large history", () => {
  const patient = { engine: { patience: "20 seconds" } } as const

  const many =
    (count: number): Program =>
    (kit) =>
      Effect.gen(function* () {
        for (let index = 0; index < count; index++) yield* Durable.step(`step ${index}`, Effect.succeed(index))
        yield* Durable.wait("an hour", "1 hour")
        return yield* kit.step("after")
      })

  it.effect("of 2,900 operations is replayed from pages of 7", () =>
    Effect.gen(function* () {
      const ran = yield* run(many(2_900), { engine: { pageItems: 7, patience: "20 seconds" } })
      assert.strictEqual(ran.outcome, 'completed with "after"')
      assert.strictEqual(ran.invocations, 2)
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect("of 900 fibers that wait at one time is replayed in the order of their ends", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) =>
          Effect.gen(function* () {
            const order: Array<number> = []
            yield* Effect.forEach(
              Array.from({ length: 900 }, (_, index) => index),
              (index) =>
                Effect.andThen(
                  Durable.wait(`wait ${index}`, `${1 + ((index * 7) % 5)} hours`),
                  Effect.sync(() => void order.push(index))
                ),
              both
            )
            yield* kit.tell("the order", order)
            yield* Durable.wait("a day", "1 day")
            return yield* kit.step("after")
          }),
        patient
      )
      assert.strictEqual(valueOf(ran), "after")
      assert.strictEqual(ran.reports[0]?.values.length, 1)
    })
  )

  it.effect("beyond the limit of operations fails with the place, and with nothing left", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => Effect.forEach(Array.from({ length: 3_100 }), () => kit.step("same")), patient)
      assert.match(ran.outcome, /^failed as LimitExceeded/)
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )
})

describe("handing over", () => {
  const Next = DurableFunction.make("next", { success: Schema.String })
  const next: Omit<Options, "kill"> = { parts: [Next.implement(() => Effect.succeed("next"))] }

  it.effect("waits for durable finalizers that wait themselves, and records them once", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(
        (kit) =>
          Effect.gen(function* () {
            yield* Effect.forkChild(
              Durable.onExit(Durable.wait("a day", "1 day"), () =>
                Effect.andThen(Durable.wait("pause", "1 hour"), kit.step("tidy"))
              )
            )
            yield* kit.step("first")
            return yield* Durable.continueWith(Next)
          }),
        next
      )
      assert.deepStrictEqual(statusesOf(ran, "tidy"), ["SUCCEEDED"])
    })
  )

  it.effect("from a branch lets go of the others, and of its own finalizer", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(
        (kit) =>
          Effect.all(
            [
              Durable.onExit(Durable.continueWith(Next), () => kit.step("own")),
              Durable.onExit(Durable.wait("a day", "1 day"), () => kit.step("other"))
            ],
            both
          ),
        next
      )
      assert.sameMembers([...statusesOf(ran, "own"), ...statusesOf(ran, "other")], ["SUCCEEDED", "SUCCEEDED"])
    })
  )
})
