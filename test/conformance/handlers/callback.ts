/** The suite `callback`: answers from outside. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Durable, DurableFunction, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, nameIn, Open } from "./support.ts"

interface Limits {
  readonly timeout?: "3 seconds" | "5 seconds"
  readonly heartbeatTimeout?: "5 seconds" | "10 seconds"
}

/** Awaits a callback that the input names. */
const awaited = (limits: Limits = {}) =>
  LambdaHandler.make(
    Open.implement((input) => Effect.flatMap(Durable.callback(nameIn(input), limits), (callback) => callback.await)),
    alone
  )

/** Runs a step before it awaits the callback. */
const afterStep = (limits: Limits = {}) =>
  LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* (input) {
        const callback = yield* Durable.callback(nameIn(input), limits)
        yield* Durable.step("step", Effect.succeed("done"))
        return yield* callback.await
      })
    ),
    alone
  )

/** Waits for longer than the callback takes before it awaits that. */
const afterWait = (limits: Limits = {}) =>
  LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* (input) {
        const callback = yield* Durable.callback(nameIn(input), limits)
        yield* Durable.wait("pause", "5 seconds")
        return yield* callback.await
      })
    ),
    alone
  )

/** Waits after the callback, which may fail. */
const beforeWait = (limits: Limits = {}) =>
  LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* (input) {
        const callback = yield* Durable.callback(nameIn(input), limits)
        const result = yield* Effect.catchTags(callback.await, {
          CallbackFailed: () => Effect.succeed("the callback has failed"),
          CallbackTimedOut: () => Effect.succeed("the callback has failed")
        })
        yield* Durable.wait("pause", "2 seconds")
        return result
      })
    ),
    alone
  )

const Two = Schema.Tuple([Schema.String, Schema.String])

const toNumber = Serdes.make({ serialize: (value: number) => String(value), deserialize: Number })

/** The requirements that this project was given. */
export const given = {
  "4-1": awaited(),
  "4-2": LambdaHandler.make(
    Open.implement(() => Effect.flatMap(Durable.callback("approval"), (callback) => callback.await)),
    alone
  ),
  "4-3": awaited({ timeout: "5 seconds" }),
  "4-4": awaited({ heartbeatTimeout: "5 seconds" }),
  "4-5": awaited({ heartbeatTimeout: "10 seconds" }),
  "4-7": afterStep(),
  "4-8": afterStep({ timeout: "5 seconds" }),
  "4-9": afterWait(),
  "4-12": beforeWait(),
  "4-13": beforeWait(),
  "4-14": beforeWait({ timeout: "3 seconds" }),

  "4-16": LambdaHandler.make(
    Open.implement(
      Effect.fnUntraced(function* (input) {
        const callback = yield* Durable.callback(nameIn(input), { successSerdes: toNumber })
        const count = yield* callback.await
        return { count, doubled: count * 2 }
      })
    ),
    alone
  ),

  "4-17": LambdaHandler.make(
    DurableFunction.make("in-turn", { payload: Two, success: Two }).implement(
      Effect.fnUntraced(function* ([a, b]) {
        const first = yield* Durable.callback(a)
        const answer = yield* first.await
        const second = yield* Durable.callback(b)
        return [answer, yield* second.await] as const
      })
    ),
    alone
  ),

  "4-18": LambdaHandler.make(
    DurableFunction.make("both", { payload: Two, success: Two }).implement(
      Effect.fnUntraced(function* ([a, b]) {
        const first = yield* Durable.callback(a)
        const second = yield* Durable.callback(b)
        return [yield* first.await, yield* second.await] as const
      })
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** A step before a callback that succeeds. */
  "4-6": afterStep(),

  /** A wait during which the callback fails. */
  "4-10": afterWait(),

  /** A wait during which the callback times out. */
  "4-11": afterWait({ timeout: "3 seconds" }),

  /** A format of its own. */
  "4-15": LambdaHandler.make(
    Open.implement((input) =>
      Effect.flatMap(Durable.callback(nameIn(input), { success: Schema.Unknown }), (callback) => callback.await)
    ),
    alone
  ),

  /** Two callbacks, of which the second one is awaited first. */
  "4-19": LambdaHandler.make(
    DurableFunction.make("both", { payload: Two, success: Two }).implement(
      Effect.fnUntraced(function* ([a, b]) {
        const first = yield* Durable.callback(a)
        const second = yield* Durable.callback(b)
        const answer = yield* second.await
        return [yield* first.await, answer] as const
      })
    ),
    alone
  )
}
