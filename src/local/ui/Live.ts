/**
 * Pages that hear of changes, as server-sent events.
 *
 * A page hears that something has changed, and asks for what it shows. However much changes meanwhile, and however slowly a
 * page reads, all that is kept for it is whether it has to be told.
 *
 * Owns: who listens, and when each is told.
 * Does not own: what a page does then.
 *
 * @since 0.1.0
 */
import { Readable } from "node:stream"
import type { Machine } from "../Machine.ts"

/** Milliseconds between two words to the same page. */
const rest = 200

/**
 * Tells of changes of an execution, or of any. It begins with which engine this is, so that a page of an earlier one loads
 * itself anew. It ends when its reader goes.
 */
export const changes = (machine: Machine, engine: string, arn: string | undefined): Readable => {
  let isChanged = false
  let isWanted = false
  let resting: NodeJS.Timeout | undefined
  const stream = new Readable({
    // Whatever else is written waits here until it is read.
    highWaterMark: 1,
    read: () => {
      isWanted = true
      tell()
    },
    destroy: (error, done) => {
      stop()
      clearTimeout(resting)
      done(error)
    }
  })
  const tell = (): void => {
    if (!isChanged || !isWanted || resting !== undefined) return
    isChanged = false
    isWanted = false
    resting = setTimeout(() => {
      resting = undefined
      tell()
    }, rest)
    resting.unref()
    stream.push("event: change\ndata:\n\n")
  }
  const stop = machine.onChange((arns) => {
    if (arn !== undefined && !arns.has(arn)) return
    isChanged = true
    tell()
  })
  stream.push(`retry: 1000\nevent: engine\ndata: ${engine}\n\n`)
  return stream
}
