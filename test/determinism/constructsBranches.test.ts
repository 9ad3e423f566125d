/**
 * Branches of Effect's own operations: the winner, the order and the first failure are decided by outcomes, without a record
 * of their own.
 */
import { describe } from "@effect/vitest"
import type { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Ref from "effect/Ref"
import type { Kit, Refused } from "../support/host.ts"
import { hours, survives, together } from "./survives.ts"

/** Comes after some hours, and says so. */
const comes = (kit: Kit, name: string, count: number) =>
  Effect.andThen(hours(name, count), kit.step(`${name} is there`))

/** Comes after some hours, or gives up then. */
const comesOrNot = (
  kit: Kit,
  name: string,
  count: number,
  may: boolean
): Effect.Effect<string, Refused, Durable.Execution> => (may ? comes(kit, name, count) : givesUp(kit, name, count))

/** Gives up after some hours. */
const givesUp = (kit: Kit, name: string, count: number) =>
  Effect.andThen(hours(name, count), kit.failing(`${name} gives up`, name))

const refusal = <A>(exit: Exit.Exit<A, Refused>): string =>
  Exit.match(exit, {
    onSuccess: () => "nobody gave up",
    onFailure: (cause) => cause.reasons.flatMap((reason) => (Cause.isFailReason(reason) ? reason.error.why : [])).join()
  })

describe("branches", () => {
  survives("race: the first success wins over an earlier failure and a later success", {
    program: (kit) =>
      Effect.raceAll([comes(kit, "tortoise", 9), givesUp(kit, "hare", 1), comes(kit, "fox", 3)]).pipe(
        Effect.catchTag("Refused", ({ why }) => Effect.succeed(why))
      ),
    ends: "fox is there",
    log: ["hare gives up", "fox is there"],
    hours: 3
  })

  survives("race: the one that is written second wins", {
    program: (kit) => Effect.race(comes(kit, "tortoise", 9), comes(kit, "hare", 1)),
    ends: "hare is there",
    log: ["hare is there"],
    hours: 1
  })

  survives("race: a step that is done wins over one that is under way and one that waits", {
    program: (kit) =>
      Effect.raceAll([
        kit.step("slow", { takes: "40 seconds" }),
        Effect.as(hours("wait", 2), "wait"),
        kit.step("quick", { takes: "5 seconds" })
      ]),
    ends: "quick",
    log: ["slow", "quick"],
    hours: 0
  })

  survives("raceFirst: the first end wins, and it may be a failure", {
    program: (kit) =>
      Effect.raceFirst(comes(kit, "tortoise", 9), givesUp(kit, "hare", 1)).pipe(
        Effect.catchTag("Refused", ({ why }) => Effect.succeed(`${why} lost`))
      ),
    ends: "hare lost",
    log: ["hare gives up"],
    hours: 1
  })

  survives("raceFirst: rounds use the same names again, although losers of earlier rounds end meanwhile", {
    program: (kit) =>
      Effect.gen(function* () {
        const winners: Array<string> = []
        for (const late of [2, 9, 4]) {
          const winner = yield* Effect.raceFirst(
            Effect.as(hours("the regular", late), "the regular"),
            Effect.as(hours("the stand-in", 3), "the stand-in")
          )
          yield* kit.step(`${winner} plays`)
          winners.push(winner)
        }
        return winners
      }),
    ends: ["the regular", "the stand-in", "the stand-in"],
    log: ["the regular plays", "the stand-in plays", "the stand-in plays"],
    hours: 8
  })

  survives("timeout: slow work is given up at the limit, and quick work is not", {
    program: (kit) =>
      Effect.gen(function* () {
        const limited = (name: string, count: number) =>
          Effect.timeout(comes(kit, name, count), "2 hours").pipe(
            Effect.catchTag("TimeoutError", () => kit.step(`without ${name}`))
          )
        return [yield* limited("late", 5), yield* limited("early", 1)]
      }),
    ends: ["without late", "early is there"],
    log: ["without late", "early is there"],
    hours: 3,
    sleeps: ["sleep 7200s", "sleep 7200s"]
  })

  survives("timeout: limits side by side strike one after the other", {
    program: (kit) =>
      Effect.all(
        [5, 1, 3].map((limit) =>
          Effect.timeoutOption(hours(`work for ${limit}`, limit === 3 ? 2 : 10), `${limit} hours`).pipe(
            Effect.flatMap(({ _tag }) => kit.step(`${limit}: ${_tag}`))
          )
        ),
        together
      ),
    ends: ["5: None", "1: None", "3: Some"],
    log: ["1: None", "3: Some", "5: None"],
    hours: 5,
    sleeps: ["sleep 18000s", "sleep 3600s", "sleep 10800s"]
  })

  survives("Effect.all with concurrency: the next branch starts as soon as any other has ended", {
    program: (kit) =>
      Effect.gen(function* () {
        const order = yield* Ref.make<ReadonlyArray<string>>([])
        const branch = (name: string, count: number) =>
          Effect.andThen(
            comes(kit, name, count),
            Ref.update(order, (names) => [...names, name])
          )
        yield* Effect.all([branch("a", 6), branch("b", 1), branch("c", 3), branch("d", 1)], { concurrency: 2 })
        return yield* Ref.get(order)
      }),
    ends: ["b", "c", "d", "a"],
    log: ["b is there", "c is there", "d is there", "a is there"],
    hours: 6
  })

  survives("Effect.all with concurrency: the first failure ends the others, although it is written last", {
    program: (kit) =>
      Effect.map(
        Effect.exit(Effect.all([comes(kit, "a", 6), givesUp(kit, "b", 4), givesUp(kit, "c", 2)], together)),
        refusal
      ),
    ends: "c",
    log: ["c gives up"],
    hours: 2
  })

  survives("Effect.forEach with concurrency: a later item may end before an earlier one", {
    program: (kit) =>
      Effect.gen(function* () {
        const total = yield* Ref.make(1)
        const results = yield* Effect.forEach(
          [7, 2, 4],
          (count, index) =>
            Effect.gen(function* () {
              yield* hours(`item ${index}`, count)
              const now = yield* Ref.updateAndGet(total, (n) => n * 10 + index)
              return yield* kit.step(`item ${index} makes it ${now}`)
            }),
          { concurrency: 2 }
        )
        return [results.length, yield* Ref.get(total)]
      }),
    ends: [3, 1120],
    log: ["item 1 makes it 11", "item 2 makes it 112", "item 0 makes it 1120"],
    hours: 7
  })

  survives("Effect.forEach with concurrency: several fibers use one name", {
    program: (kit) =>
      Effect.forEach(
        [5, 1, 3],
        (count) =>
          Effect.gen(function* () {
            yield* hours("ship", count)
            return yield* kit.step("unload", { value: `after ${count}` })
          }),
        together
      ),
    ends: ["after 5", "after 1", "after 3"],
    log: ["unload", "unload", "unload"],
    hours: 5
  })

  survives("partition: failures and successes are in the order of the items, not of their ends", {
    program: (kit) =>
      Effect.gen(function* () {
        const ended = yield* Ref.make<ReadonlyArray<string>>([])
        const [failed, passed] = yield* Effect.partition(
          ["a", "b", "c", "d"],
          (name, index) =>
            comesOrNot(kit, name, 8 - index, index % 2 === 1).pipe(
              Effect.onExit(() => Ref.update(ended, (names) => [...names, name])),
              Effect.mapError(({ why }) => `${why} failed`)
            ),
          { concurrency: 3 }
        )
        return [failed, passed, yield* Ref.get(ended)]
      }),
    ends: [
      ["b is there", "d is there"],
      ["a failed", "c failed"],
      ["c", "b", "a", "d"]
    ],
    log: ["c gives up", "b is there", "a gives up", "d is there"],
    hours: 11
  })

  survives("validate: every failure is listed, in the order of the items", {
    program: (kit) =>
      Effect.gen(function* () {
        const first = yield* Ref.make("")
        const failures = yield* Effect.validate(
          [6, 2, 4],
          (count) =>
            comesOrNot(kit, `check ${count}`, count, count === 4).pipe(
              Effect.tapError(({ why }) => Ref.update(first, (known) => known || why))
            ),
          together
        ).pipe(
          Effect.as<ReadonlyArray<string>>([]),
          Effect.catch((refused) => Effect.succeed(refused.map(({ why }) => why)))
        )
        return [failures, yield* Ref.get(first)]
      }),
    ends: [["check 6", "check 2"], "check 2"],
    log: ["check 2 gives up", "check 4 is there", "check 6 gives up"],
    hours: 6
  })
})
