/** The suite `map`: the same for every item. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BatchResult, CompletionPolicy, Durable, DurableFunction, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, counts, everything, factsOf, Failure, nobodyKnows, Open } from "./support.ts"

const Texts = Schema.Array(Schema.String)
const Numbers = Schema.Array(Schema.Finite)

const MapTexts = DurableFunction.make("texts", { payload: Texts, success: Texts })
const MapNumbers = DurableFunction.make("numbers", { payload: Numbers, success: Numbers })

const upperCase = (text: string) => Effect.succeed(text.toUpperCase())

/** Items are "ok" or they are not. */
const unlessBad = (item: string) => (item === "ok" ? Effect.succeed(item) : Effect.as(nobodyKnows, item))

const step = (value: string) => Durable.step("step", Effect.succeed(value))

const one = { concurrency: 1 }

/** Tells how a map has ended that ends under these conditions. */
const ending = (
  items: ReadonlyArray<string>,
  policy: CompletionPolicy.CompletionPolicy,
  facts: Parameters<typeof factsOf>[1]
) =>
  LambdaHandler.make(
    Open.implement(() =>
      Effect.map(Durable.map("map", items, unlessBad, { ...one, policy, error: Failure }), (batch) =>
        factsOf(batch, facts)
      )
    ),
    alone
  )

/** The requirements that this project was given. */
export const given = {
  "9-1": LambdaHandler.make(
    MapTexts.implement((names) =>
      Effect.map(
        Durable.map("map", names, (name) => Durable.step("greet", Effect.succeed(`Hello, ${name}!`)), one),
        ({ values }) => values
      )
    ),
    alone
  ),

  "9-2": LambdaHandler.make(
    MapNumbers.implement((numbers) =>
      Effect.map(
        Durable.map("map", numbers, (number) => Effect.succeed(number * 2), one),
        ({ values }) => values
      )
    ),
    alone
  ),

  "9-3": LambdaHandler.make(
    MapNumbers.implement((numbers) =>
      Effect.map(
        Durable.map("indexed", numbers, (number, index) => Effect.succeed(number + index), one),
        ({ values }) => values
      )
    ),
    alone
  ),

  "9-5": ending(["ok", "bad", "ok"], CompletionPolicy.make({ toleratedFailureCount: 0 }), everything),

  "9-6": LambdaHandler.make(
    Open.implement(() => {
      const policy = CompletionPolicy.make({ toleratedFailureCount: 0 })
      const batch = Durable.map("throwing", ["bad", "ok"], unlessBad, { ...one, policy, error: Failure })
      return Effect.flatMap(batch, ({ orFail }) => orFail)
    }),
    alone
  ),

  "9-7": ending(["ok", "ok", "ok", "ok"], CompletionPolicy.make({ minSuccessful: 2 }), [
    "completionReason",
    "successCount",
    "totalCount"
  ]),
  "9-8": ending(["ok", "bad", "ok"], CompletionPolicy.make({ toleratedFailureCount: 1 }), everything),
  "9-9": ending(["bad", "bad", "ok"], CompletionPolicy.make({ toleratedFailureCount: 1 }), counts),
  "9-10": ending(["bad", "bad", "ok", "ok"], CompletionPolicy.make({ toleratedFailurePercentage: 25 }), counts),

  "9-11": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("concurrent", ["r0", "r1", "r2"], Effect.succeed, { concurrency: 2 }),
        ({ values }) => values
      )
    ),
    alone
  ),

  "9-12": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(Durable.map("flat", ["fa", "fb"], step, { ...one, flat: true }), ({ values }) => values)
    ),
    alone
  ),

  "9-14": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("serdes", ["x", "y"], upperCase, {
          ...one,
          successSerdes: Serdes.make({
            serialize: (value: string) => `wrapped:${value}`,
            deserialize: (text) => (text ?? "").slice("wrapped:".length)
          })
        }),
        ({ values }) => values
      )
    ),
    alone
  ),

  "9-16": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("large", ["a", "b", "c", "d"], (letter) => Effect.succeed(letter.repeat(70 * 1_024)), one),
        (batch) => factsOf(batch, ["successCount", "totalCount"])
      )
    ),
    alone
  ),

  "9-17": LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* () {
        const batch = yield* Durable.map("map", ["a", "b"], upperCase, one)
        yield* Durable.wait("pause", "1 second")
        return batch.values
      })
    ),
    alone
  ),

  "9-19": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("map", ["x", "y"], upperCase, {
          ...one,
          batchSerdes: Serdes.make({
            serialize: ({ values }: BatchResult.BatchResult<string, never>) => `OPSERDE:${values.join(",")}`,
            deserialize: (text) => BatchResult.fromValues("map", (text ?? "").slice("OPSERDE:".length).split(","))
          })
        }),
        ({ values }) => values
      )
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** No items. */
  "9-4": LambdaHandler.make(
    Open.implement(() => Effect.map(Durable.map("empty", [], upperCase), ({ values }) => values)),
    alone
  ),

  /** Items with names. */
  "9-13": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("named", ["a", "b"], upperCase, { ...one, itemName: (item) => item }),
        ({ values }) => values
      )
    ),
    alone
  ),

  /** Every item fails, and that is tolerated. */
  "9-15": ending(["bad", "bad", "bad"], CompletionPolicy.make({ toleratedFailureCount: 3 }), everything),

  /** A wait in an item. */
  "9-18": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.map("suspending", ["a", "b"], (item) => Effect.as(Durable.wait("pause", "1 second"), item), one),
        ({ values }) => values
      )
    ),
    alone
  ),

  /** A map in each item of a map. */
  "9-20": LambdaHandler.make(
    Open.implement(() => {
      const inner = (items: ReadonlyArray<string>) =>
        Effect.map(Durable.map("inner", items, step, one), ({ values }) => values)
      return Effect.map(Durable.map("outer", [["i1", "i2"]], inner, one), ({ values }) => values)
    }),
    alone
  )
}
