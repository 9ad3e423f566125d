/** The suite `child`: operations in a context of their own. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { setTimeout } from "node:timers/promises"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, Failure } from "./support.ts"

const Echo = DurableFunction.make("echo", { payload: Schema.String, success: Schema.String })
const Failing = DurableFunction.make("failing", { payload: Schema.Unknown, error: Failure })

const retry = RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" })

/** Writes in capitals. */
const loud = Serdes.make({ serialize: (value: string) => value.toUpperCase(), deserialize: (text) => text ?? "" })

const echo = (input: string) => Durable.step("echo", Effect.succeed(input))

const failing = (maxAttempts: number) =>
  Durable.step("fail", Effect.fail(new Failure({ message: "this always fails" })), {
    retry: RetryPolicy.fixed({ maxAttempts, delay: "1 second" }),
    error: Failure
  })

/** The requirements that this project was given. */
export const given = {
  "3-1": LambdaHandler.make(
    Echo.implement((input) => Durable.child("child", echo(input))),
    alone
  ),

  "3-2": LambdaHandler.make(
    DurableFunction.make("named", {
      payload: Schema.Struct({ name: Schema.String, value: Schema.String }),
      success: Schema.String
    }).implement(({ name, value }) => Durable.child(name, echo(value))),
    alone
  ),

  "3-3": LambdaHandler.make(
    Echo.implement((input) =>
      Durable.child(
        "child",
        Effect.gen(function* () {
          const first = yield* Durable.step("first", Effect.succeed(input))
          return yield* Durable.step("second", Effect.succeed(first))
        })
      )
    ),
    alone
  ),

  "3-4": LambdaHandler.make(
    Failing.implement(() => Durable.child("child", failing(1), { error: Failure })),
    alone
  ),

  "3-6": LambdaHandler.make(
    Echo.implement((input) =>
      Durable.child(
        "outer",
        Effect.gen(function* () {
          yield* echo(input)
          return yield* Durable.child("inner", echo(input))
        })
      )
    ),
    alone
  ),

  "3-8": LambdaHandler.make(
    Failing.implement(() => Durable.child("child", failing(2), { error: Failure })),
    alone
  ),

  "3-9": LambdaHandler.make(
    Echo.implement(
      Effect.fnUntraced(function* (input) {
        const result = yield* Durable.child("child", echo(input))
        yield* Durable.wait("pause", "1 second")
        return result
      })
    ),
    alone
  ),

  "3-10": LambdaHandler.make(
    Echo.implement((input) =>
      Durable.child(
        "child",
        Effect.gen(function* () {
          yield* echo(input)
          yield* Durable.wait("pause", "1 second")
          return input
        })
      )
    ),
    alone
  ),

  "3-13": LambdaHandler.make(
    Echo.implement(
      Effect.fnUntraced(function* (input) {
        yield* Durable.child("child", Effect.as(Durable.wait("pause", "1 second"), input))
        return yield* echo(input)
      })
    ),
    alone
  ),

  "3-14": LambdaHandler.make(
    Echo.implement((input) =>
      Durable.child("child", echo(input), {
        successSerdes: loud
      })
    ),
    alone
  ),

  "3-16": LambdaHandler.make(
    DurableFunction.make("nothing", { payload: Schema.Unknown, success: Schema.Null }).implement(() =>
      Durable.child("child", Effect.succeed(null))
    ),
    alone
  ),

  "3-17": LambdaHandler.make(
    Echo.implement(
      Effect.fnUntraced(function* (input) {
        const result = yield* Durable.child("child", Effect.as(Effect.log(input), input))
        yield* Durable.wait("pause", "1 second")
        return result
      })
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** The failure of a child, caught. */
  "3-5": LambdaHandler.make(
    DurableFunction.make("caught", { payload: Schema.Unknown, success: Schema.String }).implement(() =>
      Durable.child("child", failing(1), { error: Failure }).pipe(
        Effect.catchTag("Failure", () => Effect.succeed("fallback_result"))
      )
    ),
    alone
  ),

  /** A step in a child that succeeds at its second attempt. */
  "3-7": LambdaHandler.make(
    DurableFunction.make("recovering", {
      payload: Schema.Unknown,
      success: Schema.String,
      error: Failure
    }).implement((input) =>
      Durable.child("child", Durable.step("unreliable", secondTimeLucky(input), { retry, error: Failure }), {
        error: Failure
      })
    ),
    alone
  ),

  /** A result that is too large to be kept, so the child is run again on replay. */
  "3-11": LambdaHandler.make(
    DurableFunction.make("large", { payload: Schema.Unknown, success: Schema.Int }).implement(
      Effect.fnUntraced(function* () {
        const large = yield* Durable.child(
          "child",
          Effect.map(Durable.step("part", Effect.succeed("x".repeat(1_024))), (part) => part.repeat(300))
        )
        yield* Durable.wait("pause", "1 second")
        return large.length
      })
    ),
    alone
  ),

  /** The process dies in a step, which then runs again. */
  "3-12": LambdaHandler.make(
    Echo.implement((input) => Durable.child("child", Durable.step("crash", crashingOnce(input)))),
    alone
  ),

  /** A child that has a format of its own and fails. */
  "3-15": LambdaHandler.make(
    Failing.implement(() =>
      Durable.child("child", Effect.as(failing(1), "never"), { error: Failure, successSerdes: loud })
    ),
    alone
  )
}

/** Fails at its first attempt and gives the input, or this text, from the second one on. */
const secondTimeLucky = (input: unknown) =>
  Effect.flatMap(Durable.StepContext, ({ attempt }) =>
    attempt === 1
      ? Effect.fail(new Failure({ message: "not yet" }))
      : Effect.succeed(typeof input === "string" ? input : "recovered")
  )

/** Dies when it is run for the first time; a file remembers that. */
const crashingOnce = (input: string) =>
  Effect.gen(function* () {
    const { idempotencyKey } = yield* Durable.StepContext
    const memory = join(process.env["HARNESS_STATE_DIR"] ?? ".", `crashed-${idempotencyKey}`)
    if (existsSync(memory)) return input
    writeFileSync(memory, "")
    // The start of the step is on its way: it may get there.
    yield* Effect.promise(() => setTimeout(300))
    return process.exit(1)
  })
