/**
 * Contracts: the names and Schemas by which functions call each other.
 *
 * Put contracts in files of their own, without handler code. A caller then imports `ProcessPayment` and invokes it; the
 * callee imports the same value and implements it. {@link make} creates contracts of durable functions, {@link plain}
 * those of ordinary functions, and {@link reference} those of functions of other teams and languages.
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
import { describeFound } from "./internal/found.ts"
import type * as Serdes from "./Serdes.ts"
import { parseFunctionAddress } from "./wire/Constraints.ts"

// --- Contracts ---------------------------------------------------------------------------------------------------------

/**
 * The key that marks contracts, including those from another copy of the package.
 *
 * @category type ids
 * @since 0.1.0
 */
export const TypeId = "~effect-durable/DurableFunction"

/**
 * The kind of a function: `"durable"` functions are invoked by version or alias, with an execution of their own;
 * `"plain"` functions like any other Lambda function.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "durable" | "plain"

/**
 * The properties of a contract of either kind. `Services` are the services that its codecs require.
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
  /** The errors that the function declares. Any other failure of the function is `InvokeFailed`. */
  readonly error: Error
  /**
   * The address of the function, unless `Targets` has another: a name, a partial or a full ARN, with or without
   * qualifier.
   */
  readonly target: string | undefined
  /** The codec of the payload, in place of the ambient `Serdes`. */
  readonly payloadSerdes: Serdes.Codec<Payload["Type"], Services> | undefined
  /** The codec of the result, in place of the ambient `Serdes`. */
  readonly successSerdes: Serdes.Codec<Success["Type"], Services> | undefined
  /**
   * Computes the name of the execution that a payload starts, so that repeated starts start one execution. An invoke does
   * not use it: the service does not let the caller name the execution.
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
   * Combines the contract with the workflow that implements it. The workflow may fail with the errors that the contract
   * declares, and with the library's own operation errors. It has its own scope, which is closed when the workflow ends
   * and at every suspension.
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
  /**
   * Combines the contract with the Effect that implements it. It must not contain durable operations: nothing would
   * record them.
   */
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
 * The contract of a function of kind `K`.
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
 * A contract together with the code that implements it. `R` are the services that the code requires: your own, and those
 * of the contract's Schemas.
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
 * Any implementation that requires at most `R`.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyImplementation<out R = unknown> {
  readonly contract: Any
  readonly handler: (payload: never) => Effect.Effect<unknown, unknown, R | Execution | Scope>
}

/**
 * The payload of a function.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type Payload<C extends Any> = C["payload"]["Type"]

/**
 * The result of a function.
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
 * The services that a caller needs to write the payload and to read the result or the error.
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
 * The services that a callee needs to read the payload and to write the result or the error.
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
 * The payload and the options of an operation that calls a contract. The payload is optional when the contract takes
 * nothing.
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

// --- Constructors ------------------------------------------------------------------------------------------------------

/**
 * The options of a contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Payload extends Schema.Top, Success extends Schema.Top, Error extends Schema.Top, Services> {
  /** The Schema of the payload. Default: `Schema.Void`, a function that takes nothing and ignores its event. */
  readonly payload?: Payload | undefined
  /** The Schema of the result. Default: `Schema.Void`, a function that returns nothing. */
  readonly success?: Success | undefined
  /** The Schema of the errors that callers receive with their types. Default: `Schema.Never`. */
  readonly error?: Error | undefined
  /** The codec of the payload, in place of the ambient `Serdes`. */
  readonly payloadSerdes?: Serdes.Codec<NoInfer<Payload["Type"]>, Services> | undefined
  /** The codec of the result, in place of the ambient `Serdes`. */
  readonly successSerdes?: Serdes.Codec<NoInfer<Success["Type"]>, Services> | undefined
  /**
   * Computes the name of the execution that a payload starts: 1 to 64 of `a-z A-Z 0-9 - _`. Executions of all functions
   * of an account in a region share their names, so include the name of the contract.
   *
   * `DurableClient.start`, `DurableClient.run` and `Durable.start` use it. `Durable.invoke` does not: the service names
   * the execution of a chained invoke itself, and calls the function once for each invoke.
   */
  readonly idempotencyKey?: ((payload: NoInfer<Payload["Type"]>) => string) | undefined
}

/**
 * Creates the contract of a durable function.
 *
 * `name` is 1 to 140 of `a-z A-Z 0-9 - _`; any other name throws, because it is a mistake in the source. Without a
 * `target` the address is `name:$LATEST`, unless `Targets` has another.
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
    /** The address of the function: a name or an ARN, with a version or an alias. */
    readonly target?: QualifiedTarget<Target> | undefined
  } = {}
): Durable<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.make", "durable", name, options?.target, options)

/**
 * Creates the contract of an ordinary on-demand Lambda function, written as an Effect or in any other way.
 *
 * `name` is 1 to 140 of `a-z A-Z 0-9 - _`; any other name throws. Without a `target` the address is `name`, unless
 * `Targets` has another.
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
    /** The address of the function: a name or an ARN, with or without a version or an alias. */
    readonly target?: string | undefined
  } = {}
): Plain<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.plain", "plain", name, options?.target, options)

/**
 * Creates the contract of a function of another owner, from its address. Its name is the name in the address unless the
 * options give another.
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
  const parts = typeof address === "string" ? parseFunctionAddress(address) : undefined
  if (parts === undefined) {
    throw new TypeError(
      `DurableFunction.reference: expected the name or the ARN of a Lambda function, found ${describeFound(address)}`
    )
  }
  const kind: unknown = options?.kind
  if (kind !== "durable" && kind !== "plain") {
    throw new TypeError(
      `DurableFunction.reference: expected the kind "durable" or "plain", found ${describeFound(kind)}`
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
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,140}$/.test(name)) {
    throw new TypeError(
      `${constructor}: the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found ${describeFound(name)}`
    )
  }
  const { error = Schema.Never, payload = Schema.Void, success = Schema.Void, ...rest } = options ?? {}
  for (const [value, schema] of Object.entries({ error, payload, success })) {
    if (!Schema.isSchema(schema))
      throw new TypeError(`${constructor}: the ${value} of "${name}" is a Schema, found ${describeFound(schema)}`)
  }
  const self: Any & { readonly implement: (handler: unknown) => unknown } = {
    [TypeId]: TypeId,
    kind,
    name,
    payload,
    success,
    error,
    target,
    payloadSerdes: rest.payloadSerdes,
    successSerdes: rest.successSerdes,
    idempotencyKey: rest.idempotencyKey,
    implement: (handler) => {
      if (typeof handler === "function") return { contract: self, handler }
      throw new TypeError(
        `Expected a function that implements "${name}", found ${describeFound(handler)}. It returns an Effect.`
      )
    }
  }
  // The defaults of the type parameters are those above.
  return cast(self)
}

type AddressFor<K extends Kind, Address extends string> = K extends "durable" ? QualifiedTarget<Address> : Address

/**
 * `T` if it is an address with a qualifier, or not a literal type, in which case the address is checked when it is used.
 * Otherwise a text about what is missing.
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
