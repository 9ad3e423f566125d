/**
 * Where in the code an operation was asked for: noted under the test and local engines only, for messages.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const CallSite: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-durable/CallSite",
  { defaultValue: () => undefined }
)

/** Whether the current fibre belongs to an execution that notes call sites. */
export const CaptureCallSites: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-durable/CaptureCallSites",
  { defaultValue: () => false }
)

/** The place at which the operation of the current fibre was asked for, if that was noted. */
export const callSiteOf = (fiber: Fiber.Fiber<unknown, unknown>): string | undefined => fiber.getRef(CallSite)

/** Notes the place of the caller's caller. Operations are asked for inside the fibre that runs the workflow. */
export const noted = <A, E, R>(operation: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  if (Fiber.getCurrent()?.getRef(CaptureCallSites) !== true) return operation
  const place = userFrame(new Error().stack)
  return place === undefined ? operation : Effect.provideService(operation, CallSite, place)
}

/** The folder of this library. A bundle that is no ES module has no address, and a frame of ours may be named then. */
const ownFolder = (): string | undefined => {
  const address: unknown = import.meta.url
  return typeof address === "string" ? new URL("..", address).pathname : undefined
}

/** The first frame of a stack that belongs neither to Effect nor to this library. */
const userFrame = (stack: string | undefined, own = ownFolder()): string | undefined =>
  stack
    ?.split("\n")
    .slice(1)
    .find((line) => (own === undefined || !line.includes(own)) && !/node_modules\/effect\/|node:/.test(line))
    ?.trim()
    .replace(
      /^at (?:.*\((.*)\)|(.*))$/,
      (_, called: string | undefined, bare: string | undefined) => called ?? bare ?? ""
    )
