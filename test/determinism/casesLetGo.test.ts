/**
 * What is rented is returned: the finalizer of a Durable.onExit does its operations whoever ended the branch that it stands
 * in, once, and whoever goes on after the branch goes on after that.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { everywhere, hoursAt, Refused, run, type Kit, type Options, type Program } from "../support/host.ts"
import { together, unhurried } from "./survives.ts"

/** Rents something, uses it for longer than anything here lasts, and returns it. */
const rented = (kit: Kit): Effect.Effect<void, never, Durable.Execution> =>
  Effect.andThen(
    kit.step("rent"),
    Durable.onExit(Durable.wait("drive", "20 days"), () => kit.step("return"))
  )

const other = Durable.wait("other", "1 day")
const boom = Effect.andThen(other, Effect.die(new Error("boom")))

/** Rents something that takes two hours to return. */
const rentedLong = (kit: Kit): Effect.Effect<void, never, Durable.Execution> =>
  Effect.andThen(
    kit.step("rent"),
    Durable.onExit(Durable.wait("drive", "20 days"), () =>
      Effect.andThen(Durable.wait("returning", "2 hours"), kit.step("return"))
    )
  )

const longer = Durable.wait("longer", "2 days")

/** Leaves something running, and ends a day later. */
const leaving = (left: Effect.Effect<void, never, Durable.Execution>): Effect.Effect<void, never, Durable.Execution> =>
  Effect.andThen(Effect.forkChild(left), other)

const Next = DurableFunction.make("next", { success: Schema.Void })
const next: Omit<Options, "kill"> = { parts: [Next.implement(() => Effect.void)] }

describe("what is rented is returned, before the workflow goes on", () => {
  const ends: Readonly<Record<string, (kit: Kit) => Effect.Effect<unknown, unknown, Durable.Execution>>> = {
    "when a Durable.timeout strikes": (kit) => Durable.timeout("limit", rented(kit), "1 day"),
    "when another branch of a Durable.race wins": (kit) => Durable.race("first", [rented(kit), other]),
    "when another branch of a Durable.race fails first": (kit) => Durable.raceFirst("first", [rented(kit), boom]),
    "when a batch has enough": (kit) =>
      Durable.map("batch", [0, 1], (n) => (n === 0 ? rented(kit) : other), {
        policy: CompletionPolicy.firstSuccessful
      }),
    "when an item of a batch fails": (kit) => Durable.parallel("batch", [rented(kit), { name: "boom", effect: boom }]),
    "when a sibling in a Durable.all fails": (kit) =>
      Durable.all("all", [Effect.as(rented(kit), 1), Effect.as(boom, 2)], together),
    "when a sibling in a Durable.forEach fails": (kit) =>
      Durable.forEach("each", [1, 2], (n) => Effect.as(n === 1 ? rented(kit) : boom, n), together),
    "when it stands in a child that a time-out ends": (kit) =>
      Durable.timeout("limit", Durable.child("child", rented(kit)), "1 day"),
    "when it stands in a batch that a time-out ends": (kit) =>
      Durable.timeout(
        "limit",
        Effect.asVoid(Durable.all("all", [Effect.as(other, 1), Effect.as(rented(kit), 2)], together)),
        "2 days"
      ),
    "when its attempt fails": (kit) =>
      Durable.retry("attempts", Effect.asVoid(Effect.all([rented(kit), boom], together)), RetryPolicy.none),
    "when its child fails": (kit) => Durable.child("child", Effect.asVoid(Effect.all([rented(kit), boom], together))),
    "when the child ends in which it was forked": (kit) => Durable.child("child", leaving(rented(kit))),
    "when the child fails in which it was forked": (kit) =>
      Durable.child("child", Effect.andThen(Effect.forkChild(rented(kit)), boom)),
    "when the child ends in whose scope it was forked": (kit) =>
      Effect.scoped(Durable.child("child", Effect.andThen(Effect.forkScoped(rented(kit)), other))),
    "when the branch ends in which it was forked": (kit) => Durable.all("all", [leaving(rented(kit)), other], together),
    "when the flat branch ends in which it was forked": (kit) =>
      Durable.all("all", [leaving(rented(kit)), other], { ...together, flat: true }),
    "when the retry ends in which it was forked": (kit) =>
      Durable.retry("attempts", leaving(rented(kit)), RetryPolicy.none),
    "when it was forked in a child of a child that ends": (kit) =>
      Durable.child("child", Effect.andThen(Effect.forkChild(Durable.child("inner", leaving(rented(kit)))), longer)),
    "when a time-out ends the child in which it was forked": (kit) =>
      Durable.timeout("limit", Durable.child("child", Effect.andThen(Effect.forkChild(rented(kit)), longer)), "1 day"),
    "when Effect's own time-out ends the child in which it was forked": (kit) =>
      Effect.timeout(Durable.child("child", Effect.andThen(Effect.forkChild(rented(kit)), longer)), "1 day"),
    "when the child was forked that ends, in a race that is lost meanwhile": (kit) =>
      Durable.race("first", [Durable.child("child", leaving(rentedLong(kit))), Durable.wait("rival", "25 hours")]),
    "when Effect's own race is lost": (kit) => Effect.raceFirst(rented(kit), other),
    "when Effect's own time-out strikes": (kit) => Effect.timeout(rented(kit), "1 day"),
    "when a sibling in Effect.all fails": (kit) => Effect.all([rented(kit), boom], together),
    "when its fiber is interrupted": (kit) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(rented(kit))
        yield* other
        yield* Fiber.interrupt(fiber)
      })
  }
  for (const [when, end] of Object.entries(ends)) {
    it.effect(
      when,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) =>
            Effect.gen(function* () {
              yield* Effect.exit(end(kit))
              yield* kit.step("after")
              yield* Durable.wait("later", "3 days")
              yield* kit.step("last")
            })
          )
          assert.deepStrictEqual(ran.log, ["rent", "return", "after", "last"])
        }),
      unhurried
    )
  }

  it.effect(
    "also when returning takes an hour",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            const slowly = Durable.onExit(Durable.wait("drive", "20 days"), () =>
              Effect.andThen(Durable.wait("returning", "1 hour"), kit.step("return"))
            )
            yield* Effect.exit(Durable.timeout("limit", slowly, "1 day"))
            yield* kit.time("after")
            yield* kit.step("after")
          })
        )
        assert.deepStrictEqual(ran.log, ["return", "after"])
        assert.strictEqual(hoursAt(ran, "after"), 25)
      }),
    unhurried
  )
})

describe("what is rented is returned at the end of the execution", () => {
  const ends = (when: string, program: Program, log: ReadonlyArray<string>, options?: Omit<Options, "kill">): void =>
    it.effect(
      when,
      () => Effect.map(everywhere(program, options), (ran) => assert.deepStrictEqual(ran.log, log)),
      unhurried
    )

  ends(
    "by a fiber that is still using it when the workflow succeeds",
    (kit) => Effect.andThen(Effect.forkChild(rented(kit)), Durable.wait("a minute", "1 minute")),
    ["rent", "return"]
  )

  ends(
    "by a fiber that is still using it when the workflow fails",
    (kit) =>
      Effect.gen(function* () {
        yield* Effect.forkChild(rented(kit))
        yield* Durable.wait("a minute", "1 minute")
        return yield* new Refused({ why: "no" })
      }),
    ["rent", "return"]
  )

  ends(
    "by such a fiber before anything is undone",
    (kit) =>
      Effect.gen(function* () {
        yield* Effect.forkChild(rented(kit))
        yield* Durable.wait("a minute", "1 minute")
        yield* Durable.withCompensation("part", kit.step("book"), () => kit.step("cancel"))
        yield* Durable.wait("another minute", "1 minute")
        return yield* Effect.die(new Error("boom"))
      }),
    ["rent", "book", "return", "cancel"]
  )

  const beside = Durable.wait("beside", "1 day")
  const beginning = (kit: Kit) =>
    Effect.andThen(
      other,
      Durable.onExit(Durable.wait("drive", "20 days"), () =>
        Effect.andThen(Durable.wait("returning", "2 hours"), kit.step("return"))
      )
    )

  ends(
    "by a fiber that begins to use it with the last outcome before the end",
    (kit) => Effect.andThen(Effect.forkDetach(beginning(kit), { startImmediately: true }), beside),
    ["return"]
  )

  ends(
    "unless its fiber would begin to use it with an outcome after the end",
    (kit) => Effect.andThen(Effect.forkDetach(beginning(kit)), beside),
    []
  )

  ends(
    "by a fiber that is let go of, although what it waits for ends meanwhile",
    (kit) =>
      Effect.gen(function* () {
        const used = Durable.onExit(Durable.wait("drive", "1 hour"), (exit) =>
          Effect.gen(function* () {
            yield* kit.step(`return after ${exit._tag}`)
            yield* Durable.wait("returning", "2 hours")
            yield* kit.step("returned")
          })
        )
        yield* Effect.forkDetach(used)
        yield* Durable.wait("a minute", "1 minute")
      }),
    ["return after Failure", "returned"]
  )

  ends(
    "while no step begins again that the end has interrupted",
    (kit) =>
      Effect.gen(function* () {
        yield* Effect.forkDetach(kit.step("interrupted", { takes: "30 seconds" }))
        yield* Effect.forkDetach(
          Durable.onExit(Effect.void, () => Effect.andThen(Durable.wait("returning", "5 seconds"), kit.step("return")))
        )
        yield* kit.step("last", { takes: "2 seconds" })
      }),
    ["last", "interrupted", "return"]
  )

  it.effect("after a hold, of which no replay knows when it ended", () =>
    Effect.gen(function* () {
      let tell = (): void => {}
      const told = new Promise<void>((resolve) => void (tell = resolve))
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          const three = Durable.step("three", Effect.sync(tell))
          yield* Effect.forkDetach(Effect.andThen(Effect.andThen(kit.step("one"), kit.step("two")), three))
          yield* Effect.forkDetach(kit.step("interrupted", { takes: "30 seconds" }))
          yield* Effect.forkDetach(
            Durable.onExit(Effect.void, () =>
              Effect.andThen(Durable.wait("returning", "5 seconds"), kit.step("return"))
            )
          )
          yield* Durable.hold(Effect.promise(() => told))
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.deepStrictEqual(ran.log, ["one", "interrupted", "two", "return"])
    })
  )

  ends(
    "when the execution hands over to another one",
    (kit) =>
      Effect.andThen(
        kit.step("rent"),
        Durable.onExit(Effect.andThen(Durable.wait("use", "1 day"), Durable.continueWith(Next)), () =>
          kit.step("return")
        )
      ),
    ["rent", "return"],
    next
  )

  ends(
    "when the execution hands over while a branch is using it",
    (kit) =>
      Effect.gen(function* () {
        yield* Effect.forkChild(rented(kit))
        yield* Durable.wait("a day", "1 day")
        return yield* Durable.continueWith(Next)
      }),
    ["rent", "return"],
    next
  )
})

describe("a finalizer that runs when its fiber is let go of runs to its end", () => {
  const slowly = (kit: Kit, name: string): Effect.Effect<string, never, Durable.Execution> =>
    Effect.andThen(Durable.wait(`wait for ${name}`, "2 days"), kit.step(name))
  const never = Effect.as(Durable.wait("too long", "9 days"), "")
  const finalizers: Readonly<Record<string, (kit: Kit) => Effect.Effect<unknown, unknown, Durable.Execution>>> = {
    "Effect.all": (kit) => Effect.all([slowly(kit, "return"), never], together),
    "Effect.raceFirst": (kit) => Effect.raceFirst(slowly(kit, "return"), never),
    "Effect.timeout": (kit) => Effect.timeout(slowly(kit, "return"), "9 days"),
    "a fiber that it joins": (kit) => Effect.flatMap(Effect.forkChild(slowly(kit, "return")), Fiber.join),
    "Durable.all": (kit) => Durable.all("all", [slowly(kit, "return"), never], together),
    "Durable.race": (kit) => Durable.race("first", [slowly(kit, "return"), never]),
    "Durable.timeout": (kit) => Durable.timeout("limit", slowly(kit, "return"), "9 days")
  }
  for (const [how, finalizer] of Object.entries(finalizers)) {
    const block = (kit: Kit) =>
      Effect.gen(function* () {
        yield* Effect.forkDetach(Durable.onExit(other, () => finalizer(kit)))
        yield* longer
      })
    it.effect(
      `with ${how}`,
      () =>
        Effect.gen(function* () {
          const atEnd = yield* everywhere(block)
          assert.deepStrictEqual(atEnd.log, ["return"])
          const inChild = yield* everywhere((kit) =>
            Effect.andThen(Durable.child("child", block(kit)), kit.step("after"))
          )
          assert.deepStrictEqual(inChild.log, ["return", "after"])
          const handedOver = yield* everywhere((kit) => Effect.andThen(block(kit), Durable.continueWith(Next)), next)
          assert.deepStrictEqual(handedOver.log, ["return"])
        }),
      unhurried
    )
  }

  it.effect(
    "and lets go of what is its own only",
    () =>
      Effect.gen(function* () {
        const used = (kit: Kit) =>
          Durable.onExit(Effect.exit(never), (exit) =>
            Effect.gen(function* () {
              yield* kit.step(`return after ${exit._tag}`)
              yield* longer
              yield* kit.step("returned")
            })
          )
        // A race that is over as soon as it begins.
        const first = Durable.raceFirst("first", [never, Effect.succeed("")])
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.forkDetach(Durable.onExit(Effect.never, () => first))
            yield* Effect.forkDetach(used(kit))
            yield* other
          })
        )
        assert.strictEqual(ran.outcome, "completed with null")
        assert.deepStrictEqual(ran.log, ["return after Failure", "returned"])
      }),
    unhurried
  )

  it.effect(
    "and its fiber does nothing after that",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => {
          const round = Durable.onExit(Durable.wait("use", "1 hour"), () => longer)
          // A loop that survives every failure.
          const worker = Effect.forever(Effect.exit(Effect.andThen(kit.step("round"), round)))
          return Effect.andThen(
            Effect.forkDetach(Durable.onExit(worker, (exit) => kit.step(`over after ${exit._tag}`))),
            other
          )
        })
        assert.strictEqual(ran.outcome, "completed with null")
        assert.deepStrictEqual(ran.log, ["round", "over after Failure"])
      }),
    unhurried
  )

  it.effect(
    "and what it leaves behind is let go of then",
    () =>
      Effect.gen(function* () {
        const leavingOne = (kit: Kit) =>
          Durable.onExit(Durable.wait("use", "20 days"), () =>
            Effect.andThen(Effect.forkDetach(Durable.onExit(Effect.never, () => kit.step("inner"))), other)
          )
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Durable.child("child", Effect.andThen(Effect.forkChild(leavingOne(kit)), longer))
            yield* kit.time("after")
            yield* kit.step("after")
          })
        )
        assert.deepStrictEqual(ran.log, ["inner", "after"])
        assert.strictEqual(hoursAt(ran, "after"), 72)
      }),
    unhurried
  )
})

it.effect("what a fiber does that a branch forked is over when the branch is let go of", () =>
  Effect.gen(function* () {
    const ran: Array<string> = []
    const aside = Effect.all([Durable.wait("a", "9 days"), Durable.wait("b", "9 days")], together)
    const onAfter = Effect.andThen(
      Effect.exit(aside),
      Effect.sync(() => void ran.push("on"))
    )
    yield* everywhere((kit) =>
      Effect.gen(function* () {
        const branch = Effect.andThen(Effect.forkChild(onAfter), Durable.wait("long", "20 days"))
        yield* Durable.race("first", [branch, other])
        yield* kit.step("after")
        yield* Durable.wait("later", "1 day")
      })
    )
    assert.deepStrictEqual(ran, [])
  })
)
