/** The suite `invoke`: other functions, called through the service. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { setTimeout } from "node:timers/promises"
import { Durable, DurableFunction, Serdes } from "../../../src/index.ts"
import { LambdaHandler } from "../../../src/lambda/index.ts"
import { alone } from "./support.ts"

const Echo = DurableFunction.plain("target-echo", { payload: Schema.Unknown, success: Schema.Unknown })
const EchoOfTenant = DurableFunction.plain("target-echo-tenant", { payload: Schema.Unknown, success: Schema.Unknown })
const Broken = DurableFunction.plain("target-error", { payload: Schema.Unknown, success: Schema.Unknown })

const Caller = DurableFunction.make("caller", { payload: Schema.Unknown, success: Schema.Unknown })

/** A target must not answer before the invocation of its caller has ended. */
const later = <A>(answer: () => A): Promise<A> => setTimeout(150).then(answer)

/** The functions that are called, as any Lambda function would be written. */
export const targets: Readonly<Record<string, (event: unknown) => Promise<unknown>>> = {
  "target-echo": (event) => later(() => event),
  "target-echo-tenant": (event) => later(() => event),
  "target-error": () =>
    later(() => {
      throw new Error("the target has failed")
    })
}

/** The requirements that this project was given. */
export const given = {
  "5-1": LambdaHandler.make(
    Caller.implement((input) => Durable.invoke(Echo, input)),
    alone
  ),

  "5-2": LambdaHandler.make(
    DurableFunction.make("named", {
      payload: Schema.Struct({ name: Schema.String, payload: Schema.String }),
      success: Schema.Unknown
    }).implement(({ name, payload }) => Durable.invoke(Echo, payload, { name })),
    alone
  ),

  "5-3": LambdaHandler.make(
    Caller.implement((input) => Durable.invoke(Echo, input)),
    alone
  ),

  "5-5": LambdaHandler.make(
    Caller.implement((input) => Durable.invoke(Broken, input)),
    alone
  ),

  "5-6": LambdaHandler.make(
    Caller.implement((input) =>
      Durable.invoke(Broken, input).pipe(Effect.catchTag("InvokeFailed", () => Effect.succeed("fallback_result")))
    ),
    alone
  ),

  "5-7": LambdaHandler.make(
    Caller.implement(() => Durable.invoke(Echo, { data: "x".repeat(200 * 1_024) })),
    alone
  ),

  "5-8": LambdaHandler.make(
    DurableFunction.make("tenants", {
      payload: Schema.Struct({ tenantId: Schema.String, payload: Schema.String }),
      success: Schema.Unknown
    }).implement(({ payload, tenantId }) => Durable.invoke(EchoOfTenant, payload, { tenantId })),
    alone
  ),

  "5-9": LambdaHandler.make(
    Caller.implement(
      Effect.fnUntraced(function* (input) {
        const result = yield* Durable.invoke(Echo, input)
        yield* Durable.wait("pause", "1 second")
        return result
      })
    ),
    alone
  ),

  "5-11": LambdaHandler.make(
    Caller.implement(
      Effect.fnUntraced(function* () {
        const value = yield* Durable.step("prepare", Effect.succeed("step_result"))
        return yield* Durable.invoke(Echo, value)
      })
    ),
    alone
  ),

  "5-12": LambdaHandler.make(
    Caller.implement(
      Effect.fnUntraced(function* () {
        const value = yield* Durable.invoke(Echo, "invoke_result")
        return yield* Durable.step("process", Effect.succeed(`processed ${String(value)}`))
      })
    ),
    alone
  ),

  "5-14": LambdaHandler.make(
    Caller.implement(
      Effect.fnUntraced(function* () {
        const first = yield* Durable.invoke(Echo, "first")
        const second = yield* Durable.invoke(Echo, "second")
        return [first, second]
      })
    ),
    alone
  ),

  "5-15": LambdaHandler.make(
    DurableFunction.make("shouting", {
      payload: Schema.Struct({ data: Schema.String }),
      success: Schema.Unknown
    }).implement((payload) =>
      Durable.invoke(Echo, payload, {
        payloadSerdes: Serdes.make<unknown>({
          serialize: (value) =>
            JSON.stringify(value, (_, part) => (typeof part === "string" ? part.toUpperCase() : part)),
          deserialize: (text) => text
        })
      })
    ),
    alone
  )
}

/** Requirements of which only the subject is known. */
export const guessed = {
  /** No payload. */
  "5-4": LambdaHandler.make(
    Caller.implement(() => Durable.invoke(Echo, null)),
    alone
  ),

  /** A failed invoke fails again on replay. */
  "5-10": LambdaHandler.make(
    Caller.implement(
      Effect.fnUntraced(function* (input) {
        const failed = yield* Effect.exit(Durable.invoke(Broken, input))
        yield* Durable.wait("pause", "1 second")
        return yield* failed
      })
    ),
    alone
  ),

  /** An invoke inside a child. */
  "5-13": LambdaHandler.make(
    Caller.implement((input) => Durable.child("child", Durable.invoke(Echo, input), { success: Schema.Unknown })),
    alone
  ),

  /** A format of its own for the result. */
  "5-16": LambdaHandler.make(
    Caller.implement((input) =>
      Durable.invoke(Echo, input, {
        successSerdes: Serdes.make<unknown>({
          serialize: (value) => JSON.stringify(value),
          deserialize: (text) => JSON.parse((text ?? "null").toUpperCase().replace("NULL", "null"))
        })
      })
    ),
    alone
  )
}
