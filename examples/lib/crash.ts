/**
 * Says what the invocation found that came after a crash: what it replayed, and what it ran again.
 *
 * A checkpoint is a request to the service that keeps the record. Killed *before* it, the service never hears of it, so
 * what it would have recorded has to be done again. Killed *after* it, it is recorded, and replayed.
 */
import type { DurableClient } from "effect-durable"
import type { Faults } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

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

/**
 * A crash that is due. The engine is made with its `onCrash`, which takes notes once `client` is there, and `report` says
 * afterwards who was killed, and when: nothing if the execution ended before that.
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
        // What is in a child that is recorded is not even asked for.
        if (Id !== undefined && recorded.has(Id) && !recorded.has(ParentId)) this.#notes.set(`${arn} ${Id}`, "replayed")
      }
      // A step whose outcome was on its way had run. If the service never got it, it runs once more.
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
