/**
 * What is let go of, attacked where its beginning is not yet recorded, where its cleaning up takes its own time, and where it
 * has to be undone from its records alone.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { everywhere, hoursAt, run, statusesOf, valueOf, type Kit, type Program } from "../support/host.ts"

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
