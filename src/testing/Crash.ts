/**
 * Crashes of invocations that a test asks for.
 *
 * Owns: how a crash is written, at which request to the service it happens, and what whoever made the request is told.
 * Does not own: the service, and what becomes of an execution whose invocation is gone.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import {
  StaleCheckpointToken,
  StoreUnavailable,
  type CheckpointRequest,
  type CheckpointResponse,
  type StoreError
} from "../CheckpointStore.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * What happens at a checkpoint, which is a request of an invocation to the service.
 *
 * - `before`: the invocation is killed, and the service never hears of the checkpoint. What the code has done since the
 *   checkpoint before it, such as the side effect of a step, is done again.
 * - `after`: the service has carried the checkpoint out, and the invocation is killed before it hears of that.
 * - `lost`: the service has carried it out, and only the answer is lost, so the invocation sends the request again.
 * - `twice`: Lambda delivers the event of the invocation a second time, and both run side by side.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = "before" | "after" | "lost" | "twice"

/**
 * Where an invocation is killed: `"after:3"` is after the third checkpoint of the test, counted over all functions.
 * `{ before: "charge" }`, or `"before:charge"`, is before the first checkpoint that names the operation `charge`;
 * `{ after: "charge" }` is after the one that records its outcome, or its beginning if the service ends it.
 *
 * @category models
 * @since 0.1.0
 */
export type Crash = string | { readonly [S in Side]?: number | string | undefined }

/** A crash that is due. */
export interface Point {
  readonly side: Side
  /** The number of the checkpoint, or the name of an operation. */
  readonly at: number | string
}

export const sides: ReadonlyArray<Side> = ["before", "after", "lost", "twice"]

/** Reads what a user wrote. */
export const pointsOf = (crash: Crash | ReadonlyArray<Crash> | undefined): ReadonlyArray<Point> => {
  if (crash === undefined) return []
  return (isList(crash) ? crash : [crash]).flatMap((one) =>
    typeof one === "string" ? [pointIn(one)] : sides.flatMap((side) => pointAt(side, one[side]))
  )
}

const isList = (crash: Crash | ReadonlyArray<Crash>): crash is ReadonlyArray<Crash> => Array.isArray(crash)

const pointAt = (side: Side, at: number | string | undefined): ReadonlyArray<Point> =>
  at === undefined ? [] : [pointIn(`${side}:${at}`)]

const pointIn = (text: string): Point => {
  const [, name, at = ""] = /^([a-z]+):(.+)$/s.exec(text) ?? []
  const side = sides.find((one) => one === name)
  if (side === undefined)
    throw new TestFailure({
      message: `Expected a crash such as "before:3", "after:charge", "lost:3" or "twice:1", found ${JSON.stringify(text)}. The number is that of a checkpoint, from 1; the name is that of an operation.`
    })
  return { side, at: /^[1-9]\d*$/.test(at) ? Number(at) : at }
}

/** A crash as it is written. */
export const show = ({ at, side }: Point): string => `${side}:${at}`

/** What the world does for a crash. */
export interface CrashHost {
  /** Runs the event of the invocation that sends a request a second time. */
  readonly runAgain: (request: CheckpointRequest) => void
}

const gone = new StaleCheckpointToken({ message: "This invocation was killed by the test." })
const lost = new StoreUnavailable({ message: "The connection was closed before the answer arrived." })

export class Crashes {
  readonly #host: CrashHost
  readonly #points: Set<Point>
  /** What each checkpoint of the world held, such as `START charge, SUCCEED charge`, if anybody wants to know. */
  readonly checkpoints: Array<string> = []
  readonly #isWatched: boolean
  #begun = 0

  constructor(points: ReadonlyArray<Point>, isWatched: boolean, host: CrashHost) {
    this.#points = new Set(points)
    this.#isWatched = isWatched
    this.#host = host
  }

  /** A request on its way to the service, and what happens to it. */
  around(
    request: CheckpointRequest,
    send: Effect.Effect<CheckpointResponse, StoreError>
  ): Effect.Effect<CheckpointResponse, StoreError> {
    return Effect.suspend(() => {
      if (this.#isWatched) this.checkpoints.push(describe(request.Updates))
      switch (this.#take(request)?.side) {
        case "before":
          // As over a network, no answer is there at once, not even that there will be none.
          return Effect.andThen(Effect.yieldNow, Effect.fail(gone))
        case "after":
          return Effect.andThen(send, Effect.fail(gone))
        case "lost":
          return Effect.andThen(send, Effect.fail(lost))
        case "twice":
          this.#host.runAgain(request)
          return send
        case undefined:
          return send
      }
    })
  }

  #take({ Updates }: CheckpointRequest): Point | undefined {
    const number = ++this.#begun
    for (const point of this.#points) {
      const isHere = typeof point.at === "number" ? point.at === number : Updates.some((update) => isAt(point, update))
      if (!isHere) continue
      this.#points.delete(point)
      return point
    }
    return undefined
  }
}

/** Whether an update is the one of the operation that a crash names. */
const isAt = ({ at, side }: Point, { Action, Name, Type }: OperationUpdate): boolean => {
  if (Name !== at) return false
  return side === "before" || Action !== "START" || Type === "WAIT" || Type === "CALLBACK" || Type === "CHAINED_INVOKE"
}

const describe = (updates: ReadonlyArray<OperationUpdate>): string =>
  updates.length === 0
    ? "a question"
    : updates.map(({ Action, Name, Type }) => `${Action} ${Name ?? Type.toLowerCase()}`).join(", ")
