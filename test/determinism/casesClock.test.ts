/**
 * The clock of a workflow shows the end of whatever was waited for, in every fiber, live as at every replay. So deadlines are
 * counted from what has happened, and loops that look at the clock come to their end.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Scope } from "effect/Scope"
import { everywhere, hoursAt, minutesAt, Refused, run, valueOf, type Failure, type Options } from "../support/host.ts"
import { together, unhurried } from "./survives.ts"

type Operation = Effect.Effect<unknown, Failure, Durable.Execution | Scope>

const hour = Durable.wait("an hour", "1 hour")
const day = Durable.wait("a day", "1 day")
const Slow = DurableFunction.plain("slow")

/** A function and a callback that take an hour. */
const outsiders: Omit<Options, "kill"> = {
  parts: [
    TestEngine.stub(Slow, () => Effect.sleep("1 hour")),
    TestEngine.answer("answer", Reply.after("1 hour", Reply.succeed("yes")))
  ]
}

/** Looks at the clock, takes time, and looks again: at once, after a yield, after a step, and at later replays. */
const minutesShownAfter = (operation: Operation) =>
  Effect.map(
    everywhere(
      (kit) =>
        Effect.gen(function* () {
          yield* kit.time("the beginning")
          yield* operation
          yield* kit.time("the end")
          yield* Effect.yieldNow
          yield* kit.time("a yield")
          yield* kit.step("next")
          yield* kit.time("a step")
          yield* Durable.wait("later", "3 days")
        }),
      outsiders
    ),
    (ran) => {
      assert.strictEqual(ran.outcome, "completed with null")
      return ["the beginning", "the end", "a yield", "a step"].map((place) => minutesAt(ran, place))
    }
  )

const shows = (minutes: number, name: string, operation: Operation): void =>
  it.effect(
    name,
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* minutesShownAfter(operation), [0, minutes, minutes, minutes])
      }),
    unhurried
  )

describe("an operation that took an hour: the clock shows it after", () => {
  const takeAnHour: Readonly<Record<string, Operation>> = {
    "a wait": hour,
    "a callback": Effect.flatMap(Durable.callback("answer"), ({ await: answer }) => answer),
    "a waitForCallback": Durable.waitForCallback("answer", () => Effect.void),
    "an invoke": Durable.invoke(Slow),
    "an invoke with a time-out": Durable.invoke(Slow, undefined, { timeout: "2 hours" }),
    "a waitForCondition": Durable.waitForCondition("condition", {
      initial: 0,
      check: (looks) => Effect.succeed(looks + 1),
      until: (looks) => looks === 2,
      delay: "1 hour"
    }),
    "a child": Durable.child("child", hour),
    "a child of a child": Durable.child("child", Durable.child("grandchild", hour)),
    "a flat child": Durable.child("child", hour, { flat: true }),
    "a time-out that is kept": Durable.timeout("limit", hour, "1 day"),
    "a time-out that strikes": Effect.catchTag(
      Durable.timeout("limit", day, "1 hour"),
      "DurableTimeout",
      () => Effect.void
    ),
    "a race": Durable.race("race", [hour, day]),
    "an all": Durable.all("all", [Effect.as(hour, 1), Effect.as(hour, 2)], together),
    "a forEach": Effect.asVoid(Durable.forEach("each", [1, 2], (n) => Effect.as(hour, n), together)),
    "a flat forEach": Durable.forEach("each", [1], () => hour, { flat: true }),
    "a map": Durable.map("map", [1, 2], () => hour),
    "a parallel": Durable.parallel("parallel", [{ name: "branch", effect: hour }]),
    "a retry of one attempt": Durable.retry("retry", hour, RetryPolicy.none),
    "a retry that waits between attempts": Effect.flatMap(Clock.currentTimeMillis, (began) =>
      Durable.retry(
        "retry",
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          now < began + 1_800_000 ? Effect.fail(new Refused({ why: "too early" })) : Effect.void
        ),
        RetryPolicy.fixed({ maxAttempts: 2, delay: "1 hour" }),
        { error: Refused }
      )
    ),
    "a step that is tried twice": Durable.step(
      "step",
      Effect.flatMap(Durable.StepContext, ({ attempt }) =>
        attempt === 1 ? Effect.fail(new Refused({ why: "busy" })) : Effect.void
      ),
      { error: Refused, retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 hour" }) }
    ),
    "a withCompensation": Durable.withCompensation("part", hour, () => Effect.void),
    "an onExit": Durable.onExit(hour, () => Effect.void),
    "an onExit whose finalizer takes the hour": Durable.onExit(Effect.void, () => hour),
    "a hold around it": Durable.hold(hour)
  }
  for (const [name, operation] of Object.entries(takeAnHour)) shows(60, name, operation)

  shows(13, "a step whose body took 13 minutes", Durable.step("step", Effect.sleep("13 minutes")))
  shows(
    13,
    "a child of that step, whose end nobody waits for",
    Durable.child("child", Durable.step("step", Effect.sleep("13 minutes")))
  )
})

describe("a fiber that took an hour: the clock shows it after", () => {
  const withFork = (use: (fiber: Fiber.Fiber<void>) => Operation, options?: { readonly startImmediately: boolean }) =>
    Effect.flatMap(Effect.forkChild(hour, options), use)
  const takeAnHour: Readonly<Record<string, Operation>> = {
    "a fork that is joined at once": withFork(Fiber.join),
    "a fork that starts at once": withFork(Fiber.join, { startImmediately: true }),
    "a fork that is joined after a yield": withFork((fiber) => Effect.andThen(Effect.yieldNow, Fiber.join(fiber))),
    "a fork that is awaited": withFork(Fiber.await),
    "a fork that is joined after a step": withFork((fiber) =>
      Effect.andThen(Durable.step("step", Effect.void), Fiber.join(fiber))
    ),
    "a fork into a scope": Effect.scoped(Effect.flatMap(Effect.forkScoped(hour), Fiber.join)),
    "a fork that is detached": Effect.flatMap(Effect.forkDetach(hour), Fiber.join),
    "two forks, of which the long one is joined last": Effect.gen(function* () {
      const long = yield* Effect.forkChild(hour)
      const short = yield* Effect.forkChild(Durable.wait("half an hour", "30 minutes"))
      yield* Fiber.join(short)
      yield* Fiber.join(long)
    }),
    "a Deferred that a fork completes": Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      yield* Effect.forkChild(Effect.andThen(hour, Deferred.succeed(done, undefined)))
      yield* Deferred.await(done)
    }),
    "an Effect.all, the long one first": Effect.all([hour, Durable.wait("a minute", "1 minute")], together),
    "an Effect.all, the long one last": Effect.all([Durable.wait("a minute", "1 minute"), hour], together),
    "an Effect.forEach": Effect.forEach([1, 2], (n) => Durable.wait(`half ${n}`, `${n * 30} minutes`), together),
    "an Effect.race": Effect.race(hour, day),
    "an Effect.raceFirst": Effect.raceFirst(day, hour),
    "an Effect.timeout in time": Effect.orDie(Effect.timeout(hour, "2 hours")),
    "an Effect.timeout that strikes": Effect.timeoutOption(day, "1 hour"),
    "an Effect.sleep": Effect.sleep("1 hour"),
    "an uninterruptible region": Effect.uninterruptible(hour),
    "a cached effect": Effect.flatten(Effect.cached(hour))
  }
  for (const [name, operation] of Object.entries(takeAnHour)) shows(60, name, operation)
})

describe("loops that look at the clock", () => {
  it.effect("end after three rounds of an hour with a step in a child, whose end nobody waits for", () =>
    Effect.gen(function* () {
      const ran = yield* run(() =>
        Effect.gen(function* () {
          const began = yield* Clock.currentTimeMillis
          for (let count = 0; count < 6; count++) {
            if ((yield* Clock.currentTimeMillis) >= began + 3 * 3_600_000) return count
            yield* Durable.child("round", Durable.step("work", Effect.sleep("1 hour")))
          }
          return "without end"
        })
      )
      assert.strictEqual(valueOf(ran), 3)
    })
  )

  const rounds: Readonly<Record<string, Effect.Effect<unknown, Failure, Durable.Execution>>> = {
    "a wait": hour,
    "an Effect.sleep": Effect.sleep("1 hour"),
    "a child": Durable.child("round", hour),
    "a race": Durable.race("round", [hour, day]),
    "a time-out": Effect.catchTag(Durable.timeout("round", day, "1 hour"), "DurableTimeout", () => Effect.void),
    "a callback that nobody answers": Effect.catchTag(
      Durable.waitForCallback("nobody", () => Effect.void, { timeout: "1 hour" }),
      "CallbackTimedOut",
      () => Effect.void
    )
  }
  for (const [name, round] of Object.entries(rounds)) {
    it.effect(
      `end after three rounds of an hour with ${name}`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) =>
            Effect.gen(function* () {
              const began = yield* Clock.currentTimeMillis
              for (let count = 0; count < 6; count++) {
                const shown = yield* kit.time(`round ${count}`)
                if (shown >= began + 3 * 3_600_000) return count
                yield* round
              }
              return "without end"
            })
          )
          assert.strictEqual(valueOf(ran), 3)
          assert.deepStrictEqual(
            [0, 1, 2, 3].map((count) => hoursAt(ran, `round ${count}`)),
            [0, 1, 2, 3]
          )
        }),
      unhurried
    )
  }
})

describe("deadlines", () => {
  it.effect("half past seven is that of the morning after a permit that took four days", () =>
    Effect.gen(function* () {
      const lisbon = (time: DateTime.DateTime) => DateTime.setZoneNamedUnsafe(time, "Europe/Lisbon")
      const ran = yield* run(
        () =>
          Effect.gen(function* () {
            yield* Durable.waitForCallback("permit", () => Effect.void, { timeout: "9 days" })
            const now = yield* DateTime.now
            const tomorrow = DateTime.add(lisbon(now), { days: 1 })
            const early = DateTime.setParts(tomorrow, { hour: 7, minute: 30, second: 0, millisecond: 0 })
            yield* Durable.wait("the night", DateTime.distance(now, early))
            return DateTime.formatIsoZoned(lisbon(yield* DateTime.now))
          }),
        {
          engine: { startTime: Date.parse("2026-02-10T06:00:00Z") },
          parts: [TestEngine.answer("permit", Reply.after("101 hours", Reply.succeed("yes")))]
        }
      )
      assert.match(String(valueOf(ran)), /^2026-02-15T07:30:0.*\[Europe\/Lisbon\]$/)
    })
  )

  it.effect(
    "a limit of a day from a permit that took three days has not passed yet",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(
          () =>
            Effect.gen(function* () {
              yield* Durable.waitForCallback("permit", () => Effect.void, { timeout: "9 days" })
              const deadline = DateTime.add(yield* DateTime.now, { days: 1 })
              return yield* Durable.timeout("build", Effect.as(Durable.wait("dig", "2 hours"), "built"), deadline).pipe(
                Effect.catchTag("DurableTimeout", () => Effect.succeed("too late"))
              )
            }),
          { parts: [TestEngine.answer("permit", Reply.after("3 days", Reply.succeed("yes")))] }
        )
        assert.strictEqual(valueOf(ran), "built")
      }),
    unhurried
  )
})

describe("the time of a forked fiber", () => {
  it.effect(
    "is that of its fork, whatever its parent waits for, so that an entry has the date on which it was begun",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const entry = yield* Effect.forkChild(
              Effect.gen(function* () {
                const date = DateTime.formatIsoDateUtc(yield* DateTime.now)
                yield* kit.step(`enter on ${date}`)
              })
            )
            yield* Durable.wait("the other work", "4 days")
            yield* Fiber.join(entry)
          })
        )
        assert.deepStrictEqual(ran.log, ["enter on 2026-01-01"])
      }),
    unhurried
  )

  it.effect(
    "is the same at every replay, at its start and after what it waited for",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(
              Effect.gen(function* () {
                yield* kit.time("the start")
                yield* Durable.wait("in the fork", "5 hours")
                yield* kit.time("the end")
              })
            )
            yield* Durable.wait("beside it", "60 hours")
            yield* Fiber.join(fiber)
          })
        )
        assert.deepStrictEqual([hoursAt(ran, "the start"), hoursAt(ran, "the end")], [0, 5])
      }),
    unhurried
  )

  it.effect(
    "is the same at every replay for branches that start as there is room",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.forEach(
              [60, 5, 5],
              (count, index) =>
                Effect.andThen(kit.time(`start ${index}`), Durable.wait(`wait ${index}`, `${count} hours`)),
              { concurrency: 2 }
            )
            yield* Durable.wait("last", "1 hour")
          })
        )
        assert.deepStrictEqual(
          [0, 1, 2].map((index) => hoursAt(ran, `start ${index}`)),
          [0, 0, 5]
        )
      }),
    unhurried
  )
})

describe("the greatest time that was seen", () => {
  it.effect(
    "is that of all fibers: a fiber whose own wait ended before sees what another one waited for",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const come = yield* Deferred.make<void>()
            const early = yield* Effect.forkChild(
              Effect.gen(function* () {
                yield* Durable.wait("early", "1 hour")
                yield* kit.time("the early one alone")
                yield* Deferred.await(come)
                return yield* kit.time("the early one after the late one")
              })
            )
            yield* Durable.wait("late", "5 hours")
            yield* Deferred.succeed(come, undefined)
            return (yield* Fiber.join(early)) === (yield* Clock.currentTimeMillis)
          })
        )
        assert.strictEqual(valueOf(ran), true)
        assert.strictEqual(hoursAt(ran, "the early one alone"), 1)
        assert.strictEqual(hoursAt(ran, "the early one after the late one"), 5)
      }),
    unhurried
  )
})

describe("the end of a child that nothing else stands beside", () => {
  it.effect(
    "is awaited by a branch that looks at the clock, on a replay also beside an operation that never began",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => {
          const never = Effect.raceFirst(Durable.child("never", Durable.wait("never", "1 day")), Effect.void)
          const beside = Effect.andThen(Durable.wait("beside", "1 hour"), never)
          const main = Effect.gen(function* () {
            yield* Durable.child("alone", day)
            const looks = Effect.as(Clock.currentTimeMillis, "looks")
            yield* kit.tell("first", yield* Durable.raceFirst("first", [looks, kit.step("steps")]))
          })
          return Effect.all([main, beside], together)
        })
        assert.match(ran.outcome, /^completed/)
      }),
    unhurried
  )
})
