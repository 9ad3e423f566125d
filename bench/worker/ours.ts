/** The shapes on the built effect-durable: `resolve.ts` decides where these imports lead. */
import { Durable, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { setTimeout } from "node:timers/promises"
import { lambdaContext, nextTurn, type Engine } from "./engine.ts"
import { indexesOf, ioMillis, recordsOf, sum, type Body, type Shape } from "./shapes.ts"

const Bench = DurableFunction.make("bench", { success: Schema.Int })

/**
 * Some executions here are larger than the service's limit. Older versions, which cannot raise the limit, do not know
 * the option.
 */
const lifted: object = { maxOperations: 1_000_000 }

export const ours: Engine = {
  handler: (shape) => {
    const handler = LambdaHandler.make(
      Bench.implement(() => workflow(shape)),
      { layer: Layer.empty, omitStart: shape.kind === "steps" && shape.only === "omitStart", ...lifted }
    )
    return {
      prepare: (text, durableExecutionClient) => {
        const event = { ...JSON.parse(text), durableExecutionClient }
        return () => handler(event, lambdaContext)
      }
    }
  }
}

const workflow = (shape: Shape) => {
  switch (shape.kind) {
    case "steps": {
      const one = shape.only === "schema" ? stepWithSchema : step
      return Effect.gen(function* () {
        let total = 0
        for (let i = 0; i < shape.count; i++) total += yield* one(shape.body, i)
        return total
      })
    }
    case "together":
      return Effect.map(
        Effect.forEach(indexesOf(shape.count), (i) => step(shape.body, i, `step-${i}`), { concurrency: "unbounded" }),
        sum
      )
    case "parallel":
      return Effect.map(
        Durable.parallel(
          "parallel",
          indexesOf(shape.count).map((i) => step(shape.body, i))
        ),
        ({ values }) => sum(values)
      )
    case "map":
      return Effect.map(
        Durable.map("map", indexesOf(shape.count), (i) => step(shape.body, i), { concurrency: shape.concurrency }),
        ({ values }) => sum(values)
      )
    case "payload":
      return Effect.map(
        Durable.step(
          "step",
          Effect.sync(() => recordsOf(shape.bytes))
        ),
        ({ length }) => length
      )
    case "suspensions":
      return Effect.gen(function* () {
        let total = 0
        for (let i = 0; i < shape.count; i++) {
          total += yield* step("instant", i)
          yield* Durable.wait("wait", "1 second")
        }
        return total
      })
  }
}

/** A step has the same name in every round of a loop, as in most workflows. */
const step = (body: Body, index: number, name = "step") => Durable.step(name, bodies[body](index))

const stepWithSchema = (body: Body, index: number) => Durable.step("step", bodies[body](index), { success: Schema.Int })

const bodies: Readonly<Record<Body, (index: number) => Effect.Effect<number>>> = {
  instant: Effect.succeed,
  async: (index) => Effect.as(Effect.promise(nextTurn), index),
  io: (index) =>
    Effect.as(
      Effect.promise(() => setTimeout(ioMillis)),
      index
    )
}
