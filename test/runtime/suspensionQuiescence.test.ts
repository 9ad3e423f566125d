/**
 * When an invocation is quiescent: what holds a suspension back, for how long, and what does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { defaultOptions } from "../../src/invocation/Assembly.ts"
import { ask, both, errorOf, host, pause, slowly, turns, valueOf, type Note, type Program } from "./harness.ts"
import { assertPending, assertSuspended, suspends } from "./suspends.ts"

/** An answer of somebody outside, and beside it other work and a step after it. */
const beside =
  (work: (note: Note) => Effect.Effect<unknown, never, Durable.Execution>) =>
  (note: Note): Program =>
    Effect.all([ask("answer"), Effect.andThen(work(note), Durable.step("late", note("late")))], both)

/** What is told of work outside of steps, and of work that is cut off. */
const outside = "outside of a step"
const cutOff = "This work is interrupted now"

describe("sleeps of a second or more", () => {
  suspends("are waits of the service, and what follows them is done later", {
    program: beside(() => Effect.sleep("10 seconds")),
    waitsFor: ["answer", "sleep 10s"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  suspends("are so in detached fibers, which nobody waits for", {
    program: (note) => Effect.andThen(Effect.forkDetach(Effect.delay(note("never"), "10 seconds")), ask("answer")),
    waitsFor: ["answer", "sleep 10s"],
    ends: "answer"
  })
})

describe("promises", () => {
  suspends("are waited for, with what follows them, and told of", {
    program: beside(() => turns(5)),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    warned: [outside],
    ends: ["answer", "late"],
    log: ["late"]
  })

  it.live("are cut off after the limit when the service will wake the execution, and begin again on the replay", () =>
    Effect.gen(function* () {
      const gap = Promise.withResolvers<void>()
      const execution = yield* host(
        beside(() => Effect.promise(() => gap.promise)),
        { outsideLimit: 10 }
      )
      const suspended = yield* execution.turn()
      assertSuspended(execution, suspended, { waitsFor: ["answer"], warned: [outside, cutOff] })
      gap.resolve()
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["answer", "late"])
    })
  )

  it.live(
    "fail the invocation after the limit when nothing else would wake the execution, and the service repeats it",
    () =>
      Effect.gen(function* () {
        const gap = Promise.withResolvers<void>()
        const execution = yield* host(
          (note) =>
            Effect.andThen(
              Effect.promise(() => gap.promise),
              Durable.step("late", note("late"))
            ),
          { outsideLimit: 10 }
        )
        const cut = yield* execution.turn()
        assert.strictEqual(cut.answer, undefined)
        assert.strictEqual(cut.failure?.reason, "outside")
        assert.include(cut.failure?.message, "raise outsideLimit")
        assert.deepStrictEqual(cut.sent, [])
        assert.strictEqual(cut.fibersLeft, 0)
        gap.resolve()
        const { answer } = yield* execution.drive()
        assert.strictEqual(valueOf(answer), "late")
      })
  )

  it.live("are told of once, however many there are at one place", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.andThen(
          Effect.repeat(turns(1), { times: 5 }),
          Effect.all([turns(2), turns(3)], { ...both, discard: true })
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(only.answer?.Status, "SUCCEEDED")
      assert.lengthOf(execution.warnings, 1)
    })
  )

  it.live("of a fiber do not hold up what others are delivered", () =>
    Effect.gen(function* () {
      const gap = Promise.withResolvers<void>()
      const execution = yield* host((note) =>
        Effect.all(
          [
            Effect.promise(() => gap.promise),
            Effect.andThen(Durable.step("one", slowly(note, "one")), Durable.step("two", note("two")))
          ],
          { ...both, discard: true }
        )
      )
      const { ended } = execution.begin()
      while (execution.log.length < 2) yield* turns(1)
      gap.resolve()
      assert.strictEqual((yield* ended).answer?.Status, "SUCCEEDED")
    })
  )
})

describe("work outside of steps that takes too long", () => {
  it.live("does not cut off a step that began meanwhile", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        () =>
          Effect.all(
            [
              ask("answer"),
              Effect.promise(() => new Promise(() => {})),
              Effect.andThen(turns(3), Durable.step("slow", Effect.as(pause(40), "slow")))
            ],
            both
          ),
        { outsideLimit: 10 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED slow"])
    })
  )
})

describe("callbacks of the process that nothing can be told of", () => {
  it.live("are cut off at once beside an operation that waits, and begin again on the replay", () =>
    Effect.gen(function* () {
      let resumeLast = (): void => {}
      const execution = yield* host(
        beside(() => Effect.callback<void>((resume) => void (resumeLast = () => resume(Effect.void))))
      )
      assertSuspended(execution, yield* execution.turn(), { waitsFor: ["answer"] })
      resumeLast()
      yield* turns(5)
      assert.deepStrictEqual(execution.log, [])
      execution.complete("answer")
      const { ended } = execution.begin()
      resumeLast()
      assert.deepStrictEqual(valueOf((yield* ended).answer), ["answer", "late"])
    })
  )

  suspends("are waited for when they ask the process for a timer", {
    program: beside(() => Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    warned: [outside],
    ends: ["answer", "late"],
    log: ["late"]
  })
})

describe("what only another fiber can bring", () => {
  const nobody: Readonly<Record<string, Effect.Effect<unknown>>> = {
    nothing: Effect.never,
    "a Deferred": Effect.flatMap(Deferred.make<void>(), Deferred.await),
    "a Queue": Effect.flatMap(Queue.unbounded<void>(), Queue.take),
    "a Latch": Latch.makeUnsafe(false).await,
    "a Semaphore": Semaphore.makeUnsafe(0).take(1),
    "a PubSub": Effect.scoped(Effect.flatMap(Effect.flatMap(PubSub.unbounded<void>(), PubSub.subscribe), PubSub.take)),
    "another fiber": Effect.flatMap(Effect.forkChild(Effect.never), Fiber.join)
  }
  for (const [name, waiting] of Object.entries(nobody)) {
    suspends(`keeps no invocation alive beside an operation that waits: ${name}`, {
      program: () => Effect.raceFirst(ask("answer"), waiting),
      waitsFor: ["answer"],
      ends: "answer"
    })

    it.live(`ends the execution as stuck when no operation is open: ${name}`, () =>
      Effect.gen(function* () {
        const execution = yield* host((note) => Effect.andThen(Durable.step("done", note("done")), waiting))
        const only = yield* execution.turn()
        assert.strictEqual(errorOf(only.answer).type, "Stuck")
        assert.deepStrictEqual(only.recorded, ["SUCCEED done"])
        assert.strictEqual(only.fibersLeft, 0)
      })
    )
  }
})

describe("Durable.hold", () => {
  suspends("keeps a sleep and what follows it, which is the host's", {
    program: beside(() => Durable.hold(Effect.sleep(1))),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  suspends("keeps a promise and what follows it, and nothing is told of it", {
    program: beside(() => Durable.hold(turns(5))),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  it.live("keeps what nothing else can see, as long as it takes", () =>
    Effect.gen(function* () {
      let resumeLast = (): void => {}
      const execution = yield* host(
        beside(() => Durable.hold(Effect.callback<void>((resume) => void (resumeLast = () => resume(Effect.void))))),
        { outsideLimit: 1 }
      )
      const { ended, fiber } = execution.begin()
      yield* turns(100)
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      resumeLast()
      assertSuspended(execution, yield* ended, { waitsFor: ["answer"], noted: ["late"], recorded: ["SUCCEED late"] })
    })
  )

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

  it.live("may compute for as long as the invocation lasts, and is not called a loop", () =>
    Effect.gen(function* () {
      const long = Effect.forEach(Array.from({ length: 260_000 }), () => Effect.yieldNow, { discard: true })
      const execution = yield* host(() => Effect.as(Durable.hold(long), "held"))
      assert.strictEqual(valueOf((yield* execution.turn()).answer), "held")
    })
  )

  it.live("does not hide a workflow that loops after it", () =>
    Effect.gen(function* () {
      const long = Effect.forEach(Array.from({ length: 260_000 }), () => Effect.yieldNow, { discard: true })
      const execution = yield* host(() => Effect.andThen(Durable.hold(long), Effect.forever(Effect.yieldNow)))
      assert.strictEqual(errorOf((yield* execution.turn()).answer).type, "Stuck")
    })
  )

  suspends("does not keep what detached itself from it", {
    program: (note) =>
      Effect.gen(function* () {
        yield* Durable.hold(Effect.forkDetach(Effect.delay(note("never"), "10 seconds")))
        return yield* ask("answer")
      }),
    waitsFor: ["answer"],
    warned: [cutOff],
    ends: "answer",
    options: { outsideLimit: 10 }
  })
})

describe("fibers that compute", () => {
  const busy = (rounds: number) =>
    Effect.forEach(Array.from({ length: rounds }), () => Effect.yieldNow, { discard: true })

  suspends("reach their next operation", {
    program: beside(() => busy(5_000)),
    waitsFor: ["answer"],
    noted: ["late"],
    recorded: ["SUCCEED late"],
    ends: ["answer", "late"],
    log: ["late"]
  })

  it.live("and never wait for anything end the execution as stuck", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.andThen(Effect.forkChild(Effect.forever(Effect.yieldNow)), ask("answer"))
      )
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Stuck")
      assert.include(errorOf(only.answer).message, "loops without waiting")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("and sleep for less than a second between, again and again, end the execution as stuck", () =>
    Effect.gen(function* () {
      const limits = { outsideLimit: 50, whenQuiet: defaultOptions.whenQuiet }
      const execution = yield* host(() => Effect.forever(Effect.sleep(10)), limits)
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Stuck")
      assert.include(errorOf(only.answer).message, "loops without waiting for an operation")
    })
  )

  it.live("are no reason to lose patience with a step, or with the service", () =>
    Effect.gen(function* () {
      const slow = Effect.andThen(turns(200), Effect.succeed("slow"))
      const execution = yield* host(() => Effect.all([ask("answer"), Durable.step("slow", slow)], both), {
        outsideLimit: 1,
        latency: () => 50
      })
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED slow"])
    })
  )
})

describe("what is left to send", () => {
  it.live("leaves before the answer, also when nobody waits for it", () =>
    Effect.gen(function* () {
      const execution = yield* host(
        (note) => Effect.andThen(Durable.child("child", note("child")), Durable.hold(Effect.sleep(1))),
        { latency: () => 5 }
      )
      const only = yield* execution.turn()
      assert.deepStrictEqual(only.recorded, ["SUCCEED child"])
      assert.isFalse(only.parts.outbox.isBusy)
    })
  )
})

describe("completions around a suspension", () => {
  it.live("goes on in place when one arrives while a promise keeps the invocation", () =>
    Effect.gen(function* () {
      const gap = Promise.withResolvers<void>()
      const execution = yield* host(beside(() => Effect.promise(() => gap.promise)))
      const { ended } = execution.begin()
      while (execution.open.length === 0) yield* turns(1)
      execution.complete("answer")
      gap.resolve()
      const only = yield* ended
      assert.deepStrictEqual(valueOf(only.answer), ["answer", "late"])
      assert.strictEqual(only.fibersLeft, 0)
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
})
