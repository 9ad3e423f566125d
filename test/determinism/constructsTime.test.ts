/**
 * Effect's own time: attempts and rounds that a Schedule spaces out are operations of their own, and meet what other fibers
 * wait for in the order of the clock.
 */
import { describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { Refused } from "../support/host.ts"
import { hours, survives, together } from "./survives.ts"

/** Opens after some hours, beside what a program does. */
const shop = (opens: number) =>
  Effect.gen(function* () {
    const open = yield* Ref.make(false)
    const keeper = yield* Effect.forkChild(Effect.andThen(hours("the keeper comes", opens), Ref.set(open, true)))
    return { open, keeper }
  })

describe("time", () => {
  survives("sleep: fibers wake in the order of their times, also beside a wait", {
    program: (kit) =>
      Effect.gen(function* () {
        const awake = yield* Ref.make(0)
        const rises = (name: string) =>
          Effect.flatMap(
            Ref.updateAndGet(awake, (n) => n + 1),
            (number) => kit.step(`${name} is number ${number}`)
          )
        const alarm = (name: string, count: number) => Effect.delay(rises(name), `${count} hours`)
        return yield* Effect.all(
          [alarm("late", 6), alarm("early", 2), Effect.andThen(hours("wait", 4), rises("between"))],
          together
        )
      }),
    ends: ["late is number 3", "early is number 1", "between is number 2"],
    log: ["early is number 1", "between is number 2", "late is number 3"],
    hours: 6,
    sleeps: ["sleep 21600s", "sleep 7200s"]
  })

  survives("retry with a schedule: an attempt sees what other fibers have changed", {
    program: (kit) =>
      Effect.gen(function* () {
        const { open } = yield* shop(5)
        const attempts = yield* Ref.make(0)
        const buy = Effect.gen(function* () {
          const attempt = yield* Ref.updateAndGet(attempts, (n) => n + 1)
          yield* kit.time(`attempt ${attempt}`)
          yield* kit.step(`attempt ${attempt}`)
          if (!(yield* Ref.get(open))) return yield* new Refused({ why: "closed" })
          return attempt
        })
        return yield* Effect.retry(buy, Schedule.spaced("2 hours"))
      }),
    ends: 4,
    log: ["attempt 1", "attempt 2", "attempt 3", "attempt 4"],
    hours: 6,
    sleeps: ["sleep 7200s", "sleep 7200s", "sleep 7200s"]
  })

  survives("retry with a schedule: attempts of two fibers under one name keep apart", {
    program: (kit) =>
      Effect.gen(function* () {
        const { open } = yield* shop(7)
        const buyer = (name: string, each: number) =>
          Effect.retry(
            Effect.gen(function* () {
              yield* kit.step("ask", { value: name })
              if (!(yield* Ref.get(open))) return yield* new Refused({ why: "closed" })
              return yield* kit.step(`${name} buys`)
            }),
            Schedule.spaced(`${each} hours`)
          )
        return yield* Effect.all([buyer("patient", 5), buyer("eager", 3)], together)
      }),
    ends: ["patient buys", "eager buys"],
    log: ["ask", "ask", "ask", "ask", "ask", "ask", "eager buys", "ask", "patient buys"],
    hours: 10,
    sleeps: ["sleep 18000s", "sleep 10800s", "sleep 10800s", "sleep 18000s", "sleep 10800s"]
  })

  survives("retry with a schedule that grows, until it gives up", {
    program: (kit) =>
      Effect.gen(function* () {
        const { keeper, open } = yield* shop(20)
        const buy = Effect.gen(function* () {
          yield* kit.step("knock")
          return (yield* Ref.get(open)) ? "let in" : yield* new Refused({ why: "closed" })
        })
        const answer = yield* Effect.retry(buy, { schedule: Schedule.exponential("1 hour"), times: 3 }).pipe(
          Effect.catchTag("Refused", ({ why }) => Effect.succeed(why))
        )
        yield* kit.time("given up")
        yield* Fiber.join(keeper)
        return answer
      }),
    ends: "closed",
    log: ["knock", "knock", "knock", "knock"],
    hours: 20,
    sleeps: ["sleep 3600s", "sleep 7200s", "sleep 14400s"]
  })

  survives("repeat with a schedule: a round sees what another fiber has changed", {
    program: (kit) =>
      Effect.gen(function* () {
        const { open } = yield* shop(5)
        const look = Effect.andThen(kit.step("look"), Ref.get(open))
        return yield* Effect.repeat(look, { schedule: Schedule.spaced("2 hours"), until: (seen) => seen })
      }),
    ends: true,
    log: ["look", "look", "look", "look"],
    hours: 6,
    sleeps: ["sleep 7200s", "sleep 7200s", "sleep 7200s"]
  })

  survives("repeat with a schedule that lasts for a time: rounds end by the clock of the workflow", {
    program: (kit) =>
      Effect.gen(function* () {
        const rounds = yield* Ref.make(0)
        const guard = Effect.andThen(
          Effect.andThen(kit.step("walk"), hours("a round", 1)),
          Ref.updateAndGet(rounds, (n) => n + 1)
        )
        const walks = yield* Effect.forkChild(
          Effect.repeat(guard, Schedule.max([Schedule.spaced("2 hours"), Schedule.during("7 hours")]))
        )
        yield* hours("a visit", 5)
        yield* kit.step(`visit after ${yield* Ref.get(rounds)} rounds`)
        yield* Fiber.join(walks)
        return yield* Ref.get(rounds)
      }),
    ends: 4,
    log: ["walk", "walk", "visit after 2 rounds", "walk", "walk"],
    hours: 10,
    sleeps: ["sleep 7200s", "sleep 7200s", "sleep 7200s"]
  })

  survives("timed: the measured duration is the time between outcomes", {
    program: (kit) =>
      Effect.gen(function* () {
        const timed = (name: string, count: number) =>
          Effect.map(Effect.timed(hours(name, count)), ([took]) => Math.round(Duration.toHours(took)))
        const both = yield* Effect.all([timed("long", 4), timed("short", 1)], together)
        yield* kit.step(`took ${both.join(" and ")}`)
        return both
      }),
    ends: [4, 1],
    log: ["took 4 and 1"],
    hours: 4
  })
})
