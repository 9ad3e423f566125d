import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ask, both, Declined as Refused, host, valueOf as answered } from "../runtime/harness.ts"
import { after, assertAlike, declared, Declined, decline, everySight, failAfter, gauge, replay } from "./batches.ts"
import { actions, crashAt, defectOf, deployed, errorOf, execute, failureOf, holds, valueOf } from "./support.ts"

describe("Durable.all", () => {
  it.effect("has the values of a tuple, an array or a record in their places, live and on replay", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.gen(function* () {
          return [
            yield* Durable.all("tuple", [after(2, "a"), after(1, 2)], both),
            yield* Durable.all(
              "array",
              [3, 2, 1].map((n) => after(n, n)),
              both
            ),
            yield* Durable.all("record", { b: after(2, "b"), a: { name: "named", effect: after(1, 1) } }, both),
            yield* Durable.all("no tuple", []),
            yield* Durable.all("no record", {})
          ]
        })
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [["a", 2], [3, 2, 1], { b: "b", a: 1 }, [], {}])
    })
  )

  it.effect("runs one branch after the other, unless it is told otherwise", () =>
    Effect.gen(function* () {
      for (const [options, most] of [
        [{}, 1],
        [{ concurrency: 2 }, 2],
        [both, 4]
      ] as const) {
        const meter = gauge()
        const ran = yield* execute(
          Durable.all(
            "all",
            [4, 3, 2, 1].map((n) => meter.around(after(n, n))),
            options
          )
        )
        assert.deepStrictEqual(valueOf(ran), [4, 3, 2, 1])
        assert.strictEqual(meter.most, most)
      }
    })
  )

  it.effect("fails as the first branch that fails, and starts none after it", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.exit(Durable.all("all", [after(1, 1), failAfter(1, "first"), failAfter(1, "never")], declared))
      )
      for (const exit of seen) assert.strictEqual(errorOf(exit).code, "first")
      assert.notInclude(actions(ran.updates), "START parallel-branch-2")
    })
  )

  it.effect("fails as the branch that failed first in time, and does so on every replay", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.exit(
          Durable.all("all", [failAfter(30, "late"), failAfter(10, "early"), after(60, 1)], { ...declared, ...both })
        )
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) assert.strictEqual(errorOf(exit).code, "early")
      assert.isBelow(ran.history.at(-1)!.EventTimestamp - ran.history[0]!.EventTimestamp, 20_000)
    })
  )

  it.effect("dies as a branch that dies", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.exit(Durable.all("all", [Effect.succeed(1), Effect.die(new RangeError("too far"))]))
      )
      for (const exit of seen) assert.strictEqual(String(defectOf(exit)), "RangeError: too far")
    })
  )

  it.effect("keeps mistakes mistakes", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.all("all", [Durable.wait("nap", "367 days")]))
      assert.strictEqual(failureOf(ran).errorType, "InvalidDuration")
      const refused = yield* execute(Durable.all("all", [Effect.succeed(1)], { concurrency: 0 }))
      assert.strictEqual(failureOf(refused).errorType, "InvalidOptions")
    })
  )

  it.effect("fails as before after a crash, whether its end was recorded or not", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        const { seen } = yield* everySight(
          Effect.exit(Durable.all("all", [failAfter(2, "a"), failAfter(1, "b")], { ...declared, ...both })),
          { store: crashAt(holds("SUCCEED", "all"), when) }
        )
        assert.isAtLeast(seen.length, 2, when)
        for (const exit of seen) assert.strictEqual(errorOf(exit).code, "b", when)
      }
    })
  )

  it.effect("with other branches than it was recorded with is NonDeterministic", () =>
    Effect.gen(function* () {
      const program = (count: number) =>
        Effect.tap(
          Durable.all(
            "all",
            Array.from({ length: count }, (_, n) => Effect.succeed(n))
          ),
          replay
        )
      for (const [before, then] of [
        [2, 3],
        [3, 2]
      ] as const) {
        const ran = yield* execute(deployed(program(before), program(then)))
        assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
        assert.include(
          failureOf(ran).errorMessage,
          `The history holds ${before} items of "all", but the code has ${then}.`
        )
      }
    })
  )

  it.effect("hands on the library's own errors without a schema", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.exit(Durable.all("all", [Durable.timeout("slow", Durable.wait("nap", "1 hour"), "1 second")]))
      )
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.DurableTimeout)
    })
  )
})

describe("Durable.forEach", () => {
  it.effect("has the values in the order of the items, one after the other or side by side", () =>
    Effect.gen(function* () {
      for (const options of [{}, both, { concurrency: 2, flat: true }]) {
        const { seen } = yield* everySight(
          Durable.forEach("each", new Set([3, 1, 2]), (n, index) => after(n, `${index}:${n}`), options)
        )
        assertAlike(seen, 2)
        assert.deepStrictEqual(seen[0], ["0:3", "1:1", "2:2"])
      }
    })
  )

  it.effect("of nothing is an empty list", () =>
    Effect.gen(function* () {
      const none: ReadonlyArray<number> = []
      assert.deepStrictEqual(valueOf(yield* execute(Durable.forEach("each", none, (n) => after(n, n)))), [])
    })
  )

  it.effect("gives what its Schema decodes", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Durable.forEach("each", [1, 2], (n) => Effect.succeed(new Date(n)), { success: Schema.Date })
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [new Date(1), new Date(2)])
    })
  )

  it.effect("fails as its first item that fails", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.exit(
          Durable.forEach("each", ["a", "b"], (code) => decline(code), { ...declared, itemName: (code) => code })
        )
      )
      assert.instanceOf(errorOf(valueOf(ran)), Declined)
      assert.deepStrictEqual(actions(ran.updates), ["START each", "START a", "FAIL a", "SUCCEED each"])
    })
  )
})

describe("Two branches that failed while nobody was there", () => {
  const failing = (code: string) => ({ error: { code } })
  const program = (flat: boolean) => () =>
    Durable.all("all", [ask("a"), ask("b"), ask("c")], { ...both, flat, error: Refused })

  it.live.each([false, true])("count in the order of their records, and so on every replay (flat: %s)", (flat) =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.flatMap(Effect.exit(program(flat)()), (exit) => {
          const error = errorOf(exit)
          return Effect.map(ask("later"), () => (error instanceof Refused ? error.code : ""))
        })
      )
      yield* execution.turn()
      // The invocation that the first answer brings about begins only when both are there.
      execution.complete("b", failing("b"))
      execution.skipTo(Date.now() + 5_000)
      execution.complete("a", failing("a"))
      const second = yield* execution.turn()
      assert.strictEqual(second.answer?.Status, "PENDING")
      assert.include(second.recorded, "SUCCEED all")
      const { answer } = yield* execution.drive((open) => open.filter(({ Name }) => Name === "later"))
      assert.strictEqual(answered(answer), "b")
    })
  )
})

describe("Durable.all and Durable.forEach with discard", () => {
  const date: Effect.Effect<Date | string> = Effect.sync(() => new Date(0))
  const branches = { a: date, b: Durable.step("b", Effect.succeed("secret")) }
  const programs = {
    all: Durable.all("batch", branches, { discard: true }),
    forEach: Durable.forEach("batch", ["a", "b"] as const, (key) => branches[key], { discard: true }),
    "a flat forEach": Durable.forEach("batch", ["a", "b"] as const, (key) => branches[key], {
      discard: true,
      flat: true
    })
  }
  for (const [name, program] of Object.entries(programs)) {
    it.effect(`end with nothing, and record no value, live and on replay: ${name}`, () =>
      Effect.gen(function* () {
        const { ran, seen } = yield* everySight(program)
        assert.deepStrictEqual(seen, [undefined, undefined])
        const contexts = ran.updates.filter(({ Type }) => Type === "CONTEXT")
        assert.deepStrictEqual(
          contexts.flatMap(({ Payload }) => Payload ?? []),
          [
            `{"all":[{"index":0,"status":"SUCCEEDED"},{"index":1,"status":"SUCCEEDED"}],"completionReason":"ALL_COMPLETED"}`
          ]
        )
      })
    )
  }

  it.effect("fail as the first branch that fails, live and on replay", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.exit(Durable.all("all", [after(1, 1), failAfter(1, "first")], { ...declared, discard: true }))
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) assert.strictEqual(errorOf(exit).code, "first")
    })
  )
})

describe("A block that ends with a list of nothing", () => {
  const steps = (n: number) => Durable.step(`step-${n}`, Effect.void)
  const blocks: Record<string, Effect.Effect<ReadonlyArray<void>, never, Durable.Execution>> = {
    "Effect.forEach": Durable.child(
      "block",
      Effect.forEach([1, 2], () => Effect.void)
    ),
    "Durable.forEach": Durable.child(
      "block",
      Durable.forEach("items", [1, 2], () => Effect.void)
    ),
    "Durable.all": Durable.child("block", Durable.all("branches", [Effect.void, Effect.void])),
    steps: Durable.child("block", Effect.orDie(Effect.forEach([1, 2], steps))),
    "a branch": Effect.map(Durable.all("block", [Effect.forEach([1, 2], () => Effect.void)]), ([list]) => list),
    "an item of a map": Effect.map(
      Durable.map("block", [1], () => Effect.forEach([1, 2], () => Effect.void)),
      ({ values }) => values[0] ?? []
    )
  }
  for (const [name, block] of Object.entries(blocks)) {
    it.effect(`gives it as it was, live and on replay: ${name}`, () =>
      Effect.gen(function* () {
        const { seen } = yield* everySight(block)
        assert.deepStrictEqual(seen, [
          [undefined, undefined],
          [undefined, undefined]
        ])
      })
    )
  }
})
