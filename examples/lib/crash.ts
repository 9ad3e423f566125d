/**
 * Kills an invocation at a checkpoint, and says afterwards what the next one found: what it replayed, and what it ran
 * again.
 *
 * A checkpoint is a request to the service that keeps the record. Killed *before* it, the service never hears of it, so
 * what it would have recorded has to be done again. Killed *after* it, it is recorded, and replayed.
 */
import { CheckpointStore, DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"

/** Which checkpoint, counted from 1 over all executions, and on which side of it. */
export interface Point {
  readonly side: "before" | "after"
  readonly checkpoint: number
}

/** What `--crash` takes: `3`, `before:3` or `after:3`. */
export const parsePoint = (text: string): Point | undefined => {
  const [, side = "before", checkpoint] = /^(?:(before|after):)?([1-9]\d{0,3})$/.exec(text) ?? []
  return checkpoint === undefined ? undefined : { side: side === "after" ? "after" : "before", checkpoint: +checkpoint }
}

/** An event of a history, as `DurableClient` answers it. */
type Event = Effect.Success<ReturnType<DurableClient.DurableClient["Service"]["history"]>>["items"][number]

/** Whether an operation is over. An attempt that is followed by another one is no outcome. */
const isOutcome = (event: Event): boolean => {
  if (event.EventType === "StepSucceeded")
    return event.StepSucceededDetails.RetryDetails.NextAttemptDelaySeconds === undefined
  if (event.EventType === "StepFailed")
    return event.StepFailedDetails.RetryDetails.NextAttemptDelaySeconds === undefined
  return /(?:Succeeded|Failed|TimedOut|Stopped)$/.test(event.EventType)
}

/** What happened to an operation because of the crash. */
export type Note = "replayed" | "ran again"

/** A crash that is due, and what can be said of it once the execution is over. */
export interface Crash {
  /** How many checkpoints there were in all. */
  readonly checkpoints: () => number
  /** Who was killed, and when. Nothing if the execution ended before that. */
  readonly report: () => string | undefined
  readonly noteOf: (executionArn: string, operationId: string) => Note | undefined
}

/**
 * Arms the engine. It answers the request with what an invocation is told that has lost its execution: it stops where it
 * is, records nothing more and fails, and the service invokes the function again.
 */
export const arm = Effect.fn("crash.arm")(function* (point: Point) {
  const store = yield* CheckpointStore.CheckpointStore
  const client = yield* DurableClient.DurableClient
  const { checkpoint } = store
  const notes = new Map<string, Note>()
  const key = (executionArn: string, operationId: string): string => `${executionArn} ${operationId}`
  let count = 0
  let report: string | undefined

  const note = Effect.fnUntraced(function* ({ DurableExecutionArn: arn, Updates }: CheckpointStore.CheckpointRequest) {
    const { items } = yield* client.history(arn, { maxItems: 1_000 })
    const recorded = new Set(items.filter(isOutcome).map(({ Id }) => Id))
    for (const { Id, ParentId } of items) {
      // What is in a child that is recorded is not even asked for.
      if (Id !== undefined && recorded.has(Id) && !recorded.has(ParentId)) notes.set(key(arn, Id), "replayed")
    }
    // A step whose outcome was on its way had run. If the service never got it, it runs once more.
    const lost =
      point.side === "before" ? Updates.filter(({ Action, Type }) => Type === "STEP" && Action !== "START") : []
    for (const { Id } of lost) notes.set(key(arn, Id), "ran again")
    const what = Updates.map(({ Action, Name, Type }) => `${Type} ${Action} "${Name ?? ""}"`)
    report =
      `Killed the invocation of ${arn.match(/function:([^:/]+)/)?.[1]} ${point.side} checkpoint ${point.checkpoint}: ` +
      `${what.join(", ") || "nothing but a question"}.`
  })

  // Every invocation of the engine uses this one object.
  Object.assign(store, {
    checkpoint: (request: CheckpointStore.CheckpointRequest) =>
      Effect.gen(function* () {
        if (++count !== point.checkpoint) return yield* checkpoint(request)
        if (point.side === "after") yield* checkpoint(request)
        yield* Effect.orDie(note(request))
        return yield* new CheckpointStore.StaleCheckpointToken({ message: "The invocation was killed." })
      })
  })

  return {
    checkpoints: () => count,
    report: () => report,
    noteOf: (executionArn, operationId) => notes.get(key(executionArn, operationId))
  } satisfies Crash
})
