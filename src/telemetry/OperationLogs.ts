/**
 * The life of operations as lines at DEBUG, for people who want to see what an invocation does.
 *
 * Owns: the wording of these lines, and their annotations. Does not own: which events there are.
 *
 * Invariants:
 * 1. If DEBUG is off, nothing is kept and nothing is created.
 * 2. A line holds names, ids, numbers and types, and never a value.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { Claim } from "../execution/Claim.ts"

/** An operation that has not ended, as far as this invocation knows. */
interface Open {
  readonly path: string
  readonly annotations: Readonly<Record<string, unknown>>
  attempt: number | undefined
}

export class OperationLogs {
  readonly #services: Context.Context<never>
  readonly #open = new Map<string, Open>()

  private constructor(services: Context.Context<never>) {
    this.#services = services
  }

  /** Returns nothing unless the host writes logs at DEBUG. */
  static make(services: Context.Context<never>): OperationLogs | undefined {
    const isOn =
      LogLevel.isLessThanOrEqualTo(Context.get(services, References.MinimumLogLevel), "Debug") &&
      Context.get(services, Logger.CurrentLoggers).size > 0
    return isOn ? new OperationLogs(services) : undefined
  }

  /** Logs that the code asked for an operation, which may have ended before, or while no invocation ran. */
  claimed(claim: Claim, isNews: boolean): void {
    const { id, isSettled, kind, namespace, path, record } = claim
    const { wireId: parentId } = namespace
    const open: Open = {
      path,
      annotations: {
        operation: path,
        operationId: id,
        ...(parentId === undefined ? undefined : { parentId }),
        operationType: kind.type
      },
      attempt: undefined
    }
    this.#open.set(id, open)
    if (record === undefined) return this.#tell(open, "started")
    if (!isSettled) return this.#tell(open, "resumed")
    if (isNews) return this.ended(id, record.Status)
    this.#open.delete(id)
    this.#tell(open, "replayed")
  }

  attempt({ id }: Claim, number: number): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    open.attempt = number
    this.#tell(open, `began attempt ${number}`)
  }

  /** Logs that an attempt failed and that the operation is tried again later. */
  retried(id: string): void {
    const open = this.#open.get(id)
    if (open !== undefined) this.#tell(open, "will be tried again")
  }

  ended(id: string, status: string): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    this.#tell(open, `ended as ${status}`)
  }

  /** Logs that the open operations are suspended: the execution continues in another invocation. */
  suspended(): void {
    for (const open of this.#open.values()) this.#tell(open, "is suspended")
  }

  #tell({ annotations, attempt, path }: Open, what: string): void {
    const line = Effect.annotateLogs(Effect.logDebug(`"${path}" ${what}`), {
      ...annotations,
      ...(attempt === undefined ? undefined : { attempt })
    })
    Effect.runForkWith(this.#services)(line)
  }
}
