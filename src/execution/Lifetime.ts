/**
 * Whether an invocation continues, and if not, why.
 *
 * Owns: the one verdict that ends an invocation before its workflow does, and whether operations may still do anything.
 * Does not own: the consequences of a verdict. The invocation waits for the verdict and acts on it.
 *
 * Invariants:
 * 1. An invocation is open, then closed, then over. It never goes back.
 * 2. The first verdict counts.
 * 3. Once the invocation is closed, no operation does anything, and no code of the program can change that.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { InvocationFailed, Mistake } from "../DurableError.ts"

/**
 * Why an invocation ends before its workflow: the execution waits for the service, it continues as another execution,
 * it fails for good, or this invocation ends without an answer and the service repeats it.
 */
export type Verdict =
  | { readonly _tag: "Suspended" }
  | { readonly _tag: "Continued"; readonly executionArn: string }
  | { readonly _tag: "Condemned"; readonly mistake: Mistake }
  | { readonly _tag: "Aborted"; readonly error: InvocationFailed }

export const suspended: Verdict = { _tag: "Suspended" }

/** How the workflow of an invocation ended: by itself, or by a verdict. */
export type Ending = { readonly _tag: "Ended"; readonly exit: Exit.Exit<unknown, unknown> } | Verdict

/** How many operations code may still attempt while the invocation ends, before its fiber is left where it is. */
const maxAttempts = 1_000

export class Lifetime {
  #state: "open" | "closed" | "over" = "open"
  #verdict: Verdict | undefined
  #isDecided = false
  #attempts = 0
  readonly #ended = Deferred.makeUnsafe<Ending>()
  readonly #judged = Deferred.makeUnsafe<Verdict>()

  /** Whether operations may be claimed and performed. */
  get isOpen(): boolean {
    return this.#state === "open"
  }

  /** Whether the end of the workflow still counts. */
  get awaitsEnd(): boolean {
    return this.isOpen && !this.#isDecided
  }

  get verdict(): Verdict | undefined {
    return this.#verdict
  }

  /** Whether queued updates may still be sent. They may not once the invocation has failed or lost the execution. */
  get mayRecord(): boolean {
    const tag = this.#verdict?._tag
    return tag !== "Condemned" && tag !== "Aborted"
  }

  /** Waits until the workflow has ended, by itself or by a verdict. */
  get ended(): Effect.Effect<Ending> {
    return Deferred.await(this.#ended)
  }

  /** Waits for a verdict, also once the workflow has ended by itself. */
  get judged(): Effect.Effect<Verdict> {
    return Deferred.await(this.#judged)
  }

  /**
   * Decides how the invocation ends, although durable finalizers still run. The end of the workflow then does not count.
   */
  decide(): void {
    this.#isDecided = true
  }

  /** Notes that the workflow has ended by itself. Everything that it left behind does nothing more. */
  finish(exit: Exit.Exit<unknown, unknown>): void {
    if (!this.awaitsEnd) return
    this.#state = "closed"
    Deferred.doneUnsafe(this.#ended, Exit.succeed<Ending>({ _tag: "Ended", exit }))
  }

  /** Ends the invocation with a verdict. */
  end(verdict: Verdict): void {
    if (this.#verdict !== undefined) return
    this.#verdict = verdict
    if (this.#state === "open") {
      this.#state = "closed"
      Deferred.doneUnsafe(this.#ended, Exit.succeed<Ending>(verdict))
    }
    Deferred.doneUnsafe(this.#judged, Exit.succeed(verdict))
  }

  /** Leaves the remaining fibers where they are. */
  over(): void {
    this.#state = "over"
  }

  /**
   * The effect of an operation once the invocation is closed. It interrupts its fiber as if from outside, so that no
   * handler mistakes this for a failure. After a number of attempts it waits forever.
   */
  get inert(): Effect.Effect<never> {
    this.#attempts++
    if (this.#state === "over" || this.#attempts > maxAttempts) return Effect.never
    return Effect.withFiber((fiber) => {
      fiber.interruptUnsafe(fiber.id)
      return Effect.interrupt
    })
  }
}
