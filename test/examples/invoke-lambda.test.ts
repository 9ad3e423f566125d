import { assert, describe, it } from "@effect/vitest"
import { DurableError } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Orchestrate, ProcessValues } from "../../examples/02-invoke-lambda/contracts.ts"
import { orchestrate } from "../../examples/02-invoke-lambda/orchestrate.ts"
import { handler, processValues } from "../../examples/02-invoke-lambda/process-values.ts"

const Body = Schema.fromJsonString(Schema.Struct({ processing_result: ProcessValues.success }))

const functions = [orchestrate, processValues] as const

describe("the example of an on-demand function", () => {
  it.effect("returns the statistics that the function computes", () =>
    Effect.gen(function* () {
      const { body } = yield* TestEngine.run(Orchestrate, { values: [-1, 0, 4] })
      const { processing_result: result } = yield* Schema.decodeEffect(Body)(body)
      assert.deepStrictEqual(result, { operation: "sum_and_average", count: 3, sum: 3, average: 1, max: 4, min: -1 })
    }).pipe(Effect.provide(TestEngine.layer(functions)))
  )

  it.effect("computes with forty thousand values", () =>
    Effect.gen(function* () {
      const values = [0, ...Array.from({ length: 40_000 }, (_, i) => i % 10)] as const
      const { body } = yield* TestEngine.run(Orchestrate, { values })
      assert.strictEqual((yield* Schema.decodeEffect(Body)(body)).processing_result.count, 40_001)
    }).pipe(Effect.provide(TestEngine.layer(functions)))
  )

  it("has a handler that reads its event and writes its result", async () => {
    const statistics = { operation: "sum_and_average", count: 2, sum: 3, average: 1.5, max: 2, min: 1 }
    assert.deepStrictEqual(await handler([1, 2]), statistics)
  })

  it.each([
    ["no values", []],
    ["a text among the values", [1, "2"]],
    ["nothing", undefined]
  ])("has a handler that refuses %s", async (_, event) => {
    const error = await handler(event).then(
      () => undefined,
      (reason: unknown) => reason
    )
    assert.instanceOf(error, Schema.SchemaError)
  })

  it.effect("fails when the function is throttled", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.run(Orchestrate, { values: [1] }))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.include(error.message, "throttled")
    }).pipe(Effect.provide(TestEngine.layer([orchestrate, TestEngine.stub(ProcessValues, Reply.throttle)])))
  )
})
