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
import type { DurableClient } from "../DurableClient.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import { callPlain } from "../hosting/plain.ts"
import * as LambdaClient from "../lambda/LambdaClient.ts"
import type { InvocationContext } from "../lambda/LambdaContext.ts"
import * as LambdaHandler from "../lambda/LambdaHandler.ts"

/**
 * Returns the handler of an implementation of either kind. Its client is that of the engine, which the environment of the
 * process names.
 */
export const handlerOf = (
  implementation: DurableFunction.AnyImplementation<DurableClient>
): ((event: unknown, context: InvocationContext) => Promise<unknown>) =>
  implementation.contract.kind === "durable"
    ? // On one machine an address without a version is sufficient.
      LambdaHandler.make(implementation, { layer: LambdaClient.layer, warnAboutTargets: false })
    : (event) => callInPlace(implementation, event)

/** Calls a plain function. The payload is encoded as text again, because a contract reads text. */
const callInPlace = async (
  implementation: DurableFunction.AnyImplementation<DurableClient>,
  event: unknown
): Promise<unknown> => {
  const payload = event === null ? undefined : JSON.stringify(event)
  const ended = await Effect.runPromise(Effect.provide(callPlain(implementation, payload), LambdaClient.layer))
  if (ended._tag === "Succeeded") return ended.result === undefined ? null : JSON.parse(ended.result)
  throw Object.assign(new Error(ended.error?.ErrorMessage ?? ""), {
    name: ended.error?.ErrorType ?? "Error",
    errorData: ended.error?.ErrorData
  })
}
