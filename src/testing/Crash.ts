/**
 * Crashes of invocations that a test requests.
 *
 * Owns: the notation of a crash, and the request to the service at which it happens.
 * Does not own: the answer to the sender of the request, the service, and how an execution continues after its invocation is
 * killed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { CheckpointRequest, CheckpointResponse, StoreError } from "../CheckpointStore.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { suffer } from "./RequestFault.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * The kind of a crash at a checkpoint, which is a request of an invocation to the service.
 *
 * - `before`: the invocation is killed, and the service never receives the checkpoint. Everything that the code has done
 *   since the previous checkpoint, such as the side effect of a step, is done again.
 * - `after`: the service has applied the checkpoint, and the invocation is killed before it receives the answer.
 * - `lost`: the service has applied the checkpoint, and only the answer is lost, so the invocation sends the request again.
 * - `twice`: Lambda delivers the event of the invocation a second time, and both invocations run concurrently.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = "before" | "after" | "lost" | "twice"

/**
 * The point at which an invocation is killed. `"after:3"` is after the third checkpoint of the test, counted over all
 * functions. `{ before: "charge" }`, or `"before:charge"`, is before the first checkpoint that names the operation `charge`;
 * `{ after: "charge" }` is after the checkpoint that records its outcome, or its start if the service ends it.
 *
 * @category models
 * @since 0.1.0
 */
export type Crash = string | { readonly [S in Side]?: number | string | undefined }

/**
 * A crash in the form that {@link crashes} returns.
 *
 * @category models
 * @since 0.1.0
 */
export interface Point {
  readonly side: Side
  /** The number of the checkpoint, or the name of an operation. */
  readonly at: number | string
}

export const sides: ReadonlyArray<Side> = ["before", "after", "lost", "twice"]

/**
 * Parses crashes in their notation, for instance those of a command line.
 *
 * **Throws** a `TestFailure` that explains the notation.
 *
 * @example
 * ```ts
 * import { Faults } from "effect-durable/testing"
 * import assert from "node:assert/strict"
 *
 * assert.deepEqual(Faults.crashes(["before:3", { after: "charge" }]), [
 *   { side: "before", at: 3 },
 *   { side: "after", at: "charge" }
 * ])
 * assert.throws(() => Faults.crashes("sometimes"), /Expected a crash such as "before:3"/)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const crashes = (crash: Crash | ReadonlyArray<Crash> | undefined): ReadonlyArray<Point> => {
  if (crash === undefined) return []
  return (isList(crash) ? crash : [crash]).flatMap((one) =>
    typeof one === "string" ? [pointIn(one)] : sides.flatMap((side) => pointAt(side, one[side]))
  )
}

const isList = (crash: Crash | ReadonlyArray<Crash>): crash is ReadonlyArray<Crash> => Array.isArray(crash)

const pointAt = (side: Side, at: number | string | undefined): ReadonlyArray<Point> => {
  if (at === undefined) return []
  if (typeof at === "string") return [pointIn(`${side}:${at}`)]
  return Number.isSafeInteger(at) && at > 0 ? [{ side, at }] : refuse(`${side}:${at}`)
}

const pointIn = (text: string): Point => {
  const [, name, at = ""] = /^([a-z]+):(.+)$/s.exec(text) ?? []
  const side = sides.find((one) => one === name)
  if (side === undefined || isNoCount.test(at)) return refuse(text)
  return { side, at: isCount.test(at) ? Number(at) : at }
}

/** A whole number is that of a checkpoint. Everything else, such as `-order` or `00`, is the name of an operation. */
const isCount = /^[1-9]\d*$/

const isNoCount = /^(0|-[1-9]\d*)$/

const refuse = (text: string): never => {
  throw new TestFailure({
    message: `Expected a crash such as "before:3", "after:charge", "lost:3" or "twice:1", found ${JSON.stringify(text)}. A whole number is that of a checkpoint, from 1, so 0 and -1 are none; anything else is the name of an operation.`
  })
}

/** Returns the notation of a crash. */
export const show = ({ at, side }: Point): string => `${side}:${at}`

/** The part of a world that performs crashes. */
export interface CrashHost {
  /** Runs the event of the sending invocation a second time. */
  readonly runAgain: (request: CheckpointRequest) => void
  /** Receives a crash before the sender of the request does. */
  readonly crashed?: ((crash: Crashed) => Effect.Effect<void>) | undefined
}

/**
 * A crash that happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Crashed {
  readonly side: Side
  /** The number of the checkpoint, from 1, over all functions. */
  readonly checkpoint: number
  readonly request: CheckpointRequest
}

export class Crashes {
  readonly #host: CrashHost
  readonly #points: Set<Point>
  /** The content of each checkpoint of the world, such as `START charge, SUCCEED charge`, if it is watched. */
  readonly checkpoints: Array<string> = []
  readonly #isWatched: boolean
  #begun = 0

  constructor(points: ReadonlyArray<Point>, isWatched: boolean, host: CrashHost) {
    this.#points = new Set(points)
    this.#isWatched = isWatched
    this.#host = host
  }

  /** The failure about crashes that did not happen, when no more requests come. The advice is for a test without any. */
  missed(advice: string): TestFailure | undefined {
    const [point, ...others] = this.#points
    if (point === undefined) return undefined
    const all = [point, ...others].map((one) => JSON.stringify(show(one))).join(", ")
    const expected = `Expected ${others.length === 0 ? "the crash" : "the crashes"} ${all} to happen`
    return new TestFailure({
      message:
        this.#begun === 0
          ? `${expected}, but no request arrived. ${advice}`
          : `${expected}, but the test ended after ${this.#begun} checkpoint${this.#begun === 1 ? "" : "s"} without ${others.length === 0 ? "it" : "them"}. Name an operation that the test reaches, or a checkpoint from 1 to ${this.#begun}.`
    })
  }

  /** Sends a request to the service with the crashes that apply to it. */
  around(
    request: CheckpointRequest,
    send: Effect.Effect<CheckpointResponse, StoreError>
  ): Effect.Effect<CheckpointResponse, StoreError> {
    return Effect.suspend(() => {
      if (this.#isWatched) this.checkpoints.push(describe(request.Updates))
      const checkpoint = ++this.#begun
      const side = this.#take(checkpoint, request)?.side
      const { crashed, runAgain } = this.#host
      const told = side === undefined || crashed === undefined ? Effect.void : crashed({ side, checkpoint, request })
      switch (side) {
        case "before":
        case "after":
          return suffer({ kind: "stale", when: side }, () => send, told)
        case "lost":
          return suffer({ kind: "unavailable", when: "after" }, () => send, told)
        case "twice":
          runAgain(request)
          return Effect.andThen(told, send)
        case undefined:
          return send
      }
    })
  }

  #take(checkpoint: number, { Updates }: CheckpointRequest): Point | undefined {
    for (const point of this.#points) {
      const isHere =
        typeof point.at === "number" ? point.at === checkpoint : Updates.some((update) => isAt(point, update))
      if (!isHere) continue
      this.#points.delete(point)
      return point
    }
    return undefined
  }
}

/** Fails the test when a scope closes before all crashes have happened. A test that has failed reports its own failure. */
export const reportMissed = (crashes: Crashes, advice: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer((exit) => {
    const missed = Exit.isSuccess(exit) ? crashes.missed(advice) : undefined
    return missed === undefined ? Effect.void : Effect.die(missed)
  })

/** Returns whether an update is the one of the operation that a crash names. */
const isAt = ({ at, side }: Point, { Action, Name, Type }: OperationUpdate): boolean => {
  if (Name !== at) return false
  return side === "before" || Action !== "START" || Type === "WAIT" || Type === "CALLBACK" || Type === "CHAINED_INVOKE"
}

const describe = (updates: ReadonlyArray<OperationUpdate>): string =>
  updates.length === 0
    ? "a question"
    : updates.map(({ Action, Name, Type }) => `${Action} ${Name ?? Type.toLowerCase()}`).join(", ")
