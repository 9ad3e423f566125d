/**
 * A service that is worse than that of the test engine, although it keeps what it promises: it stamps whole milliseconds,
 * other hosts of it are behind, it tells of the end of a wait late, and does not tell again what a request said.
 */
import type { CheckpointStore } from "effect-durable"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import type * as Engine from "../../src/engine/Service.ts"
import { inWholeMillis, isSaidBy } from "../../src/testing/RequestFault.ts"
import type { World } from "../../src/testing/World.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { hash } from "./digest.ts"
import type { Schedule } from "./schedule.ts"

type Store = CheckpointStore.CheckpointStore["Service"]

export class Coarse {
  readonly #world: World
  readonly #store: Pick<Store, "checkpoint" | "loadState">
  readonly #schedule: Schedule
  readonly #numbers = new Map<string, number>()
  /** Waits whose end was not told when it could have been. */
  readonly #withheld = new Set<string>()

  constructor(world: World, schedule: Schedule) {
    this.#world = world
    this.#schedule = schedule
    const { checkpoint, loadState } = world.store
    this.#store = { checkpoint, loadState }
  }

  /** An operation as this service shows it. */
  readonly show = (operation: Operation): Operation => {
    const { coarse } = this.#schedule
    if (coarse === undefined) return operation
    return inWholeMillis(operation, coarse.behind[hash(operation.Id) % coarse.behind.length] ?? 0)
  }

  /** Every page of the state at once. */
  readonly loadState: Store["loadState"] = (request) =>
    Effect.map(this.#rest(request, request.Marker), (operations) => ({ Operations: operations.map(this.show) }))

  readonly checkpoint: Store["checkpoint"] = (request) =>
    Effect.gen({ self: this }, function* () {
      const { DurableExecutionArn: executionArn } = request
      const told = this.#world.execution(executionArn)?.delivered ?? 0
      const { CheckpointToken, NewExecutionState } = yield* this.#store.checkpoint(request)
      const { NextMarker, Operations } = NewExecutionState
      const rest = NextMarker && CheckpointToken ? yield* this.#rest({ ...request, CheckpointToken }, NextMarker) : []
      // A request that is repeated is answered in the same way.
      const number = this.#numbers.get(request.ClientToken) ?? this.#numbers.size
      this.#numbers.set(request.ClientToken, number)
      const later = this.#later([...Operations, ...rest], number)
      if (later.size > 0) this.#tellAgain(executionArn, told)
      const shown = [...Operations, ...rest].filter(({ Id }) => !later.has(Id) && !this.#isMute(request, Id, number))
      return {
        ...(CheckpointToken !== undefined && { CheckpointToken }),
        NewExecutionState: { Operations: shown.map(this.show) }
      }
    })

  #rest = Effect.fnUntraced(function* (
    this: Coarse,
    request: Pick<CheckpointStore.StateRequest, "CheckpointToken" | "DurableExecutionArn">,
    marker: string
  ) {
    const { CheckpointToken, DurableExecutionArn } = request
    const operations: Array<Operation> = []
    let next: string | undefined = marker
    while (next) {
      const page: CheckpointStore.StatePage = yield* this.#store.loadState({
        CheckpointToken,
        DurableExecutionArn,
        Marker: next,
        MaxItems: 1_000
      })
      operations.push(...page.Operations)
      next = page.NextMarker
    }
    return operations
  })

  /** Waits that have ended, and of which only the next answer tells. */
  #later(operations: ReadonlyArray<Operation>, number: number): ReadonlySet<string> {
    const { lags = [] } = this.#schedule.coarse ?? {}
    if (lags[number % lags.length] !== true) return new Set()
    const ids = operations.flatMap(({ Id, Status, Type }) =>
      Type === "WAIT" && Status === "SUCCEEDED" && !this.#withheld.has(Id) ? [Id] : []
    )
    for (const id of ids) this.#withheld.add(id)
    return new Set(ids)
  }

  /** Whether an operation is only told because the request itself said so. */
  #isMute(request: CheckpointStore.CheckpointRequest, id: string, number: number): boolean {
    const { mute } = this.#schedule
    return mute[number % mute.length] === true && isSaidBy(request, id)
  }

  /** The service does not count as told what was withheld. */
  #tellAgain(executionArn: string, told: number): void {
    this.#world.command<string, void>((state, arn) => {
      const executions = HashMap.modify(state.executions, arn, (execution) => ({ ...execution, delivered: told }))
      const applied: Engine.Applied<void> = {
        state: { ...state, executions },
        answer: undefined,
        effects: [],
        changed: { executions: new Set([arn]), timers: [] }
      }
      return Result.succeed(applied)
    }, executionArn)
  }
}
