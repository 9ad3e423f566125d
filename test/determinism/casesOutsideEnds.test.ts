/**
 * Work outside of steps, or a hold, ends a block beside fibers that the block leaves behind. No record tells when it did, and a
 * replay has its result at once: what the records tell of the fibers still holds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { run, type Kit, type Program } from "../support/host.ts"
import { together } from "./survives.ts"

type Work = Effect.Effect<void, never, Durable.Execution>

const long = Durable.wait("long", "20 days")
const cancelling = (out: Work): Work => Effect.andThen(out, Effect.die(new Error("boom")))

/** Where a block stands that ends, or is cancelled, when the work outside ends. */
const places: Readonly<Record<string, (block: (until: Work) => Work, out: Work) => ReturnType<Program>>> = {
  "the workflow": (block, out) => block(out),
  "a child": (block, out) => Durable.child("child", block(out)),
  "a child of a child": (block, out) => Durable.child("child", Durable.child("inner", block(out))),
  "a child that fails": (block, out) => Effect.ignoreCause(Durable.child("child", block(cancelling(out)))),
  "a branch": (block, out) => Durable.all("all", [block(out), Durable.wait("other", "5 seconds")], together),
  "a flat branch": (block, out) =>
    Durable.all("all", [block(out), Durable.wait("other", "5 seconds")], { ...together, flat: true }),
  "a Durable.timeout": (block, out) => Durable.timeout("limit", block(out), "30 days"),
  "an attempt": (block, out) => Durable.retry("attempts", block(out), RetryPolicy.none),
  "the winner of a race": (block, out) => Durable.race("first", [block(out), long]),
  "the loser of a race": (block, out) => Durable.race("first", [block(long), out]),
  "a flat branch whose sibling fails": (block, out) =>
    Effect.ignoreCause(Durable.all("all", [block(long), cancelling(out)], { ...together, flat: true }))
}

type Fork = (work: Work) => Effect.Effect<unknown, never, Durable.Execution>

/** Ends the work outside when a fiber of the block has come to its third step, in the first invocation. */
const ends = (
  place: string,
  isHeld: boolean,
  left: (kit: Kit) => Work,
  log: ReadonlyArray<string>,
  fork: Fork = Effect.forkDetach
): void => {
  it.effect(`${place}, by ${isHeld ? "a hold" : "a promise"}`, () =>
    Effect.gen(function* () {
      let tell = (): void => {}
      const told = new Promise<void>((resolve) => void (tell = resolve))
      const out = isHeld ? Durable.hold(Effect.promise(() => told)) : Effect.promise(() => told)
      const ran = yield* run((kit) => {
        const third = Durable.step("third", Effect.sync(tell))
        const busy = Effect.all([kit.step("first"), kit.step("second"), third, long], { discard: true })
        const block = (until: Work): Work => Effect.andThen(Effect.andThen(fork(busy), fork(left(kit))), until)
        return places[place]!(block, out)
      })
      assert.match(ran.outcome, /^completed/)
      assert.deepStrictEqual([ran.log, ran.violations], [log, []])
    })
  )
}

const returning = Durable.wait("returning", "20 seconds")
const used = Durable.onExit(Effect.never, () => returning)

describe("a fiber left behind by a block asks again for all that it has recorded, in", () => {
  for (const place of Object.keys(places))
    for (const isHeld of [false, true]) ends(place, isHeld, () => used, ["first", "second"])
})

describe("so does a child fiber of the workflow, in", () => {
  for (const isHeld of [false, true])
    ends(
      "the workflow",
      isHeld,
      () => used,
      ["first", "second"],
      (work) => Effect.forkChild(work)
    )
})

describe("a fiber left behind by a block gets no outcome that came after the end, in", () => {
  const returned = (kit: Kit): Work =>
    Durable.onExit(Durable.wait("use", "10 seconds"), (exit) =>
      Effect.andThen(kit.step(`return after ${exit._tag}`), returning)
    )
  const log = ["first", "second", "return after Failure"]
  for (const place of Object.keys(places)) for (const isHeld of [false, true]) ends(place, isHeld, returned, log)
})

it.effect("a step whose end is on its way to the service when work outside ends the workflow ends first", () =>
  Effect.gen(function* () {
    const ran = yield* run((kit) =>
      Effect.gen(function* () {
        let tell = (): void => {}
        const told = new Promise<void>((resolve) => void (tell = resolve))
        const quick = Durable.step("quick", Effect.sync(tell))
        const after = (exit: Exit.Exit<void>) => Effect.andThen(kit.step(`return after ${exit._tag}`), returning)
        yield* Effect.forkDetach(Durable.onExit(quick, after))
        yield* Effect.promise(() => (kit.invocation === 1 ? told : Promise.resolve()))
      })
    )
    assert.strictEqual(ran.outcome, "completed with null")
    assert.deepStrictEqual(ran.log, ["return after Success"])
  })
)
