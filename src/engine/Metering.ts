/**
 * The metered usage of an execution's two hard quotas: operations and written bytes.
 *
 * The operations are the execution itself, every operation once, every further attempt of a step or poll of a condition, and
 * every repeated invocation. The bytes are those of every payload and error that is stored while the execution is open.
 * Replays cost nothing.
 *
 * @since 0.1.0
 */
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as Execution from "./Execution.ts"
import { errorSize, textSize } from "./internal/size.ts"

export interface Usage {
  readonly operations: number
  readonly bytes: number
}

/** Returns the usage that these updates would add. */
export const costOf = (execution: Execution.Execution, updates: ReadonlyArray<OperationUpdate>): Usage => {
  const created = new Set<string>()
  let retries = 0
  let bytes = 0
  for (const update of updates) {
    if (update.Type !== "EXECUTION" && Execution.entry(execution, update.Id) === undefined) created.add(update.Id)
    if (update.Action === "RETRY") retries++
    bytes += textSize(update.Payload) + errorSize(update.Error)
  }
  return { operations: created.size + retries, bytes }
}

/** Adds usage to the execution. */
export const charge = (execution: Execution.Execution, cost: Usage): Execution.Execution => ({
  ...execution,
  usage: {
    operations: execution.usage.operations + cost.operations,
    bytes: execution.usage.bytes + cost.bytes
  }
})
