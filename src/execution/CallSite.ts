/**
 * The place in the code where an operation was asked for.
 *
 * Owns: how that place is captured, only under the test engine and the local engine, and how it is found when a message
 * needs it.
 * Does not own: which messages need it.
 *
 * Invariants:
 * 1. Nothing is captured, and no stack is made, unless an engine asks for it.
 * 2. A captured place is never in this library or in Effect.
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

/** Whether the current fiber belongs to an execution that captures call sites. */
export const CaptureCallSites: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-durable/CaptureCallSites",
  { defaultValue: () => false }
)

/** Returns the captured place where the operation of a fiber was asked for. */
export const callSiteOf = (fiber: AnyFiber): Error | undefined => Context.getOrUndefined(fiber.context, CallSite)

/** Captures the place of the caller's caller. Operations are asked for inside the fiber that runs the workflow. */
export const noted = <A, E, R>(operation: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Fiber.getCurrent()?.getRef(CaptureCallSites) === true
    ? Effect.provideService(operation, CallSite, siteWithin(10))
    : operation

/** Captures the place of the code that makes the host do something. That code is far up the stack. */
export const notedHere = (): Error => siteWithin(40)

/**
 * Captures a place that is within a number of frames. Node keeps ten frames by default, test frameworks many more, and
 * each frame costs time.
 */
const siteWithin = (frames: number): Error => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = frames
  try {
    return new Error()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Returns the place that was captured: the first frame that belongs neither to Effect nor to this library. */
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

/**
 * Returns the folder of this library. A bundle that is not an ES module has no address, so in such a bundle a place may
 * be in this library.
 */
const ownFolder = (): string | undefined => {
  const address: unknown = import.meta.url
  return typeof address === "string" ? new URL("..", address).pathname : undefined
}

let folder: string | undefined

const isOwn = (line: string): boolean => {
  folder ??= ownFolder()
  return folder !== undefined && line.includes(folder)
}
