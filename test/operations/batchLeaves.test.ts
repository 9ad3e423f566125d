/** A block that ends with the result of a batch, with a Schema of it and without. */
import { assert, describe, it } from "@effect/vitest"
import { BatchResult, CompletionPolicy, Durable, DurableError, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { after, declared, Declined, decline, everySight } from "./batches.ts"
import { failureOf, execute, unchecked } from "./support.ts"

const all = { policy: CompletionPolicy.allCompleted }

/** An item that fails as its name says. */
const trouble = (item: string) => {
  switch (item) {
    case "died":
      return Effect.die(Object.assign(new RangeError("too far"), { cause: { at: 3 } }))
    case "never":
      return after(900_000, 1)
    case "timed out":
      return Durable.timeout("slow", after(900_000, 1), "1 second")
    default:
      return after(1, item.length)
  }
}

describe("A block that ends with the result of a batch", () => {
  it.effect("gives it as it was, without a Schema: values, items, what was let go of", () =>
    Effect.gen(function* () {
      const batch = Durable.map("batch", ["a", "never", "b"], trouble, {
        policy: CompletionPolicy.make({ minSuccessful: 2 })
      })
      const { ran, seen } = yield* everySight(Durable.child("block", batch))
      assert.lengthOf(seen, 2)
      assert.isFalse(ran.operations[0]?.ContextDetails?.ReplayChildren)
      for (const result of seen) {
        assert.instanceOf(result, BatchResult.BatchResult)
        assert.strictEqual(result.name, "batch")
        assert.strictEqual(result.completionReason, "MIN_SUCCESSFUL_REACHED")
        assert.deepStrictEqual(result.values, [1, 1])
        assert.deepStrictEqual(
          result.all.map(({ index, item, status }) => `${index} ${item} ${status}`),
          ["0 a SUCCEEDED", "1 never STARTED", "2 b SUCCEEDED"]
        )
      }
    })
  )

  it.effect("is recorded with a mark, as executions under way have it", () =>
    Effect.gen(function* () {
      const batch = Durable.map("batch", ["a", "~"], (item) => (item === "a" ? Effect.succeed(item) : Effect.void))
      const ran = yield* execute(Effect.asVoid(Durable.child("block", batch)))
      assert.strictEqual(
        ran.operations.find(({ Name }) => Name === "block")?.ContextDetails?.Result,
        `{"~mark":"~","value":{"~":{"name":"batch","all":[` +
          `{"status":"SUCCEEDED","index":0,"name":"map-item-0","item":"a","value":"a"},` +
          `{"status":"SUCCEEDED","index":1,"name":"map-item-1","item":"~"}],"completionReason":"ALL_COMPLETED"}}}`
      )
    })
  )

  it.effect("gives the errors of the library and defects of its items, without a Schema", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Durable.child("block", Durable.map("batch", ["died", "timed out", "abc"], trouble, all))
      )
      assert.lengthOf(seen, 2)
      for (const { failed, succeeded } of seen) {
        const [died, timedOut] = failed
        assert.deepStrictEqual([died?.item, timedOut?.item, succeeded[0]?.item], ["died", "timed out", "abc"])
        assert.instanceOf(timedOut?.error, DurableError.DurableTimeout)
        assert.notProperty(died, "error")
        const defect = Cause.squash(died?.cause ?? Cause.empty)
        assert.strictEqual(String(defect), "RangeError: too far")
        assert.deepStrictEqual(defect instanceof Error ? defect.cause : undefined, { at: 3 })
      }
    })
  )

  it.effect("gives it from within a record, beside lists of nothing and what looks like it", () =>
    Effect.gen(function* () {
      const block = Durable.child(
        "block",
        Effect.gen(function* () {
          const results = yield* Durable.parallel("batch", [Effect.succeed(["~", undefined]), Effect.succeed(null)])
          const inner = yield* Durable.map("map", [undefined, { "~": 1 }], () => Effect.void)
          return { results: [results], inner, "~": [undefined, "~~"] }
        })
      )
      const { seen } = yield* everySight(block)
      assert.lengthOf(seen, 2)
      for (const { inner, results, "~": rest } of seen) {
        assert.deepStrictEqual(results[0]?.values, [["~", undefined], null])
        assert.deepStrictEqual(inner.values, [undefined, undefined])
        assert.deepStrictEqual(
          inner.all.map(({ item }) => item),
          [undefined, { "~": 1 }]
        )
        assert.deepStrictEqual(rest, [undefined, "~~"])
      }
    })
  )

  it.effect("gives what its Schema keeps: declared errors, and items only if it has their Schema", () =>
    Effect.gen(function* () {
      const dates = [new Date(1), new Date(2), new Date(3)]
      const success = Schema.Date
      const batch = Durable.map("batch", dates, (date, index) => (index === 1 ? decline() : Effect.succeed(date)), {
        ...declared,
        success
      })
      const error = Declined
      const { seen } = yield* everySight(
        Effect.all({
          kept: Durable.child("kept", batch, { success: BatchResult.Schema({ success, error, item: Schema.Date }) }),
          left: Durable.child("left", batch, { success: BatchResult.Schema({ success, error }) })
        })
      )
      assert.lengthOf(seen, 2)
      for (const { kept, left } of seen) {
        for (const { errors, values } of [kept, left]) {
          assert.deepStrictEqual(values, [new Date(1), new Date(3)])
          assert.deepStrictEqual(errors, [new Declined({ code: "no" })])
        }
        assert.deepStrictEqual(
          kept.all.map(({ item }) => item),
          dates
        )
        assert.deepStrictEqual(
          left.all.map(({ item }) => item),
          dates.map(() => undefined)
        )
        assert.deepStrictEqual(
          kept.failed.map((item) => item.error?.code),
          ["no"]
        )
      }
    })
  )

  it.effect("keeps mistakes of the library mistakes, with a Schema and without", () =>
    Effect.gen(function* () {
      const batch = Durable.parallel("batch", [Effect.orDie(Durable.wait("nap", "367 days"))], all)
      const success = BatchResult.Schema({ success: Schema.Void })
      const { seen } = yield* everySight(
        Effect.all([Durable.child("block", batch), Durable.child("block", batch, { success })])
      )
      for (const results of seen)
        for (const { causes } of results)
          assert.instanceOf(Cause.squash(causes[0] ?? Cause.empty), DurableError.InvalidDuration)
    })
  )

  it.effect("is SerdesFailed when a part of the result is not plain, and says which", () =>
    Effect.gen(function* () {
      const batch: Effect.Effect<BatchResult.BatchResult<number, never>, never, Durable.Execution> = Durable.map(
        "batch",
        [new Date(0)],
        () => Effect.succeed(1)
      )
      const ran = yield* execute(Durable.child("block", batch))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.match(failureOf(ran).errorMessage ?? "", /"block".*\["all"\]\[0\]\["item"\].*Date/)
    })
  )

  it.effect("is SerdesFailed when an error is not the library's, and no Schema says how it is written", () =>
    Effect.gen(function* () {
      const batch = unchecked<BatchResult.BatchResult<number, never>>(
        Durable.map("batch", [1], () => decline(), declared)
      )
      const ran = yield* execute(Durable.child("block", batch))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.include(failureOf(ran).errorMessage, `"block"`)
    })
  )
})

describe("A function that ends with the result of a batch", () => {
  const Mail = DurableFunction.make("mail", {
    success: BatchResult.Schema({ success: Schema.Int, error: Declined, item: Schema.String })
  })
  const mail = Mail.implement(() =>
    Durable.map("mails", ["ann", "bob"], (name) => (name === "bob" ? decline() : Effect.succeed(name.length)), declared)
  )

  it.effect("answers with it", () =>
    Effect.gen(function* () {
      const result = yield* TestEngine.run(Mail)
      assert.deepStrictEqual(result.values, [3])
      assert.deepStrictEqual(
        result.failed.map(({ error, item }) => [item, error?.code]),
        [["bob", "no"]]
      )
    }).pipe(Effect.provide(TestEngine.layer([mail])))
  )
})
