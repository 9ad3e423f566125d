/**
 * Marks: records of the library that are not operations of the program.
 *
 * Owns: how a mark is written and recognised. There are four kinds. A *patch* states that a change of the code applies
 * in a namespace. A *late* states that an outcome was delivered after outcomes with later stamps. A *reading* states
 * the time that code was shown before the service had reported it. A *cut* states that an attempt was begun again
 * because its invocation had ended before the attempt did. A *pause* is not a mark. It is a wait with which an
 * invocation near its end makes the service start another one.
 * Does not own: when a mark is recorded, and its meaning for the order.
 *
 * Invariants:
 * 1. On the wire a mark is a step that has an outcome from the start. Its id is derived from its content, so no step of
 *    a program is ever mistaken for a mark, whatever its name.
 * 2. A mark or a pause is never claimed or awaited, is never missed when the code does not ask for it, and never moves the
 *    time.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { markId } from "./Identity.ts"

export type Kind = "patch" | "late" | "reading" | "cut"

export interface Mark {
  readonly kind: Kind
  /** The id of the operation or namespace that the mark is about. */
  readonly of: string
  /** The change of a patch; otherwise the name of the operation. */
  readonly label: string
  /** The time that code was shown, or the least time of a late outcome, in milliseconds. */
  readonly time?: number | undefined
}

/** Returns the subject of a mark about the start of an operation. */
export const startOf = (id: string): string => `${id}:start`

export const idOf = ({ kind, label, of }: Mark): string => markId(kind, of, kind === "patch" ? label : "")

/** Returns the name of a mark on the wire, cut to the longest that a name may be. */
export const nameOf = ({ kind, label }: Mark): string => `${kind}:${label}`.slice(0, 256)

/** Returns the content of a mark, as the result of its step. */
export const payloadOf = ({ kind, of, time }: Mark): string => JSON.stringify({ mark: kind, of, time })

/** Returns the two updates that record a mark. */
export const updatesOf = (
  mark: Mark,
  parentId: string | undefined
): readonly [start: OperationUpdate, end: OperationUpdate] => {
  const common = {
    Id: idOf(mark),
    ...(parentId === undefined ? undefined : { ParentId: parentId }),
    Name: nameOf(mark),
    Type: "STEP",
    SubType: "Step"
  } as const
  return [
    { ...common, Action: "START" },
    { ...common, Action: "SUCCEED", Payload: payloadOf(mark) }
  ]
}

/** Reads a record as a mark, if it is one. */
export const readMark = (record: Operation): Mark | undefined => {
  const { Id, Name = "", StepDetails, Type } = record
  const result = StepDetails?.Result
  if (Type !== "STEP" || !/^(patch|late|reading|cut):/.test(Name)) return undefined
  if (result === undefined) return begunPatch(record)
  try {
    const { mark: kind, of, time } = Object(JSON.parse(result))
    const mark: Mark = { kind, of, label: Name.slice(Name.indexOf(":") + 1), time }
    return idOf(mark) === Id ? mark : undefined
  } catch {
    return undefined
  }
}

/** Reads a patch of a recorded namespace that has begun but has no outcome yet. */
const begunPatch = ({ Id, Name = "", ParentId = "", Status }: Operation): Mark | undefined => {
  const mark: Mark = { kind: "patch", of: ParentId, label: Name.slice("patch:".length) }
  return Status === "STARTED" && idOf(mark) === Id ? mark : undefined
}

// --- Pauses --------------------------------------------------------------------------------------------------------------

const pauseId = (number: number): string => markId("pause", "", String(number))

/** Returns the update that records a pause of an execution. Pauses are numbered from 1, and as short as a wait can be. */
export const pause = (number: number): OperationUpdate => ({
  Id: pauseId(number),
  Name: `pause:${number}`,
  Type: "WAIT",
  SubType: "Wait",
  Action: "START",
  WaitOptions: { WaitSeconds: 1 }
})

/** Reads the number of a pause, if the record is one. */
export const readPause = ({ Id, Name = "", Type }: Operation): number | undefined => {
  if (Type !== "WAIT" || !Name.startsWith("pause:")) return undefined
  const number = Number(Name.slice("pause:".length))
  return pauseId(number) === Id ? number : undefined
}
