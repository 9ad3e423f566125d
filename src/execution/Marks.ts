/**
 * Marks: records of ours that are no operation of the user.
 *
 * Owns: how a mark is written and recognised. A *patch* says that a change of the code applies in a namespace, a *late*
 * that an outcome was delivered after outcomes with later stamps, a *reading* what time code was shown before the
 * service had told it, a *cut* that an attempt was begun again because its invocation had ended before it.
 * A *pause* is none of these: a wait with which an invocation that nears its end has the service begin another one.
 * Does not own: when one is recorded, and what it means for the order.
 *
 * Invariants:
 * 1. On the wire a mark is a step with an outcome from the start. Its id follows from what it says, so that no step of a
 *    user is ever taken for one, whatever its name.
 * 2. No mark and no pause is ever claimed, awaited, or missed when it is not asked for, and none moves the time.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { markId } from "./Identity.ts"

export type Kind = "patch" | "late" | "reading" | "cut"

export interface Mark {
  readonly kind: Kind
  /** The id of the operation or namespace that it is about. */
  readonly of: string
  /** The change of a patch; the name of the operation else. */
  readonly label: string
  /** The time that was shown, in milliseconds. */
  readonly time?: number | undefined
}

/** What a mark is about that is about the beginning of an operation. */
export const startOf = (id: string): string => `${id}:start`

export const idOf = ({ kind, label, of }: Mark): string => markId(kind, of, kind === "patch" ? label : "")

/** The name of a mark on the wire, at most as long as a name may be. */
export const nameOf = ({ kind, label }: Mark): string => `${kind}:${label}`.slice(0, 256)

/** What a mark says, as the result of its step. */
export const payloadOf = ({ kind, of, time }: Mark): string => JSON.stringify({ mark: kind, of, time })

/** The two updates that record a mark. */
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

/** A patch of a namespace with a record that has been begun, but has no outcome yet. */
const begunPatch = ({ Id, Name = "", ParentId = "", Status }: Operation): Mark | undefined => {
  const mark: Mark = { kind: "patch", of: ParentId, label: Name.slice("patch:".length) }
  return Status === "STARTED" && idOf(mark) === Id ? mark : undefined
}

// --- Pauses --------------------------------------------------------------------------------------------------------------

const pauseId = (number: number): string => markId("pause", "", String(number))

/** The update that records a pause of an execution, numbered from 1. It is as short as a wait can be. */
export const pause = (number: number): OperationUpdate => ({
  Id: pauseId(number),
  Name: `pause:${number}`,
  Type: "WAIT",
  SubType: "Wait",
  Action: "START",
  WaitOptions: { WaitSeconds: 1 }
})

/** The number of a pause, if a record is one. */
export const readPause = ({ Id, Name = "", Type }: Operation): number | undefined => {
  if (Type !== "WAIT" || !Name.startsWith("pause:")) return undefined
  const number = Number(Name.slice("pause:".length))
  return pauseId(number) === Id ? number : undefined
}
