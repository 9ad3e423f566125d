/**
 * Change notifications for pages, as server-sent events.
 *
 * A page receives a notification that the execution has changed, and then requests its content. However much changes
 * meanwhile, and however slowly a page reads, the engine keeps only a flag whether to notify it.
 *
 * Owns: the listeners, and when each is notified.
 * Does not own: the reaction of a page.
 *
 * @since 0.1.0
 */
import { Readable } from "node:stream"
import type { Machine } from "../Machine.ts"

/** Milliseconds between two notifications of the same page. */
const rest = 200

/**
 * Streams the changes of an execution, or of any. The stream begins with the id of the engine, so that a page of an earlier
 * engine reloads itself. It ends when its reader goes.
 */
export const changes = (machine: Machine, engine: string, arn: string | undefined): Readable => {
  let isChanged = false
  let isWanted = false
  let resting: NodeJS.Timeout | undefined
  const stream = new Readable({
    // Further output waits here until it is read.
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
