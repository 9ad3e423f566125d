/**
 * The randomness of a workflow: the same numbers at every replay, and others for every context and execution. Bodies of
 * steps, and the retry policies that judge them, draw from the host's.
 *
 * @since 0.1.0
 */
import type * as Random from "effect/Random"
import { currentStrand } from "./Execution.ts"

export const workflowRandom = (host: Random.Random): Random.Random => {
  const current = (): Random.Random => currentStrand()?.random ?? host
  return {
    nextDoubleUnsafe: () => current().nextDoubleUnsafe(),
    nextIntUnsafe: () => current().nextIntUnsafe()
  }
}
