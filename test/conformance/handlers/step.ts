/** The suite `step`: one unit of work, recorded once. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import process from "node:process"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone, Failure, TransientError } from "./support.ts"

const Greeting = DurableFunction.make("greeting", { payload: Schema.String, success: Schema.String })
const Text = DurableFunction.make("text", { payload: Schema.Unknown, success: Schema.String })
const Failing = DurableFunction.make("failing", { payload: Schema.Unknown, success: Schema.String, error: Failure })

const nobodyKnows = Effect.fail(new Failure({ message: "this always fails" }))

const everySecond = (maxAttempts: number) => RetryPolicy.fixed({ maxAttempts, delay: "1 second" })

const once = everySecond(1)

/** Fails at its first attempt and gives its answer from the second one on. */
const secondTimeLucky = <E>(answer: string, error: E) =>
  Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt === 1 ? Effect.fail(error) : Effect.succeed(answer)))

const Person = Schema.Struct({ name: Schema.String, tags: Schema.Array(Schema.String) })

/** The requirements that this project was given. */
export const given = {
  "1-1": LambdaHandler.make(
    Greeting.implement((name) => Durable.step("greet", Effect.succeed(`Hello, ${name}!`))),
    alone
  ),

  "1-2": LambdaHandler.make(
    Greeting.implement((name) => Durable.step("custom_step_name", Effect.succeed(`Hello, ${name}!`))),
    alone
  ),

  "1-3": LambdaHandler.make(
    Text.implement(
      Effect.fnUntraced(function* () {
        const first = yield* Durable.step("one", Effect.succeed("first"))
        return yield* Durable.step("two", Effect.succeed(`${first}_second`))
      })
    ),
    alone
  ),

  "1-4": LambdaHandler.make(
    DurableFunction.make("response", {
      payload: Person,
      success: Schema.Struct({ user: Person, count: Schema.Int })
    }).implement(({ name, tags }) =>
      Durable.step("build", Effect.succeed({ user: { name, tags }, count: tags.length }))
    ),
    alone
  ),

  "1-5": LambdaHandler.make(
    DurableFunction.make("nothing", { payload: Schema.Unknown, success: Schema.Null }).implement(() =>
      Durable.step("nothing", Effect.succeed(null))
    ),
    alone
  ),

  "1-7": LambdaHandler.make(
    Greeting.implement((name) =>
      Durable.step(
        "greet",
        Effect.gen(function* () {
          yield* Effect.log(`Greeting step started for: ${name}`)
          const greeting = `Hello, ${name}!`
          yield* Effect.log(`Greeting step completed with: ${greeting}`)
          return greeting
        })
      )
    ),
    alone
  ),

  "1-8": LambdaHandler.make(
    Text.implement(
      Effect.fnUntraced(function* () {
        const computed = yield* Durable.step("compute", Effect.succeed("computed"))
        yield* Durable.wait("pause", "2 seconds")
        return computed
      })
    ),
    alone
  ),

  "1-9": LambdaHandler.make(
    Text.implement(
      Effect.fnUntraced(function* () {
        const value = yield* Durable.step("cache", Effect.as(Effect.log("step executed"), "cached_value"))
        yield* Durable.wait("pause", "1 second")
        return value
      })
    ),
    alone
  ),

  "1-11": LambdaHandler.make(
    Failing.implement(() =>
      Durable.step("unreliable", secondTimeLucky("Operation succeeded", new Failure({ message: "not yet" })), {
        retry: everySecond(2),
        error: Failure
      })
    ),
    alone
  ),

  "1-12": LambdaHandler.make(
    Failing.implement(() => Durable.step("fail", nobodyKnows, { retry: everySecond(4), error: Failure })),
    alone
  ),

  "1-15": LambdaHandler.make(
    DurableFunction.make("picky", {
      payload: Schema.Unknown,
      success: Schema.String,
      error: TransientError
    }).implement(() =>
      Durable.step("transient", secondTimeLucky("recovered", new TransientError({ message: "try again" })), {
        retry: RetryPolicy.fixed({
          maxAttempts: 3,
          delay: "1 second",
          while: (error: unknown) => error instanceof TransientError
        }),
        error: TransientError
      })
    ),
    alone
  ),

  "1-18": LambdaHandler.make(
    Greeting.implement((input) =>
      Durable.step(
        "once-per-attempt",
        Effect.gen(function* () {
          yield* Effect.log(input)
          const { attempt } = yield* Durable.StepContext
          return attempt === 1 ? process.exit(1) : "succeeded on second attempt"
        }),
        { semantics: "at-most-once", retry: everySecond(2) }
      )
    ),
    alone
  ),

  "1-19": LambdaHandler.make(
    Failing.implement(() => Durable.step("fail", nobodyKnows, { retry: once, error: Failure })),
    alone
  ),

  "1-20": LambdaHandler.make(
    Text.implement(
      Effect.fnUntraced(function* () {
        const value = yield* Durable.step("fail", nobodyKnows, { retry: once, error: Failure }).pipe(
          Effect.catchTag("Failure", () => Effect.succeed("fallback_result"))
        )
        return yield* Durable.step("go on", Effect.succeed(value))
      })
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** A step with a format of its own. */
  "1-6": LambdaHandler.make(
    Greeting.implement((text) =>
      Durable.step("shout", Effect.succeed(text), {
        successSerdes: Serdes.make({
          serialize: (value: string) => value.toUpperCase(),
          deserialize: (text) => text ?? ""
        })
      })
    ),
    alone
  ),

  /** A failed step fails again on replay. */
  "1-10": LambdaHandler.make(
    Failing.implement(
      Effect.fnUntraced(function* () {
        const failed = yield* Effect.exit(Durable.step("fail", nobodyKnows, { retry: once, error: Failure }))
        yield* Durable.wait("pause", "1 second")
        return yield* failed
      })
    ),
    alone
  ),

  /** The policy by default. */
  "1-13": LambdaHandler.make(
    Failing.implement(() =>
      Durable.step("unreliable", secondTimeLucky("Operation succeeded", new Failure({ message: "not yet" })), {
        error: Failure
      })
    ),
    alone
  ),

  /** A fixed delay. */
  "1-14": LambdaHandler.make(
    Failing.implement(() =>
      Durable.step("unreliable", secondTimeLucky("Operation succeeded", new Failure({ message: "not yet" })), {
        retry: everySecond(3),
        error: Failure
      })
    ),
    alone
  ),

  /** An error that the policy does not repeat. */
  "1-16": LambdaHandler.make(
    Failing.implement(() =>
      Durable.step("permanent", nobodyKnows, {
        retry: RetryPolicy.fixed({
          maxAttempts: 3,
          delay: "1 second",
          while: (error: unknown) => error instanceof TransientError
        }),
        error: Failure
      })
    ),
    alone
  ),

  /** At most once, and the process dies. */
  "1-17": LambdaHandler.make(
    DurableFunction.make("at-most-once", { payload: Schema.Unknown, success: Schema.String }).implement((input) =>
      Durable.step(
        "once",
        Effect.andThen(
          Effect.log(input),
          Effect.sync((): string => process.exit(1))
        ),
        { semantics: "at-most-once" }
      )
    ),
    alone
  )
}
