/**
 * Numbers for whatever a program learns, so that its result tells of every value and error on the way.
 */
import type { BatchResult, DurableError } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

export class Oops extends Schema.TaggedError<Oops>()("Oops", { code: Schema.Int }) {}

export type Failure = Oops | DurableError.OperationError

/** Mixes two numbers into one below 2³². */
export const mix = (left: number, right: number): number => {
  const mixed = Math.imul(left ^ Math.imul(right | 0, 0x85ebca6b), 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

export const hash = (text: string): number =>
  Array.from(text).reduce((sum, letter) => mix(sum, letter.codePointAt(0) ?? 0), 17)

/** A number for how something ended. */
export const digest = (exit: Exit.Exit<number, Failure>): number => {
  if (Exit.isSuccess(exit)) return mix(1, exit.value)
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) {
    return mix(hash(failure.error._tag), failure.error._tag === "Oops" ? failure.error.code : 0)
  }
  const die = exit.cause.reasons.find(Cause.isDieReason)
  if (!(die?.defect instanceof Error)) return 3
  // Fibers that share a name count in the order in which they come by, which timing decides.
  return hash(`${die.defect.name} ${die.defect.message.replaceAll(/#\d+/g, "")}`)
}

/** A number for how a batch ended, with every item of it. */
export const digestBatch = (batch: BatchResult.BatchResult<number, Failure>): number =>
  batch.all
    .map((item) => {
      const end =
        item.status === "SUCCEEDED"
          ? digest(Exit.succeed(item.value))
          : item.status === "FAILED"
            ? digest(Exit.failCause(item.cause))
            : 0
      return mix(mix(item.index, hash(item.status)), end)
    })
    .reduce(mix, hash(`${batch.status} ${batch.completionReason}`))
