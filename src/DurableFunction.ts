/**
 * Makes contracts: the names and Schemas by which functions call each other.
 *
 * Put contracts in files of their own, without handler code. A caller then imports `ProcessPayment` and invokes it; the
 * callee imports the same value and implements it. {@link make} is for durable functions, {@link plain} for ordinary
 * ones, and {@link reference} for those of other teams and languages.
 *
 * @since 0.1.0
 */
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import type * as Contract from "./Contract.ts"
import type * as Serdes from "./Serdes.ts"
import { parseFunctionAddress } from "./wire/Constraints.ts"

export type { Implementation } from "./Contract.ts"

/**
 * What a contract says besides its name.
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
  readonly resultSerdes?: Serdes.Codec<NoInfer<Success["Type"]>, Services> | undefined
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
 * The contract of a durable function.
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
): Contract.Durable<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.make", "durable", name, options.target, options)

/**
 * The contract of an ordinary on-demand Lambda function, written as an Effect or in any other way.
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
): Contract.Plain<Name, Payload, Success, Error, Services> =>
  contract("DurableFunction.plain", "plain", name, options.target, options)

/**
 * The contract of a function that somebody else owns, by its address. Its name is that of the address unless you give
 * one.
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
  K extends Contract.Kind,
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
): Contract.Of<K, Name, Payload, Success, Error, Services> => {
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
  K extends Contract.Kind,
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
): Contract.Of<K, Name, Payload, Success, Error, Services> => {
  if (!/^[a-zA-Z0-9_-]{1,140}$/.test(name)) {
    throw new TypeError(`${constructor}: the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found "${name}"`)
  }
  const self: Contract.Any & { readonly implement: (handler: unknown) => unknown } = {
    kind,
    name,
    payload: options.payload ?? Schema.Void,
    success: options.success ?? Schema.Void,
    error: options.error ?? Schema.Never,
    target,
    payloadSerdes: options.payloadSerdes,
    resultSerdes: options.resultSerdes,
    idempotencyKey: options.idempotencyKey,
    implement: (handler) => ({ contract: self, handler })
  }
  // The defaults of the type parameters are those above.
  return cast(self)
}

type AddressFor<K extends Contract.Kind, Address extends string> = K extends "durable"
  ? QualifiedTarget<Address>
  : Address

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
