/**
 * Effect's own tools for concurrency and resources around a wait: whatever holds the fiber of a wait, directly or through
 * others that wait for it in memory, lets go at a suspension and is as it should be on the replay.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, Serdes } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { ask, both, declined, errorOf, host, turns, valueOf } from "./harness.ts"
import { assertPending, suspends } from "./suspends.ts"

describe("regions", () => {
  suspends("a restored region inside an uninterruptible one", {
    program: (note) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.exit(restore(ask("answer"))).pipe(Effect.tap((exit) => Durable.step("after", note(exit._tag))))
      ).pipe(Effect.flatMap((exit) => exit)),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["Success"]
  })

  suspends("an interruptible region inside an uninterruptible one, in a branch", {
    program: (note) =>
      Effect.uninterruptible(
        Effect.all([Effect.interruptible(ask("one")), Effect.exit(Effect.interruptible(ask("two")))], both)
      ).pipe(
        Effect.tap(([, exit]) => Durable.step("after", note(exit._tag))),
        Effect.map(([one]) => one)
      ),
    waitsFor: ["one", "two"],
    ends: "one",
    log: ["Success"]
  })

  suspends("an onInterrupt handler that is local runs at the suspension only", {
    program: (note) => Effect.onInterrupt(ask("answer"), () => note("interrupted")),
    waitsFor: ["answer"],
    noted: ["interrupted"],
    ends: "answer",
    log: ["interrupted"]
  })
})

describe("coordination in memory", () => {
  suspends("branches that queue for a permit which a wait holds", {
    program: () =>
      Effect.gen(function* () {
        const semaphore = yield* Semaphore.make(1)
        return yield* Effect.forEach([1, 2, 3], (i) => semaphore.withPermits(1)(ask(`answer-${i}`)), both)
      }),
    waitsFor: ["answer-1"],
    ends: ["answer-1", "answer-2", "answer-3"]
  })

  suspends("branches behind a latch that a wait opens", {
    program: (note) =>
      Effect.gen(function* () {
        const latch = yield* Latch.make()
        return yield* Effect.all(
          [
            Effect.andThen(latch.await, Durable.step("behind", note("behind"))),
            Effect.tap(ask("answer"), () => latch.open)
          ],
          both
        )
      }),
    waitsFor: ["answer"],
    ends: ["behind", "answer"],
    log: ["behind"]
  })

  suspends("a subscriber of what a wait publishes", {
    program: (note) =>
      Effect.gen(function* () {
        const hub = yield* PubSub.unbounded<string>()
        const subscription = yield* PubSub.subscribe(hub)
        const subscriber = yield* Effect.forkChild(Effect.flatMap(PubSub.take(subscription), note))
        yield* Effect.flatMap(ask("answer"), (answer) => PubSub.publish(hub, answer))
        return yield* Fiber.join(subscriber)
      }).pipe(Effect.scoped),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["answer"]
  })

  suspends("two fibers that share one wait through a cached effect", {
    program: () =>
      Effect.gen(function* () {
        const shared = yield* Effect.cached(ask("answer"))
        return yield* Effect.all([shared, shared], both)
      }),
    waitsFor: ["answer"],
    ends: ["answer", "answer"]
  })

  suspends("a stream that is merged from a wait and a timer", {
    program: () =>
      Stream.merge(Stream.fromEffect(ask("answer")), Stream.drain(Stream.tick(5)), { haltStrategy: "left" }).pipe(
        Stream.runCollect
      ),
    waitsFor: ["answer"],
    options: { outsideLimit: 20 },
    ends: ["answer"]
  })
})

describe("resources", () => {
  suspends("a fiber that is forked into a scope", {
    program: () =>
      Effect.scoped(Effect.flatMap(Effect.forkScoped(ask("answer"), { startImmediately: true }), Fiber.join)),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("fibers in a FiberSet", {
    program: () =>
      Effect.gen(function* () {
        const fibers = yield* FiberSet.make<string>()
        for (const name of ["one", "two"]) yield* FiberSet.run(fibers, ask(name))
        yield* FiberSet.awaitEmpty(fibers)
        return "empty"
      }).pipe(Effect.scoped),
    waitsFor: ["one", "two"],
    ends: "empty"
  })

  class Answer extends Context.Service<Answer, { readonly text: string }>()("test/Answer") {}

  suspends("a layer that waits while it is built", {
    program: (note) =>
      Effect.flatMap(Answer, ({ text }) => Effect.andThen(ask("more"), note(text))).pipe(
        Effect.provide(
          Layer.effect(
            Answer,
            Effect.acquireRelease(
              Effect.map(ask("answer"), (text) => ({ text })),
              () => note("released")
            )
          )
        )
      ),
    waitsFor: ["answer"],
    ends: "answer",
    // The layer is built, and released, in each invocation that has the answer.
    log: ["released", "answer", "released"]
  })
})

describe("repetition", () => {
  suspends("a loop that waits each time round", {
    program: (note) =>
      Effect.gen(function* () {
        let answer = ""
        for (let round = 0; round < 3; round++) {
          answer = yield* ask("answer")
          yield* Durable.step("note", note(`round ${round}`))
        }
        return answer
      }),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["round 0", "round 1", "round 2"]
  })

  suspends("a repetition with a schedule that does not sleep", {
    program: () => Effect.repeat(Durable.wait("nap", "1 second"), Schedule.recurs(2)),
    waitsFor: ["nap"],
    ends: 2
  })
})

describe("sizes", () => {
  it.live("a thousand waits at once are let go of at once, and resumed", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 1_000 }, (_, i) => `answer-${i}`)
      const execution = yield* host(() => Effect.map(Effect.forEach(names, ask, both), (answers) => answers.length))
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
      assert.strictEqual(execution.open.length, 1_000)
      const { answer, turns } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), 1_000)
      assert.isAtMost(turns.length, 2)
    })
  )

  it.live("a wait a hundred children deep is let go of, and its result comes all the way up", () =>
    Effect.gen(function* () {
      const nest = (depth: number): Effect.Effect<string, never, Durable.Execution> =>
        depth === 0
          ? Effect.as(Durable.wait("nap", "1 second"), "bottom")
          : Durable.child(`level-${depth}`, nest(depth - 1))
      const execution = yield* host(() => nest(100))
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "bottom")
    })
  )

  it.live("a workflow without any operation ends without a request", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.succeed("nothing"))
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "nothing")
      assert.deepStrictEqual(only.sent, [])
      assert.deepStrictEqual(only.parts.outbox.counts, { requests: 0, updates: 0 })
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

describe("codecs that take their time", () => {
  const slowText = Serdes.make<string>({
    serialize: (value) => Effect.as(turns(3), value),
    deserialize: (text) => Effect.as(turns(3), text ?? "")
  })

  suspends("are waited for, live and on replay", {
    program: (note) =>
      Effect.all(
        [
          ask("answer"),
          Durable.step("first", note("first"), { successSerdes: slowText }).pipe(
            Effect.andThen((text) => Durable.step("second", note(`after ${text}`), { successSerdes: slowText })),
            Effect.andThen((text) => Effect.as(ask("more"), text))
          )
        ],
        both
      ),
    waitsFor: ["answer", "more"],
    noted: ["first", "after first"],
    recorded: ["SUCCEED first", "SUCCEED second"],
    choose: (open) => open.slice(0, 1),
    ends: ["answer", "after first"],
    log: ["first", "after first"]
  })
})

describe("a time-out around a hold", () => {
  it.live("strikes in the invocation that the hold keeps, and then durable finalizers do run", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Durable.onExit(Effect.timeout(Durable.hold(Effect.never), 5), () => Durable.step("ended", note("ended"))).pipe(
          Effect.catchTag("TimeoutError", () => declined)
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["ended"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})
