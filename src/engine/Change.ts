/**
 * The one way in which an operation changes: its record, the list of what changed and the history move together.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import * as Work from "./Work.ts"

/** Stores an operation and, unless nobody is to hear of it, an event about it. */
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

/** The operation that an update is about as it is now, or as a new one. */
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
