/**
 * Time: sleeps that lost, limits that struck, clocks that are read in between, naps, and deadlines that have passed. Each
 * program is short, and went wrong once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import {
  atEveryRequest,
  differenceIn,
  everywhere,
  run,
  statusesOf,
  valueOf,
  type Kit,
  type Program,
  type Ran
} from "../support/host.ts"
import { together, unhurried } from "./survives.ts"

const later = (kit: Kit) => Effect.andThen(Durable.wait("later", "1 hour"), kit.step("end"))

const sleepsOf = (ran: Ran): ReadonlyArray<string> =>
  ran.operations.flatMap(({ path, type }) => (type === "WAIT" && path.includes("sleep") ? [path] : []))

describe("a limit that struck", () => {
  it.effect(
    "does not let the body of the step that lost begin again",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const slow = yield* Effect.timeoutOption(kit.step("slow", { takes: "10 seconds" }), "2 seconds")
            yield* Durable.wait("an hour", "1 hour")
            yield* kit.step("between")
            yield* later(kit)
            return slow._tag
          })
        )
        assert.strictEqual(valueOf(ran), "None")
        assert.deepStrictEqual(ran.log, ["slow", "between", "end"])
        assert.deepStrictEqual(statusesOf(ran, "slow"), ["STARTED"])
      }),
    unhurried
  )

  it.effect(
    "leaves a step that runs at most once as one that was let go of, not as one that was interrupted",
    () =>
      Effect.gen(function* () {
        const program: Program = (kit) =>
          Effect.gen(function* () {
            const transfer = Durable.step("transfer", Effect.andThen(kit.log("transfer"), Effect.sleep("10 seconds")), {
              semantics: "at-most-once"
            })
            const ended = yield* Effect.match(Effect.timeout(transfer, "2 seconds"), {
              onFailure: ({ _tag }) => _tag,
              onSuccess: () => "transferred"
            })
            yield* kit.tell("how it ended", ended)
            yield* later(kit)
            return ended
          })
        // An invocation that is killed during the body leaves an interrupted attempt; one that is killed later does not.
        const clean = yield* atEveryRequest(program, (ran) => {
          if (ran.log.filter((text) => text === "transfer").length > 1) return "it was transferred more than once"
          const isExpected = /^completed with "(TimeoutError|StepInterrupted)"/.test(ran.outcome)
          return isExpected ? differenceIn(ran) : "it ended otherwise"
        })
        assert.strictEqual(valueOf(clean), "TimeoutError")
        assert.deepStrictEqual(clean.log, ["transfer", "end"])
        assert.deepStrictEqual(statusesOf(clean, "transfer"), ["STARTED"])
      }),
    unhurried
  )

  it.effect(
    "has passed already: it fails at once, records nothing, and the workflow goes on",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const exit = yield* Effect.exit(Durable.timeout("limit", kit.step("inner"), new Date(0)))
            yield* kit.step("next")
            yield* later(kit)
            return exit._tag
          })
        )
        assert.strictEqual(valueOf(ran), "Failure")
        assert.deepStrictEqual(ran.log, ["next", "end"])
        assert.deepStrictEqual(statusesOf(ran, "limit"), [])
      }),
    unhurried
  )

  it.effect(
    "of a callback is seen when it is awaited at last, and new work does not wait for that",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const callback = yield* Durable.callback("callback", { timeout: "10 minutes" })
            yield* Durable.wait("an hour", "1 hour")
            yield* kit.step("new work")
            const ended = yield* Effect.match(callback.await, { onFailure: ({ _tag }) => _tag, onSuccess: () => "" })
            yield* kit.step(`ended as ${ended}`)
            return ended
          })
        )
        assert.strictEqual(valueOf(ran), "CallbackTimedOut")
        assert.deepStrictEqual(ran.log, ["new work", "ended as CallbackTimedOut"])
      }),
    unhurried
  )
})

describe("a limit that did not strike", () => {
  const rounds =
    (count: number, limit: Duration.Input | undefined): Program =>
    (kit) =>
      Effect.gen(function* () {
        for (let round = 0; round < count; round++) {
          const step = kit.step(`step ${round}`)
          yield* limit === undefined ? step : Effect.orDie(Effect.timeout(step, limit))
          yield* Durable.wait(`pause ${round}`, "1 second")
        }
        yield* Durable.wait("later", "2 hours")
        yield* kit.step("end")
        return "over"
      })

  it.effect(
    "changes nothing, although its sleep ends and wakes the execution later",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(rounds(3, "1 hour"))
        assert.strictEqual(valueOf(ran), "over")
        assert.deepStrictEqual(ran.log, ["step 0", "step 1", "step 2", "end"])
        assert.deepStrictEqual(sleepsOf(ran), ["sleep 3600s", "sleep 3600s", "sleep 3600s"])
      }),
    unhurried
  )

  it.effect(
    "costs at most one invocation more for each of twenty",
    () =>
      Effect.gen(function* () {
        const without = yield* run(rounds(20, undefined))
        const ran = yield* run(rounds(20, "1 hour"))
        assert.strictEqual(ran.outcome, without.outcome)
        assert.strictEqual(without.invocations, 22)
        assert.isAtMost(ran.invocations, 42)
      }),
    unhurried
  )

  it.effect(
    "because it is infinite records nothing",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.orDie(Effect.timeout(kit.step("step"), Duration.infinity))
            yield* later(kit)
            return "over"
          })
        )
        assert.strictEqual(valueOf(ran), "over")
        assert.deepStrictEqual(sleepsOf(ran), [])
      }),
    unhurried
  )

  it.effect(
    "because it is longer than the service allows records nothing either",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const option = yield* Effect.timeoutOption(Durable.wait("a day", "1 day"), "400 days")
            yield* later(kit)
            return option._tag
          })
        )
        assert.strictEqual(valueOf(ran), "Some")
        assert.deepStrictEqual(sleepsOf(ran), [])
      }),
    unhurried
  )
})

describe("a clock that is read", () => {
  it.effect(
    "after a child lets other fibers claim their names first, live as at every replay",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Durable.child("child", kit.step("in"))
            const fiber = yield* Effect.forkChild(kit.step("same", { value: "fork" }))
            yield* kit.time("between")
            const mine = yield* kit.step("same", { value: "main" })
            yield* later(kit)
            return [yield* Fiber.join(fiber), mine]
          })
        )
        assert.deepStrictEqual(valueOf(ran), ["fork", "main"])
      }),
    unhurried
  )

  it.effect(
    "without an effect after a child shows the same at every replay",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* kit.step("first")
            yield* Durable.child(
              "child",
              Effect.andThen(Durable.wait("inside", "3 hours"), Effect.asVoid(kit.step("in")))
            )
            const clock = yield* Clock.Clock
            const hours = Math.round((clock.currentTimeMillisUnsafe() - Date.UTC(2026, 0, 1)) / 3_600_000)
            yield* kit.step(`at ${hours}`)
            yield* later(kit)
            return hours
          })
        )
        assert.strictEqual(valueOf(ran), 3)
        assert.deepStrictEqual(ran.log, ["first", "in", "at 3", "end"])
      }),
    unhurried
  )

  it.effect("without an effect right after a child whose step took a while shows that while, to the millisecond", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* kit.step("first")
          yield* Durable.child("child", Effect.asVoid(kit.step("in", { takes: "3 seconds" })))
          const clock = yield* Clock.Clock
          const millis = clock.currentTimeMillisUnsafe() - Date.UTC(2026, 0, 1)
          yield* kit.tell("how long it took", millis)
          yield* kit.step(`at ${millis}`, { takes: "2 seconds" })
          yield* later(kit)
          return millis >= 3_000 && millis < 3_100
        })
      )
      assert.strictEqual(valueOf(ran), true)
      assert.deepStrictEqual(
        ran.reports.map(({ values }) => values.length),
        [1]
      )
    })
  )

  it.effect(
    "by logs and spans costs no request",
    () =>
      Effect.gen(function* () {
        const children =
          (between: Effect.Effect<void>): Program =>
          (kit) =>
            Effect.gen(function* () {
              for (let child = 0; child < 5; child++) {
                yield* Durable.child(`child ${child}`, Effect.asVoid(kit.step("in")))
                yield* between
              }
              return "over"
            })
        const silent = yield* run(children(Effect.void))
        const telling = yield* everywhere(children(Effect.withSpan(Effect.logInfo("hello"), "between")))
        assert.strictEqual(telling.outcome, silent.outcome)
        assert.strictEqual(telling.requests.length, silent.requests.length)
      }),
    unhurried
  )

  it.effect(
    "in an item of a batch shows the time of the item, one after the other",
    () => itemsBegin(1, 3, [0, 1, 2]),
    unhurried
  )

  it.effect(
    "in an item of a batch shows the time of the item, side by side",
    () => itemsBegin(2, 4, [0, 0, 1, 1]),
    unhurried
  )
})

/** Each item looks at the clock at its beginning, in days, and takes a day. */
const itemsBegin = (concurrency: number, count: number, days: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const ran = yield* everywhere((kit) =>
      Effect.gen(function* () {
        const shown = yield* Durable.forEach(
          "items",
          Array.from({ length: count }, (_, index) => index),
          (index) =>
            Effect.gen(function* () {
              const now = yield* kit.time(`item ${index}`)
              yield* Durable.wait("a day", "1 day")
              return Math.round((now - Date.UTC(2026, 0, 1)) / 86_400_000)
            }),
          { concurrency }
        )
        yield* kit.time("the end")
        yield* kit.step("end")
        return shown
      })
    )
    assert.deepStrictEqual(valueOf(ran), days)
  })

describe("sleeps and naps", () => {
  it.effect(
    "a daemon that sleeps for ever beside a wait ends with the workflow, and is warned about once",
    () =>
      Effect.gen(function* () {
        const ran = yield* run((kit) =>
          Effect.gen(function* () {
            yield* Effect.forkDetach(Effect.forever(Effect.sleep("30 seconds")))
            yield* Durable.wait("later", "2 hours")
            return yield* kit.step("end")
          })
        )
        assert.strictEqual(valueOf(ran), "end")
        assert.strictEqual(ran.fibersLeft, 0)
        const warnings = ran.warnings.filter((text) => text.includes("sleep"))
        assert.isNotEmpty(warnings)
        // The same words, whichever invocation said them.
        assert.strictEqual(new Set(warnings).size, 1)
      }),
    unhurried
  )

  it.effect(
    "naps beside a step that takes a minute record nothing, and ask at most once a second",
    () =>
      Effect.gen(function* () {
        const ran = yield* run((kit) =>
          Effect.gen(function* () {
            yield* Effect.raceFirst(
              kit.step("long", { takes: "60 seconds" }),
              Effect.repeat(Effect.void, Schedule.spaced("200 millis"))
            )
            return yield* kit.step("end")
          })
        )
        assert.strictEqual(valueOf(ran), "end")
        assert.deepStrictEqual(ran.log, ["long", "end"])
        assert.deepStrictEqual(sleepsOf(ran), [])
        assert.isAtMost(ran.requests.length, 65)
      }),
    unhurried
  )

  it.effect(
    "naps compete with each other in the order of their ends, without a record",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const order: Array<number> = []
            const nap = (millis: number) =>
              Effect.andThen(
                Effect.sleep(millis),
                Effect.sync(() => order.push(millis))
              )
            yield* Effect.all([nap(700), nap(100), nap(400)], together)
            yield* kit.step(`woke in the order ${order.join()}`)
            yield* later(kit)
            return order
          })
        )
        assert.deepStrictEqual(valueOf(ran), [100, 400, 700])
        assert.deepStrictEqual(sleepsOf(ran), [])
      }),
    unhurried
  )

  it.effect(
    "a sleep of a second and a half takes two, and the clock shows it",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const began = yield* Clock.currentTimeMillis
            yield* Effect.sleep("1500 millis")
            const slept = (yield* Clock.currentTimeMillis) - began
            yield* later(kit)
            return slept >= 2_000
          })
        )
        assert.strictEqual(valueOf(ran), true)
        assert.deepStrictEqual(sleepsOf(ran), ["sleep 2s"])
      }),
    unhurried
  )

  it.effect(
    "a sleep of nothing, or of less, is a yield",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.sleep(0)
            yield* Effect.sleep(-5)
            yield* later(kit)
            return "over"
          })
        )
        assert.strictEqual(valueOf(ran), "over")
        assert.deepStrictEqual(sleepsOf(ran), [])
      }),
    unhurried
  )
})

describe("dice", () => {
  it.effect(
    "of a child and of its parent are not the same, and are the same at every replay",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const inside = yield* Durable.child(
              "child",
              Effect.tap(Durable.uuid, () => kit.step("in"))
            )
            const outside = yield* Durable.uuid
            yield* kit.tell("the UUIDs", [inside, outside])
            yield* kit.tell("the number", yield* Random.nextInt)
            yield* later(kit)
            return inside === outside
          })
        )
        assert.strictEqual(valueOf(ran), false)
      }),
    unhurried
  )
})
