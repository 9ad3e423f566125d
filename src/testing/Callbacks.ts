/**
 * The callbacks of a world that are open: which of them may be answered yet, and which are closed by now.
 *
 * Owns: who was told of a callback. Does not own: its record, which the engine has, and its answer.
 *
 * @since 0.1.0
 */
import type { CheckpointRequest } from "../CheckpointStore.ts"
import { allOperations, operation as operationIn, type OperationAddress } from "../engine/Execution.ts"
import type { Execution } from "../engine/Service.ts"
import type { Operation } from "../wire/Operation.ts"

/** An operation of a world, as a key. */
export const keyOf = ({ executionArn, operationId }: OperationAddress): string => `${executionArn}#${operationId}`

export class Callbacks {
  /** Those that nobody has been told of yet. */
  readonly #unsubmitted = new Map<string, OperationAddress>()
  readonly #open = new Map<string, OperationAddress>()
  readonly #execution: (executionArn: string) => Execution | undefined

  constructor(execution: (executionArn: string) => Execution | undefined) {
    this.#execution = execution
  }

  /** Whether somebody outside may know of a callback. */
  isOpen(address: OperationAddress): boolean {
    return this.#open.has(keyOf(address))
  }

  /** The callbacks that somebody outside may know of since this request: it has created them, or ended their submitters. */
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

  /** The callbacks that are closed since this was last asked. */
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

  /** Nobody answers the callback of a `waitForCallback` before being told of it. */
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
