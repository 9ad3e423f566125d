/**
 * The fibers of a test that wait for something of an execution, and the problems that end their waiting.
 *
 * Owns: which fiber waits for which execution, until when, and the first problem of each execution.
 * Does not own: the awaited condition, which the caller checks, and the report about an execution that does not
 * continue.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Stillness } from "./Stillness.ts"
import { TestFailure } from "./TestFailure.ts"

export const testFailure = (message: string): Effect.Effect<never> => Effect.die(new TestFailure({ message }))

export class Waiters {
  readonly #stillness: Stillness
  readonly #report: (executionArn: string) => string
  /** The checks of the waiting fibers of each execution. */
  readonly #checks = new Map<string, Set<() => void>>()
  readonly #problems = new Map<string, string>()

  constructor(stillness: Stillness, report: (executionArn: string) => string) {
    this.#stillness = stillness
    this.#report = report
  }

  /** Has the fibers that wait for an execution check again. */
  readonly announce = (executionArn: string): void => {
    for (const check of Array.from(this.#checks.get(executionArn) ?? [])) check()
  }

  /** Fails all fibers that wait for an execution, now and later. Only its first problem counts. */
  readonly fail = (executionArn: string, problem: string): void => {
    if (!this.#problems.has(executionArn)) this.#problems.set(executionArn, problem)
    this.announce(executionArn)
  }

  hasProblem(executionArn: string): boolean {
    return this.#problems.has(executionArn)
  }

  /**
   * Waits until `look` finds something. Dies with a report when nothing has happened for `patience` milliseconds of real
   * time. `wanted` says in a sentence what the test waits for, if that is not the end.
   */
  wait<A>(
    executionArn: string,
    patience: number,
    look: () => Effect.Effect<A> | undefined,
    wanted?: string
  ): Effect.Effect<A> {
    return Effect.callback((resume) => {
      const fiber = Fiber.getCurrent()
      const checks = this.#checks.get(executionArn) ?? new Set()
      this.#checks.set(executionArn, checks)
      let listenNoMore = (): void => {}
      const stop = (): void => {
        listenNoMore()
        checks.delete(check)
        if (fiber !== undefined) this.#stillness.awaiting.delete(fiber)
      }
      const check = (): boolean => {
        const problem = this.#problems.get(executionArn)
        const found = problem === undefined ? look() : testFailure(problem)
        if (found === undefined) return false
        stop()
        resume(found)
        return true
      }
      if (check()) return
      checks.add(check)
      if (fiber !== undefined) this.#stillness.awaiting.add(fiber)
      this.#stillness.touch()
      listenNoMore = this.#stillness.listen(patience, () => {
        stop()
        const report = this.#report(executionArn)
        resume(testFailure(wanted === undefined ? report : `${wanted} ${report}`))
      })
      return Effect.sync(stop)
    })
  }
}
