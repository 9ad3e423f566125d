/**
 * Pages of a state that are shorter than those of the store.
 *
 * Owns: the rest of a page that was cut, and the marker that leads to it.
 * Does not own: the content of the pages.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { CheckpointResponse, CheckpointStore, StatePage, StateRequest, StoreError } from "../CheckpointStore.ts"
import { TestFailure } from "./TestFailure.ts"

export class Pages {
  readonly #items: number
  readonly #loadState: CheckpointStore["Service"]["loadState"]
  /** The rests of pages. A request may be repeated, so no rest is dropped. */
  readonly #left = new Map<string, StatePage>()

  constructor(items: number | undefined, loadState: CheckpointStore["Service"]["loadState"]) {
    if (items !== undefined && !(Number.isSafeInteger(items) && items >= 1))
      throw new TestFailure({
        message: `Expected the option pageItems of Faults to be a whole number of at least 1, found ${items}.`
      })
    this.#items = items ?? Infinity
    this.#loadState = loadState
  }

  load(request: StateRequest): Effect.Effect<StatePage, StoreError> {
    const left = this.#left.get(request.Marker)
    if (left !== undefined) return Effect.sync(() => this.#cut(left))
    const MaxItems = Math.min(request.MaxItems, this.#items)
    return Effect.map(this.#loadState({ ...request, MaxItems }), (page) => this.#cut(page))
  }

  readonly cutAnswer = (answer: CheckpointResponse): CheckpointResponse => ({
    ...answer,
    NewExecutionState: this.#cut(answer.NewExecutionState)
  })

  #cut(page: StatePage): StatePage {
    if (page.Operations.length <= this.#items) return page
    const NextMarker = `faults-${this.#left.size + 1}`
    this.#left.set(NextMarker, { ...page, Operations: page.Operations.slice(this.#items) })
    return { Operations: page.Operations.slice(0, this.#items), NextMarker }
  }
}
