/**
 * What is let go of, attacked where its beginning is not yet recorded, where its cleaning up takes its own time, and where it
 * has to be undone from its records alone; and interruption, in regions that do not let it in, in finalizers that take hours, and
 * in the instant of an end.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { everywhere, hoursAt, run, statusesOf, valueOf, type Kit, type Program } from "../support/host.ts"
import { attacks, both, hours } from "./everyWay.ts"

const day = Durable.wait("a day", "1 day")

/** Both branches end their first step in one request, so that the loser has just asked for more when it loses. */
const losesAtOnce = (kit: Kit, more: Effect.Effect<unknown, never, Durable.Execution>): ReturnType<Program> =>
  Durable.race("race", [Effect.as(Effect.andThen(kit.step("loser"), more), "loser"), kit.step("winner")])

/** A compensated part whose step is recorded together with the winner of the race, and whose branch never heard of that. */
const undoneUnheard = (
  kit: Kit,
  drawn: Effect.Effect<unknown, never, Durable.Execution>
): Effect.Effect<never, never, Durable.Execution> =>
  Effect.gen(function* () {
    const booking = Durable.withCompensation(
      "booking",
      Effect.flatMap(drawn, (id) => Effect.as(Durable.step("book", kit.log(`book ${String(id)}`)), id)),
      (id) => Durable.step("cancel", kit.log(`cancel ${String(id)}`))
    )
    yield* Durable.race("race", [kit.step("winner"), Effect.asVoid(booking)])
    return yield* Effect.die(new Error("the execution fails"))
  })

/** What was cancelled is what was booked. */
const cancelsWhatWasBooked = (log: ReadonlyArray<string>): void => {
  const idsOf = (verb: string) => log.filter((text) => text.startsWith(verb)).map((text) => text.slice(verb.length + 1))
  assert.isNotEmpty(idsOf("cancel"), `nothing was cancelled: ${log.join(", ")}`)
  assert.deepStrictEqual([...new Set(idsOf("cancel"))], [...new Set(idsOf("book"))])
}

describe("a durable finalizer", () => {
  it.effect("in a child that was not begun when its branch lost records what it does", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(
          kit,
          Durable.child(
            "child",
            Durable.onExit(day, () => kit.step("clean up"))
          )
        )
      )
      assert.strictEqual(valueOf(ran), "winner")
      assert.deepStrictEqual(statusesOf(ran, "clean up"), ["SUCCEEDED"])
    })
  )

  it.effect("in an item of a batch that was not begun when its branch lost records what it does", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(
          kit,
          Effect.orDie(
            Durable.forEach("items", [1, 2], () => Effect.asVoid(Durable.onExit(day, () => kit.step("clean up"))))
          )
        )
      )
      assert.strictEqual(ran.outcome, 'completed with "winner"')
    })
  )

  it.effect("around a child that was not begun when its branch lost records what it does", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(
          kit,
          Durable.onExit(Durable.child("child", day), () =>
            Durable.child("tidy", Effect.andThen(day, kit.step("clean up")))
          )
        )
      )
      assert.strictEqual(valueOf(ran), "winner")
      assert.deepStrictEqual(statusesOf(ran, "clean up"), ["SUCCEEDED"])
    })
  )

  it.effect("may hold a race and a time-out, whose losers are let go of", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(
          kit,
          Durable.onExit(day, () =>
            Effect.gen(function* () {
              yield* Durable.race("tidy race", [Durable.wait("long", "9 days"), Durable.wait("short", "1 hour")])
              yield* Effect.exit(Durable.timeout("tidy time-out", Durable.wait("longer", "9 days"), "2 hours"))
              yield* Effect.sleep("1 hour")
              yield* kit.step("clean up")
            })
          )
        ).pipe(Effect.tap(() => kit.time("the end")))
      )
      assert.strictEqual(valueOf(ran), "winner")
      assert.strictEqual(hoursAt(ran, "the end"), 4)
      assert.deepStrictEqual(statusesOf(ran, "clean up"), ["SUCCEEDED"])
    })
  )

  it.effect("that dies lets the race end with its winner, and the next finalizer run", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(
          kit,
          Durable.onExit(
            Durable.onExit(day, () => Effect.die(new Error("broken"))),
            () => Effect.andThen(Durable.wait("an hour", "1 hour"), kit.step("clean up"))
          )
        )
      )
      assert.strictEqual(valueOf(ran), "winner")
      assert.deepStrictEqual(statusesOf(ran, "clean up"), ["SUCCEEDED"])
    })
  )

  it.effect("runs in a race that is let go of by another race, the inner one first", () =>
    Effect.gen(function* () {
      const tidied = (kit: Kit, name: string, body: Effect.Effect<unknown, never, Durable.Execution>) =>
        Durable.onExit(Effect.asVoid(body), () =>
          Effect.andThen(Durable.wait(`${name} pause`, "1 hour"), kit.step(name))
        )
      const ran = yield* everywhere((kit) =>
        Durable.race("outer", [
          tidied(kit, "outside", Durable.race("inner", [tidied(kit, "left", day), tidied(kit, "right", day)])),
          Durable.wait("first", "5 hours")
        ]).pipe(Effect.tap(() => kit.time("the end")))
      )
      assert.strictEqual(ran.log.at(-1), "outside")
      assert.sameMembers([...ran.log], ["left", "right", "outside"])
      assert.strictEqual(hoursAt(ran, "the end"), 7)
    })
  )

  it.effect("of a sibling that waits is waited for when the workflow hands over or fails", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Effect.forkChild(
            Durable.onExit(day, () => Effect.andThen(Durable.wait("pause", "1 hour"), kit.step("tidy")))
          )
          yield* kit.step("first")
          return yield* Effect.die(new Error("over"))
        })
      )
      assert.include(ran.outcome, "over")
      assert.deepStrictEqual(statusesOf(ran, "tidy"), ["SUCCEEDED"])
    })
  )

  it.effect("ends a wait in an uninterruptible region of a loser", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        losesAtOnce(kit, Effect.uninterruptible(Durable.onExit(day, () => kit.step("clean up")))).pipe(
          Effect.tap(() => kit.time("the end"))
        )
      )
      assert.strictEqual(valueOf(ran), "winner")
      assert.strictEqual(hoursAt(ran, "the end"), 0)
    })
  )
})

describe("a part that is undone although its branch never heard that it was done", () => {
  it.effect("is undone with the identifier that it drew the first time", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => undoneUnheard(kit, Durable.uuid))
      cancelsWhatWasBooked(ran.log)
    })
  )

  it.effect("is undone with the number that it drew the first time", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => undoneUnheard(kit, Random.nextInt))
      cancelsWhatWasBooked(ran.log)
    })
  )

  it.effect("is undone with the time that it saw the first time", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.andThen(
          Durable.wait("an hour", "1 hour"),
          undoneUnheard(
            kit,
            Effect.map(Clock.currentTimeMillis, (now) => Math.round(now / 3_600_000))
          )
        )
      )
      cancelsWhatWasBooked(ran.log)
    })
  )
})

describe("a fiber that the workflow leaves behind", () => {
  it.effect("cleans up with operations before the execution ends, also if it has to wait for that", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const cleansUp = Effect.andThen(Durable.wait("an hour", "1 hour"), kit.step("clean up"))
          yield* Effect.forkChild(Effect.ensuring(Effect.never, cleansUp))
          yield* day
          return yield* kit.step("last")
        })
      )
      assert.strictEqual(valueOf(ran), "last")
      assert.deepStrictEqual(ran.log, ["last", "clean up"])
    })
  )
})

describe("the same in every way: interruption", () => {
  attacks({
    "a mask with a restored call, interrupted twice": {
      program: (kit) =>
        Effect.gen(function* () {
          const events: Array<string> = []
          const fiber = yield* Effect.forkChild(
            Effect.uninterruptibleMask((restore) =>
              Effect.gen(function* () {
                yield* kit.step("begin")
                const exit = yield* Effect.exit(restore(hours("restored", 5)))
                events.push(exit._tag)
                yield* hours("masked", 2)
                yield* kit.step("end")
                return "end"
              })
            )
          )
          yield* hours("first", 1)
          const one = yield* Effect.forkChild(Fiber.interrupt(fiber))
          yield* hours("second", 1)
          yield* Fiber.interrupt(fiber)
          yield* Fiber.join(one)
          yield* kit.time("after")
          return [events, Exit.hasInterrupts(yield* Fiber.await(fiber))]
        }),
      ends: [["Failure"], true],
      log: ["begin", "end"]
    },
    "a loser whose raw finalizer takes hours and steps": {
      program: (kit) =>
        Effect.gen(function* () {
          const loser = Effect.onInterrupt(hours("loser", 9), () =>
            Effect.gen(function* () {
              yield* kit.step("finalizer begins")
              yield* hours("finalizer", 2)
              yield* kit.step("finalizer ends")
            })
          )
          yield* Effect.raceFirst(loser, hours("winner", 1))
          yield* kit.time("after")
          return "after"
        }),
      ends: "after",
      log: ["finalizer begins", "finalizer ends"]
    },
    "a loser in a child whose raw finalizer takes hours and steps": {
      program: (kit) =>
        Effect.gen(function* () {
          const loser = Effect.onInterrupt(hours("loser", 9), () =>
            Effect.gen(function* () {
              yield* kit.step("finalizer begins")
              yield* hours("finalizer", 2)
              yield* kit.step("finalizer ends")
            })
          )
          yield* Effect.raceFirst(Durable.child("child", loser), hours("winner", 1))
          yield* kit.time("after")
          return "after"
        }),
      ends: "after"
    },
    "a time-out around a child with a step in the middle, and the child again": {
      program: (kit) =>
        Effect.gen(function* () {
          const child = Durable.child(
            "child",
            Effect.andThen(kit.step("a"), Effect.andThen(hours("w", 2), kit.step("b")))
          )
          const first = yield* Effect.timeoutOption(child, "1 hour")
          const second = yield* Effect.timeoutOption(child, "3 hours")
          return [first._tag, second._tag]
        }),
      ends: ["None", "Some"],
      log: ["a", "a", "b"]
    },
    "a time-out in the hour in which the child ends": {
      program: (kit) =>
        Effect.gen(function* () {
          const child = Durable.child("child", Effect.andThen(hours("w", 1), kit.step("b")))
          const first = yield* Effect.timeoutOption(child, "1 hour")
          yield* kit.tell("first", first._tag)
          yield* hours("later", 2)
          return first._tag
        }),
      ends: "None"
    },
    "two children that end in one hour race, and the loser's value is asked for again": {
      program: () =>
        Effect.gen(function* () {
          const fibers = yield* Effect.forEach(["x", "y"], (name) =>
            Effect.forkChild(Durable.child(name, Effect.as(hours("w", 1), name)))
          )
          const winner = yield* Effect.raceFirst(Fiber.join(fibers[1]!), Fiber.join(fibers[0]!))
          const all = yield* Effect.forEach(fibers, Fiber.join)
          return [winner, all]
        }),
      ends: ["x", ["x", "y"]]
    },
    "a step that is interrupted again and again, and then done, under one name": {
      program: (kit) =>
        Effect.gen(function* () {
          for (let n = 0; n < 3; n++) {
            yield* Effect.timeoutOption(Durable.step("job", Effect.sleep("5 hours")), "1 hour")
          }
          return yield* kit.step("job")
        }),
      ends: "job",
      log: ["job"]
    },
    "durable finalizers that nest in branches of a batch that has enough": {
      program: (kit) =>
        Effect.gen(function* () {
          const result = yield* Durable.map(
            "items",
            [1, 3, 2],
            (time) =>
              Durable.onExit(
                Effect.as(
                  Durable.onExit(hours("w", time), (exit) => kit.step(`inner ${time} ${exit._tag}`)),
                  time
                ),
                () => Effect.andThen(hours("tidy", 1), kit.step(`outer ${time}`))
              ),
            { policy: CompletionPolicy.firstSuccessful }
          )
          yield* kit.time("after")
          return [result.completionReason, result.values]
        }),
      ends: ["MIN_SUCCESSFUL_REACHED", [1]]
    },
    "Effect.timeout around a batch whose items hold locks": {
      program: (kit) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(
            Effect.timeout(
              Durable.forEach(
                "items",
                [1, 9, 8],
                (time) => Durable.onExit(hours("w", time), () => kit.step(`unlock ${time}`)),
                both
              ),
              "3 hours"
            )
          )
          yield* hours("later", 7)
          return exit._tag
        }),
      ends: "Failure",
      log: ["unlock 1", "unlock 9", "unlock 8"]
    }
  })
})

describe("a branch that times out when what it waits for has come, and cannot be interrupted", () => {
  const block = Durable.child("block", Durable.wait("a", "10 seconds"))
  const branches: Readonly<Record<string, Effect.Effect<unknown, never, Durable.Execution>>> = {
    "at the end of a child in an uninterruptible region": Effect.uninterruptible(block),
    "at the end of a child in a finalizer": Effect.ensuring(Effect.void, block),
    "at a patch": Effect.uninterruptible(Effect.andThen(Durable.wait("a", "10 seconds"), Durable.patched("change")))
  }
  for (const [name, branch] of Object.entries(branches)) {
    it.effect(`leaves no fiber behind ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const exit = yield* Effect.exit(Durable.timeout("limit", Effect.asVoid(branch), "10 seconds"))
            yield* kit.step("after")
            return exit._tag
          })
        )
        assert.strictEqual(valueOf(ran), "Failure")
      })
    )
  }
})
