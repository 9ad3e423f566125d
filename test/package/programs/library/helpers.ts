/** Helpers around every operation, generic in services, in values with a Schema, and in errors. */
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { TestEngine } from "effect-durable/testing"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"

// --- step ----------------------------------------------------------------------------------------------------------------

export const stepOfNumbers = <R>(name: string, body: Effect.Effect<number, never, R>) => Durable.step(name, body)

export const stepOfAnything = <S extends Schema.Top, R>(
  name: string,
  success: S,
  body: Effect.Effect<S["Type"], never, R>
) => Durable.step(name, body, { success })

export const stepWithErrors = <E, R>(
  name: string,
  body: Effect.Effect<number, E, R>,
  error: Schema.Codec<E, unknown>
) => Durable.step(name, body, { error })

export const stepWithAll = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.step(name, body, { ...schemas, semantics: "at-most-once" })

export const stepOfCodec = <A, E, R>(
  name: string,
  body: Effect.Effect<A, E, R>,
  success: Schema.Codec<A, unknown>,
  error: Schema.Codec<E, unknown>
): Effect.Effect<A, E, R | Durable.Execution> => Durable.step(name, body, { success, error })

export const stepWithPolicy = <E, R>(
  name: string,
  body: Effect.Effect<number, E, R>,
  error: Schema.Codec<E, unknown>,
  retry: RetryPolicy.RetryPolicy<E>
) => Durable.step(name, body, { error, retry })

// --- Blocks ------------------------------------------------------------------------------------------------------------

export const child = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.child(name, body, schemas)

export const flatChild = <A, E, R>(name: string, body: Effect.Effect<A, E, R>) =>
  Durable.child(name, body, { flat: true })

export const childOfNumbers = <R>(name: string, body: Effect.Effect<number, never, R>) => Durable.child(name, body)

export const timeout = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.timeout(name, body, "1 day", schemas)

export const timeoutOfNumbers = <R>(body: Effect.Effect<number, never, R>) => Durable.timeout("t", body, "1 day")

export const retry = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.retry(name, body, RetryPolicy.standard, schemas)

export const hold = <A, E, R>(body: Effect.Effect<A, E, R>) => Durable.hold(body)

export const local = <A, E, R>(body: Effect.Effect<A, E, R>) => Durable.local(body)

export const localLayer = <A, E, R>(layer: Layer.Layer<A, E, R>) => Durable.local(layer)

export const onExit = <A, E, R, R2>(body: Effect.Effect<A, E, R>, finalizer: Effect.Effect<void, never, R2>) =>
  Durable.onExit(body, () => finalizer)

export const undoing = <A, E, R, R2>(
  name: string,
  body: Effect.Effect<A, E, R>,
  undo: (value: A) => Effect.Effect<void, never, R2>
) => Durable.withCompensation(name, body, undo)

// --- Lists and branches --------------------------------------------------------------------------------------------------

export const forEach = <T, S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  items: Iterable<T>,
  schemas: { readonly success: S; readonly error: F },
  f: (item: T) => Effect.Effect<S["Type"], F["Type"], R>
) => Durable.forEach(name, items, f, { ...schemas, concurrency: 2 })

export const forEachNumber = <T, R>(items: Iterable<T>, f: (item: T) => Effect.Effect<number, never, R>) =>
  Durable.forEach("each", items, f)

export const map = <T, S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  items: Iterable<T>,
  schemas: { readonly success: S; readonly error: F },
  f: (item: T) => Effect.Effect<S["Type"], F["Type"], R>
) => Durable.map(name, items, f, schemas)

export const mapNumber = <T, R>(items: Iterable<T>, f: (item: T) => Effect.Effect<number, never, R>) =>
  Durable.map("map", items, f)

export const parallel = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.parallel(name, [{ name: "a", effect: body }, body], schemas)

export const parallelNumbers = <R>(body: Effect.Effect<number, never, R>) => Durable.parallel("p", [body, body])

export const all = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.all(name, { first: body, second: body }, schemas)

export const allNumbers = <R>(body: Effect.Effect<number, never, R>) => Durable.all("a", [body, body])

export const race = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly success: S; readonly error: F },
  body: Effect.Effect<S["Type"], F["Type"], R>
) => Durable.race(name, [body, Durable.child("other", body, schemas)], schemas)

export const raceFirst = <R>(body: Effect.Effect<number, never, R>) => Durable.raceFirst("r", [body, body])

// --- Callbacks and conditions ----------------------------------------------------------------------------------------------

export const callback = <S extends Schema.Top, F extends Schema.Top>(
  name: string,
  schemas: { readonly success: S; readonly error: F }
) => Durable.callback(name, { ...schemas, timeout: "1 day" })

export const waitForCallback = <S extends Schema.Top, E, R>(
  name: string,
  success: S,
  submit: (id: string) => Effect.Effect<void, E, R>
) => Durable.waitForCallback(name, submit, { success, timeout: "1 day" })

export const waitForCondition = <S extends Schema.Top, F extends Schema.Top, R>(
  name: string,
  schemas: { readonly state: S; readonly error: F },
  initial: S["Type"],
  check: (state: S["Type"]) => Effect.Effect<S["Type"], F["Type"], R>,
  until: (state: S["Type"]) => boolean
) => Durable.waitForCondition(name, { ...schemas, initial, check, until })

// --- Functions -------------------------------------------------------------------------------------------------------------

export const invoke = <C extends DurableFunction.Any>(contract: C, payload: DurableFunction.Payload<C>) =>
  Durable.invoke(contract, payload)

export const invokePayload = <P extends Schema.Top>(payload: P, value: P["Type"]) =>
  Durable.invoke(DurableFunction.make("f", { payload }), value)

export const start = <C extends DurableFunction.AnyDurable>(contract: C, payload: DurableFunction.Payload<C>) =>
  Durable.start(contract, payload)

export const again = <C extends DurableFunction.AnyDurable>(contract: C, payload: DurableFunction.Payload<C>) =>
  Durable.continueWith(contract, payload)

export const call = <C extends DurableFunction.AnyDurable>(contract: C, payload: DurableFunction.Payload<C>) =>
  DurableClient.run(contract, payload)

export const test = <C extends DurableFunction.AnyDurable>(contract: C, payload: DurableFunction.Payload<C>) =>
  TestEngine.run(contract, payload)

export const handler = <I extends DurableFunction.AnyImplementation>(
  implementation: I,
  layer: Layer.Layer<LambdaHandler.Requirements<I>>
) => LambdaHandler.make(implementation, { layer })

export const durable = <P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
  name: string,
  payload: P,
  success: S,
  error: E
) => DurableFunction.make(name, { payload, success, error })

export const implemented = <P extends Schema.Top, S extends Schema.Top, F extends Schema.Top, R>(
  payload: P,
  schemas: { readonly success: S; readonly error: F },
  body: (payload: P["Type"]) => Effect.Effect<S["Type"], F["Type"], R>
) => DurableFunction.make("generic", { payload, ...schemas }).implement((input) => child("body", schemas, body(input)))

export const implementedPlain = <P extends Schema.Top, S extends Schema.Top, R>(
  payload: P,
  success: S,
  body: (payload: P["Type"]) => Effect.Effect<S["Type"], never, R>
) => DurableFunction.plain("generic", { payload, success }).implement(body)
