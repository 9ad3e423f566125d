/**
 * Code that changes under an execution: a contradiction between history and code is found before anything new is done, and
 * its message names both; Durable.patched tells old executions from new ones.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { everywhere, run, valueOf, type Kit, type Program, type Ran } from "../support/host.ts"
import { turns } from "./outside.ts"
import { together, unhurried } from "./survives.ts"

/** The code of the first invocation, and that of all later ones. */
const deployed =
  (before: Program, after: Program): Program =>
  (kit) =>
    kit.invocation === 1 ? before(kit) : after(kit)

/** The execution ends as a contradiction that names all of these, a day after its start, and did nothing but this before. */
const assertContradiction = (ran: Ran, names: ReadonlyArray<string>, log: ReadonlyArray<string>): void => {
  assert.match(ran.outcome, /^failed as NonDeterministic: /)
  for (const name of names) assert.match(ran.outcome, new RegExp(`["/]${name}"`))
  assert.deepStrictEqual(ran.log, log)
  assert.isBelow(Duration.toHours(ran.elapsed), 25)
}

const aDay = Durable.wait("a day", "1 day")

/** Prints something, lets it dry for a day, binds it, and looks at it again after some weeks. */
const edition = (kit: Kit, print: Effect.Effect<unknown, never, Durable.Execution>) =>
  Effect.gen(function* () {
    yield* print
    yield* aDay
    yield* kit.step("bind")
    yield* Durable.wait("some weeks", "25 days")
    yield* kit.step("inspect")
  })

const printed: Program = (kit) => edition(kit, kit.step("print"))

describe("a change that contradicts the history is found before anything new is done", () => {
  const finds = (what: string, after: Program, names: ReadonlyArray<string>): void =>
    it.effect(what, () =>
      Effect.map(run(deployed(printed, after)), (ran) => assertContradiction(ran, names, ["print"]))
    )

  finds("a step that was renamed", (kit) => edition(kit, kit.step("print in colour")), ["print", "print in colour"])
  finds("a step that was removed", (kit) => edition(kit, Effect.void), ["print"])
  finds(
    "a step that was inserted before recorded ones",
    (kit) => edition(kit, Effect.andThen(kit.step("read proofs"), kit.step("print"))),
    ["print", "read proofs"]
  )
  finds("a step that was moved into a child", (kit) => edition(kit, Durable.child("press", kit.step("print"))), [
    "print"
  ])
  finds("a wait that was put in the place of a step", (kit) => edition(kit, Durable.wait("print", "1 hour")), ["print"])

  it.effect("an operation that was renamed while it was under way", () =>
    Effect.gen(function* () {
      const pause =
        (name: string): Program =>
        (kit) =>
          Effect.andThen(
            Effect.all([Durable.wait(name, "1 day"), Durable.wait("a minute", "1 minute")], together),
            kit.step("end")
          )
      const ran = yield* run(deployed(pause("pause"), pause("pause 2")))
      assertContradiction(ran, ["pause", "pause 2"], [])
    })
  )

  it.effect("an operation that was renamed in a child that is under way", () =>
    Effect.gen(function* () {
      const child =
        (name: string): Program =>
        (kit) =>
          Durable.child("block", Effect.asVoid(Effect.andThen(kit.step(name), Effect.andThen(aDay, kit.step("end")))))
      const ran = yield* run(deployed(child("old"), child("new")))
      assertContradiction(ran, ["old", "new"], ["old"])
    })
  )

  it.effect("a sleep of Effect that was inserted before another one", () =>
    Effect.gen(function* () {
      const asleep: Program = (kit) => Effect.andThen(Effect.sleep("3 days"), kit.step("end"))
      const inserted: Program = (kit) => Effect.andThen(Effect.sleep("1 minute"), asleep(kit))
      // The deployment is between an invocation that woke for something else and the end of the sleep.
      const beside =
        (program: Program): Program =>
        (kit) =>
          Effect.all([program(kit), Durable.wait("an hour", "1 hour")], together)
      const ran = yield* run(deployed(beside(asleep), beside(inserted)))
      assertContradiction(ran, ["sleep 259200s", "sleep 60s"], [])
    })
  )

  it.effect("a sleep of Effect whose length was changed", () =>
    Effect.gen(function* () {
      const asleep =
        (length: Duration.Input): Program =>
        (kit) =>
          Effect.all(
            [Effect.andThen(Effect.sleep(length), kit.step("end")), Durable.wait("an hour", "1 hour")],
            together
          )
      const ran = yield* run(deployed(asleep("3 days"), asleep("2 days")))
      assertContradiction(ran, ["sleep 259200s", "sleep 172800s"], [])
    })
  )
})

describe("a change that does not contradict the history goes on", () => {
  const goesOn = (what: string, after: Program, log: ReadonlyArray<string>): void =>
    it.effect(what, () =>
      Effect.gen(function* () {
        const ran = yield* run(deployed(printed, after))
        assert.match(ran.outcome, /^completed/)
        assert.deepStrictEqual(ran.log, log)
      })
    )

  goesOn(
    "with a step after the recorded ones",
    (kit) => Effect.andThen(edition(kit, kit.step("print")), kit.step("sell")),
    ["print", "bind", "inspect", "sell"]
  )
  goesOn(
    "with a step behind a patch, which an execution that has passed it does not do",
    (kit) =>
      edition(
        kit,
        Effect.flatMap(Durable.patched("proofs"), (patched) =>
          Effect.andThen(patched ? kit.step("read proofs") : Effect.void, kit.step("print"))
        )
      ),
    ["print", "bind", "inspect"]
  )
})

describe("Durable.patched is true in an execution that began with the change", () => {
  const patchedBeside = (kit: Kit, beside: Effect.Effect<unknown, never, Durable.Execution>) =>
    Effect.gen(function* () {
      const other = yield* Effect.forkChild(Effect.andThen(beside, Durable.wait("long", "2 hours")))
      yield* kit.step("slow", { takes: "1 second" })
      yield* Durable.wait("pause", "1 hour")
      const patched = yield* Durable.patched("change")
      yield* kit.tell("whether it is patched", patched)
      yield* kit.step(patched ? "new" : "old")
      yield* Fiber.join(other)
      return patched
    })
  const step = Durable.step("other", Effect.void)
  const answers = (what: string, beside: Effect.Effect<unknown, never, Durable.Execution>): void =>
    it.effect(
      what,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) => patchedBeside(kit, beside))
          assert.strictEqual(valueOf(ran), true)
          assert.deepStrictEqual(ran.log, ["slow", "new"])
        }),
      unhurried
    )

  answers("beside a fiber with a step", step)
  answers("beside a fiber that holds a sleep", Effect.andThen(Durable.hold(Effect.sleep("20 millis")), step))
  answers("beside a fiber that holds a request", Effect.andThen(Durable.hold(turns(5)), step))

  it.effect(
    "beside a fiber with more than a hundred recorded steps",
    () =>
      Effect.gen(function* () {
        const ran = yield* run((kit) => patchedBeside(kit, Effect.repeat(step, { times: 150 })))
        assert.strictEqual(valueOf(ran), true)
      }),
    unhurried
  )
})
