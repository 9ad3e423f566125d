/**
 * The compensation program of the matrix of suspensions: a wait is no failure, so nothing is undone because of it, and the
 * undoing itself may be suspended.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { ask, errorOf, host } from "./harness.ts"
import { assertPending, suspends } from "./suspends.ts"

describe("compensation and suspension", () => {
  suspends("something that may have to be undone, and then a wait", {
    program: (note) =>
      Effect.gen(function* () {
        const booked = yield* Durable.withCompensation("book", Durable.step("book", note("book")), () => note("undo"))
        yield* ask("answer")
        return booked
      }),
    waitsFor: ["answer"],
    noted: ["book"],
    recorded: ["SUCCEED book"],
    ends: "book",
    log: ["book"]
  })

  it.live("what was done is undone once, the last first, and only by a real failure, across suspensions", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) => {
        const book = (name: string) =>
          Durable.withCompensation(name, Durable.step(name, note(name)), (booked) =>
            Effect.andThen(ask(`confirm ${name}`), Durable.step("undo", note(`undo ${booked}`)))
          )
        return Effect.gen(function* () {
          yield* book("hotel")
          yield* ask("approval")
          yield* book("car")
          yield* ask("payment")
        })
      })
      assertPending(yield* execution.turn())
      execution.complete("approval")
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.log, ["hotel", "car"])
      execution.complete("payment", { error: { code: "declined" } })
      const undoing = yield* execution.turn()
      assertPending(undoing)
      assert.strictEqual(undoing.fibersLeft, 0)
      assert.deepStrictEqual(execution.waitsFor, ["confirm car"])
      execution.complete("confirm car")
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.waitsFor, ["confirm hotel"])
      execution.complete("confirm hotel")
      const { answer, fibersLeft } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.strictEqual(fibersLeft, 0)
      assert.deepStrictEqual(execution.log, ["hotel", "car", "undo car", "undo hotel"])
    })
  )
})
