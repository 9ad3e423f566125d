/** The suite `parallel`: branches beside each other. */
import * as Effect from "effect/Effect"
import { CompletionPolicy, Durable, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, counts, everything, factsOf, Failure, nobodyKnows, Open } from "./support.ts"

const ok = Effect.succeed("ok")

const fail = Effect.as(nobodyKnows, "never")

const step = (value: string) => Durable.step("task", Effect.succeed(value))

const none: ReadonlyArray<typeof ok> = []

const large = Effect.succeed("x".repeat(70 * 1_024))

const one = { concurrency: 1 }

/** Tells how a batch has ended that ends under these conditions. */
const ending = (
  branches: ReadonlyArray<typeof ok | typeof fail>,
  policy: CompletionPolicy.CompletionPolicy,
  facts: Parameters<typeof factsOf>[1]
) =>
  LambdaHandler.make(
    Open.implement(() =>
      Effect.map(Durable.parallel("parallel", branches, { ...one, policy, error: Failure }), (batch) =>
        factsOf(batch, facts)
      )
    ),
    alone
  )

/** The requirements that this project was given. */
export const given = {
  "8-1": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(Durable.parallel("parallel", [step("task-1"), step("task-2")], one), ({ values }) => values)
    ),
    alone
  ),

  "8-2": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.parallel("parallel", [Effect.succeed("alpha"), Effect.succeed("beta")], one),
        ({ values }) => values
      )
    ),
    alone
  ),

  "8-3": LambdaHandler.make(
    Open.implement(() => {
      const first = { name: "first", effect: Effect.succeed("one") }
      const second = { name: "second", effect: Effect.succeed("two") }
      return Effect.map(Durable.parallel("named", [first, second], one), ({ values }) => values)
    }),
    alone
  ),

  "8-4": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.parallel("hetero", [Effect.succeed("hello"), Effect.succeed(42), Effect.succeed({ k: "v" })], one),
        ({ values }) => values
      )
    ),
    alone
  ),

  "8-5": LambdaHandler.make(
    Open.implement(() => Effect.map(Durable.parallel("empty", none), ({ values }) => values)),
    alone
  ),

  "8-6": ending([ok, fail, ok], CompletionPolicy.make({ toleratedFailureCount: 0 }), everything),
  "8-8": ending([ok, ok, ok, ok], CompletionPolicy.make({ minSuccessful: 2 }), [
    "completionReason",
    "successCount",
    "totalCount"
  ]),
  "8-9": ending([ok, fail, ok], CompletionPolicy.make({ toleratedFailureCount: 1 }), everything),
  "8-10": ending([fail, fail, ok], CompletionPolicy.make({ toleratedFailureCount: 1 }), counts),

  "8-11": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.parallel("concurrent", [Effect.succeed("r0"), Effect.succeed("r1"), Effect.succeed("r2")], {
          concurrency: 2
        }),
        ({ values }) => values
      )
    ),
    alone
  ),

  "8-13": ending([fail, fail, ok, ok], CompletionPolicy.make({ toleratedFailurePercentage: 25 }), counts),

  "8-15": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(
        Durable.parallel("serde", [Effect.succeed("x"), Effect.succeed("y")], {
          ...one,
          successSerdes: Serdes.make({
            serialize: (wrapped: string) => JSON.stringify({ wrapped }),
            deserialize: (text) => String(JSON.parse(text ?? "{}").wrapped)
          })
        }),
        ({ values }) => values
      )
    ),
    alone
  ),

  "8-16": ending([fail, fail, fail], CompletionPolicy.make({ toleratedFailureCount: 3 }), everything),
  "8-17": ending([ok, fail, ok], CompletionPolicy.make({ minSuccessful: 3 }), everything),

  "8-20": LambdaHandler.make(
    Open.implement(() => {
      const policy = CompletionPolicy.make({ toleratedFailureCount: 1 })
      const batch = Durable.parallel("accessors", [ok, fail, ok], { ...one, policy, error: Failure })
      return Effect.map(batch, ({ causes, failed, hasFailure, succeeded }) => ({
        hasFailure,
        successCount: succeeded.length,
        failureCount: failed.length,
        errorCount: causes.length
      }))
    }),
    alone
  ),

  "8-21": LambdaHandler.make(
    Open.implement(() => {
      const inner = Effect.map(Durable.parallel("inner", [step("i1"), step("i2")], one), ({ values }) => values)
      return Effect.map(Durable.parallel("outer", [inner], one), ({ values }) => values)
    }),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** The failure of a branch, thrown again. */
  "8-7": LambdaHandler.make(
    Open.implement(() =>
      Effect.flatMap(
        Durable.parallel("throwing", [fail, ok], { ...one, error: Failure, policy: CompletionPolicy.allSuccessful }),
        (batch) => batch.orFail
      )
    ),
    alone
  ),

  /** Branches without contexts of their own. */
  "8-12": LambdaHandler.make(
    Open.implement(() =>
      Effect.map(Durable.parallel("flat", [step("fa"), step("fb")], { ...one, flat: true }), ({ values }) => values)
    ),
    alone
  ),

  /** A wait in a branch. */
  "8-14": LambdaHandler.make(
    Open.implement(() => {
      const waiting = Effect.as(Durable.wait("pause", "1 second"), "waited")
      const batch = Durable.parallel("suspending", [waiting, Effect.succeed("direct")], one)
      return Effect.map(batch, ({ values }) => values)
    }),
    alone
  ),

  /** A whole that is too large to be kept, so the branches are run again on replay. */
  "8-18": ending([large, large, large, large], CompletionPolicy.allSuccessful, ["successCount", "totalCount"]),

  /** A concurrency that no branch can run with. */
  "8-19": LambdaHandler.make(
    Open.implement(() => Effect.map(Durable.parallel("none", [ok, ok], { concurrency: 0 }), ({ values }) => values)),
    alone
  ),

  /** As large a percentage of failures as is tolerated. */
  "8-22": ending([fail, ok], CompletionPolicy.make({ toleratedFailurePercentage: 50 }), everything)
}
