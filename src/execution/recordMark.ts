/**
 * Recording a mark in one call.
 *
 * Owns: that a mark is counted, noted in the history and sent in one call.
 * Does not own: the content and the form of a mark, and its consequences.
 *
 * Invariants:
 * 1. If there is no room for a mark, it is neither noted nor sent.
 *
 * @since 0.1.0
 */
import type { Core } from "./Core.ts"
import { updatesOf, type Mark } from "./Marks.ts"

/**
 * Records a mark of an operation with this path, and calls `acknowledged` when the mark is acknowledged. Throws
 * `LimitExceeded`.
 */
export const recordMark = (
  { history, outbox, usage }: Pick<Core, "history" | "outbox" | "usage">,
  path: string,
  mark: Mark,
  { acknowledged, parentId }: { readonly acknowledged?: () => void; readonly parentId?: string | undefined } = {}
): void => {
  usage.addOperation(path)
  history.addMark(mark)
  const [start, end] = updatesOf(mark, parentId)
  outbox.push(path, start)
  outbox.push(path, end, acknowledged)
}
