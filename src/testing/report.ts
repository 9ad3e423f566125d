/**
 * The report about an execution in which nothing happens any more.
 *
 * Owns: its words. Does not own: when it is asked for, and the state of the world.
 *
 * @since 0.1.0
 */
import type { Parts } from "../execution/Parts.ts"
import type { Operation } from "../wire/Operation.ts"
import { fakedTimers } from "./Stillness.ts"

/** A call of the world that runs. */
export interface Call {
  readonly kind: "function" | "answer to the callback"
  readonly name: string
  /** The parts of an invocation, once its state is loaded. */
  readonly parts: Parts | undefined
}

/** What the report is about. */
export interface Standstill {
  /** The name of the execution. */
  readonly name: string
  /** Everything that runs in the world. */
  readonly calls: ReadonlyArray<Call>
  readonly operations: ReadonlyArray<Operation>
  /** Returns whether an answer to the callback of this operation runs. */
  readonly isBeingAnswered: (operationId: string) => boolean
  /** Signs of real work outside of Effect. */
  readonly signs: ReadonlyArray<string>
}

/** Reports what an execution waits for, and what else is open in the world. */
export const reportOf = ({ calls, isBeingAnswered, name, operations, signs }: Standstill): string => {
  const lines = calls.map(describe)
  for (const operation of operations) {
    if (operation.Status !== "STARTED") continue
    if (operation.Type === "CALLBACK" && !isBeingAnswered(operation.Id)) {
      lines.push(`the callback "${operation.Name}" is open, and nothing answers it`)
    }
    if (operation.Type === "CHAINED_INVOKE") lines.push(`the invoke "${operation.Name}" has no outcome yet`)
  }
  const waits = lines.length === 0 ? ["nothing is running and no timer is due"] : lines
  return (
    `The execution "${name}" did not end, and nothing has happened for a while. It waits for this: ${waits.join("; ")}. ` +
    `If real I/O takes longer than this, raise the patience of TestEngine.layer.${whatIsReal(signs)}`
  )
}

const describe = ({ kind, name, parts }: Call): string => {
  if (parts === undefined) return `the ${kind} "${name}" is running`
  const waits = parts.delivery.describe()
  return waits.length > 0
    ? `in "${name}" ${waits.join(", ")}`
    : `the workflow "${name}" waits for something that is not a durable operation`
}

/** Describes the work in progress outside of Effect, and what blocks it. */
const whatIsReal = (signs: ReadonlyArray<string>): string => {
  const faked = fakedTimers()
  return (
    (signs.length === 0 ? "" : ` Outside of Effect there is ${signs.join(", ")}.`) +
    (faked.length === 0
      ? ""
      : ` ${faked.join(", ")} of this process ${faked.length === 1 ? "is" : "are"} faked, so real work that needs timers never ends: fake only Date, as with vi.useFakeTimers({ toFake: ["Date"] }).`)
  )
}
