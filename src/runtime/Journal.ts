/**
 * The operations of one execution as this invocation knows them, by id: what was recorded before, and what the service
 * has reported since.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"

const finalStatuses = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"])
const openStatuses = new Set(["STARTED", "PENDING", "READY"])

/** Whether an operation has its outcome. A status from the future counts when the operation has ended. */
export const isFinal = (operation: Operation): boolean =>
  finalStatuses.has(operation.Status) || (!openStatuses.has(operation.Status) && operation.EndTimestamp !== undefined)

/** The name of the mark of a change of the code, which code that no longer asks for it leaves behind. */
export const patchName = (id: string): string => `patch:${id}`

export const isPatchMark = ({ Name, Type }: Operation): boolean =>
  Type === "STEP" && (Name?.startsWith("patch:") ?? false)

type Watcher = (operation: Operation) => void

export class Journal {
  readonly #operations = new Map<string, Operation>()
  readonly #claimed = new Map<string, string>()
  readonly #awaited = new Set<string>()
  readonly #watchers = new Map<string, Set<Watcher>>()
  /** What the first state of this invocation held, by parent; built when somebody asks. */
  readonly #initial: ReadonlyArray<Operation>
  /** How many of the recorded operations of a context, in their order, are known to have been asked for. */
  readonly #reached = new Map<string | undefined, number>()
  #children: Map<string | undefined, Array<Operation>> | undefined

  constructor(initial: ReadonlyArray<Operation>) {
    this.#initial = initial
    for (const operation of initial) this.#operations.set(operation.Id, operation)
  }

  get(id: string): Operation | undefined {
    return this.#operations.get(id)
  }

  /** When the execution began, or the first of its operations if the service does not list the execution itself. */
  get start(): number | undefined {
    const { execution } = this
    if (execution !== undefined) return execution.StartTimestamp
    const first = Math.min(...this.#initial.map((operation) => operation.StartTimestamp))
    return first === Infinity ? undefined : first
  }

  /** The execution itself, which the service lists among its operations. */
  get execution(): Operation | undefined {
    return this.#initial.find((operation) => operation.Type === "EXECUTION")
  }

  /** Notes that the code asked for an operation. Two operations with one id would share a record: that must not be. */
  claim(id: string, path: string): void {
    const other = this.#claimed.get(id)
    if (other !== undefined) {
      throw new Error(`The operations "${other}" and "${path}" have the same id ${id}. Rename one of them.`)
    }
    this.#claimed.set(id, path)
  }

  isClaimed(id: string): boolean {
    return this.#claimed.has(id)
  }

  /** Recorded operations below a context, as of the start of this invocation. */
  recordedIn(contextId: string | undefined): ReadonlyArray<Operation> {
    if (this.#children === undefined) {
      this.#children = new Map()
      for (const operation of this.#initial) {
        if (operation.Type === "EXECUTION") continue
        const siblings = this.#children.get(operation.ParentId)
        if (siblings === undefined) this.#children.set(operation.ParentId, [operation])
        else siblings.push(operation)
      }
    }
    return this.#children.get(contextId) ?? []
  }

  /** Operations below a context that have no outcome, as of now. */
  openIn(contextId: string | undefined): ReadonlyArray<Operation> {
    return [...this.#operations.values()].filter(
      (operation) => operation.Type !== "EXECUTION" && operation.ParentId === contextId && !isFinal(operation)
    )
  }

  /** Whether operations of a context that were recorded before this invocation have not been asked for again. */
  isReplaying(contextId: string | undefined): boolean {
    const recorded = this.recordedIn(contextId)
    let next = this.#reached.get(contextId) ?? 0
    while (next < recorded.length && this.#isReached(recorded[next]!)) next++
    this.#reached.set(contextId, next)
    return next < recorded.length
  }

  /** A callback is made in one place and waited for in another, and what stands between them is replayed too. */
  #isReached(operation: Operation): boolean {
    const { Id, Type } = operation
    return Type === "CALLBACK" ? this.#awaited.has(Id) : this.isClaimed(Id) || isPatchMark(operation)
  }

  /** Notes that the code waits for an operation. */
  await(id: string): void {
    this.#awaited.add(id)
  }

  /** Calls back when the service reports a change of the operation, until the returned function is called. */
  watch(id: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers)
    watchers.add(watcher)
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0) this.#watchers.delete(id)
    }
  }

  /** Takes in what the service reports. All of it is in place before the first watcher hears of it. */
  apply(operations: ReadonlyArray<Operation>): void {
    for (const operation of operations) this.#operations.set(operation.Id, operation)
    for (const operation of operations) {
      const watchers = this.#watchers.get(operation.Id)
      if (watchers !== undefined) for (const watcher of Array.from(watchers)) watcher(operation)
    }
  }
}
