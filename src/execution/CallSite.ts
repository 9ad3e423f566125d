/**
 * Where in the code an operation was asked for.
 *
 * Owns: noting that place, under the test and local engines only, and finding it when a message needs it.
 * Does not own: who needs it.
 *
 * Invariants:
 * 1. Nothing is noted, and no stack is made, unless an engine asks for it.
 * 2. A place is never in this library or in Effect.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AnyFiber } from "./Fibers.ts"

const CallSite: Context.Reference<Error | undefined> = Context.Reference<Error | undefined>("effect-durable/CallSite", {
  defaultValue: () => undefined
})

/** Whether the current fiber belongs to an execution that notes call sites. */
export const CaptureCallSites: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-durable/CaptureCallSites",
  { defaultValue: () => false }
)

/** What was noted of where the operation of a fiber was asked for. */
export const callSiteOf = (fiber: AnyFiber): Error | undefined => fiber.getRef(CallSite)

/** Notes the place of the caller's caller. Operations are asked for inside the fiber that runs the workflow. */
export const noted = <A, E, R>(operation: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Fiber.getCurrent()?.getRef(CaptureCallSites) === true
    ? Effect.provideService(operation, CallSite, siteWithin(10))
    : operation

/** Notes the place of whoever it is that has the host do something, which is deep below. */
export const notedHere = (): Error => siteWithin(40)

/** A place that is found in so many frames. Node keeps ten by itself, test frameworks many more, and each costs time. */
const siteWithin = (frames: number): Error => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = frames
  try {
    return new Error()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** The place at which something was noted: the first frame that belongs neither to Effect nor to this library. */
export const placeOf = (site: Error | undefined): string | undefined =>
  site?.stack
    ?.split("\n")
    .slice(1)
    .find((line) => !isOwn(line) && !/node_modules\/effect\/|node:|\(<anonymous>\)/.test(line))
    ?.trim()
    .replace(
      /^at (?:.*\((.*)\)|(.*))$/,
      (_, called: string | undefined, bare: string | undefined) => called ?? bare ?? ""
    )

/** The folder of this library. A bundle that is no ES module has no address, and a frame of ours may be named then. */
const ownFolder = (): string | undefined => {
  const address: unknown = import.meta.url
  return typeof address === "string" ? new URL("..", address).pathname : undefined
}

let folder: string | undefined

const isOwn = (line: string): boolean => {
  folder ??= ownFolder()
  return folder !== undefined && line.includes(folder)
}
