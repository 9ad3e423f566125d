/**
 * The use of the service's two hard quotas, operations and written bytes, by an execution. So the execution learns of a
 * quota before the service stops it. The option `maxOperations` sets another number of operations.
 *
 * Owns: both counts, the warning when a count approaches its quota, and the mistake when it would exceed the quota.
 * Does not own: when something is counted.
 *
 * An invocation knows the operations that it was given, their last payloads and errors, and what it sends itself. It does
 * not know what the service no longer returns: the insides of completed contexts, errors of earlier attempts, the payloads
 * of invokes, and repeated invocations.
 *
 * Invariants:
 * 1. Both numbers are lower bounds: the service may refuse first.
 * 2. An operation or update that would exceed a quota is refused before it is counted. Each warning is logged once.
 *
 * @since 0.1.0
 */
import { LimitExceeded } from "../DurableError.ts"
import { byteLength } from "../internal/bytes.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { Operation } from "../wire/Operation.ts"
import * as Limits from "../wire/Limits.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { isFinal } from "./Claim.ts"

/** The share of a quota from which an invocation warns. */
const worthAWarning = 0.8

export interface Quotas {
  /** How many operations one execution may hold, including itself and every further attempt. */
  readonly maxOperations: number
  /** How many bytes of payloads and errors one execution may write. */
  readonly maxStorage: number
}

export class Usage {
  #operations = 0
  #bytes = 0
  #warned = false
  readonly #quotas: Quotas
  readonly #warn: (message: string) => void

  constructor(loaded: ReadonlyArray<Operation>, quotas: Quotas, warn: (message: string) => void) {
    this.#quotas = quotas
    this.#warn = warn
    for (const operation of loaded) {
      this.#operations += 1 + retriesOf(operation)
      this.#bytes += bytesIn(operation)
    }
  }

  get operations(): number {
    return this.#operations
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether another operation may be recorded. */
  get hasRoom(): boolean {
    return this.#operations < this.#quotas.maxOperations
  }

  /** Counts one more operation, or one more attempt of an operation. */
  addOperation(path: string): void {
    const limit = this.#quotas.maxOperations
    if (this.#operations + 1 > limit) {
      throw new LimitExceeded({
        operation: path,
        limit,
        message: `Expected at most ${limit} operations in one execution, every further attempt counted, and "${path}" would be one more. ${this.#whose}${advice}`
      })
    }
    this.#operations++
    this.#look()
  }

  /** Counts the bytes that an update is about to write. The operation itself was counted when it was claimed. */
  addUpdate(path: string, update: OperationUpdate): void {
    if (update.Action === "RETRY") this.addOperation(path)
    const bytes = textBytes(update.Payload) + errorBytes(update.Error)
    const limit = this.#quotas.maxStorage
    if (bytes > 0 && this.#bytes + bytes > limit) {
      throw new LimitExceeded({
        operation: path,
        limit,
        message: `Expected at most ${limit} bytes of payloads and errors in one execution, and "${path}" would write ${bytes} more after ${this.#bytes}. ${advice}`
      })
    }
    this.#bytes += bytes
    this.#look()
  }

  #look(): void {
    const { maxOperations, maxStorage } = this.#quotas
    const isNear = this.#operations >= maxOperations * worthAWarning || this.#bytes >= maxStorage * worthAWarning
    if (!isNear || this.#warned) return
    this.#warned = true
    this.#warn(
      `The execution nears a limit: it holds at least ${this.#operations} of ${maxOperations} operations ` +
        `and has written at least ${this.#bytes} of ${maxStorage} bytes. ${this.#whose}${advice}`
    )
  }

  /** A sentence about the source of the maximum number of operations, if it is not the service. */
  get #whose(): string {
    return this.#quotas.maxOperations === Limits.maxOperations
      ? ""
      : "The option maxOperations of the handler sets that number of operations. "
  }
}

const advice =
  "Work in fewer and larger steps, keep large data in a store and pass references to it, or hand over to a fresh execution with Durable.continueWith."

/** Returns how many attempts were recorded after the first one. */
const retriesOf = (operation: Operation): number => {
  const attempts = operation.StepDetails?.Attempt ?? 0
  return isFinal(operation) ? Math.max(0, attempts - 1) : attempts
}

const bytesIn = (operation: Operation): number => {
  const { CallbackDetails, ChainedInvokeDetails, ContextDetails, ExecutionDetails, StepDetails } = operation
  let bytes = textBytes(ExecutionDetails?.InputPayload)
  for (const details of [StepDetails, ContextDetails, ChainedInvokeDetails, CallbackDetails]) {
    if (details !== undefined) bytes += textBytes(details.Result) + errorBytes(details.Error)
  }
  return bytes
}

const textBytes = (text: string | undefined): number => (text === undefined ? 0 : byteLength(text))

const errorBytes = (error: ErrorObject | undefined): number =>
  error === undefined ? 0 : byteLength(JSON.stringify(error))
