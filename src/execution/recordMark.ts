/**
 * Owns: that a mark is counted, known and sent in one go.
 * Does not own: what a mark says and looks like, and what follows from it.
 *
 * Invariants:
 * 1. A mark that there is no room for is neither known nor sent.
 *
 * @since 0.1.0
 */
import type { Core } from "./Core.ts"
import { updatesOf, type Mark } from "./Marks.ts"

/** Records a mark of an operation with this path, and calls back when that is acknowledged. Throws `LimitExceeded`. */
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
