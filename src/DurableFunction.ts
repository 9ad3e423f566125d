/**
 * Makes contracts: the names and Schemas by which functions call each other.
 *
 * Put contracts in files of their own, without handler code. A caller then imports `ProcessPayment` and invokes it; the
 * callee imports the same value and implements it. {@link make} is for durable functions, {@link plain} for ordinary
 * ones, and {@link reference} for those of other teams and languages.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type * as DurableError from "./DurableError.ts"
import type { Execution, HoldsOperations } from "./execution/Parts.ts"
import type * as Serdes from "./Serdes.ts"
import { parseFunctionAddress } from "./wire/Constraints.ts"

// --- What a contract is ------------------------------------------------------------------------------------------------

/**
 * Marks contracts, also those that another copy of the package made.
 *
 * @category type ids
 * @since 0.1.0
 */
export const TypeId = "~effect-durable/DurableFunction"

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
  readonly [TypeId]: typeof TypeId
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
  readonly successSerdes: Serdes.Codec<Success["Type"], Services> | undefined
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
  readonly [TypeId]: typeof TypeId
  readonly kind: Kind
  readonly name: string
  readonly payload: Schema.Top
  readonly success: Schema.Top
  readonly error: Schema.Top
  readonly target: string | undefined
  readonly payloadSerdes: AnyCodec | undefined
  readonly successSerdes: AnyCodec | undefined
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
 * What a function returns.
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

type CodecServices<C extends Any> = ServicesOf<C["payloadSerdes"]> | ServicesOf<C["successSerdes"]>

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

/**
 * Checks whether a value is a contract, of either kind.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 *
 * export const contractsIn = (module: object) => Object.values(module).filter(DurableFunction.isDurableFunction)
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isDurableFunction = (u: unknown): u is Any => hasProperty(u, TypeId)

// --- Making one --------------------------------------------------------------------------------------------------------

/**
 * What a contract says in addition to its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Payload extends Schema.Top, Success extends Schema.Top, Error extends Schema.Top, Services> {
  /** Default: `Schema.Void`, a function that takes nothing: whatever event it is started with is ignored. */
  readonly payload?: Payload | undefined
  /** Default: `Schema.Void`, a function that returns nothing. */
  readonly success?: Success | undefined
  /** The errors that callers see as themselves. Default: `Schema.Never`. */
  readonly error?: Error | undefined
  /** Replaces the ambient `Serdes` for the payload. */
  readonly payloadSerdes?: Serdes.Codec<NoInfer<Payload["Type"]>, Services> | undefined
  /** Replaces the ambient `Serdes` for the result. */
  readonly successSerdes?: Serdes.Codec<NoInfer<Success["Type"]>, Services> | undefined
  /**
   * The name of the execution that a payload starts: 1..64 of `a-z A-Z 0-9 - _`. Executions of all functions of an account
   * in a region share their names, so put the contract's into it.
   *
   * It counts for `DurableClient.start` and `Durable.start`. It does not count for `Durable.invoke`: the service names the
   * execution of a chained invoke itself, and calls the function once for each invoke.
   */
  readonly idempotencyKey?: ((payload: NoInfer<Payload["Type"]>) => string) | undefined
}

/**
 * Makes the contract of a durable function.
 *
 * `name` is 1..140 of `a-z A-Z 0-9 - _`; anything else throws, as it is a mistake in the source. Without a `target` the
 * function is found at `name:$LATEST`, or where `Targets` says.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
 *
 * export const ProcessPayment = DurableFunction.make("process-payment", {
 *   payload: Schema.Struct({ orderId: Schema.String, amount: Schema.Number }),
 *   success: Schema.Struct({ transactionId: Schema.String }),
 *   error: CardDeclined,
 *   target: "payment-processor:live"
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  Payload extends Schema.Top = Schema.Void,
  Success extends Schema.Top = Schema.Void,
  Error extends Schema.Top = Schema.Never,
  const Target extends string = string,
  Services = never
>(
  name: Name,
  options: Options<Payload, Success, Error, Services> & {
    /** Where the function is: a name or an ARN, with a version or an alias. */
    readonly target?: QualifiedTarget<Target> | undefined
  } = {}
): Durable<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.make", "durable", name, options.target, options)

/**
 * Makes the contract of an ordinary on-demand Lambda function, written as an Effect or in any other way.
 *
 * `name` is 1..140 of `a-z A-Z 0-9 - _`; anything else throws. Without a `target` the function is found at `name`, or
 * where `Targets` says.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * export const ValidateOrder = DurableFunction.plain("validate-order", {
 *   payload: Schema.Struct({ orderId: Schema.String }),
 *   success: Schema.Struct({ valid: Schema.Boolean })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const plain = <
  const Name extends string,
  Payload extends Schema.Top = Schema.Void,
  Success extends Schema.Top = Schema.Void,
  Error extends Schema.Top = Schema.Never,
  Services = never
>(
  name: Name,
  options: Options<Payload, Success, Error, Services> & {
    /** Where the function is: a name or an ARN, with or without a version or an alias. */
    readonly target?: string | undefined
  } = {}
): Plain<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.plain", "plain", name, options.target, options)

/**
 * Makes the contract of a function that somebody else owns, by its address. Its name is that of the address unless you
 * give one.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * export const Ship = DurableFunction.reference("arn:aws:lambda:eu-west-1:123456789012:function:ship:live", {
 *   kind: "durable",
 *   payload: Schema.Struct({ orderId: Schema.String }),
 *   success: Schema.Struct({ trackingId: Schema.String })
 * })
 * Ship.name // "ship"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reference = <
  const Address extends string,
  K extends Kind,
  const Name extends string = FunctionName<Address>,
  Payload extends Schema.Top = Schema.Void,
  Success extends Schema.Top = Schema.Void,
  Error extends Schema.Top = Schema.Never,
  Services = never
>(
  address: AddressFor<K, Address>,
  options: Options<Payload, Success, Error, Services> & {
    readonly kind: K
    /** Default: the name in the address. */
    readonly name?: Name | undefined
  }
): Of<K, Name, Payload, Success, Error, Services> => {
  const parts = parseFunctionAddress(address)
  if (parts === undefined) {
    throw new TypeError(
      `DurableFunction.reference: expected the name or the ARN of a Lambda function, found "${address}"`
    )
  }
  // Both names are of type `Name`: the one that was given, or the default of the type, which is the name in the address.
  const name = cast<string, Name>(options.name ?? parts.name)
  return contract("DurableFunction.reference", options.kind, name, address, options)
}

const contract = <
  K extends Kind,
  Name extends string,
  Payload extends Schema.Top,
  Success extends Schema.Top,
  Error extends Schema.Top,
  Services
>(
  constructor: string,
  kind: K,
  name: Name,
  target: string | undefined,
  options: Options<Payload, Success, Error, Services>
): Of<K, Name, Payload, Success, Error, Services> => {
  if (!/^[a-zA-Z0-9_-]{1,140}$/.test(name)) {
    throw new TypeError(`${constructor}: the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found "${name}"`)
  }
  const self: Any & { readonly implement: (handler: unknown) => unknown } = {
    [TypeId]: TypeId,
    kind,
    name,
    payload: options.payload ?? Schema.Void,
    success: options.success ?? Schema.Void,
    error: options.error ?? Schema.Never,
    target,
    payloadSerdes: options.payloadSerdes,
    successSerdes: options.successSerdes,
    idempotencyKey: options.idempotencyKey,
    implement: (handler) => ({ contract: self, handler })
  }
  // The defaults of the type parameters are those above.
  return cast(self)
}

type AddressFor<K extends Kind, Address extends string> = K extends "durable" ? QualifiedTarget<Address> : Address

/**
 * `T` when it is an address with a qualifier, or not a literal at all (then it is checked when it is used); otherwise a
 * text that says what is missing.
 */
type QualifiedTarget<T extends string> = string extends T ? T : T extends Qualified<T> ? T : Unqualified<T>

type Qualified<T extends string> = T extends `${infer Start}:function:${infer Rest}`
  ? `${Start}:function:${QualifiedName<Rest>}`
  : QualifiedName<T>

type QualifiedName<T extends string> = T extends `${infer Name}:${infer Qualifier}`
  ? Name extends ""
    ? never
    : Qualifier extends "" | `${string}:${string}`
      ? never
      : T
  : never

type Unqualified<T extends string> =
  `a durable function is invoked by version or alias: "${T}:live", "${T}:7" or "${T}:$LATEST"`

type FunctionName<Address extends string> = Address extends `${string}:function:${infer Rest}`
  ? FirstPart<Rest>
  : FirstPart<Address>

type FirstPart<T extends string> = T extends `${infer First}:${string}` ? First : T
