/**
 * The state of an execution for a page: its history, and the data that only the engine has.
 *
 * Owns: the queries of a page about an execution, and that executions that are over are read once.
 * Does not own: the appearance.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Service from "../../engine/Service.ts"
import * as Timeline from "../../view/Timeline.ts"
import { parseDurableExecutionArn } from "../../wire/Constraints.ts"
import type { HistoryEvent } from "../../wire/HistoryEvent.ts"
import type { Machine } from "../Machine.ts"

/** The caller of an execution. */
export interface Caller {
  readonly name: string
  readonly operationId: string
}

export interface Snapshot {
  readonly timeline: Timeline.Timeline
  readonly functionName: string
  readonly events: ReadonlyArray<HistoryEvent>
  readonly caller: Caller | undefined
  /** The awaited operations, and the timers that end them. */
  readonly awaited: ReadonlyArray<Service.Awaited>
  /** The timer that can be skipped. */
  readonly skippable: Service.Timer | undefined
  readonly now: number
}

const take = (
  state: Service.ServiceState,
  { executionName }: { readonly executionName: string },
  env: Service.Env
): Result.Result<Snapshot | undefined, Service.Refused> => {
  const execution = Service.named(state, executionName)
  if (execution === undefined) return Result.succeed(undefined)
  const { gate, identity } = execution
  return Result.map(Service.getExecution(state, { DurableExecutionArn: identity.arn }, env), (answer) => {
    const events = Service.history(state, identity.arn)
    const runningSince = gate._tag === "InFlight" ? gate.startTimestamp : undefined
    return {
      timeline: Timeline.make(answer, events, { runningSince }),
      functionName: identity.functionName,
      events,
      caller: callerOf(identity.parent),
      awaited: Service.awaited(state, execution),
      skippable: Service.nextWait(state, identity.arn),
      now: env.now
    }
  })
}

const callerOf = (parent: Service.Execution["identity"]["parent"]): Caller | undefined => {
  const name = parent === undefined ? undefined : nameIn(parent.executionArn)
  return parent === undefined || name === undefined ? undefined : { name, operationId: parent.operationId }
}

/** Returns the name in the ARN of an execution. */
export const nameIn = (arn: string): string | undefined => parseDurableExecutionArn(arn)?.executionName

/** The number of cached events of executions that are over. */
const mostEvents = 40_000

/** Creates snapshots of executions. */
export class Snapshots {
  readonly #machine: Machine
  /** The executions that are over, which never change; the most recently used comes last. */
  readonly #over = new Map<string, Snapshot>()

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** Returns the execution with this name, if there is one. Throws `StorageError`. */
  of(executionName: string): Snapshot | undefined {
    const snapshot = this.#known(executionName) ?? this.#taken(executionName)
    if (snapshot === undefined || Timeline.isOpen(snapshot.timeline.execution)) return snapshot
    this.#over.delete(executionName)
    this.#over.set(executionName, snapshot)
    this.#forget()
    return { ...snapshot, now: this.#machine.now() }
  }

  /** Returns the cached execution. After its retention it may be deleted, and its name may belong to another execution. */
  #known(executionName: string): Snapshot | undefined {
    const snapshot = this.#over.get(executionName)
    const end = snapshot?.timeline.execution.end
    if (end === undefined || end >= this.#machine.keptSince()) return snapshot
    this.#over.delete(executionName)
    return undefined
  }

  #taken(executionName: string): Snapshot | undefined {
    const { query, recall } = this.#machine
    return Result.getOrUndefined(recall(take, executionName) ?? query(take, { executionName }))
  }

  #forget(): void {
    let events = 0
    for (const [name, snapshot] of Array.from(this.#over).toReversed()) {
      events += snapshot.events.length
      if (events > mostEvents && this.#over.size > 1) this.#over.delete(name)
    }
  }
}
