import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  actions,
  assertSucceeded,
  crashAt,
  defectOf,
  errorOf,
  execute,
  failureOf,
  holds,
  unchecked,
  valueOf
} from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const once = { retry: RetryPolicy.none }
const replay = Durable.wait("replay", "1 second")

describe("A child", () => {
  it.effect("is recorded, and a replay does not run its body again", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.child(
            "block",
            Effect.gen(function* () {
              runs++
              return { n: yield* Durable.step("inner", Effect.succeed(1)) }
            })
          )
          yield* replay
          return value
        })
      )
      assert.deepStrictEqual(valueOf(ran), { n: 1 })
      assert.strictEqual(runs, 1)
      const [block, inner] = ran.operations
      assert.deepStrictEqual(
        [block!.Type, block!.SubType, block!.Name, block!.Status, block!.ContextDetails?.Result],
        ["CONTEXT", "RunInChildContext", "block", "SUCCEEDED", `{"n":1}`]
      )
      assert.strictEqual(inner!.ParentId, block!.Id)
      assert.isUndefined(block!.ParentId)
    })
  )

  it.effect("runs its body again until it has its outcome, over what is recorded inside", () =>
    Effect.gen(function* () {
      let body = 0
      let step = 0
      const ran = yield* execute(
        Durable.child(
          "block",
          Effect.gen(function* () {
            body++
            yield* Durable.step(
              "inner",
              Effect.sync(() => ++step)
            )
            yield* Durable.wait("a", "1 hour")
            yield* Durable.wait("b", "1 hour")
          })
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual([body, step], [3, 1])
      assert.lengthOf(
        ran.updates.filter((update) => update.Action === "START" && update.Name === "block"),
        1
      )
    })
  )

  it.effect("may stand in a child, and names may be used anew in each", () =>
    Effect.gen(function* () {
      const leaf = (n: number) => Durable.step("leaf", Effect.succeed(n))
      const ran = yield* execute(
        Effect.gen(function* () {
          const values = [
            yield* leaf(1),
            yield* Durable.child(
              "a",
              Effect.zipWith(leaf(2), Durable.child("b", leaf(3)), (x, y) => x + y)
            ),
            yield* Durable.child("b", leaf(4)),
            yield* Durable.child("b", leaf(5))
          ]
          yield* replay
          return values
        })
      )
      assert.deepStrictEqual(valueOf(ran), [1, 5, 4, 5])
      assert.lengthOf(new Set(ran.operations.map((operation) => operation.Id)), 10)
    })
  )

  it.effect("costs one request with a step inside: its start and end ride along", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("block", Durable.step("inner", Effect.succeed(1))))
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [["START block", "START inner", "SUCCEED inner"], ["SUCCEED block"]]
      )
    })
  )

  it.effect("lets its end ride along with the next operation", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.andThen(
          Durable.child("block", Durable.step("inner", Effect.succeed(1))),
          Durable.step("next", Effect.succeed(2))
        )
      )
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [
          ["START block", "START inner", "SUCCEED inner"],
          ["SUCCEED block", "START next", "SUCCEED next"]
        ]
      )
    })
  )

  it.effect("costs one request when it is empty, and none is lost at a suspension", () =>
    Effect.gen(function* () {
      const empty = yield* execute(Durable.child("block", Effect.succeed(1)))
      assert.deepStrictEqual(
        empty.requests.map((request) => actions(request.Updates)),
        [["START block", "SUCCEED block"]]
      )
      const suspended = yield* execute(
        Effect.all([Durable.child("block", Effect.succeed(1)), replay], { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(
        suspended.requests.map((request) => actions(request.Updates)),
        [["START block", "SUCCEED block", "START replay"]]
      )
    })
  )

  it.effect("tells the service of its start 100 ms later when nothing else is sent", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("block", Durable.hold(Effect.sleep("5 seconds"))))
      const started = ran.history.find((event) => event.EventType === "ContextStarted")
      assert.strictEqual(started!.EventTimestamp - ran.history[0]!.EventTimestamp, 100)
    })
  )

  it.effect("that failed fails with its declared error, live and on replay, and keeps its ErrorType", () =>
    Effect.gen(function* () {
      const seen: Array<Declined> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const child = Durable.child("block", Effect.fail(new Declined({ code: "c" })), { error: Declined })
          seen.push(yield* Effect.flip(child))
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(
        seen.map((error) => [error instanceof Declined, error.code]),
        [
          [true, "c"],
          [true, "c"]
        ]
      )
      assert.strictEqual(ran.operations[0]!.ContextDetails?.Error?.ErrorType, "Declined")
      assert.strictEqual(ran.operations[0]!.Status, "FAILED")
    })
  )

  it.effect("hands on the error of a step inside as itself", () =>
    Effect.gen(function* () {
      const pay = Durable.step("pay", new Declined({ code: "c" }), { ...once, error: Declined })
      const nested = Durable.child("outer", Durable.child("inner", pay, { error: Declined }), { error: Declined })
      const ran = yield* execute(Effect.tap(Effect.flip(nested), replay))
      assert.instanceOf(valueOf(ran), Declined)
      assert.deepStrictEqual(
        ran.operations.slice(0, 3).map((operation) => {
          const details = operation.ContextDetails ?? operation.StepDetails
          return details?.Error?.ErrorType
        }),
        ["Declined", "Declined", "Declined"]
      )
    })
  )

  it.effect("hands on the library's own errors without a schema", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.child(
          "outer",
          Durable.child("inner", Durable.step("charge", Effect.succeed(1), { semantics: "at-most-once" }))
        ),
        { store: crashAt(holds("SUCCEED", "charge"), "before") }
      )
      const error = errorOf(ran.exits[0])
      assert.instanceOf(error, DurableError.StepInterrupted)
      assert.strictEqual(error.operation, "outer/inner/charge")
    })
  )

  it.effect("that died is a defect again at its parent, with type and message kept, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const child = Durable.child("block", Effect.die(new RangeError("too far")))
          seen.push(defectOf(yield* Effect.exit(child)))
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 2)
      for (const defect of seen) {
        assert.instanceOf(defect, Error)
        assert.deepStrictEqual([defect.name, defect.message], ["RangeError", "too far"])
      }
    })
  )

  it.effect("that made a mistake keeps the mistake", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.exit(Durable.child("block", Durable.wait("nap", "367 days"))).pipe(Effect.tap(replay))
      )
      const defect = defectOf(valueOf(ran))
      assert.instanceOf(defect, DurableError.InvalidDuration)
      assert.strictEqual(defect.operation, "block/nap")
    })
  )

  it.effect("that interrupts itself is Interrupted, an ordinary failure", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("block", Effect.interrupt))
      assert.strictEqual(ran.operations[0]!.Status, "FAILED")
      assert.strictEqual(failureOf(ran).errorType, "Interrupted")
    })
  )

  it.effect("refuses a result that is no plain data, and says where", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("block", unchecked(Effect.succeed({ n: Number.NaN }))))
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.include(failed.errorMessage, `"block"`)
      assert.include(failed.errorMessage, `["n"]`)
      assert.strictEqual(ran.operations[0]!.Status, "FAILED")
    })
  )

  it.effect("gives what its schema decodes, live and on replay", () =>
    Effect.gen(function* () {
      const At = Schema.Struct({ at: Schema.Date })
      const seen: Array<typeof At.Type> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push(yield* Durable.child("block", Effect.succeed({ at: new Date(9) }), { success: At }))
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [{ at: new Date(9) }, { at: new Date(9) }])
    })
  )
})
