/** The suite `wait_for_condition`: looking again and again until something is so. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Durable, DurableFunction, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, Failure, nobodyKnows } from "./support.ts"

const Counter = DurableFunction.make("counter", { payload: Schema.Unknown, success: Schema.Int })
const Failing = DurableFunction.make("failing", { payload: Schema.Unknown, success: Schema.Unknown, error: Failure })
const Status = Schema.Struct({ status: Schema.String, attempts: Schema.Int })

/** The number that the input says, or two. */
const limitIn = (input: unknown): number => (typeof input === "number" ? input : 2)

const increment = (state: number) => Effect.succeed(state + 1)

const counting = (name: string, from: number, to: number) =>
  Durable.waitForCondition(name, {
    initial: from,
    check: increment,
    until: (state) => state >= to,
    delay: "1 second"
  })

const failing = Durable.waitForCondition("poll", {
  initial: 0,
  check: () => nobodyKnows,
  until: () => true,
  error: Failure
})

/** The requirements that this project was given. */
export const given = {
  "6-1": LambdaHandler.make(
    Counter.implement((input) => counting("poll", 0, limitIn(input))),
    alone
  ),

  "6-2": LambdaHandler.make(
    Counter.implement(() =>
      Durable.waitForCondition("poll", { initial: 5, check: Effect.succeed, until: (state) => state >= 5 })
    ),
    alone
  ),

  "6-3": LambdaHandler.make(
    Counter.implement(() => counting("poll-status", 0, 2)),
    alone
  ),

  "6-4": LambdaHandler.make(
    Counter.implement((input) => counting("poll", 5, limitIn(input))),
    alone
  ),

  "6-7": LambdaHandler.make(
    Failing.implement(() => failing),
    alone
  ),

  "6-8": LambdaHandler.make(
    Failing.implement(() => Effect.catchTag(failing, "Failure", () => Effect.succeed("recovered"))),
    alone
  ),

  "6-9": LambdaHandler.make(
    DurableFunction.make("status", { payload: Schema.Unknown, success: Status }).implement(() =>
      Durable.waitForCondition("poll", {
        initial: { status: "PENDING", attempts: 0 },
        check: ({ attempts }) =>
          Effect.succeed({ status: attempts + 1 === 2 ? "DONE" : "PENDING", attempts: attempts + 1 }),
        until: ({ status }) => status === "DONE",
        delay: "1 second"
      })
    ),
    alone
  ),

  "6-10": LambdaHandler.make(
    DurableFunction.make("nothing", { payload: Schema.Unknown, success: Schema.Null }).implement(() =>
      Durable.waitForCondition("poll", { initial: null, check: () => Effect.succeed(null), until: () => true })
    ),
    alone
  ),

  "6-12": LambdaHandler.make(
    Counter.implement(
      Effect.fnUntraced(function* (input) {
        const state = yield* counting("poll", 0, limitIn(input))
        return yield* Durable.step("multiply", Effect.succeed(state * 10))
      })
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** The delay between two looks. */
  "6-5": LambdaHandler.make(
    Counter.implement((input) =>
      Durable.waitForCondition("poll", {
        initial: 0,
        check: increment,
        until: (state) => state >= limitIn(input),
        delay: "2 seconds"
      })
    ),
    alone
  ),

  /** A condition that does not come true within the number of attempts. */
  "6-6": LambdaHandler.make(
    Counter.implement((input) =>
      Durable.waitForCondition("poll", {
        initial: 0,
        check: increment,
        until: () => false,
        delay: "1 second",
        maxAttempts: limitIn(input)
      })
    ),
    alone
  ),

  /** A format of its own. */
  "6-11": LambdaHandler.make(
    Counter.implement((input) =>
      Durable.waitForCondition("poll", {
        initial: 0,
        check: increment,
        until: (state) => state >= limitIn(input),
        delay: "1 second",
        stateSerdes: Serdes.make({
          serialize: (wrapped: number) => JSON.stringify({ wrapped }),
          deserialize: (text) => Number(JSON.parse(text ?? "{}").wrapped)
        })
      })
    ),
    alone
  ),

  /** A finished condition that is not looked at again. */
  "6-13": LambdaHandler.make(
    Counter.implement(
      Effect.fnUntraced(function* (input) {
        const state = yield* counting("poll", 0, limitIn(input))
        yield* Durable.wait("pause", "1 second")
        return state
      })
    ),
    alone
  )
}
