/**
 * An implementation of a contract as a Lambda handler. It is separate from the rest of the bootstrap, so that processes of
 * other handlers need not load it.
 *
 * Owns: how an implementation is called with an event.
 * Does not own: when it is called.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as DurableFunction from "../DurableFunction.ts"
import { callPlain } from "../hosting/plain.ts"
import type { InvocationContext } from "../lambda/LambdaContext.ts"
import * as LambdaHandler from "../lambda/LambdaHandler.ts"

/** Returns the handler of an implementation of either kind. */
export const handlerOf = (
  implementation: DurableFunction.AnyImplementation<never>
): ((event: unknown, context: InvocationContext) => Promise<unknown>) =>
  implementation.contract.kind === "durable"
    ? // On one machine an address without a version is sufficient.
      LambdaHandler.make(implementation, { layer: Layer.empty, warnAboutTargets: false })
    : (event) => callInPlace(implementation, event)

/** Calls a plain function. The payload is encoded as text again, because a contract reads text. */
const callInPlace = async (
  implementation: DurableFunction.AnyImplementation<never>,
  event: unknown
): Promise<unknown> => {
  const ended = await Effect.runPromise(callPlain(implementation, event === null ? undefined : JSON.stringify(event)))
  if (ended._tag === "Succeeded") return ended.result === undefined ? null : JSON.parse(ended.result)
  throw Object.assign(new Error(ended.error?.ErrorMessage ?? ""), {
    name: ended.error?.ErrorType ?? "Error",
    errorData: ended.error?.ErrorData
  })
}
