import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/runtime/Identity.ts"
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
      const ran = yield* execute(Effect.exit(Durable.child("block", Durable.wait("nap", 0))).pipe(Effect.tap(replay)))
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

describe("A child with a large result", () => {
  const large = (bytes: number) => "x".repeat(bytes - 2)

  it.effect("is kept up to 262,144 bytes", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Durable.child(
          "block",
          Effect.sync(() => (runs++, large(262_144)))
        ).pipe(Effect.tap(replay))
      )
      assert.lengthOf(valueOf(ran), 262_142)
      assert.strictEqual(runs, 1)
      assert.isUndefined(ran.updates.find((update) => update.ContextOptions !== undefined))
    })
  )

  it.effect("is rebuilt beyond: the body runs again over its recorded operations, which do not", () =>
    Effect.gen(function* () {
      let body = 0
      let steps = 0
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.child(
            "block",
            Effect.gen(function* () {
              body++
              const part = yield* Durable.step(
                "part",
                Effect.sync(() => (steps++, "x".repeat(200_000)))
              )
              yield* Durable.wait("pause", "1 hour")
              return part + part
            })
          )
          seen.push(value)
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(
        seen.map((value) => value.length),
        [400_000, 400_000]
      )
      assert.deepStrictEqual([body, steps], [3, 1])
      const end = ran.updates.find((update) => update.Action === "SUCCEED" && update.Name === "block")
      assert.deepStrictEqual([end?.Payload, end?.ContextOptions], ["", { ReplayChildren: true }])
      assert.lengthOf(
        ran.updates.filter((update) => update.Name === "block"),
        2
      )
    })
  )

  it.effect("is rebuilt inside a child that is rebuilt", () =>
    Effect.gen(function* () {
      const part = Durable.step(
        "part",
        Effect.sync(() => "x".repeat(200_000))
      )
      const inner = Durable.child(
        "inner",
        Effect.map(part, (text) => text + text)
      )
      const outer = Durable.child(
        "outer",
        Effect.map(inner, (text) => text + text)
      )
      const seen: Array<number> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push((yield* outer).length)
          yield* replay
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [800_000, 800_000])
    })
  )

  it.effect("is NonDeterministic when its code now waits for something new: it can never come", () =>
    Effect.gen(function* () {
      let invocations = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const first = ++invocations === 1
          yield* Durable.child(
            "block",
            Effect.gen(function* () {
              if (!first) yield* Durable.step("new", Effect.succeed(1))
              return large(300_000)
            })
          )
          yield* replay
        })
      )
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "NonDeterministic")
      assert.include(failed.errorMessage, `"block/new"`)
    })
  )
})

describe("A flat child", () => {
  it.effect("has no record, ids of its own, and the recorded context around it as the parent of its operations", () =>
    Effect.gen(function* () {
      const leaf = Durable.step("leaf", Effect.succeed(1))
      const ran = yield* execute(
        Durable.child("recorded", Durable.child("flat", Durable.child("flatter", leaf, { flat: true }), { flat: true }))
      )
      assertSucceeded(ran)
      const recorded = operationId("", "recorded", 0)
      assert.deepStrictEqual(
        ran.operations.map((operation) => [operation.Name, operation.Id, operation.ParentId]),
        [
          ["recorded", recorded, undefined],
          ["leaf", operationId(operationId(operationId(recorded, "flat", 0), "flatter", 0), "leaf", 0), recorded]
        ]
      )
    })
  )

  it.effect("runs its body again on every replay, over the recorded operations inside", () =>
    Effect.gen(function* () {
      let body = 0
      let steps = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.child(
            "block",
            Effect.gen(function* () {
              body++
              return new Map([
                [
                  "n",
                  yield* Durable.step(
                    "n",
                    Effect.sync(() => ++steps)
                  )
                ]
              ])
            }),
            { flat: true }
          )
          yield* replay
          return value
        })
      )
      assert.deepStrictEqual(valueOf(ran), new Map([["n", 1]]))
      assert.deepStrictEqual([body, steps], [2, 1])
      assert.notInclude(actions(ran.updates), "START block")
    })
  )

  it.effect("hands errors and defects through as they are", () =>
    Effect.gen(function* () {
      const error = new Declined({ code: "c" })
      const ran = yield* execute(Effect.flip(Durable.child("block", Effect.fail(error), { flat: true })))
      assert.strictEqual(valueOf(ran), error)
      const defect = { odd: true }
      const died = yield* execute(Durable.child("block", Effect.die(defect), { flat: true }))
      assert.strictEqual(defectOf(died.exits[0]), defect)
    })
  )

  it.effect("lets a loop use the same names in every round", () =>
    Effect.gen(function* () {
      let steps = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const values: Array<number> = []
          for (let round = 0; round < 5; round++) {
            values.push(
              yield* Durable.child(
                "round",
                Effect.gen(function* () {
                  const n = yield* Durable.step(
                    "n",
                    Effect.sync(() => ++steps)
                  )
                  yield* Durable.wait("pause", "1 hour")
                  return n
                }),
                { flat: true }
              )
            )
          }
          return values
        })
      )
      assert.deepStrictEqual(valueOf(ran), [1, 2, 3, 4, 5])
      assert.lengthOf(ran.operations, 10)
    })
  )
})
