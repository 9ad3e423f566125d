/** The suite `wait`: time that passes without an invocation. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Durable, DurableFunction } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone } from "./support.ts"

const Waiting = DurableFunction.make("waiting", { payload: Schema.Unknown })

const waiting = (name: string, duration: Duration.Input) =>
  LambdaHandler.make(
    Waiting.implement(() => Durable.wait(name, duration)),
    alone
  )

/** The requirements that this project was given. */
export const given = {
  "2-1": waiting("wait", "2 seconds"),
  "2-2": waiting("custom_wait_name", "2 seconds"),
  "2-4": waiting("a minute", "1 minute"),
  "2-5": waiting("an hour", "1 hour")
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** One wait after the other. */
  "2-3": LambdaHandler.make(
    Waiting.implement(() =>
      Effect.andThen(Durable.wait("first", "1 second"), () => Durable.wait("second", "1 second"))
    ),
    alone
  )
}
