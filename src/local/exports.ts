/**
 * The exports of a user's module that can be served.
 *
 * Owns: how exports are recognised.
 * Does not own: how they run. Loading a module runs its code, so only processes that run functions load one.
 *
 * @since 0.1.0
 */
import { pathToFileURL } from "node:url"
import type { DurableClient } from "../DurableClient.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import { propertyAt } from "../wire/internal/properties.ts"

/**
 * Returns whether a value is an implementation of a contract, from any copy of this library. Code that requires services of
 * its own shows only when it runs: it dies because of the missing service.
 */
export const isImplementation = (value: unknown): value is DurableFunction.AnyImplementation<DurableClient> => {
  const contract = propertyAt(value, "contract")
  return (
    typeof propertyAt(value, "handler") === "function" &&
    typeof propertyAt(contract, "name") === "string" &&
    ["durable", "plain"].includes(String(propertyAt(contract, "kind")))
  )
}

const isContract = (value: unknown): value is DurableFunction.Any =>
  typeof propertyAt(value, "implement") === "function" &&
  typeof propertyAt(value, "name") === "string" &&
  ["durable", "plain"].includes(String(propertyAt(value, "kind")))

/** Loads a module, with the exports of a CommonJS module. */
export const exportsOf = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
  const { default: common } = module
  return typeof common === "object" && common !== null ? { ...common, ...module } : module
}

/** A servable export, as the inspecting process reports it to the engine. */
interface Found {
  readonly export: string
  readonly name: string
  readonly kind: "durable" | "plain"
  /** The address in the contract, if it has one. */
  readonly target?: string
}

/** Returns the implementations among the exports of a module, each under the name of its contract. */
export const implementationsIn = (exports: Readonly<Record<string, unknown>>): ReadonlyArray<Found> =>
  Object.entries(exports).flatMap(([key, value]) =>
    isImplementation(value) ? [{ export: key, ...addressed(value.contract) }] : []
  )

/** Returns the contracts that a module exports, by themselves or with their implementations. */
export const contractsIn = (exports: Readonly<Record<string, unknown>>): ReadonlyArray<Omit<Found, "export">> => {
  const contracts = Object.values(exports).flatMap((value) =>
    isContract(value) ? [value] : isImplementation(value) ? [value.contract] : []
  )
  return Array.from(new Map(contracts.map((contract) => [contract.name, addressed(contract)])).values())
}

const addressed = ({ kind, name, target }: DurableFunction.Any) => ({
  name,
  kind,
  ...(target !== undefined && { target })
})
