/**
 * What is not recorded: promises and holds that meet limits and names, and what a recorded context did to the memory around
 * it. None of it is ordered by the history, so a test says what is told of it, and what cures it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import {
  atEveryRequest,
  differenceIn,
  everywhere,
  run,
  valueOf,
  type Kit,
  type Program,
  type Ran
} from "../support/host.ts"
import { bareTimer, turns } from "./outside.ts"
import { unhurried } from "./survives.ts"

/** Tries something within an hour, and says two hours later how that went. */
const within = (kit: Kit, work: Effect.Effect<unknown, never, Durable.Execution>) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(Effect.timeout(work, "1 hour"))
    const how = Exit.isSuccess(exit) ? "in time" : "too late"
    yield* Durable.wait("later", "2 hours")
    yield* kit.step(`it was ${how}`)
    return how
  })

/** Whatever was decided, it was decided once: one recorded step says so, and the result says the same. */
const isOfOnePiece = (ran: Ran): string | undefined => {
  const said = new Set(ran.effects.flatMap(({ acknowledged, text }) => (acknowledged ? [text] : [])))
  const [how] = said
  return said.size === 1 && ran.outcome === `completed with "${how?.replace("it was ", "")}"`
    ? undefined
    : "the step and the result contradict each other"
}

describe("a limit around work that is not recorded", () => {
  it.effect(
    "around a hold: the end of a hold is not ordered, and the execution is of one piece all the same",
    () => atEveryRequest((kit) => within(kit, Durable.hold(turns(5))), isOfOnePiece),
    unhurried
  )

  it.effect(
    "around a promise: the same, and it is told",
    () =>
      Effect.gen(function* () {
        const ran = yield* atEveryRequest((kit) => within(kit, turns(5)), isOfOnePiece)
        assert.isNotEmpty(ran.warnings)
      }),
    unhurried
  )

  it.effect("around a promise: it fails a strict test", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => within(kit, turns(5)), { engine: { strict: true } })
      assert.match(ran.outcome, /^never ended: TestFailure: /)
    })
  )

  it.effect(
    "around a hold and a step: the record of the step proves that the hold was over in time",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => within(kit, Effect.andThen(Durable.hold(turns(5)), kit.step("save"))))
        assert.strictEqual(valueOf(ran), "in time")
        assert.deepStrictEqual(ran.log, ["save", "it was in time"])
      }),
    unhurried
  )

  it.effect(
    "around a promise in a step: it is recorded, and always the same",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) => within(kit, Durable.step("ask", Effect.asVoid(turns(5)))))
        assert.strictEqual(valueOf(ran), "in time")
      }),
    unhurried
  )
})

describe("a name that two fibers use after promises", () => {
  it.effect("has no order, and is refused as NameInUse", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          const saved = yield* Effect.forEach(
            [1, 2],
            // Whose promise is kept first is another one in each invocation.
            (n) => Effect.andThen(turns((n + kit.invocation) % 2 === 0 ? 2 : 40), kit.step("save", { value: `${n}` })),
            { concurrency: 2 }
          )
          yield* Durable.wait("later", "1 hour")
          yield* kit.step("end")
          return saved
        })
      )
      assert.match(ran.outcome, /^failed as NameInUse: .*save/s)
      assert.notInclude(ran.log, "end")
    })
  )

  it.effect(
    "is no trouble with a key in it",
    () =>
      Effect.gen(function* () {
        const ran = yield* atEveryRequest(
          (kit) =>
            Effect.gen(function* () {
              const saved = yield* Effect.forEach(
                [1, 2],
                (n) =>
                  Effect.andThen(
                    turns((n + kit.invocation) % 2 === 0 ? 2 : 40),
                    kit.step(`save ${n}`, { value: `${n}` })
                  ),
                { concurrency: 2 }
              )
              yield* Durable.wait("later", "1 hour")
              yield* kit.step("end")
              return saved
            }),
          (ran) => differenceIn(ran) ?? (ran.outcome === 'completed with ["1","2"]' ? undefined : "values were swapped")
        )
        assert.include(ran.log, "end")
      }),
    unhurried
  )
})

describe("a bare callback of Effect", () => {
  it.effect("beside a wait is taken for a wait: it begins again at the replay, and its end is seen there", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(bareTimer(10))
          yield* Durable.wait("a minute", "1 minute")
          const kept = yield* Fiber.join(fiber)
          yield* kit.step("end")
          return kept
        })
      )
      assert.strictEqual(valueOf(ran), "kept")
      assert.deepStrictEqual(ran.log, ["end"])
    })
  )

  it.effect("with nothing beside it is waited for", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => Effect.tap(bareTimer(30), () => kit.step("end")))
      assert.strictEqual(valueOf(ran), "kept")
      assert.deepStrictEqual(ran.log, ["end"])
    })
  )
})

/** Items that take posters from a queue of the workflow around them, of which the last comes first. */
const items =
  (flat: boolean): Program =>
  (kit) =>
    Effect.gen(function* () {
      const posters = yield* Queue.unbounded<string>()
      yield* Queue.offerAll(posters, ["red", "blue"])
      const item = (index: number) =>
        Effect.gen(function* () {
          if (index === 0) return yield* kit.step("look around", { value: "nothing" })
          if (index === 1) yield* Durable.wait("an hour", "1 hour")
          const poster = yield* Queue.take(posters)
          yield* kit.step(`hang ${poster}`)
          return poster
        })
      const shipped = yield* Durable.forEach("items", [0, 1, 2], item, { concurrency: 2, flat })
      yield* Durable.wait("later", "1 hour")
      yield* kit.step("end")
      return shipped
    })

/** A child that changes a Ref of the workflow around it, which is asked at once. */
const reference =
  (flat: boolean): Program =>
  (kit) =>
    Effect.gen(function* () {
      const tariff = yield* Ref.make(0)
      const change = Effect.andThen(kit.step("look up the tariff"), Effect.asVoid(Ref.set(tariff, 7)))
      yield* flat ? Durable.child("tariffs", change, { flat: true }) : Durable.child("tariffs", change)
      yield* kit.step(`bill ${yield* Ref.get(tariff)}`)
      yield* Durable.wait("later", "1 hour")
      yield* kit.step("end")
      return yield* Ref.get(tariff)
    })

/** The same, asked an hour later, when the child is not run any more. */
const referenceLater =
  (flat: boolean): Program =>
  (kit) =>
    Effect.gen(function* () {
      const tariff = yield* Ref.make(0)
      const change = Effect.andThen(kit.step("look up the tariff"), Effect.asVoid(Ref.set(tariff, 7)))
      yield* flat ? Durable.child("tariffs", change, { flat: true }) : Durable.child("tariffs", change)
      yield* Durable.wait("later", "1 hour")
      const billed = yield* Ref.get(tariff)
      yield* kit.step(`bill ${billed}`)
      return billed
    })

describe("what a recorded context does to the memory around it does not happen again", () => {
  it.effect(
    "items that take from a queue: flat ones take each poster once, everywhere",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(items(true))
        assert.deepStrictEqual(valueOf(ran), ["nothing", "blue", "red"])
        assert.deepStrictEqual(ran.log, ["look around", "hang red", "hang blue", "end"])
      }),
    unhurried
  )

  it.effect(
    "items that take from a queue: recorded ones take a poster again after a suspension, which flat cures",
    () => Effect.map(run(items(false)), (ran) => assert.deepStrictEqual(valueOf(ran), ["nothing", "red", "red"]))
  )

  it.effect(
    "a Ref that a child sets: a flat child sets it at every replay",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(reference(true))
        assert.strictEqual(valueOf(ran), 7)
        assert.deepStrictEqual(ran.log, ["look up the tariff", "bill 7", "end"])
      }),
    unhurried
  )

  it.effect("a Ref that a child sets: what it decided contradicts the history, before anything new is done", () =>
    Effect.gen(function* () {
      const ran = yield* run(reference(false))
      assert.match(ran.outcome, /^failed as NonDeterministic: /)
      assert.include(ran.outcome, "bill 7")
      assert.include(ran.outcome, "bill 0")
      assert.deepStrictEqual(ran.log, ["look up the tariff", "bill 7"])
    })
  )

  it.effect("a Ref that a child sets: it fails a strict test", () =>
    Effect.map(run(reference(false), { engine: { strict: true } }), ({ outcome }) =>
      assert.match(outcome, /^never ended: TestFailure: .*tariffs/s)
    )
  )

  it.effect(
    "a Ref that a child sets, asked later: a flat child sets it at every replay",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(referenceLater(true))
        assert.strictEqual(valueOf(ran), 7)
        assert.deepStrictEqual(ran.log, ["look up the tariff", "bill 7"])
      }),
    unhurried
  )

  it.effect(
    "a Ref that a child sets, asked later: it is as the recorded child left it at every replay, unset",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(referenceLater(false))
        assert.strictEqual(valueOf(ran), 0)
        assert.deepStrictEqual(ran.log, ["look up the tariff", "bill 0"])
      }),
    unhurried
  )
})
