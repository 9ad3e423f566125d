/**
 * The faults of a world: those of its store, and those that require control of the service or of the host of the functions.
 *
 * Owns: the service and the time as the functions of the world see them.
 * Does not own: the state of the service, and how an invocation starts again.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CheckpointRequest, CheckpointStore, StatePage } from "../CheckpointStore.ts"
import { seeded } from "../execution/Chance.ts"
import type { InvocationEvent } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"
import type { EngineOptions } from "./Faults.ts"
import { checkShare, faulty } from "./FaultyStore.ts"
import { inWholeMillis, silenced } from "./RequestFault.ts"
import { TestFailure } from "./TestFailure.ts"
import { wrong } from "./WrongClock.ts"

type Store = CheckpointStore["Service"]

export class EngineFaults {
  readonly #options: EngineOptions

  constructor(options: EngineOptions) {
    const { clock, delay = 0, silent = 0, wholeMillis = false } = options
    checkShare("again", options.again)
    checkShare("silent", options.silent)
    if (silent > 0 && (!wholeMillis || delay > 0 || clock !== undefined))
      throw new TestFailure({
        message:
          "Expected the fault silent together with wholeMillis, and without delay and clock. Otherwise nothing determines when an operation ended that an answer omits."
      })
    this.#options = options
  }

  /** Returns the store of the service as the functions see it. `again` runs the event of an invocation a second time. */
  store(service: Store, again: (request: CheckpointRequest) => void): Store {
    const { seed = 1, silent = 0, wholeMillis = false } = this.#options
    const isSilent = this.#draw(`${seed} silent`, silent)
    const isAgain = this.#draw(`${seed} again`, this.#options.again ?? 0)
    const shown: Store = {
      ordered: service.ordered === true && !wholeMillis,
      loadState: (request) => Effect.map(service.loadState(request), this.#page),
      checkpoint: (request) =>
        Effect.map(service.checkpoint(request), (answer) => {
          const whole = { ...answer, NewExecutionState: this.#page(answer.NewExecutionState) }
          if (isAgain()) again(request)
          return isSilent() ? silenced(request, whole) : whole
        })
    }
    return faulty(shown, this.#options)
  }

  #draw(seed: string, share: number): () => boolean {
    const random = seeded(seed)
    return () => random.nextDoubleUnsafe() < share
  }

  readonly #page = (page: StatePage): StatePage => ({ ...page, Operations: page.Operations.map(this.#show) })

  readonly #show = (operation: Operation): Operation => {
    const { behind = 0, seed = 1, wholeMillis } = this.#options
    if (wholeMillis !== true) return operation
    const isOff = behind > 0
    return inWholeMillis(
      operation,
      isOff ? Math.floor(seeded(`${seed} behind ${operation.Id}`).nextDoubleUnsafe() * (behind + 1)) : 0
    )
  }

  /** Returns the event of an invocation as the functions see it. */
  event(event: InvocationEvent): InvocationEvent {
    const { InitialExecutionState } = event
    return {
      ...event,
      InitialExecutionState: {
        ...InitialExecutionState,
        Operations: InitialExecutionState.Operations.map(this.#show)
      }
    }
  }

  /** Returns the clock of the functions. */
  clock(right: Clock.Clock): Clock.Clock {
    const { clock, seed } = this.#options
    return clock === undefined ? right : wrong(right, { ...clock, seed })
  }
}
