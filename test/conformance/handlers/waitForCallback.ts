/** The suite `wait_for_callback`: asking somebody, and waiting for the answer. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Durable, RetryPolicy } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, Failure, nameIn, nobodyKnows, Open } from "./support.ts"

/** Nobody is really asked: the driver answers every callback. */
const ask = () => Effect.void

const asking = (
  limits: { readonly timeout?: "3 seconds"; readonly heartbeatTimeout?: "3 seconds" | "10 seconds" } = {}
) =>
  LambdaHandler.make(
    Open.implement((input) => Durable.waitForCallback(nameIn(input), ask, limits)),
    alone
  )

/** The requirements that this project was given. */
export const given = {
  "7-1": asking(),

  "7-2": LambdaHandler.make(
    Open.implement(() => Durable.waitForCallback("approval", ask)),
    alone
  ),

  "7-3": LambdaHandler.make(
    Open.implement(() => Durable.waitForCallback("answer", ask)),
    alone
  ),

  "7-4": asking(),
  "7-5": asking({ timeout: "3 seconds" }),

  "7-6": LambdaHandler.make(
    Open.implement((input) =>
      Effect.catchTag(Durable.waitForCallback(nameIn(input), ask), "CallbackFailed", () => Effect.succeed("recovered"))
    ),
    alone
  ),

  "7-9": LambdaHandler.make(
    Open.implement(() =>
      Effect.andThen(Durable.waitForCallback("first", ask), () => Durable.waitForCallback("second", ask))
    ),
    alone
  ),

  "7-10": LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* (input) {
        yield* Durable.wait("pause", "1 second")
        yield* Durable.step("step", Effect.succeed("fixed data"))
        return yield* Durable.waitForCallback(nameIn(input), ask)
      })
    ),
    alone
  ),

  "7-11": LambdaHandler.make(
    Open.implement((input) =>
      Effect.map(
        Durable.waitForCallback(nameIn(input), ask, { success: Schema.Struct({ status: Schema.String }) }),
        ({ status }) => status
      )
    ),
    alone
  ),

  "7-13": asking({ heartbeatTimeout: "10 seconds" }),

  "7-14": LambdaHandler.make(
    Open.implement((input) =>
      Durable.waitForCallback(nameIn(input), ask, { timeout: "3 seconds" }).pipe(
        Effect.catchTag("CallbackTimedOut", () => Effect.succeed("timed-out-handled"))
      )
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** Asking fails at every attempt. */
  "7-7": LambdaHandler.make(
    Open.implement((input) =>
      Durable.waitForCallback(nameIn(input), () => nobodyKnows, {
        retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" }),
        error: Failure
      })
    ),
    alone
  ),

  /** Inside a child. */
  "7-8": LambdaHandler.make(
    Open.implement((input) => Durable.child("child", Durable.waitForCallback(nameIn(input), ask))),
    alone
  ),

  /** Nobody sends a heartbeat. */
  "7-12": asking({ heartbeatTimeout: "3 seconds" }),

  /** An answer that says nothing. */
  "7-15": LambdaHandler.make(
    Open.implement((input) =>
      Effect.map(Durable.waitForCallback(nameIn(input), ask), (answer) =>
        answer === undefined || answer === "" || answer === "null" ? null : answer
      )
    ),
    alone
  )
}
