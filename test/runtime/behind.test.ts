/**
 * An answer that the service tells of only in a later invocation, although its stamp lies before what an earlier invocation has
 * delivered: by a host whose clock is behind, or because a response lacked it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { operationId } from "../../src/execution/Identity.ts"
import { actions, eventOf, invokeOnce } from "../operations/support.ts"

const answer = operationId("", "answer", 0)
const step = operationId("", "step", 0)

/** A callback whose answer is stamped at 5 ms, and a step that ended at 10 ms. */
const event = (updated: ReadonlyArray<string>, marks: Parameters<typeof eventOf>[0] = []) => ({
  ...eventOf([
    {
      Id: answer,
      Type: "CALLBACK",
      SubType: "Callback",
      Name: "answer",
      EndTimestamp: 5,
      CallbackDetails: { CallbackId: "c", Result: "1" }
    },
    {
      Id: step,
      Type: "STEP",
      SubType: "Step",
      Name: "step",
      EndTimestamp: 10,
      StepDetails: { Attempt: 1, Result: "2" }
    },
    ...marks
  ]),
  UpdatedOperationIds: updated
})

const run = (given: ReturnType<typeof event>) => {
  const order: Array<string> = []
  const note = (line: string) => Effect.sync(() => void order.push(line))
  const program = Effect.all(
    [
      Effect.flatMap(Durable.callback("answer"), (callback) => Effect.andThen(callback.await, note("answer"))),
      Effect.andThen(Durable.step("step", Effect.succeed(2)), note("step"))
    ],
    { concurrency: "unbounded" }
  )
  return Effect.map(invokeOnce(program, { event: given }), ({ updates }) => ({ order, updates }))
}

describe("An answer of which an earlier invocation did not know", () => {
  it.effect("comes after what that invocation delivered, and that is recorded", () =>
    Effect.gen(function* () {
      const { order, updates } = yield* run(event([answer]))
      assert.deepStrictEqual(order, ["step", "answer"])
      assert.deepStrictEqual(actions(updates), ["START late:answer", "SUCCEED late:answer"])
    })
  )

  it.effect("comes there on every replay", () =>
    Effect.gen(function* () {
      const [, mark] = (yield* run(event([answer]))).updates
      const recorded = {
        Id: mark!.Id,
        Type: "STEP",
        SubType: "Step",
        Name: mark!.Name!,
        EndTimestamp: 12,
        StepDetails: { Attempt: 1, Result: mark!.Payload! }
      } as const
      const { order, updates } = yield* run(event([], [recorded]))
      assert.deepStrictEqual(order, ["step", "answer"])
      assert.deepStrictEqual(updates, [])
    })
  )

  it.effect("comes where its stamp says if an earlier invocation knew of it", () =>
    Effect.gen(function* () {
      const { order, updates } = yield* run(event([]))
      assert.deepStrictEqual(order, ["answer", "step"])
      assert.deepStrictEqual(updates, [])
    })
  )
})
