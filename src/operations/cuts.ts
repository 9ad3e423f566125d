/**
 * Cut-off attempts: an invocation ended before the outcome was recorded, and a later one finds the attempt started.
 *
 * Owns: how often in a row an attempt was cut off, and the limit.
 * Does not own: what happens to such an attempt.
 *
 * Invariants:
 * 1. The service counts attempts that have ended. For an attempt that has not ended, this library records one mark each time
 *    the attempt begins again. The mark is acknowledged first, so a body that ends its process is counted too.
 * 2. By default, a body that begins again soon after the start of its step and ends at once leaves no mark, as with AWS's
 *    SDKs. So does one that ends its process at once.
 * 3. An attempt that does not begin again has ended. The recorded errors count such attempts.
 * 4. An attempt that was never cut off costs nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Claim } from "../execution/Claim.ts"
import type { Mark } from "../execution/Marks.ts"
import type { Parts } from "../execution/Parts.ts"
import { recordMark } from "../execution/recordMark.ts"
import { describeFound } from "../internal/found.ts"
import { propertyAt } from "../wire/internal/properties.ts"
import { unfit } from "./argument.ts"

/** The default limit of consecutive cut-offs of an attempt. */
export const cutsByDefault = 10

/** Returns how often in a row an attempt that begins again was cut off, including this time. */
export const cutsOf = (claim: Claim, { history }: Parts): number => {
  let cuts = 1
  while (history.mark(markOf(claim, cuts)) !== undefined) cuts++
  return cuts
}

/** Returns how often in a row attempts that do not begin again were cut off, including this time. */
export const cutsInErrors = ({ record }: Claim): number => {
  const { ErrorData = "null", ErrorType } = record?.StepDetails?.Error ?? {}
  return ErrorType === "StepInterrupted" ? 1 + interruptionsIn(ErrorData) : 1
}

const interruptionsIn = (data: string): number => {
  try {
    const interruptions = propertyAt(JSON.parse(data), "interruptions")
    return typeof interruptions === "number" ? interruptions : 1
  } catch {
    return 1
  }
}

/** Records that an attempt was cut off, before it begins again. */
export const noteCut = (claim: Claim, parts: Parts, cuts: number, noted: () => void): void => {
  const { path } = claim
  const options = { parentId: claim.namespace.wireId, acknowledged: noted }
  parts.delivery.record(claim, () => recordMark(parts, path, markOf(claim, cuts), options))
}

/** How long after its first start a step may begin again without a mark, in milliseconds. */
const youth = 30_000

/** How long the body of such a step may run without a mark, in milliseconds. */
const moment = 200

/** Checks whether a step was started so recently that a body which ends at once need not be counted. */
export const isYoung = ({ record }: Claim, { host }: Parts): boolean =>
  host.now() - (record?.StartTimestamp ?? 0) < youth

/**
 * Records that an attempt was cut off, if its body still runs after a moment, and there is room for the record. A body
 * for which no fiber waits any more does not count as running.
 */
export const noteCutLater = (claim: Claim, parts: Parts, cuts: number): void => {
  const { attempt } = claim
  const note = (): void => {
    const isRunning = parts.delivery.running.has(claim) && claim.attempt === attempt
    if (isRunning && parts.lifetime.isOpen && parts.usage.hasRoom) noteCut(claim, parts, cuts, () => {})
  }
  parts.host.after(moment, () => parts.fibers.enqueue(note))
}

const markOf = ({ attempt, id, name }: Claim, cuts: number): Mark => ({
  kind: "cut",
  of: `${id}:${attempt}:${cuts}`,
  label: name
})

/** Fails if the limit of cut-offs is invalid. */
export const checkCuts = ({ path }: Claim, max: number | undefined): Effect.Effect<void> =>
  max === undefined || max === Infinity || (Number.isSafeInteger(max) && max >= 1)
    ? Effect.void
    : unfit(path, "maxInterruptions", unlimited, max, "Use Infinity for no limit.", describeFound)

/** The expected value of an option that counts how often something may happen. */
export const unlimited = "a whole number of at least 1 or Infinity"
