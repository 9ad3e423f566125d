import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/execution/Identity.ts"
import { actions, assertSucceeded, defectOf, execute, failureOf, valueOf } from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const replay = Durable.wait("replay", "1 second")

describe("A child with a large result", () => {
  const large = (bytes: number) => "x".repeat(bytes - 2)

  it.effect("is kept up to 262,144 bytes", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Durable.child(
          "block",
          Effect.sync(() => (runs++, large(262_144)))
        ).pipe(Effect.tap(replay))
      )
      assert.lengthOf(valueOf(ran), 262_142)
      assert.strictEqual(runs, 1)
      assert.isUndefined(ran.updates.find((update) => update.ContextOptions !== undefined))
    })
  )

  it.effect("is rebuilt beyond: the body runs again over its recorded operations, which do not", () =>
    Effect.gen(function* () {
      let body = 0
      let steps = 0
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.child(
            "block",
            Effect.gen(function* () {
              body++
              const part = yield* Durable.step(
                "part",
                Effect.sync(() => (steps++, "x".repeat(200_000)))
              )
              yield* Durable.wait("pause", "1 hour")
              return part + part
            })
          )
          seen.push(value)
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(
        seen.map((value) => value.length),
        [400_000, 400_000]
      )
      assert.deepStrictEqual([body, steps], [3, 1])
      const end = ran.updates.find((update) => update.Action === "SUCCEED" && update.Name === "block")
      assert.deepStrictEqual([end?.Payload, end?.ContextOptions], ["", { ReplayChildren: true }])
      assert.lengthOf(
        ran.updates.filter((update) => update.Name === "block"),
        2
      )
    })
  )

  it.effect("is rebuilt inside a child that is rebuilt", () =>
    Effect.gen(function* () {
      const part = Durable.step(
        "part",
        Effect.sync(() => "x".repeat(200_000))
      )
      const inner = Durable.child(
        "inner",
        Effect.map(part, (text) => text + text)
      )
      const outer = Durable.child(
        "outer",
        Effect.map(inner, (text) => text + text)
      )
      const seen: Array<number> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push((yield* outer).length)
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [800_000, 800_000])
    })
  )

  it.effect("is NonDeterministic when its code now waits for something new: it can never come", () =>
    Effect.gen(function* () {
      let invocations = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const first = ++invocations === 1
          yield* Durable.child(
            "block",
            Effect.gen(function* () {
              if (!first) yield* Durable.step("new", Effect.succeed(1))
              return large(300_000)
            })
          )
          yield* replay
        })
      )
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "NonDeterministic")
      assert.include(failed.errorMessage, `"block/new"`)
    })
  )
})

describe("A flat child", () => {
  it.effect("has no record, ids of its own, and the recorded context around it as the parent of its operations", () =>
    Effect.gen(function* () {
      const leaf = Durable.step("leaf", Effect.succeed(1))
      const ran = yield* execute(
        Durable.child("recorded", Durable.child("flat", Durable.child("flatter", leaf, { flat: true }), { flat: true }))
      )
      assertSucceeded(ran)
      const recorded = operationId("", "recorded", 0)
      assert.deepStrictEqual(
        ran.operations.map((operation) => [operation.Name, operation.Id, operation.ParentId]),
        [
          ["recorded", recorded, undefined],
          ["leaf", operationId(operationId(operationId(recorded, "flat", 0), "flatter", 0), "leaf", 0), recorded]
        ]
      )
    })
  )

  it.effect("runs its body again on every replay, over the recorded operations inside", () =>
    Effect.gen(function* () {
      let body = 0
      let steps = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.child(
            "block",
            Effect.gen(function* () {
              body++
              return new Map([
                [
                  "n",
                  yield* Durable.step(
                    "n",
                    Effect.sync(() => ++steps)
                  )
                ]
              ])
            }),
            { flat: true }
          )
          yield* replay
          return value
        })
      )
      assert.deepStrictEqual(valueOf(ran), new Map([["n", 1]]))
      assert.deepStrictEqual([body, steps], [2, 1])
      assert.notInclude(actions(ran.updates), "START block")
    })
  )

  it.effect("hands errors and defects through as they are", () =>
    Effect.gen(function* () {
      const error = new Declined({ code: "c" })
      const ran = yield* execute(Effect.flip(Durable.child("block", Effect.fail(error), { flat: true })))
      assert.strictEqual(valueOf(ran), error)
      const defect = { odd: true }
      const died = yield* execute(Durable.child("block", Effect.die(defect), { flat: true }))
      assert.strictEqual(defectOf(died.exits[0]), defect)
    })
  )

  it.effect("lets a loop use the same names in every round", () =>
    Effect.gen(function* () {
      let steps = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const values: Array<number> = []
          for (let round = 0; round < 5; round++) {
            values.push(
              yield* Durable.child(
                "round",
                Effect.gen(function* () {
                  const n = yield* Durable.step(
                    "n",
                    Effect.sync(() => ++steps)
                  )
                  yield* Durable.wait("pause", "1 hour")
                  return n
                }),
                { flat: true }
              )
            )
          }
          return values
        })
      )
      assert.deepStrictEqual(valueOf(ran), [1, 2, 3, 4, 5])
      assert.lengthOf(ran.operations, 10)
    })
  )
})
