/**
 * The mistakes of an execution whose code and history contradict each other, or that can never continue.
 *
 * Owns: the messages of these mistakes, and whether one ends the execution or only the invocation.
 * Does not own: how the mistakes are found. The kernel of operations, the delivery and the run queue find them.
 *
 * Invariants:
 * 1. A message states what the history holds, what the code does instead, and how to solve the problem.
 * 2. Every mistake that is reported here ends the invocation, and also the execution unless the settings say otherwise.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { ContextEnded, InvocationFailed, NonDeterministic, Stuck, type Mistake } from "../DurableError.ts"
import type { Operation } from "../wire/Operation.ts"
import type { Claim, Kind } from "./Claim.ts"
import type { Core } from "./Core.ts"
import type { AnyFiber } from "./Fibers.ts"
import type { Namespace } from "./Namespace.ts"
import type { Work } from "./Work.ts"

/** Ends the execution because of a contradiction, or only this invocation if the settings say so. */
export const tell = ({ lifetime, settings }: Pick<Core, "lifetime" | "settings">, mistake: Mistake): void =>
  lifetime.end(
    settings.onNonDeterminism === "fail"
      ? { _tag: "Condemned", mistake }
      : {
          _tag: "Aborted",
          error: new InvocationFailed({ reason: "non-deterministic", message: mistake.message })
        }
  )

/** Returns the mistake when the code asks for an operation of another kind than the history holds. */
export const otherKind = (claim: Claim, record: Operation): NonDeterministic =>
  new NonDeterministic({
    operation: claim.path,
    message:
      `The history holds a ${kindOf(record.Type, record.SubType)} at "${claim.path}", but the code asks for a ${nameOf(claim.kind)}${at(claim)}. ` +
      "Run this execution with the version of the code that recorded it, or give the changed operation a new name."
  })

/** Returns the mistake when the history holds a record where the code asks for a namespace without one. */
export const flatNow = (path: string, record: Operation): NonDeterministic =>
  new NonDeterministic({
    operation: path,
    message:
      `The history holds a ${kindOf(record.Type, record.SubType)} at "${path}", but the code asks for a flat block, which has no record. ` +
      "Run this execution with the version of the code that recorded it, or give the changed operation a new name."
  })

/**
 * Returns the mistake when the history holds operations that the code has not asked for, and the code is about to do
 * something new, or cannot continue.
 */
export const unclaimed = ({ history }: Pick<Core, "history">, work: Work | undefined): NonDeterministic => {
  const missing = missingFor(history, work)
  return new NonDeterministic({
    operation: missing[0]?.Name ?? work?.claim.path ?? "",
    message:
      `The history holds ${listOf(missing)}, but ${asked(work, missing.length)}. Nothing new was done. ` +
      "Run this execution with the version of the code that recorded it, put the change behind Durable.patched, or publish it as a new version that only new executions use."
  })
}

/** Returns the warning when new work begins although a slow fiber outside may still ask for recorded operations. */
export const passedOver = ({ history }: Pick<Core, "history">, work: Work, millis: number): string => {
  const missing = missingFor(history, work)
  return (
    `The history holds ${listOf(missing)}, and work outside of steps that might still ask for it has taken more than ${millis} ms, so ${asked(work, missing.length)} all the same. ` +
    "An operation that was renamed or removed runs once more under its new name. Put the work outside of steps into a Durable.step, so that such a change is found."
  )
}

const missingFor = (history: Core["history"], work: Work | undefined): ReadonlyArray<Operation> => {
  const ended = work?.ended
  const entries = ended === undefined || ended.missed === 0 ? history.unclaimedEntries() : history.missedIn(ended)
  return Array.from(entries, ({ record }) => record).filter((record) => record !== undefined)
}

const listOf = (missing: ReadonlyArray<Operation>): string => {
  const rest = missing.length > 5 ? `, and ${missing.length - 5} more` : ""
  return `${missing.slice(0, 5).map(describe).join(", ")}${rest}`
}

const asked = (work: Work | undefined, count: number): string => {
  const them = count === 1 ? "it" : "them"
  if (work === undefined) return `the code waits forever without asking for ${them}`
  const { claim, isEnd } = work
  return isEnd
    ? `the code of ${claim.isRoot ? "the workflow" : `"${claim.path}"`} ends without asking for ${them}`
    : `the code asks for ${claim.kind.type} "${claim.path}"${at(claim)}, which is new`
}

/** Returns the mistake when the history holds more or fewer items of a batch than the code has. */
export const otherItems = (path: string, recorded: number, found: number): NonDeterministic =>
  new NonDeterministic({
    operation: path,
    message: `The history holds ${recorded} item${recorded === 1 ? "" : "s"} of "${path}", but the code has ${found}. Make the list of items in a step, so that a replay has the same.`
  })

/** Returns the mistake when the history holds a batch with neither its outcomes nor what replaces them. */
export const withoutProgress = (path: string): NonDeterministic =>
  new NonDeterministic({
    operation: path,
    message: `The history holds "${path}" without the progress of its items. Run this execution with the version of the library that recorded it.`
  })

/** Returns the mistake when an item of a batch, run again over its records, ends differently than before. */
export const otherEnd = (batch: string, item: string, hadSucceeded: boolean): NonDeterministic =>
  new NonDeterministic({
    operation: batch,
    message:
      `The history holds "${item}" as an item that ${hadSucceeded ? "succeeded" : "failed"}, but this time it ended differently. ` +
      "A replay rebuilds its result from the operations inside, so the code between them has to do the same on every replay."
  })

/** Returns the mistake when the code of a context that is only rebuilt waits for operations without an outcome. */
export const inVain = (
  { executionName }: Pick<Core, "executionName">,
  paths: ReadonlyArray<string>
): NonDeterministic =>
  new NonDeterministic({
    operation: paths[0] ?? executionName,
    message:
      `The history holds the result of a context whose code now waits for ${paths.map((path) => `"${path}"`).join(", ")}, which had no outcome when that result was recorded. ` +
      "Run this execution with the version of the code that recorded it, or add the new operation for new executions only."
  })

/** Returns the mistake when every fiber waits for something that only another fiber could bring. */
export const stuck = (
  { executionName, fibers, placeOf }: Pick<Core, "executionName" | "fibers" | "placeOf">,
  waiting: ReadonlyArray<AnyFiber>,
  skipped: ReadonlyArray<string>
): Stuck => {
  const places = [...new Set(waiting.map((fiber) => placeOf(fiber) ?? ""))]
  const named = places.length === 0 ? [""] : places.slice(0, 5)
  const shown = named.map((place) => (place === "" ? "the workflow" : `"${place}"`))
  const count = fibers.live.size
  const who = count === 1 ? "its only fiber waits" : `all of its ${count} fibers wait for each other`
  const blocks = [...new Set(skipped)].slice(0, 5).map((path) => `"${path}"`)
  const cause =
    blocks.length === 0
      ? "No running fiber will ever wake it: complete the Deferred, offer to the Queue, or release the Latch or Semaphore in a fiber that still runs, or wait for an operation."
      : `What would wake it (a Deferred, a Queue, a Latch, a Semaphore) may have happened in ${blocks.join(", ")}, whose outcome is recorded, so that it did not happen again. ` +
        "Return its value instead, or, if it is a Durable.child, give it { flat: true }."
  return new Stuck({
    operation: executionName,
    message: `The execution can never continue: ${who}, in ${shown.join(", ")}, and no operation is open. ${cause}`
  })
}

/** Returns the mistake when a fiber spins. */
export const spinning = (executionName: string): Stuck =>
  new Stuck({
    operation: executionName,
    message:
      "The workflow loops without waiting for an operation, so no outcome can be delivered to it. Wait in the loop with Durable.wait, or an Effect.sleep of a second or more, or put the work into a Durable.step."
  })

/** Fails an operation of a context that has ended. */
export const contextEnded = (namespace: Namespace, operation: string): Effect.Effect<never> =>
  // The error is created only when a fiber reads it: most of these fibers are already interrupted.
  Effect.suspend(() =>
    Effect.die(
      new ContextEnded({
        operation,
        message:
          `The operation "${operation}" belongs to "${namespace.path}", which has ended, so nothing can be recorded in it any more. ` +
          "Join the fibers that a block forks before the block ends."
      })
    )
  )

const at = ({ place }: Claim): string => (place === undefined ? "" : ` at ${place}`)

const nameOf = ({ subType, type }: Kind): string => kindOf(type, subType)

const kindOf = (type: string, subType: string | undefined): string =>
  subType === undefined ? type : `${type} (${subType})`

const describe = (operation: Operation): string => `${operation.Type} "${operation.Name ?? operation.Id}"`
