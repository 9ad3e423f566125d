/**
 * The randomness of a workflow: the same numbers at every replay, and others for every context and execution. Bodies of
 * steps, and retry policies, draw from the host's.
 *
 * @since 0.1.0
 */
import type * as Random from "effect/Random"
import { currentStrand } from "./Execution.ts"

export class WorkflowRandom implements Random.Random {
  readonly host: Random.Random

  constructor(host: Random.Random) {
    this.host = host
  }

  nextDoubleUnsafe(): number {
    return this.#current.nextDoubleUnsafe()
  }

  nextIntUnsafe(): number {
    return this.#current.nextIntUnsafe()
  }

  get #current(): Random.Random {
    return currentStrand()?.random ?? this.host
  }
}

/** The host's randomness in the place of a workflow's. One that the program brought along stays. */
export const realRandom = (random: Random.Random): Random.Random =>
  random instanceof WorkflowRandom ? random.host : random
