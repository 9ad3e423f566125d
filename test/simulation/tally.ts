/**
 * What is noted while programs run, over all invocations.
 */
import type { Answer, Callee } from "./program.ts"

/** One attempt of a step whose body began to run. */
export interface BodyRun {
  readonly executionArn: string
  readonly operationId: string
  readonly attempt: number
  readonly once: boolean
  readonly maxAttempts: number
}

/** What the outside world saw of a program, over all invocations. */
export class Tally {
  readonly bodies: Array<BodyRun> = []
  readonly calls: Array<Callee> = []
  /** The effects that were done and may have to be undone, by their nodes, and those that were undone. */
  readonly done: Array<number> = []
  readonly undone: Array<number> = []
  /** Tells the world outside of a callback. */
  tell: (callbackId: string, answer: Answer) => void = () => {}
  /** What the program saw of outcomes that may depend on timing, by where it saw them. */
  readonly #seen = new Map<string, number>()
  /** Where it saw something else than before. */
  readonly changed: Array<string> = []
  /** Durable finalizers that ran for an effect which was interrupted. */
  interruptedFinalizers = 0
  /** Regions with a finalizer of Effect's own that were entered, and those that were left. */
  entered = 0
  left = 0

  see(where: string, digest: number): void {
    const before = this.#seen.get(where) ?? digest
    this.#seen.set(where, before)
    if (before !== digest) this.changed.push(`${where}: ${before}, then ${digest}`)
  }
}
