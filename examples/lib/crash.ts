/**
 * Reports what the invocation after a crash replayed, and what it ran again.
 *
 * A checkpoint is a request to the service, which keeps the record. If the invocation is killed *before* a checkpoint,
 * the service never receives it, and the work that it would have recorded has to run again. If the invocation is killed
 * *after* it, the work is recorded, and replayed.
 */
import type { DurableClient } from "effect-durable"
import type { Faults } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** An event of a history, as `DurableClient` returns it. */
type Event = Effect.Success<ReturnType<DurableClient.DurableClient["Service"]["history"]>>["items"][number]

/** Returns whether an event is the outcome of an operation. An attempt that is followed by another one is not. */
const isOutcome = (event: Event): boolean => {
  if (event.EventType === "StepSucceeded")
    return event.StepSucceededDetails.RetryDetails.NextAttemptDelaySeconds === undefined
  if (event.EventType === "StepFailed")
    return event.StepFailedDetails.RetryDetails.NextAttemptDelaySeconds === undefined
  return /(?:Succeeded|Failed|TimedOut|Stopped)$/.test(event.EventType)
}

/** The effect of the crash on an operation. */
export type Note = "replayed" | "ran again"

/**
 * A requested crash. The engine gets its `onCrash`, which takes notes once `client` is set. After the crash, `report`
 * names the killed function and the checkpoint. Without a crash there is no report.
 */
export class Crash {
  readonly client = Deferred.makeUnsafe<DurableClient.DurableClient["Service"]>()
  readonly #notes = new Map<string, Note>()
  report: string | undefined

  readonly onCrash = Effect.fnUntraced(
    { self: this },
    function* (this: Crash, { checkpoint, request, side }: Faults.Crashed) {
      const { DurableExecutionArn: arn, Updates } = request
      const client = yield* Deferred.await(this.client)
      const { items } = yield* Effect.orDie(client.history(arn, { maxItems: 1_000 }))
      const recorded = new Set(items.filter(isOutcome).map(({ Id }) => Id))
      for (const { Id, ParentId } of items) {
        // The code does not ask again for operations inside a recorded child.
        if (Id !== undefined && recorded.has(Id) && !recorded.has(ParentId)) this.#notes.set(`${arn} ${Id}`, "replayed")
      }
      // A step whose outcome was being sent had run. If the service never received the outcome, the step runs once
      // more.
      const isLost = side === "before"
      for (const { Action, Id, Type } of isLost ? Updates : []) {
        if (Type === "STEP" && Action !== "START") this.#notes.set(`${arn} ${Id}`, "ran again")
      }
      const what = Updates.map(({ Action, Name, Type }) => `${Type} ${Action} "${Name ?? ""}"`)
      this.report =
        `${words[side](arn.match(/function:([^:/]+)/)?.[1] ?? arn)} checkpoint ${checkpoint}: ` +
        `${what.join(", ") || "nothing but a question"}.`
    }
  )

  noteOf(executionArn: string, operationId: string): Note | undefined {
    return this.#notes.get(`${executionArn} ${operationId}`)
  }
}

const words: Readonly<Record<Faults.Side, (name: string) => string>> = {
  before: (name) => `Killed the invocation of ${name} before`,
  after: (name) => `Killed the invocation of ${name} after`,
  lost: (name) => `Lost the answer to ${name} at`,
  twice: (name) => `Delivered the event of ${name} twice at`
}
