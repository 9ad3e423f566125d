/**
 * The only way to change an operation: its record, the list of changes and the history change together.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import * as Work from "./Work.ts"

/** Stores an operation, and appends an event about it if there is one. */
export const change = (
  work: Work.Work,
  execution: Execution.Execution,
  operation: Operation,
  body: Events.EventBody | undefined,
  hidden?: Execution.Hidden
): void => {
  const changed = Execution.put(execution, operation, hidden)
  Work.store(work, body === undefined ? changed : Events.append(changed, work.time, operation, body))
}

/** Returns the current operation of an update, or a new one. */
export const subject = (work: Work.Work, execution: Execution.Execution, update: OperationUpdate): Operation =>
  Execution.entry(execution, update.Id)?.operation ?? {
    Id: update.Id,
    ...(update.ParentId !== undefined && { ParentId: update.ParentId }),
    ...(update.Name !== undefined && { Name: update.Name }),
    Type: update.Type,
    ...(update.SubType !== undefined && { SubType: update.SubType }),
    Status: "STARTED",
    StartTimestamp: work.time
  }
