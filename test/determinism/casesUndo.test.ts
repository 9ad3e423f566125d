/**
 * A part that was recorded and promised to be undone is undone when the execution fails, whatever became of the branch that it
 * stands in, whatever else waited beside it, and however long the branch was.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { everywhere, run, statusesOf, type Failure, type Kit, type Program, type Ran } from "../support/host.ts"
import { turns } from "./outside.ts"
import { together, unhurried } from "./survives.ts"

/** A seat that is reserved, and released if the execution fails. */
const seat = (kit: Kit) => Durable.withCompensation("seat", kit.step("reserve"), () => kit.step("release"))

/** Something that takes longer than any limit here. */
const payment = Durable.wait("payment", "12 days")

/** So many steps under one name. */
const pages = (count: number) => Effect.repeat(Durable.step("page", Effect.void), { times: count - 1 })

const boom = Effect.die(new Error("boom"))

const assertUndone = (ran: Ran): void => {
  assert.match(ran.outcome, /^failed as /)
  const parts = ran.log.filter((text) => text === "reserve" || text === "release")
  assert.deepStrictEqual(parts, ["reserve", "release"], ran.outcome)
}

/** The execution fails, and what was reserved is released once, wherever it is killed. */
const undoes = (promise: string, program: Program): void =>
  it.effect(promise, () => Effect.map(everywhere(program), assertUndone), unhurried)

/** The same for programs of hundreds of requests, without kills. */
const undoesOnce = (promise: string, program: Program): void =>
  it.effect(promise, () => Effect.map(run(program), assertUndone), unhurried)

const withinADay = (branch: Effect.Effect<unknown, Failure, Durable.Execution>) =>
  Durable.timeout("limit", Effect.orDie(Effect.asVoid(branch)), "1 day")

describe("a part in a branch that is let go of is undone", () => {
  undoes("when its branch waits at the limit", (kit) =>
    withinADay(
      Effect.gen(function* () {
        yield* kit.step("look up")
        yield* seat(kit)
        yield* payment
      })
    )
  )

  undoes("when another branch beside it waits at the limit", (kit) =>
    withinADay(
      Durable.all(
        "pair",
        {
          payment: Effect.as(payment, 1),
          seat: Effect.gen(function* () {
            yield* kit.step("look up")
            yield* kit.step("choose")
            yield* seat(kit)
            return 2
          })
        },
        together
      )
    )
  )

  undoes("when it stands in a child that has ended, and another branch waits at the limit", (kit) =>
    withinADay(
      Durable.all(
        "pair",
        [
          Effect.as(payment, 1),
          Durable.child(
            "tickets",
            Effect.gen(function* () {
              yield* kit.step("look up")
              yield* seat(kit)
              return 2
            })
          )
        ],
        together
      )
    )
  )

  undoes("when its branch has lost a race, and the execution fails a day later", (kit) =>
    Effect.gen(function* () {
      yield* Durable.race("either", [
        Effect.asVoid(
          Durable.all(
            "pair",
            [
              Effect.as(payment, 1),
              Effect.gen(function* () {
                yield* kit.step("look up")
                yield* kit.step("choose")
                yield* seat(kit)
                return 2
              })
            ],
            together
          )
        ),
        Durable.wait("patience", "1 day")
      ])
      yield* Durable.wait("the day after", "1 day")
      return yield* boom
    })
  )

  undoes("when a forked fiber of its branch waits", (kit) =>
    withinADay(
      Effect.gen(function* () {
        yield* Effect.forkChild(Effect.andThen(Durable.wait("nag", "3 days"), kit.step("write again")))
        yield* kit.step("look up")
        yield* seat(kit)
        yield* payment
      })
    )
  )

  undoes("when a sleep is held before it", (kit) =>
    withinADay(
      Effect.gen(function* () {
        yield* Durable.hold(Effect.sleep("20 millis"))
        yield* seat(kit)
        yield* payment
      })
    )
  )

  undoes("when a request is held before it", (kit) =>
    withinADay(
      Effect.gen(function* () {
        yield* Durable.hold(turns(5))
        yield* seat(kit)
        yield* payment
      })
    )
  )

  undoesOnce("when more than a hundred recorded operations stand before it", (kit) =>
    withinADay(
      Effect.gen(function* () {
        yield* pages(120)
        yield* seat(kit)
        yield* payment
      })
    )
  )

  undoesOnce("when more than a hundred stand before it in a branch whose sibling fails", (kit) =>
    Durable.all(
      "all",
      [
        Effect.andThen(Durable.wait("a day", "1 day"), boom),
        Effect.gen(function* () {
          yield* pages(150)
          yield* seat(kit)
          yield* payment
        })
      ],
      together
    )
  )

  undoesOnce("when more than a hundred stand before it in a fiber that is never joined", (kit) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.andThen(pages(150), seat(kit)))
      yield* Durable.wait("a day", "1 day")
      yield* boom
      yield* Fiber.join(fiber)
    })
  )

  for (const [order, branches] of [
    ["after", (kit: Kit) => [kit.step("quick"), seat(kit)]],
    ["before", (kit: Kit) => [seat(kit), kit.step("quick")]]
  ] as const) {
    it.effect(
      `when it was acknowledged together with the winner of its race, which is written ${order} it`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) => Effect.andThen(Durable.race("first", branches(kit)), boom))
          assert.match(ran.outcome, /^failed as Error: boom/)
          const isRecorded = statusesOf(ran, "reserve").includes("SUCCEEDED")
          assert.strictEqual(ran.log.includes("release"), isRecorded, "reserved and recorded, but not released")
        }),
      unhurried
    )
  }

  undoes("when it lost to a policy of its batch", (kit) =>
    Effect.gen(function* () {
      yield* Durable.map(
        "sellers",
        [0, 1],
        (seller) =>
          seller === 0 ? Effect.asVoid(Effect.andThen(seat(kit), payment)) : Durable.wait("another seller", "1 day"),
        { policy: CompletionPolicy.firstSuccessful }
      )
      return yield* boom
    })
  )

  undoes("when it lost to Effect's own time-out", (kit) =>
    Effect.gen(function* () {
      yield* Effect.timeoutOption(Effect.andThen(seat(kit), payment), "1 day")
      return yield* boom
    })
  )

  undoes("when it lost to Effect's own race, days before the execution fails", (kit) =>
    Effect.gen(function* () {
      yield* Effect.raceFirst(Effect.andThen(seat(kit), payment), Durable.wait("another seller", "1 day"))
      yield* Durable.wait("the day after", "2 days")
      return yield* boom
    })
  )

  it.effect(
    "and the last by the recorded end first, whichever was written last",
    () =>
      Effect.gen(function* () {
        const part = (kit: Kit, name: string, hours: number) =>
          Durable.withCompensation(
            name,
            Effect.andThen(Durable.wait("find", `${hours} hours`), kit.step(`take ${name}`)),
            () => kit.step(`give back ${name}`)
          )
        const ran = yield* everywhere((kit) =>
          withinADay(
            Effect.all([part(kit, "canoe", 5), part(kit, "tent", 1), part(kit, "stove", 3), payment], together)
          )
        )
        assert.deepStrictEqual(ran.log, [
          "take tent",
          "take stove",
          "take canoe",
          "give back canoe",
          "give back stove",
          "give back tent"
        ])
      }),
    unhurried
  )

  it.effect(
    "or named in the failure, when the code does not come to it any more",
    () =>
      Effect.gen(function* () {
        const ran = yield* run(
          (kit) =>
            withinADay(
              Effect.gen(function* () {
                // A request that is answered in the first invocation only.
                yield* kit.invocation === 1 ? turns(2) : Effect.promise(() => new Promise(() => {}))
                yield* seat(kit)
                yield* payment
              })
            ).pipe(Effect.orDie),
          { engine: { outsideLimit: "50 millis" } }
        )
        assert.include(ran.log, "reserve")
        if (!ran.log.includes("release")) assert.match(ran.outcome, /^failed as .*"(seat|reserve)"/s)
      }),
    unhurried
  )
})

describe("a part in the finalizer of a fiber that its block has left behind is undone", () => {
  const left = (kit: Kit) =>
    Durable.onExit(Durable.wait("use", "20 days"), () => Effect.andThen(Durable.wait("returning", "1 hour"), seat(kit)))
  const block = (kit: Kit, value: string) =>
    Effect.gen(function* () {
      yield* Effect.forkChild(left(kit))
      yield* kit.step("look up")
      yield* Durable.wait("a day", "1 day")
      return value
    })
  const fails = Effect.andThen(Durable.wait("later", "1 day"), boom)

  undoes("when the block is a child", (kit) => Effect.andThen(Durable.child("block", block(kit, "")), fails))

  undoes("when the result of the block is too large to keep", (kit) =>
    Effect.andThen(Durable.child("block", block(kit, "x".repeat(300_000))), fails)
  )

  undoes("when the block is a branch", (kit) =>
    Effect.andThen(
      Durable.all("pair", [block(kit, "1"), Effect.as(Durable.wait("beside", "2 days"), "2")], together),
      fails
    )
  )

  undoes("when a time-out ends the block", (kit) =>
    Effect.andThen(withinADay(Durable.child("block", Effect.andThen(block(kit, ""), Effect.as(payment, "")))), fails)
  )

  undoes("when a child with the block is let go of after it has ended", (kit) =>
    Effect.andThen(
      Effect.exit(
        Durable.timeout(
          "limit",
          Effect.andThen(
            Durable.child("outer", Effect.andThen(Durable.child("block", block(kit, "")), payment)),
            Effect.void
          ),
          "3 days"
        )
      ),
      fails
    )
  )
})

describe("what is only rebuilt begins nothing", () => {
  const day = (name: string) => Durable.wait(name, "1 day")
  /** Something that is rented after a day, and returned whatever comes. */
  const rented = (kit: Kit) => Durable.onExit(kit.step("rent"), () => kit.step("return"))
  /** A part that comes no further than to its reservation, because it is let go of after a day. */
  const partOf = (kit: Kit, rest: Effect.Effect<unknown, never, Durable.Execution>): ReturnType<Program> =>
    Effect.gen(function* () {
      const part = Durable.withCompensation("part", Effect.andThen(kit.step("reserve"), rest), () =>
        kit.step("release")
      )
      yield* Durable.race("first", [day("limit"), Effect.asVoid(part)])
      yield* day("later")
      return yield* boom
    })
  const beginsNothing = (promise: string, program: Program): void =>
    it.effect(
      promise,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere(program)
          assert.deepStrictEqual([ran.log, statusesOf(ran, "return")], [["reserve"], []])
          assert.match(ran.outcome, /^failed as Error: boom .*"first\[1\]\/part" \(cut off/)
        }),
      unhurried
    )

  beginsNothing("where a child ends that had not ended, and leaves a finalizer behind", (kit) =>
    partOf(
      kit,
      Durable.child(
        "child",
        Effect.gen(function* () {
          yield* day("a day")
          yield* Effect.forkChild(rented(kit))
          yield* Effect.yieldNow
        })
      )
    )
  )

  beginsNothing("where a branch loses that had not lost, with a finalizer", (kit) =>
    partOf(kit, Durable.race("pair", [Effect.asVoid(Effect.andThen(day("a day"), rented(kit))), day("another")]))
  )

  beginsNothing("and is not undone because its code handles the end of the rebuilding", (kit) =>
    partOf(
      kit,
      Effect.catchCause(payment, () => Effect.succeed("not paid"))
    )
  )
})
