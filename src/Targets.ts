/**
 * The addresses of the functions of contracts. Addresses are configuration: the code names a contract, and the deployment
 * decides which function, version or alias implements it.
 *
 * The address of a contract is its entry in `Targets`, otherwise its own `target`, otherwise the function with its own
 * name. Use {@link layer} for entries in code and {@link layerConfig} for entries in the environment.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Kind } from "./DurableFunction.ts"
import { InvalidTarget } from "./DurableError.ts"
import { kindOf } from "./internal/found.ts"
import { parseFunctionAddress } from "./wire/Constraints.ts"

/**
 * Addresses by the name of the contract, and their source, which messages name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entries {
  readonly addresses: ReadonlyMap<string, string>
  readonly source: string
}

/**
 * The addresses that replace those of the contracts. There are none by default.
 *
 * @category services
 * @since 0.1.0
 */
export const Targets: Context.Reference<Entries> = Context.Reference<Entries>("effect-durable/Targets", {
  defaultValue: () => ({ addresses: new Map(), source: "Targets" })
})

/**
 * Sets addresses by the name of the contract. An address is a name or an ARN, with a version or an alias for durable
 * functions. These entries replace those of any other layer of `Targets`.
 *
 * @example
 * ```ts
 * import { Targets } from "effect-durable"
 *
 * export const TargetsLive = Targets.layer({
 *   "process-payment": "payment-processor:live",
 *   ship: "arn:aws:lambda:eu-west-1:123456789012:function:ship:7"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (addresses: Readonly<Record<string, string>>): Layer.Layer<never> =>
  Layer.sync(Targets, () => {
    if (typeof addresses === "object" && addresses !== null)
      return { addresses: new Map(Object.entries(addresses)), source: "Targets.layer" }
    throw new TypeError(
      `Expected the addresses of Targets.layer to be an object, found ${kindOf(addresses)}. Its keys are names of contracts, its values addresses.`
    )
  })

/**
 * Reads addresses from the configuration: by default a JSON object in the variable `DURABLE_TARGETS`.
 *
 * **Errors**: `ConfigError` when the addresses are missing or are not strings.
 *
 * @example
 * ```ts
 * import { Targets } from "effect-durable"
 * import * as Config from "effect/Config"
 *
 * // DURABLE_TARGETS={"process-payment":"payment-processor:live"}
 * export const TargetsLive = Targets.layerConfig()
 *
 * // PAYMENTS=payment-processor:live
 * export const PaymentsLive = Targets.layerConfig(Config.all({ "process-payment": Config.String("PAYMENTS") }))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config?: Config.Config<Readonly<Record<string, string>>>
): Layer.Layer<never, Config.ConfigError> =>
  Layer.effect(
    Targets,
    Effect.map(config ?? Config.schema(AddressesFromJson, "DURABLE_TARGETS"), (addresses) => ({
      addresses: new Map(Object.entries(addresses)),
      source: config === undefined ? "the variable DURABLE_TARGETS" : "the configuration"
    }))
  )

const AddressesFromJson = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/**
 * The address of a function. `defaulted` is true when neither `Targets` nor the contract gives an address.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResolvedTarget {
  readonly address: string
  readonly defaulted: boolean
}

/**
 * Returns the address of a contract, and checks that it can be invoked.
 *
 * **Errors**: `InvalidTarget` when the address is malformed, or lacks the version or alias that a durable function needs.
 *
 * @example
 * ```ts
 * import { DurableFunction, Targets } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const Ship = DurableFunction.make("ship")
 *
 * export const { address } = Effect.runSync(
 *   Targets.resolve(Ship).pipe(Effect.provide(Targets.layer({ ship: "shipping:live" })))
 * )
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const resolve = (contract: Addressed): Effect.Effect<ResolvedTarget, InvalidTarget> =>
  Effect.flatMap(Targets, (entries) => {
    if (!hasProperty(contract, "name")) return noContract(contract)
    const { address, defaulted, source } = locate(contract, entries)
    const problem = problemOf(contract.kind, address)
    return problem === undefined
      ? Effect.succeed({ address, defaulted })
      : new InvalidTarget({
          operation: contract.name,
          message: `The ${contract.kind} function "${contract.name}" cannot be invoked at "${address}", from ${source}: ${problem}`
        })
  })

/** Fails for what a caller without types passes in place of a contract. */
const noContract = (found: unknown): Effect.Effect<never, InvalidTarget> =>
  new InvalidTarget({
    operation: "Targets.resolve",
    message: `Expected a contract, which is what DurableFunction.make returns, found ${kindOf(found)}. Pass the contract, not its name or its code.`
  })

interface Addressed {
  readonly kind: Kind
  readonly name: string
  readonly target: string | undefined
}

const locate = ({ kind, name, target }: Addressed, { addresses, source }: Entries) => {
  const configured = addresses.get(name)
  if (configured !== undefined) return { address: configured, defaulted: false, source }
  if (target !== undefined) return { address: target, defaulted: false, source: "the target of its contract" }
  return { address: kind === "durable" ? `${name}:$LATEST` : name, defaulted: true, source: "its own name" }
}

/** Returns what is wrong with an address, and how to write it. */
const problemOf = (kind: Kind, address: string): string | undefined => {
  const parts = parseFunctionAddress(address)
  if (parts === undefined) {
    return kind === "durable"
      ? `it is not an address. Expected a function's name (at most 64 characters) or its ARN with a version or alias, such as "charge:live" or "arn:aws:lambda:eu-west-1:123456789012:function:charge:live".`
      : `it is not an address. Expected a function's name (at most 64 characters) or its ARN, such as "charge" or "arn:aws:lambda:eu-west-1:123456789012:function:charge".`
  }
  return kind === "plain" || parts.qualifier !== undefined
    ? undefined
    : `a durable function is invoked by version or alias. Write "${address}:live", "${address}:7" or "${address}:$LATEST".`
}
