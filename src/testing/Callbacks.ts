/**
 * The open callbacks of a world: which may be answered already, and which are closed by now.
 *
 * Owns: whether the id of a callback has been passed on. Does not own: the record, which the engine has, and the answer.
 *
 * @since 0.1.0
 */
import type { CheckpointRequest } from "../CheckpointStore.ts"
import { allOperations, operation as operationIn, type OperationAddress } from "../engine/Execution.ts"
import type { Execution } from "../engine/Service.ts"
import type { Operation } from "../wire/Operation.ts"

/** Returns the key of an operation of a world. */
export const keyOf = ({ executionArn, operationId }: OperationAddress): string => `${executionArn}#${operationId}`

export class Callbacks {
  /** The callbacks whose ids have not been passed on yet. */
  readonly #unsubmitted = new Map<string, OperationAddress>()
  readonly #open = new Map<string, OperationAddress>()
  readonly #execution: (executionArn: string) => Execution | undefined

  constructor(execution: (executionArn: string) => Execution | undefined) {
    this.#execution = execution
  }

  /** Returns whether an external system may know a callback. */
  isOpen(address: OperationAddress): boolean {
    return this.#open.has(keyOf(address))
  }

  /** Returns the callbacks that external systems may know since this request: it created them, or ended their submitters. */
  opened({ DurableExecutionArn: executionArn, Updates }: CheckpointRequest): ReadonlyArray<OperationAddress> {
    for (const { Action, Id: operationId, Type } of Updates) {
      const address = { executionArn, operationId }
      if (Type === "CALLBACK" && Action === "START" && !this.isOpen(address)) {
        this.#unsubmitted.set(keyOf(address), address)
      }
    }
    const opened: Array<OperationAddress> = []
    for (const [key, address] of this.#unsubmitted) {
      if (this.#isStarted(address) && !this.#isSubmitted(address)) continue
      this.#unsubmitted.delete(key)
      if (!this.#isStarted(address)) continue
      this.#open.set(key, address)
      opened.push(address)
    }
    return opened
  }

  /** Returns the callbacks that were closed since the last call. */
  closed(): ReadonlyArray<OperationAddress> {
    const closed = [...this.#open.values()].filter((address) => !this.#isStarted(address))
    for (const address of closed) this.#open.delete(keyOf(address))
    return closed
  }

  operation({ executionArn, operationId }: OperationAddress): Operation | undefined {
    const execution = this.#execution(executionArn)
    return execution === undefined ? undefined : operationIn(execution, operationId)
  }

  #isStarted(address: OperationAddress): boolean {
    const isOver = this.#execution(address.executionArn)?.outcome !== undefined
    return !isOver && this.operation(address)?.Status === "STARTED"
  }

  /**
   * Returns whether the id was passed on: the callback of a `waitForCallback` is not answered before its submitter has succeeded.
   */
  #isSubmitted(address: OperationAddress): boolean {
    const execution = this.#execution(address.executionArn)
    const parentId = this.operation(address)?.ParentId
    if (execution === undefined || parentId === undefined) return true
    return (
      operationIn(execution, parentId)?.SubType !== "WaitForCallback" ||
      allOperations(execution).some(
        ({ Name, ParentId, Status }) => ParentId === parentId && Name === "submit" && Status === "SUCCEEDED"
      )
    )
  }
}
