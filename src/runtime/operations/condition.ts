/**
 * Condition: look at something again and again until it is as it should be, without an invocation between two looks.
 *
 * Each look is an attempt of one operation, which carries a state from one to the next.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { ConditionExhausted, InvalidDuration, InvalidOptions } from "../../DurableError.ts"
import { secondsOf, wholeDelaySeconds } from "../../RetryPolicy.ts"
import type { Operation } from "../../wire/Operation.ts"
import { claim, record as recordChange, recordLater, type Claim } from "../Execution.ts"
import { limitSize, readValue, writeValue } from "../Outcome.ts"
import type { AnyCodec, Recording } from "../Recording.ts"
import { attempts, failForGood, numberOf, runBody, settled, waiting, type Attempted } from "./step.ts"

/** What a delay may depend on. */
export interface Look<S> {
  readonly attempt: number
  readonly state: S
  readonly random: number
}

export interface ConditionOptions {
  readonly initial: unknown
  readonly check: (state: unknown) => Effect.Effect<unknown, unknown, unknown>
  readonly until: (state: unknown) => boolean
  readonly delay?: Duration.Input | ((look: Look<unknown>) => Duration.Input) | undefined
  readonly maxAttempts?: number | undefined
  readonly state?: Recording["success"]
  readonly error?: Recording["error"]
  readonly serdes?: AnyCodec | undefined
}

/** As in AWS's SDKs: 5 seconds, half as long again each time, up to 5 minutes, with full jitter. */
const byDefault = ({ attempt, random }: Look<unknown>): Duration.Input =>
  Duration.seconds(random * Math.min(5 * 1.5 ** (attempt - 1), 300))

const attemptsByDefault = 60

export const waitForCondition = (name: string, options: ConditionOptions) =>
  Effect.flatMap(claim({ type: "STEP", subType: "WaitForCondition", name }), (claimed) => {
    const { error, maxAttempts = attemptsByDefault, serdes, state: success } = options
    if (!(maxAttempts >= 1 && (Number.isSafeInteger(maxAttempts) || maxAttempts === Infinity))) {
      return Effect.die(
        new InvalidOptions({
          operation: claimed.path,
          message: `Expected the maxAttempts of "${claimed.path}" to be a whole number of at least 1 or Infinity, found ${String(maxAttempts)}. Use Infinity to look as often as it takes.`
        })
      )
    }
    const recording: Recording = { success, error, serdes }
    return attempts(
      claimed,
      recording,
      (record) => look(claimed, record, recording, { ...options, maxAttempts }),
      "state"
    )
  })

const look = Effect.fnUntraced(function* (
  claimed: Claim,
  record: Operation | undefined,
  recording: Recording,
  { check, delay = byDefault, initial, maxAttempts, until }: ConditionOptions & { readonly maxAttempts: number }
): Effect.fn.Return<Attempted, never, unknown> {
  const attempt = numberOf(record)
  if (record?.Status !== "STARTED") yield* recordLater(claimed, { Action: "START" })
  const before = attempt === 1 ? initial : yield* readValue(claimed, "state", recording, record?.StepDetails?.Result)
  const exit = yield* runBody(
    claimed,
    attempt,
    Effect.suspend(() => check(before))
  )
  const decided = yield* Effect.exit(
    Effect.gen(function* () {
      const written = yield* writeValue(claimed, "state", recording, yield* exit)
      yield* limitSize(claimed, "state", written, claimed.run.options.maxPayload)
      const state = yield* readValue(claimed, "state", recording, written)
      const payload = written === undefined ? undefined : { Payload: written }
      if (until(state)) return { state, payload, delaySeconds: undefined }
      if (attempt >= maxAttempts) return yield* new ConditionExhausted({ operation: claimed.path, attempts: attempt })
      const random = (yield* Random.Random).nextDoubleUnsafe()
      const duration = typeof delay === "function" ? delay({ attempt, state, random }) : delay
      return { state, payload, delaySeconds: yield* delaySecondsOf(claimed, duration) }
    })
  )
  if (Exit.isFailure(decided)) return yield* failForGood(claimed, recording, decided.cause)
  const { delaySeconds, payload, state } = decided.value
  if (delaySeconds === undefined) {
    yield* recordChange(claimed, { Action: "SUCCEED", ...payload })
    return settled(Exit.succeed(state))
  }
  yield* recordChange(claimed, {
    Action: "RETRY",
    ...payload,
    StepOptions: { NextAttemptDelaySeconds: delaySeconds }
  })
  return waiting
})

const delaySecondsOf = ({ path }: Claim, delay: Duration.Input): Effect.Effect<number> =>
  Effect.suspend(() => {
    const seconds = secondsOf(delay)
    if (seconds !== undefined) return Effect.succeed(wholeDelaySeconds(seconds))
    return Effect.die(
      new InvalidDuration({
        operation: path,
        message:
          `Expected the delay of "${path}" to be a finite duration that is not negative, found ${describe(delay)}. ` +
          'Write "30 seconds", a Duration or a number of milliseconds.'
      })
    )
  })

const describe = (delay: unknown): string => {
  if (delay instanceof Date) return "a point in time"
  if (typeof delay === "number") return `${delay} ms`
  if (typeof delay === "string") return JSON.stringify(delay.slice(0, 40))
  return Duration.isDuration(delay) ? String(delay) : `a value of type ${delay === null ? "null" : typeof delay}`
}
