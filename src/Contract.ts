/**
 * What a caller and a callee agree on: the name of a function, and the Schemas of its payload, its result and its errors.
 *
 * A contract holds no handler code, so a caller imports it without importing the callee. These are the types; contracts
 * are made in `DurableFunction`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type * as DurableError from "./DurableError.ts"
import type { Execution } from "./execution/Parts.ts"
import type { HoldsOperations } from "./operations/typed.ts"
import type * as Serdes from "./Serdes.ts"

/**
 * How a function is invoked: `"durable"` functions by version or alias, with an execution of their own; `"plain"` ones as
 * any other Lambda function.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "durable" | "plain"

/**
 * The agreement itself, for either kind. `Services` is what the codecs of the contract need.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contract<
  out K extends Kind,
  out Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  Services = never
> {
  readonly kind: K
  /** The name of the function, and the default name of an operation that invokes it. */
  readonly name: Name
  readonly payload: Payload
  readonly success: Success
  /** The errors that the function declares. Any other failure of it is `InvokeFailed`. */
  readonly error: Error
  /** Where the function is, unless `Targets` says otherwise: a name, a partial or a full ARN, with or without qualifier. */
  readonly target: string | undefined
  /** Replaces the ambient `Serdes` for the payload. */
  readonly payloadSerdes: Serdes.Codec<Payload["Type"], Services> | undefined
  /** Replaces the ambient `Serdes` for the result. */
  readonly resultSerdes: Serdes.Codec<Success["Type"], Services> | undefined
  /**
   * The name of the execution that a payload starts, so that starting it twice starts it once. An invoke has none: the
   * service does not let the caller name the execution.
   */
  readonly idempotencyKey: ((payload: Payload["Type"]) => string) | undefined
}

/**
 * The contract of a durable function.
 *
 * @category models
 * @since 0.1.0
 */
export interface Durable<
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  Services = never
> extends Contract<"durable", Name, Payload, Success, Error, Services> {
  /**
   * Joins the contract with the workflow that fulfils it. The workflow may fail with the errors that the contract
   * declares, and with the library's own operation errors. It has a scope of its own, which is closed when it ends and
   * at every suspension.
   *
   * @example
   * ```ts
   * import { Durable, DurableFunction } from "effect-durable"
   * import * as Effect from "effect/Effect"
   * import * as Schema from "effect/Schema"
   *
   * const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String })
   *
   * export const greet = Greet.implement(Effect.fn("greet")(function*(name) {
   *   yield* Durable.wait("think", "2 seconds")
   *   return `Hello ${name}`
   * }))
   * ```
   */
  readonly implement: <R, E = never>(
    handler: (payload: Payload["Type"]) => Effect.Effect<Success["Type"], E, R> & Declared<E, Error["Type"]>
  ) => Implementation<
    Durable<Name, Payload, Success, Error, Services>,
    Exclude<R, Execution | Scope> | CalleeServices<Contract<"durable", Name, Payload, Success, Error, Services>>
  >
}

/**
 * The contract of an ordinary Lambda function.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plain<
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  Services = never
> extends Contract<"plain", Name, Payload, Success, Error, Services> {
  /** Joins the contract with the Effect that fulfils it. No durable operation may be in it: nothing would record them. */
  readonly implement: <R>(
    handler: (payload: Payload["Type"]) => Effect.Effect<Success["Type"], Error["Type"], R> & WithoutExecution<R>
  ) => Implementation<
    Plain<Name, Payload, Success, Error, Services>,
    R | CalleeServices<Contract<"plain", Name, Payload, Success, Error, Services>>
  >
}

type Declared<E, Known> = [E] extends [Known | DurableError.OperationError]
  ? unknown
  : {
      readonly "the contract does not declare this error: give { error: Schema } to DurableFunction.make, or handle it": Exclude<
        E,
        Known | DurableError.OperationError
      >
    }

type WithoutExecution<R> =
  HoldsOperations<R> extends true
    ? {
        readonly "a plain function has no history: use durable operations in a DurableFunction.make contract only": never
      }
    : unknown

/**
 * The contract of a function of one kind.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<
  K extends Kind,
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  Services = never
> = K extends "durable"
  ? Durable<Name, Payload, Success, Error, Services>
  : Plain<Name, Payload, Success, Error, Services>

/**
 * A contract together with the code that fulfils it. `R` is what the code still requires: your services, and those of
 * the contract's Schemas.
 *
 * @category models
 * @since 0.1.0
 */
export interface Implementation<C extends Any, out R> {
  readonly contract: C
  readonly handler: (
    payload: C["payload"]["Type"]
  ) => Effect.Effect<C["success"]["Type"], C["error"]["Type"] | DurableError.OperationError, R | RuntimeServices<C>>
}

type RuntimeServices<C extends Any> = C["kind"] extends "durable" ? Execution | Scope : never

/**
 * Any contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly kind: Kind
  readonly name: string
  readonly payload: Schema.Top
  readonly success: Schema.Top
  readonly error: Schema.Top
  readonly target: string | undefined
  readonly payloadSerdes: AnyCodec | undefined
  readonly resultSerdes: AnyCodec | undefined
  readonly idempotencyKey: ((payload: never) => string) | undefined
}

interface AnyCodec {
  readonly serialize: (
    value: never,
    info: Serdes.Info
  ) => Effect.Effect<string | undefined, Serdes.SerdesError, unknown>
  readonly deserialize: (
    text: string | undefined,
    info: Serdes.Info
  ) => Effect.Effect<unknown, Serdes.SerdesError, unknown>
}

/**
 * Any contract of a durable function.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyDurable extends Any {
  readonly kind: "durable"
}

/**
 * Any implementation that requires no more than `R`.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyImplementation<out R = unknown> {
  readonly contract: Any
  readonly handler: (payload: never) => Effect.Effect<unknown, unknown, R | Execution | Scope>
}

/**
 * What a function is called with.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type Payload<C extends Any> = C["payload"]["Type"]

/**
 * What a function answers with.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type Success<C extends Any> = C["success"]["Type"]

/**
 * The errors that a function declares.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type Error<C extends Any> = C["error"]["Type"]

/**
 * What a caller needs to write the payload and to read the result or the error.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type CallerServices<C extends Any> =
  | C["payload"]["EncodingServices"]
  | C["success"]["DecodingServices"]
  | C["error"]["DecodingServices"]
  | CodecServices<C>

/**
 * What a callee needs to read the payload and to write the result or the error.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type CalleeServices<C extends Any> =
  | C["payload"]["DecodingServices"]
  | C["success"]["EncodingServices"]
  | C["error"]["EncodingServices"]
  | CodecServices<C>

type CodecServices<C extends Any> = ServicesOf<C["payloadSerdes"]> | ServicesOf<C["resultSerdes"]>

type ServicesOf<T> = T extends { readonly deserialize: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
  ? R
  : never

/**
 * The payload argument of an operation that calls a contract: none is needed when the contract takes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type PayloadAndOptions<C extends Any, Options> =
  undefined extends Payload<C>
    ? readonly [payload?: Payload<C>, options?: Options]
    : readonly [payload: Payload<C>, options?: Options]
