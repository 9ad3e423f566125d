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

/** What one invocation tells of what its code sees in a context that is recorded as a whole. */
export type Tell = (context: string, where: string, digest: number) => void

/** What the outside world saw of a program, over all invocations. */
export class Tally {
  readonly bodies: Array<BodyRun> = []
  readonly calls: Array<Callee> = []
  /** The effects that were done and may have to be undone, by their nodes, and those that were undone. */
  readonly done: Array<number> = []
  readonly undone: Array<number> = []
  /** Tells the world outside of a callback. */
  tell: (callbackId: string, answer: Answer) => void = () => {}
  /** Whether the service tells when something ended, so that code sees the same time on every replay. */
  readonly knowsTime: boolean
  /** Where code saw something else than it saw before. */
  readonly changed: Array<string> = []
  /** Durable finalizers that ran for an effect which was interrupted. */
  interruptedFinalizers = 0
  /** Durable finalizers that could not do what they do, because their context had ended. */
  readonly closedFinalizers: Array<string> = []
  /** Regions with a finalizer of Effect's own that were entered, and those that were left. */
  entered = 0
  left = 0
  /** What was seen in each context, in order, as far as any invocation has come. */
  readonly #seen = new Map<string, Array<string>>()
  /** How much of that something recorded may depend on. */
  readonly #settled = new Map<string, number>()
  readonly #digests = new Map<string, number>()
  #invocations = 0
  /** The last invocation that was lost. What goes on in it, and in one beside it, no replay can see. */
  #lost = 0

  constructor(knowsTime: boolean) {
    this.knowsTime = knowsTime
  }

  /**
   * An invocation begins. Its code has to see in each context what it saw before, in the same order, as far as anybody has
   * come: what is recorded as a whole does not run again once it has ended.
   */
  begin(): Tell {
    const invocation = ++this.#invocations
    this.settle()
    const counts = new Map<string, number>()
    return (context, where, digest) => {
      if (invocation <= this.#lost) return
      const known = this.#seen.get(context) ?? []
      this.#seen.set(context, known)
      const index = counts.get(context) ?? 0
      counts.set(context, index + 1)
      const what = `${where}: ${digest}`
      const before = known[index]
      if (before === undefined) known.push(what)
      else if (before !== what) {
        this.changed.push(`invocation ${invocation} saw "${what}" where an earlier one saw "${before}" in "${context}"`)
      }
    }
  }

  /** Something was recorded, or an invocation ended: what was seen before that has to be seen again. */
  settle(): void {
    for (const [context, seen] of this.#seen) this.#settled.set(context, seen.length)
  }

  /** An invocation is lost with what it has seen since then. Where nothing tells a replay of a nap, it may end otherwise. */
  forget(): void {
    this.#lost = this.#invocations
    for (const [context, seen] of this.#seen) seen.length = Math.min(seen.length, this.#settled.get(context) ?? 0)
  }

  /** As `begin`, for code in whose order chance has a hand: what it sees at one place is the same. */
  beginWithoutOrder(): Tell {
    return (context, where, digest) => {
      const place = `${context} ${where}`
      const before = this.#digests.get(place) ?? digest
      this.#digests.set(place, before)
      if (before !== digest) this.changed.push(`${place}: ${before}, then ${digest}`)
    }
  }
}
