/**
 * Time, attacked at its ends: nothing, for ever, a year and more, the past, naps, and schedules that overrun; and the clock
 * where code reads it that cannot wait for an answer.
 */
import { describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { atEveryRequest, differenceIn, Refused, type Kit, type Program } from "../support/host.ts"
import { someKills } from "../support/kills.ts"
import { attacks, both, hours, part } from "./everyWay.ts"

const Bank = DurableFunction.plain("bank", { payload: Schema.Unknown, success: Schema.String, error: Refused })

describe("the same in every way: time", () => {
  attacks({
    "sleeps of nothing, of less than nothing, and for ever beside a wait": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.sleep(0)
          yield* Effect.sleep("-5 seconds")
          const order: Array<string> = []
          const fiber = yield* Effect.forkChild(Effect.andThen(Effect.sleep(Infinity), kit.step("never")))
          yield* Effect.all(
            [
              Effect.andThen(
                Effect.sleep(0),
                Effect.sync(() => order.push("zero"))
              ),
              Effect.andThen(
                hours("w", 1),
                Effect.sync(() => order.push("hour"))
              ),
              Effect.sync(() => order.push("now"))
            ],
            both
          )
          const timed = yield* Effect.timeoutOption(hours("x", 1), 0)
          const untimed = yield* Effect.timeoutOption(hours("y", 1), Infinity)
          yield* Fiber.interrupt(fiber)
          return [order, timed._tag, untimed._tag]
        }),
      ends: [["now", "zero", "hour"], "None", "Some"]
    },
    "366 days, and a day more beside it": {
      program: (kit) =>
        Effect.gen(function* () {
          const winner = yield* Effect.raceAll([
            Effect.as(Effect.sleep("367 days"), "more"),
            Effect.as(Effect.sleep("366 days"), "sleep"),
            Effect.as(Durable.wait("year", "366 days"), "wait")
          ])
          yield* kit.time("a year later")
          return winner
        }),
      ends: "sleep",
      except: ["awake"]
    },
    "a wait until a time that has passed, and one of a split second": {
      program: (kit) =>
        Effect.gen(function* () {
          const began = yield* Clock.currentTimeMillis
          const exit = yield* Effect.exit(Durable.timeout("past", hours("x", 1), new Date(began - 1000)))
          yield* hours("w", 1)
          yield* Effect.exit(Durable.timeout("till", hours("y", 9), new Date(began + 5 * 3_600_000)))
          yield* kit.time("five")
          return exit._tag
        }),
      ends: "Failure"
    },
    "how long things took, in items with a time of their own": {
      program: (kit) =>
        Effect.gen(function* () {
          const spent = yield* Durable.forEach(
            "items",
            [1, 2, 3],
            (n) =>
              Effect.gen(function* () {
                const [time] = yield* Effect.timed(Effect.andThen(hours("w", n), Durable.child("c", hours("v", n))))
                const late = yield* Clock.currentTimeMillis
                yield* kit.tell(`late ${n}`, Math.round(late / 3_600_000))
                return Math.round(Duration.toHours(time))
              }),
            { concurrency: 2 }
          )
          yield* kit.time("items")
          return spent
        }),
      ends: [2, 4, 6]
    },
    "a schedule by cron": {
      program: (kit) =>
        Effect.gen(function* () {
          const times: Array<string> = []
          yield* Effect.repeat(
            Effect.gen(function* () {
              times.push(DateTime.formatIso(yield* DateTime.now).slice(5, 13))
              yield* kit.step(`report ${times.length}`)
            }),
            { schedule: Schedule.cron("30 6 * * *", "UTC"), times: 3 }
          )
          return times
        }).pipe(Effect.orDie),
      ends: ["01-01T00", "01-01T06", "01-02T06", "01-03T06"],
      except: ["killed"]
    },
    "a loop that looks at a Ref every ten minutes": {
      program: (kit) =>
        Effect.gen(function* () {
          const done = yield* Ref.make(false)
          const fiber = yield* Effect.forkChild(
            Effect.gen(function* () {
              let rounds = 0
              while (!(yield* Ref.get(done))) {
                yield* Effect.sleep("10 minutes")
                rounds++
              }
              return rounds
            })
          )
          yield* hours("work", 1)
          yield* Effect.sleep("5 minutes")
          yield* Ref.set(done, true)
          yield* kit.step("done")
          return yield* Fiber.join(fiber)
        }),
      ends: 7
    }
  })
})

describe("the same in every way: schedules", () => {
  attacks({
    "a call that is retried with jitter until it is given up, for a wait that is given up": {
      program: (kit) =>
        Effect.gen(function* () {
          let n = 0
          const call = Effect.suspend(() => Durable.invoke(Bank, ++n))
          return yield* Effect.retry(call, {
            schedule: Schedule.exponential("1 hour").pipe(Schedule.jittered),
            times: 3
          }).pipe(
            Effect.catch(() =>
              Effect.timeoutOrElse(hours("other", 9), { duration: "2 hours", orElse: () => kit.step("gave up") })
            )
          )
        }),
      parts: [TestEngine.stub(Bank, Reply.throttle)],
      ends: "gave up",
      log: ["gave up"]
    },
    "fixed and windowed schedules whose rounds overrun": {
      program: () =>
        Effect.gen(function* () {
          const times: Array<number> = []
          const began = yield* Clock.currentTimeMillis
          const round = (name: string) =>
            Effect.gen(function* () {
              times.push(Math.round(((yield* Clock.currentTimeMillis) - began) / 900_000) / 4)
              yield* hours(name, times.length % 3 === 1 ? 2.5 : 0.25)
            })
          yield* Effect.repeat(round("fixed"), { schedule: Schedule.fixed("1 hour"), times: 4 })
          yield* Effect.repeat(round("windowed"), { schedule: Schedule.windowed("1 hour"), times: 4 })
          return times
        }),
      ends: [0, 3.5, 4.5, 5.5, 8, 8.25, 9.5, 12.5, 13.5, 14.5],
      except: ["killed"]
    }
  })
})

/** What wins against a nap may be otherwise after a kill, but is the same at every replay. */
const naps: Readonly<Record<string, Program>> = {
  "against steps of about their length": (kit) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      for (const [n, takes] of [300, 500, 700, 499, 501].entries()) {
        const w = yield* Effect.raceFirst(
          Effect.as(Effect.sleep("500 millis"), "nap"),
          kit.step(`s${n}`, { takes: `${takes} millis` })
        )
        yield* kit.tell(`round ${n}`, w)
        yield* Durable.step(`won ${n}`, kit.log(`won ${n} ${w === "nap"}`))
        seen.push(w)
      }
      yield* hours("w", 1)
      return seen.length
    }),
  "as time-outs of calls, of waits, of children": (kit) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      for (const [n, effect] of [
        Durable.wait("w", "1 second"),
        Durable.child("c", kit.step("s", { takes: "900 millis" })),
        Durable.child("d", kit.step("t"))
      ].entries()) {
        const w = yield* Effect.timeoutOption(Effect.asVoid(effect), "800 millis")
        yield* kit.tell(`round ${n}`, w._tag)
        yield* Durable.step(`won ${n} ${w._tag}`, kit.log(`won ${n}`))
        seen.push(w._tag)
      }
      yield* hours("w", 1)
      return seen.length
    }),
  "in retries with a Schedule of milliseconds, beside fibers with waits": (kit) =>
    Effect.gen(function* () {
      const tries = yield* Ref.make(0)
      const order: Array<string> = []
      const retried = Effect.retry(
        Effect.gen(function* () {
          const n = yield* Ref.updateAndGet(tries, (m) => m + 1)
          yield* kit.step(`try ${n}`)
          order.push(`try ${n}`)
          if (n < 5) yield* Effect.fail("no")
        }),
        Schedule.exponential("100 millis")
      )
      const other = Effect.forEach([1, 2, 3], (n) =>
        Effect.andThen(
          Durable.wait("w", "1 second"),
          Effect.sync(() => void order.push(`w ${n}`))
        )
      )
      yield* Effect.all([Effect.orDie(retried), other], both)
      yield* Durable.step("order", kit.log("order"))
      yield* hours("w", 1)
      yield* kit.tell("order", order.toSorted())
      return order.length
    })
}

describe("naps have the same winner at every replay", () => {
  for (const [name, program] of Object.entries(naps)) {
    it.effect(name, () =>
      atEveryRequest(
        program,
        (ran) => differenceIn(ran) ?? (ran.outcome.startsWith("completed") ? undefined : ran.outcome),
        { kills: ({ length }) => someKills(length) }
      )
    )
  }
})

/** The clock, asked by code that cannot wait for an answer. */
const glance = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

/** What was shown is what is recorded, at every replay. */
const looking = (kit: Kit) => (place: string) =>
  Effect.flatMap(glance, (now) =>
    Effect.flatMap(Durable.step(`look ${place}`, Effect.succeed(now)), (recorded) => kit.tell(place, recorded - now))
  )

const deciding: Program = (kit) =>
  Effect.gen(function* () {
    for (const n of [1, 2, 3, 4]) {
      const [time] = yield* Effect.timed(Durable.child("c", kit.step("a")))
      const now = yield* glance
      yield* kit.step(now % 2 === 0 ? `even ${n}` : `odd ${n}`)
      const recorded = yield* Durable.step("look", Effect.succeed([String(time), now]))
      yield* kit.tell(`timed ${n}`, [recorded[0] === String(time), recorded[1] === now])
    }
  })

describe("the same in every way: the clock without an effect shows the same at every replay", () => {
  attacks({
    "after children, items and races, one after the other": {
      program: (kit) =>
        Effect.gen(function* () {
          const look = looking(kit)
          yield* look("start")
          yield* Durable.child("c", kit.step("a"))
          yield* look("child")
          yield* Durable.child("d", Effect.andThen(look("in child"), Durable.child("e", kit.step("b"))))
          yield* look("children")
          yield* Durable.forEach(
            "items",
            [1, 2],
            (n) =>
              Effect.andThen(
                look(`item ${n}`),
                Effect.andThen(Durable.child("x", kit.step("y")), look(`item ${n} end`))
              ),
            both
          )
          yield* look("items")
          yield* Durable.race("race", [Durable.child("r", kit.step("s")), hours("w", 1)])
          yield* look("race")
          yield* Durable.retry("retry", Effect.andThen(look("attempt"), kit.step("t")), RetryPolicy.none)
          yield* look("retry")
          yield* hours("v", 1)
          yield* look("wait")
        }).pipe(Effect.orDie),
      ends: null
    },
    "in fibers, finalizers and undos": {
      program: (kit) =>
        Effect.gen(function* () {
          const look = looking(kit)
          const fiber = yield* Effect.forkChild(
            Effect.gen(function* () {
              for (const n of [1, 2, 3]) {
                yield* Durable.child("c", Effect.andThen(kit.step("a"), look(`in child ${n}`)))
                yield* look(`fiber ${n}`)
                yield* hours("f", 1)
              }
            })
          )
          yield* Durable.withCompensation("p", Durable.child("q", kit.step("b")), () =>
            Effect.gen(function* () {
              yield* look("undo")
              yield* Durable.child("undoing", kit.step("c"))
              yield* look("undone")
              yield* hours("u", 1)
              yield* look("later")
            })
          )
          yield* look("part")
          yield* Durable.onExit(Durable.child("r", kit.step("d")), () =>
            Effect.andThen(look("finalizer"), Durable.child("s", Effect.andThen(kit.step("e"), look("in s"))))
          )
          yield* look("finalized")
          yield* Fiber.join(fiber)
          yield* Durable.child("last", kit.step("f"))
          yield* look("last")
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: "
    },
    "in a rebuilt child, and in parts that were let go of": {
      program: (kit) =>
        Effect.gen(function* () {
          const look = looking(kit)
          yield* Durable.child(
            "large",
            Effect.gen(function* () {
              yield* Durable.child("c", kit.step("a"))
              yield* look("in large")
              yield* Durable.forEach(
                "items",
                [1, 2],
                () => Effect.andThen(Durable.child("d", kit.step("b")), kit.step("e")),
                both
              )
              yield* look("in large, later")
              return "x".repeat(300_000)
            })
          )
          yield* look("large")
          yield* Durable.race("race", [
            Effect.gen(function* () {
              yield* part(kit, "p")
              yield* look("p")
              yield* Durable.child("c", kit.step("after p"))
              yield* look("after p")
              yield* hours("w", 5)
            }),
            hours("v", 1)
          ])
          yield* look("race")
          return yield* kit.failing("pay")
        }).pipe(Effect.orDie),
      ends: "failed as Refused: Refused"
    }
  })

  it.effect("and decides between two steps", () =>
    atEveryRequest(
      (kit) => Effect.tap(deciding(kit), () => hours("pause", 24)),
      (ran) => differenceIn(ran) ?? (ran.outcome.startsWith("completed") ? undefined : ran.outcome)
    )
  )
})
