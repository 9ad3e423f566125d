/**
 * Undoing, attacked in every kind of block at once: what was done is undone once, last first, although each undo suspends the
 * execution, and wherever it is killed.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { atEveryRequest, differenceIn, everywhere, Refused, type Failure, type Kit } from "../support/host.ts"

const both = { concurrency: "unbounded" } as const

type Block = Effect.Effect<unknown, Failure, Durable.Execution>

/** Books something in a step; its undo waits for an hour and cancels it in a step. */
const booked = (kit: Kit, name: string): Effect.Effect<string, never, Durable.Execution> =>
  Durable.withCompensation(name, kit.step(`book ${name}`), () =>
    Effect.andThen(Durable.wait("an hour", "1 hour"), kit.step(`cancel ${name}`))
  )

const day = Durable.wait("a day", "1 day")

/** Blocks that book a flight, and are over before the workflow fails, in whatever way. */
const kinds: Readonly<Record<string, (kit: Kit) => Block>> = {
  "a child": (kit) => Durable.child("child", Effect.asVoid(booked(kit, "flight"))),
  "a flat child": (kit) => Durable.child("child", booked(kit, "flight"), { flat: true }),
  "a child in a child": (kit) => Durable.child("outer", Durable.child("inner", Effect.asVoid(booked(kit, "flight")))),
  "a child with a large result": (kit) => Durable.child("large", Effect.as(booked(kit, "flight"), "x".repeat(300_000))),
  "the winner of a race": (kit) => Durable.race("race", [Effect.asVoid(booked(kit, "flight")), day]),
  "a loser of a race": (kit) =>
    Durable.race("race", [Effect.andThen(booked(kit, "flight"), day), Durable.wait("an hour", "1 hour")]),
  "a block that timed out": (kit) =>
    Effect.exit(Durable.timeout("time-out", Effect.andThen(booked(kit, "flight"), day), "1 hour")),
  "an item of a batch": (kit) => Durable.map("items", [1], () => Effect.asVoid(booked(kit, "flight"))),
  "an item that was let go of when another failed": (kit) =>
    Effect.exit(
      Durable.all(
        "all",
        [
          Effect.asVoid(Effect.andThen(booked(kit, "flight"), day)),
          Effect.andThen(Durable.wait("an hour", "1 hour"), kit.failing("fails"))
        ],
        { concurrency: "unbounded", error: Refused }
      )
    ),
  "an attempt that failed": (kit) =>
    Effect.exit(
      Durable.retry(
        "retry",
        Effect.andThen(booked(kit, "flight"), Effect.die(new Error("again"))),
        RetryPolicy.fixed({ maxAttempts: 2, delay: "1 hour" })
      )
    ),
  "a fiber that is joined": (kit) => Effect.flatMap(Effect.forkChild(booked(kit, "flight")), Fiber.join),
  "a fiber that is interrupted": (kit) =>
    Effect.flatMap(Effect.forkChild(Effect.andThen(booked(kit, "flight"), day)), (fiber) =>
      Effect.andThen(Durable.wait("an hour", "1 hour"), Fiber.interrupt(fiber))
    ),
  "a plain race that it lost": (kit) =>
    Effect.raceFirst(Effect.andThen(booked(kit, "flight"), day), Durable.wait("an hour", "1 hour")),
  "a hold": (kit) => Durable.hold(booked(kit, "flight")),
  "a durable finalizer": (kit) => Durable.onExit(Effect.void, () => booked(kit, "flight")),
  "an uninterruptible region": (kit) => Effect.uninterruptible(booked(kit, "flight")),
  "another compensation": (kit) =>
    Durable.withCompensation("trip", Effect.asVoid(booked(kit, "flight")), () => kit.step("cancel trip"))
}

describe("what was done is undone, last first, in", () => {
  for (const [name, block] of Object.entries(kinds)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const program = (kit: Kit) =>
          Effect.gen(function* () {
            yield* booked(kit, "hotel")
            yield* block(kit)
            yield* booked(kit, "car")
            return yield* kit.failing("pay")
          })
        const ran = yield* everywhere(program)
        assert.include(ran.outcome, "failed as Refused")
        const cancelled = ran.log.filter((text) => text.startsWith("cancel") && text !== "cancel trip")
        const flights = ran.log.filter((text) => text === "book flight").map(() => "cancel flight")
        assert.deepStrictEqual(cancelled, ["cancel car", ...flights, "cancel hotel"], ran.outcome)
      })
    )
  }

  it.effect("all of these at once, side by side", () =>
    Effect.gen(function* () {
      const few = ["a child", "a loser of a race", "a hold"]
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Effect.all(
            few.map((name) =>
              Durable.child(
                name,
                Effect.suspend(() => kinds[name]?.(kit) ?? Effect.void),
                { flat: true }
              )
            ),
            both
          )
          return yield* kit.failing("pay")
        })
      )
      const count = (text: string) => ran.log.filter((line) => line === text).length
      assert.strictEqual(count("cancel flight"), count("book flight"))
      assert.strictEqual(count("book flight"), few.length)
    })
  )
})

describe("an undo", () => {
  it.effect("that fails is named, and the others run", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* booked(kit, "hotel")
          yield* Durable.withCompensation("car", kit.step("book car"), () =>
            Effect.andThen(Durable.wait("an hour", "1 hour"), Effect.die(new Error("no way back")))
          )
          return yield* Effect.die(new Error("nobody pays"))
        })
      )
      assert.include(ran.outcome, '"car"')
      assert.include(ran.outcome, "no way back")
      assert.strictEqual(ran.log.at(-1), "cancel hotel")
    })
  )

  it.effect("may race, time out, fan out and compensate nothing further", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("trip", kit.step("book trip"), () =>
            Effect.gen(function* () {
              yield* Durable.race("race", [Durable.wait("long", "9 days"), Durable.wait("short", "1 hour")])
              yield* Effect.exit(Durable.timeout("time-out", Durable.wait("longer", "9 days"), "1 hour"))
              yield* Durable.map("items", [1, 2], (n) => kit.step(`item ${n}`), both)
              yield* Effect.sleep("1 hour")
              yield* kit.chance("the undo")
              yield* kit.step("cancel trip")
            })
          )
          return yield* kit.failing("pay")
        })
      )
      assert.strictEqual(ran.log.at(-1), "cancel trip", ran.outcome)
    })
  )

  it.effect("runs when the workflow dies of a defect and when it interrupts itself", () =>
    Effect.gen(function* () {
      for (const end of [Effect.die(new Error("boom")), Effect.interrupt]) {
        const ran = yield* everywhere((kit) => Effect.andThen(booked(kit, "hotel"), end))
        assert.strictEqual(ran.log.at(-1), "cancel hotel", ran.outcome)
      }
    })
  )

  it.effect("finds what was done before a nap, in a race that a crash has decided otherwise", () =>
    Effect.gen(function* () {
      const trip = (kit: Kit) =>
        Durable.withCompensation(
          "trip",
          Effect.andThen(
            Durable.all("parts", [Effect.as(Effect.sleep("900 millis"), "rest"), booked(kit, "car")], {
              ...both,
              flat: true
            }),
            kit.step("book trip")
          ),
          () => kit.step("cancel trip")
        )
      yield* atEveryRequest(
        (kit) =>
          Effect.andThen(
            Effect.raceFirst(trip(kit), Durable.wait("a second", "1 second")),
            Effect.die(new Error("nobody pays"))
          ),
        (ran) =>
          differenceIn(ran) ??
          (ran.outcome.includes("nobody pays") && ran.log.includes("cancel car") ? undefined : "something was lost")
      )
    })
  )
})

describe("a part that is cut off in the middle is named, when what was done of it stands in", () => {
  const blocks: Readonly<Record<string, (kit: Kit) => Block>> = {
    "a child": (kit) => Durable.child("block", Effect.andThen(kit.step("book"), day)),
    "a child in a child": (kit) =>
      Durable.child("outer", Durable.child("block", Effect.andThen(kit.step("book"), day), { flat: true })),
    "a branch": (kit) => Durable.all("block", [kit.step("book"), Effect.as(day, "day")], both),
    "a flat branch": (kit) => Durable.all("block", [kit.step("book"), Effect.as(day, "day")], { ...both, flat: true }),
    "a race": (kit) => Durable.race("block", [Effect.andThen(kit.step("book"), day)]),
    "a time-out": (kit) => Durable.timeout("block", Effect.andThen(kit.step("book"), day), "2 days"),
    "an attempt": (kit) => Durable.retry("block", Effect.andThen(kit.step("book"), day), RetryPolicy.none)
  }
  for (const [name, block] of Object.entries(blocks)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const part = Durable.withCompensation("part", Effect.orDie(block(kit)), () => kit.step("cancel"))
            yield* Durable.race("race", [Effect.asVoid(part), Durable.wait("an hour", "1 hour")])
            return yield* Effect.die(new Error("nobody pays"))
          })
        )
        assert.include(ran.outcome, '"race[0]/part" (cut off after some of its operations were recorded)')
      })
    )
  }

  it.effect("but not for what a part inside of it did, which is undone", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const inner = Durable.child("block", Effect.andThen(booked(kit, "flight"), day))
          const part = Durable.withCompensation("part", inner, () => kit.step("cancel"))
          yield* Durable.race("race", [part, Durable.wait("an hour", "1 hour")])
          return yield* Effect.die(new Error("nobody pays"))
        })
      )
      assert.strictEqual(ran.outcome, "failed as Error: nobody pays")
      assert.strictEqual(ran.log.at(-1), "cancel flight")
    })
  )
})

describe("a part that holds another one", () => {
  it.effect("is undone at the time when that was done, after it", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const after = (hours: number, name: string) =>
            Effect.andThen(Durable.wait("a while", `${hours} hours`), booked(kit, name))
          yield* Effect.all(
            [
              Durable.withCompensation("trip", Durable.child("late", after(2, "flight"), { flat: true }), () =>
                kit.step("cancel trip")
              ),
              Durable.child("early", after(1, "hotel"), { flat: true })
            ],
            both
          )
          return yield* kit.failing("pay")
        })
      )
      const cancelled = ran.log.filter((text) => text.startsWith("cancel"))
      assert.deepStrictEqual(cancelled, ["cancel flight", "cancel trip", "cancel hotel"])
    })
  )
})

describe("a fiber that is interrupted by another one", () => {
  const interruptedBy = (self: Fiber.Fiber<unknown, unknown>) =>
    Effect.forkDetach(Effect.andThen(Durable.wait("a while", "1 hour"), Fiber.interrupt(self)))

  it.effect("has everything undone, and durable finalizers run, when it is that of the workflow", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* booked(kit, "hotel")
          yield* Effect.withFiber((self) => interruptedBy(self))
          yield* Effect.forkDetach(Durable.onExit(day, () => kit.step("return")))
          yield* Durable.child("block", Effect.andThen(booked(kit, "flight"), day))
        })
      )
      assert.match(ran.outcome, /^failed as Interrupted/)
      assert.deepStrictEqual(ran.log.slice(2), ["return", "cancel flight", "cancel hotel"])
    })
  )

  it.effect("keeps no other undo from running when it is that of an undo", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* booked(kit, "hotel")
          yield* Durable.withCompensation("car", kit.step("book car"), () =>
            Effect.andThen(
              Effect.withFiber((self) => interruptedBy(self)),
              day
            )
          )
          return yield* Effect.die(new Error("nobody pays"))
        })
      )
      assert.include(ran.outcome, "failed as Error: nobody pays")
      assert.include(ran.outcome, 'it is still done: "car" ')
      assert.strictEqual(ran.log.at(-1), "cancel hotel")
    })
  )
})

describe("a part without operations that follows a nap", () => {
  it.effect("is undone in every invocation, although the winner of its batch napped as long", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const precaution = Durable.withCompensation("precaution", Effect.void, () =>
            Effect.andThen(kit.step("undo"), Durable.wait("an hour", "1 hour"))
          )
          const loser = Effect.andThen(Effect.andThen(Effect.sleep("900 millis"), precaution), kit.step("risk"))
          yield* Durable.parallel("batch", [Effect.asVoid(loser), Effect.sleep("900 millis")], {
            policy: CompletionPolicy.firstSuccessful
          })
          return yield* Effect.die(new Error("the execution fails"))
        })
      )
      assert.include(ran.log, "undo")
      assert.match(ran.outcome, /^failed as Error/)
    })
  )
})

describe("a branch of one after the other", () => {
  it.effect(
    "begins the next only after what ended before it outside, so that no crash forgets what was done in it",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const route = Durable.all("route", [Effect.void, booked(kit, "train")], { concurrency: 1 })
            yield* Effect.raceFirst(booked(kit, "flight"), route)
            return yield* Effect.die(new Error("nobody pays"))
          })
        )
        assert.include(ran.log, "cancel flight")
        assert.strictEqual(ran.log.includes("book train"), ran.log.includes("cancel train"))
      })
  )
})
