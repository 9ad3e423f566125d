/**
 * What is left of an invocation when it has ended, attacked by code that does not let itself be ended: no fiber with a timer, no
 * memory.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Parts } from "../../src/execution/Parts.ts"
import { Service, valueOf, type Program } from "./service.ts"

const hour = Durable.wait("an hour", "1 hour")

/** Programs that wait for an hour, and do not end well when their invocation does. */
const stubborn: Readonly<Record<string, Program>> = {
  "a raw finalizer that sleeps": Effect.ensuring(hour, Effect.sleep("1 hour")),
  "a raw finalizer that naps again and again": Effect.ensuring(hour, Effect.forever(Effect.sleep("500 millis"))),
  "a raw finalizer that never ends": Effect.ensuring(hour, Effect.never),
  "a loop that catches everything and sleeps": Effect.forever(
    Effect.andThen(Effect.exit(hour), Effect.exit(Effect.sleep("30 seconds")))
  ),
  "an uninterruptible sleep after an uninterruptible wait": Effect.uninterruptible(
    Effect.andThen(Effect.exit(hour), Effect.sleep("2 hours"))
  ),
  "a durable finalizer that goes on": Durable.onExit(hour, () => Effect.sleep("1 hour")),
  "a detached fiber that sleeps": Effect.andThen(
    Effect.forkDetach(Effect.uninterruptible(Effect.forever(Effect.exit(Effect.sleep("10 minutes"))))),
    hour
  ),
  "a hold that does not end": Effect.andThen(Effect.forkChild(Durable.hold(Effect.andThen(hour, Effect.never))), hour)
}

describe("an invocation that has ended has no timer left", () => {
  for (const [name, program] of Object.entries(stubborn)) {
    it.effect(`behind ${name}`, () =>
      Effect.gen(function* () {
        const service = new Service({})
        const answer = yield* service.invocation(program)
        assert.strictEqual(answer?.Status, "PENDING", JSON.stringify(service.warnings))
        assert.strictEqual(service.timers, 0)
      })
    )
  }
})

describe("what an invocation was made of is collected", () => {
  const gc = (): void => {
    setFlagsFromString("--expose-gc")
    const collect: unknown = runInNewContext("gc")
    if (typeof collect === "function") collect()
  }

  for (const [name, program] of Object.entries(stubborn)) {
    it.effect(`behind ${name}`, () =>
      Effect.gen(function* () {
        const seen: Array<WeakRef<Parts>> = []
        for (let round = 0; round < 20; round++) {
          const service = new Service({ options: { onStart: (parts) => void seen.push(new WeakRef(parts)) } })
          yield* service.invocation(program)
        }
        for (let turn = 0; turn < 5; turn++) {
          yield* Effect.promise(() => new Promise<void>((done) => void setImmediate(done)))
          gc()
        }
        // The stack of this very fiber may still know the last one.
        assert.isAtMost(seen.filter((ref) => ref.deref() !== undefined).length, 1)
      })
    )
  }
})

describe("a sleep of the workflow", () => {
  const ends = (program: Program) =>
    Effect.gen(function* () {
      const service = new Service({})
      const answer = yield* service.drive(() => program)
      return { answer, service }
    })

  for (const [name, millis] of Object.entries({ none: 0, "a negative time": -5_000, "no number": Number.NaN })) {
    it.effect(`of ${name} ends at once and records nothing`, () =>
      Effect.gen(function* () {
        const { answer, service } = yield* ends(Effect.as(Effect.sleep(millis), "done"))
        assert.strictEqual(valueOf(answer), "done")
        assert.deepStrictEqual(service.requests, [])
      })
    )
  }

  it.effect("of 400 days beside something shorter is let go of, and records nothing of it", () =>
    Effect.gen(function* () {
      const { answer, service } = yield* ends(
        Effect.race(Effect.as(Effect.sleep("400 days"), "long"), Effect.as(Effect.sleep("2 days"), "short"))
      )
      assert.strictEqual(valueOf(answer), "short")
      assert.deepStrictEqual(
        service.operations.map(({ Name }) => Name),
        ["sleep 172800s"]
      )
    })
  )

  it.effect("of 400 days with nothing else ends the execution as a wait of that length does", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(Durable.child("child", Effect.sleep("400 days")))
      const error = answer.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "InvalidDuration")
      assert.strictEqual(
        error?.ErrorMessage,
        'Expected the duration of "child/sleep 34560000s" to be between 1 second and 366 days, found 34560000 s. For more than 366 days, wait several times.'
      )
    })
  )

  it.effect("of 400 days that was let go of has nothing to do with how the execution ends", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(
        Effect.andThen(Effect.timeout(Effect.sleep("2 days"), "400 days"), Effect.sleep("Infinity"))
      )
      assert.strictEqual(answer.Status === "FAILED" ? answer.Error?.ErrorType : answer.Status, "Stuck")
    })
  )

  it.effect("of no end with nothing else ends the execution as Stuck", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(Effect.sleep("Infinity"))
      assert.strictEqual(answer.Status === "FAILED" ? answer.Error?.ErrorType : answer.Status, "Stuck")
    })
  )

  it.effect("of 1.5 seconds takes two, and the clock shows it", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(
        Effect.map(Effect.timed(Effect.sleep("1500 millis")), ([elapsed]) => Duration.toMillis(elapsed))
      )
      assert.strictEqual(valueOf(answer), 2_000)
    })
  )

  it.effect("of less than a second, again and again beside a wait, has the invocation suspended", () =>
    Effect.gen(function* () {
      const service = new Service({})
      const answer = yield* service.invocation(
        Effect.raceFirst(Effect.forever(Effect.sleep("50 millis")), Effect.as(hour, "done"))
      )
      assert.strictEqual(answer?.Status, "PENDING")
    })
  )

  it.effect("in a raw finalizer of a loser is cut off, and its race ends", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(
        Durable.race("race", [
          Effect.as(Effect.ensuring(Durable.wait("long", "9 days"), Effect.sleep("1 hour")), "long"),
          Effect.as(Durable.wait("short", "1 hour"), "short")
        ])
      )
      assert.strictEqual(valueOf(answer), "short")
    })
  )

  it.effect("that dies in a finalizer is told, and its value is what the workflow ended with", () =>
    Effect.gen(function* () {
      const { answer } = yield* ends(
        Effect.exit(Effect.ensuring(Effect.as(hour, 1), Effect.andThen(Effect.sleep("1 hour"), Effect.die("no")))).pipe(
          Effect.map((exit) => Exit.isFailure(exit) && Cause.squash(exit.cause))
        )
      )
      assert.strictEqual(valueOf(answer), "no")
    })
  )
})
