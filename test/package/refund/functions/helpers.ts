/** Helpers around operations, generic in values, errors and services, whose types nobody has written down. */
import { Durable, DurableError, type DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Mailer } from "./services.ts"

/** Waits as long as the other side asks for. */
export const asTold = <E extends { readonly _tag: string }>() =>
  RetryPolicy.exponential<E>({ maxAttempts: 8, initialDelay: "2 seconds", maxDelay: "2 minutes" }).pipe(
    RetryPolicy.withDelay<E>(({ failure }) =>
      failure._tag === "Fail" && "retryAfter" in failure.error && typeof failure.error.retryAfter === "number"
        ? { seconds: failure.error.retryAfter }
        : undefined
    )
  )

/** A step in a pipe with a span and annotations of its own. */
export const traced =
  <A, E>(
    name: string,
    schemas: { readonly success: Schema.Codec<A, unknown>; readonly error: Schema.Codec<E, unknown> },
    retry: RetryPolicy.RetryPolicy<E> = RetryPolicy.standard
  ) =>
  <R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(Effect.withSpan(`refund.${name}`), Effect.annotateLogs({ part: name }), (body) =>
      Durable.step(name, body, { ...schemas, retry })
    )

/** Calls any function, and has a value for one that does not answer in time. */
export const invokeOr = <C extends DurableFunction.Any, B>(
  contract: C,
  payload: DurableFunction.Payload<C>,
  timeout: Durable.Timeout,
  orElse: B
) =>
  Durable.invoke(contract, payload, { timeout }).pipe(
    Effect.catchIf(Schema.is(DurableError.InvokeTimedOut), () => Effect.succeed(orElse))
  )

/** Asks somebody, and reminds them until they have answered. */
export const asked = <S extends Schema.Top, E extends Schema.Top>(
  name: string,
  answer: { readonly success: S; readonly error: E },
  options: { readonly to: string; readonly every: Durable.Timeout; readonly patience: Durable.Timeout }
) =>
  Effect.gen(function* () {
    const opened = yield* Durable.callback(name, { ...answer, timeout: options.patience })
    const mail = (text: string) =>
      Durable.step(
        text,
        Effect.gen(function* () {
          const { idempotencyKey } = yield* Durable.StepContext
          const { send } = yield* Mailer
          yield* Effect.orDie(send({ to: options.to, text, callbackId: opened.callbackId, key: idempotencyKey }))
        })
      )
    yield* mail("ask")
    const reminders = Effect.forever(Effect.andThen(Durable.wait("until the reminder", options.every), mail("remind")))
    return yield* Effect.raceFirst(opened.await, reminders)
  })
