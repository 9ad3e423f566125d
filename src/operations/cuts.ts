/**
 * Attempts that were cut off: their invocation ended before their outcome was recorded, and a later one finds them started.
 *
 * Owns: how often in a row an attempt was cut off, and how often that may be.
 * Does not own: what becomes of an attempt then.
 *
 * Invariants:
 * 1. The service counts attempts that have ended. One that has not is counted by marks of ours, one for each time that it is
 *    begun again, which are acknowledged before it is: a body that ends its process is counted too.
 * 2. An attempt that is not begun again has ended. Those are counted by the errors with which they were recorded.
 * 3. What was never cut off costs nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { InvalidOptions } from "../DurableError.ts"
import type { Claim } from "../execution/Claim.ts"
import type { Mark } from "../execution/Marks.ts"
import type { Parts } from "../execution/Parts.ts"
import { recordMark } from "../execution/recordMark.ts"
import { propertyAt } from "../wire/internal/properties.ts"

/** How often in a row an attempt may be cut off when nobody says. */
export const cutsByDefault = 10

/** How often in a row an attempt that is begun again was cut off, this time included. */
export const cutsOf = (claim: Claim, { history }: Parts): number => {
  let cuts = 1
  while (history.mark(markOf(claim, cuts)) !== undefined) cuts++
  return cuts
}

/** How often in a row attempts that are not begun again were cut off, this time included. */
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

/** Records that an attempt was cut off, before it is begun again. */
export const noteCut = (claim: Claim, parts: Parts, cuts: number, noted: () => void): void => {
  const { path } = claim
  const options = { parentId: claim.namespace.wireId, acknowledged: noted }
  parts.delivery.record(claim, () => recordMark(parts, path, markOf(claim, cuts), options))
}

const markOf = ({ attempt, id, name }: Claim, cuts: number): Mark => ({
  kind: "cut",
  of: `${id}:${attempt}:${cuts}`,
  label: name
})

/** Refuses a number of cut-offs that is none. */
export const checkCuts = ({ path }: Claim, max: number | undefined): Effect.Effect<void> =>
  max === undefined || max === Infinity || (Number.isSafeInteger(max) && max >= 1)
    ? Effect.void
    : Effect.die(
        new InvalidOptions({
          operation: path,
          message: `Expected the maxInterruptions of "${path}" to be a whole number of at least 1 or Infinity, found ${String(max)}. Use Infinity to begin it again as often as it takes.`
        })
      )
