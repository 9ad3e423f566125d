/**
 * When an invocation is quiescent: what holds a suspension back, for how long, and what does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { ask, both, host, pause, slowly, turns, valueOf } from "./harness.ts"
import { assertPending, assertSuspended, suspends } from "./suspends.ts"

describe("work that no durable operation holds", () => {
  it.live("is cut off in a sleep, which starts again on the replay", () =>
    Effect.gen(function* () {
      let millis = 10_000
      const execution = yield* host((note) =>
        Effect.all([ask("answer"), Effect.andThen(Effect.sleep(millis), Durable.step("late", note("late")))], both)
      )
      const suspended = yield* execution.turn()
      assertSuspended(execution, suspended, { waitsFor: ["answer"], sleepsCut: [10_000] })
      millis = 5
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["answer", "late"])
    })
  )

  it.live("is cut off in a promise that nobody can see, which starts again on the replay", () =>
    Effect.gen(function* () {
      const gap = Promise.withResolvers<void>()
      const execution = yield* host((note) =>
        Effect.all(
          [
            ask("answer"),
            Effect.andThen(
              Effect.promise(() => gap.promise),
              Durable.step("late", note("late"))
            )
          ],
          both
        )
      )
      const suspended = yield* execution.turn()
      assertSuspended(execution, suspended, { waitsFor: ["answer"] })
      gap.resolve()
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["answer", "late"])
    })
  )

  suspends("is cut off in the sleep of a detached fibre", {
    program: (note) => Effect.andThen(Effect.forkDetach(Effect.delay(note("never"), 10_000)), ask("answer")),
    waitsFor: ["answer"],
    sleepsCut: [10_000],
    ends: "answer"
  })

  suspends("sees a promise that settles within the quiet time asked for", {
    program: (note) => Effect.all([ask("answer"), Effect.andThen(pause(5), Durable.step("late", note("late")))], both),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    options: { settle: 50 },
    ends: ["answer", "late"],
    log: ["late"]
  })

  it.live("waits for the quiet time asked for, and not much longer", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => ask("answer"), { settle: 40 })
      const settled = yield* execution.turn()
      assertPending(settled)
      assert.isAtLeast(settled.millis, 40)
      assert.isBelow(settled.millis, 1_000)
    })
  )

  it.live("starts the quiet time anew when something happens in it", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        (note) =>
          Effect.all(
            [ask("answer"), pause(20).pipe(Effect.andThen(note("one")), Effect.andThen(pause(20)))],
            both
          ).pipe(Effect.asVoid),
        { settle: 30 }
      )
      const { millis } = yield* execution.turn()
      assert.isAtLeast(millis, 70)
    })
  )
})

describe("Durable.hold", () => {
  suspends("keeps a sleep and what follows it", {
    program: (note) =>
      Effect.all(
        [ask("answer"), Effect.andThen(Durable.hold(Effect.sleep(10)), Durable.step("late", note("late")))],
        both
      ),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  suspends("keeps a promise and what follows it", {
    program: (note) =>
      Effect.all([ask("answer"), Effect.andThen(Durable.hold(pause(5)), Durable.step("late", note("late")))], both),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  suspends("runs what it holds again on every replay", {
    program: (note) =>
      Effect.gen(function* () {
        yield* Durable.hold(note("held"))
        return yield* ask("answer")
      }),
    waitsFor: ["answer"],
    noted: ["held"],
    ends: "answer",
    log: ["held", "held"]
  })

  suspends("does not keep what detached itself from it", {
    program: (note) =>
      Effect.gen(function* () {
        yield* Durable.hold(Effect.forkDetach(Effect.delay(note("never"), 10_000)))
        return yield* ask("answer")
      }),
    waitsFor: ["answer"],
    sleepsCut: [10_000],
    ends: "answer"
  })
})

describe("fibres that compute", () => {
  const busy = (rounds: number) =>
    Effect.forEach(Array.from({ length: rounds }), () => Effect.yieldNow, { discard: true })

  suspends("lets a busy branch reach its next operation", {
    program: (note) =>
      Effect.all([ask("answer"), Effect.andThen(busy(5_000), Durable.step("late", note("late")))], both),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  it.live("is patient with a fibre that never rests only for so long", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        () => Effect.andThen(Effect.forkChild(Effect.forever(Effect.yieldNow)), ask("answer")),
        { patience: 60 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
      assert.isAtLeast(suspended.millis, 60)
      assert.isBelow(suspended.millis, 2_000)
      execution.complete("answer")
      assert.strictEqual(valueOf((yield* execution.turn()).answer), "answer")
    })
  )

  it.live("has patience with a fibre that never rests even when a quiet time is asked for", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        () => Effect.andThen(Effect.forkChild(Effect.forever(Effect.sleep(2))), ask("answer")),
        { settle: 10, patience: 60 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.isBelow(suspended.millis, 2_000)
    })
  )

  it.live("does not lose patience with a step", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        (note) => Effect.all([ask("answer"), Durable.step("slow", slowly(note, "slow"))], both),
        {
          patience: 1
        }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED slow"])
    })
  )

  it.live("does not lose patience with the service", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.andThen(ask("one"), ask("two")), { patience: 1, latency: () => 8 })
      const { answer, turns } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "two")
      assert.strictEqual(turns.length, 3)
    })
  )
})

describe("what is left to send", () => {
  it.live("leaves before the answer, also when nobody waits for it", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        (note) => Effect.all([ask("answer"), Durable.child("child", Effect.delay(note("child"), 3))], both),
        { settle: 20, latency: () => 5 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED child"])
      assert.isFalse(suspended.run.checkpointer.busy)
    })
  )
})

describe("completions around a suspension", () => {
  it.live("goes on in place when a completion arrives while it is settling", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        (note) => Effect.all([ask("answer"), Effect.andThen(pause(5), Durable.step("late", note("late")))], both),
        { settle: 60 }
      )
      const { ended } = execution.begin()
      yield* turns(10)
      execution.complete("answer")
      const only = yield* ended
      assert.deepStrictEqual(valueOf(only.answer), ["answer", "late"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("loses no completion that arrives after the last checkpoint", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => ask("answer"), { settle: 30 })
      const { ended } = execution.begin()
      yield* turns(10)
      execution.complete("answer")
      assertPending(yield* ended)
      assert.isTrue(execution.invoked)
      assert.strictEqual(valueOf((yield* execution.turn()).answer), "answer")
    })
  )

  it.live("loses no completion that arrives while finalizers run", () =>
    Effect.gen(function* () {
      const unwinding = Promise.withResolvers<void>()
      const execution = yield* host((note) =>
        Effect.ensuring(
          ask("answer"),
          Effect.andThen(
            note("closing"),
            Effect.promise(() => unwinding.promise)
          )
        )
      )
      const { ended } = execution.begin()
      while (execution.log.length === 0) yield* turns(1)
      execution.complete("answer")
      unwinding.resolve()
      assertPending(yield* ended)
      assert.isTrue(execution.invoked)
      assert.strictEqual(valueOf((yield* execution.turn()).answer), "answer")
    })
  )

  it.live("goes on in place when the answer arrives with the checkpoint of a sibling", () =>
    Effect.gen(function* () {
      const reached = Promise.withResolvers<void>()
      const finish = Promise.withResolvers<void>()
      const execution = yield* host((note) =>
        Effect.all(
          [
            Effect.tap(ask("answer"), (answer) => Durable.step("used", note(`used ${answer}`))),
            Durable.step(
              "slow",
              Effect.promise(() => {
                reached.resolve()
                return finish.promise
              })
            )
          ],
          both
        ).pipe(Effect.map(([answer]) => answer))
      )
      const { ended } = execution.begin()
      yield* Effect.promise(() => reached.promise)
      while (execution.open.length === 0) yield* turns(1)
      execution.complete("answer")
      finish.resolve()
      const only = yield* ended
      assert.strictEqual(valueOf(only.answer), "answer")
      assert.deepStrictEqual(execution.log, ["used answer"])
    })
  )

  it.live("waits for nobody: an invocation that only waits answers within milliseconds", () =>
    Effect.gen(function* () {
      const program = Effect.all([ask("one"), Durable.wait("two", "1 day")], both)
      const all = yield* Effect.replicateEffect(
        Effect.flatMap(
          host(() => program),
          (execution) => execution.turn()
        ),
        5
      )
      // The fastest of a few: the machine that runs the tests may be busy with something else.
      assert.isBelow(Math.min(...all.map(({ millis }) => millis)), 30)
    })
  )
})
