/** What a thrown Error says besides its message: its code and its cause, in what is recorded and in what is caught. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { everySight } from "./batches.ts"
import { defectOf, execute, valueOf } from "./support.ts"

const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:5432"), { code: "ECONNREFUSED", errno: -111 })
const thrown = new RangeError("the orders cannot be read", { cause: new TypeError("no rows", { cause: refused }) })

const once = { retry: RetryPolicy.none }

const propertiesOf = (error: unknown, names: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  names.map((name) => Reflect.get(Object(error), name))

const names = ["name", "message", "code"]

describe("An Error that a body throws", () => {
  it.effect("keeps its code and its causes, live and on replay, also through a child", () =>
    Effect.gen(function* () {
      const read = Durable.step("read", Effect.die(thrown), once)
      for (const body of [read, Durable.child("block", read)]) {
        const { seen } = yield* everySight(Effect.exit(body))
        assert.lengthOf(seen, 2)
        for (const exit of seen) {
          const defect = defectOf(exit)
          assert.deepStrictEqual(propertiesOf(defect, names), ["RangeError", thrown.message, undefined])
          const { cause } = Object(defect)
          assert.instanceOf(cause, Error)
          assert.deepStrictEqual(propertiesOf(cause, names), ["TypeError", "no rows", undefined])
          assert.deepStrictEqual(propertiesOf(cause.cause, names), ["Error", refused.message, "ECONNREFUSED"])
        }
      }
    })
  )

  it.effect("has them in the data of its record, and none where there is neither", () =>
    Effect.gen(function* () {
      const dataOf = (error: unknown) =>
        Effect.map(execute(Effect.exit(Durable.step("read", Effect.die(error), once))), ({ updates }) => {
          const recorded = updates.find(({ Action }) => Action === "FAIL")?.Error
          return recorded?.ErrorData === undefined ? undefined : JSON.parse(recorded.ErrorData)
        })
      assert.deepStrictEqual(yield* dataOf(refused), { "~defect": { code: "ECONNREFUSED" } })
      assert.deepStrictEqual(yield* dataOf(new Error("x", { cause: { status: 503, tries: 3n } })), {
        "~defect": { cause: { value: `{"status":503,"tries":3n}` } }
      })
      assert.deepStrictEqual(yield* dataOf(new Error("x", { cause: { status: 503 } })), {
        "~defect": { cause: { value: { status: 503 } } }
      })
      assert.isUndefined(yield* dataOf(new Error("x")))
      assert.isUndefined(yield* dataOf(Object.assign(new Error("x"), { code: { a: 1 } })))
      const hostile = Object.defineProperty(new Error("x"), "cause", {
        get: () => {
          throw new Error("private")
        }
      })
      assert.isUndefined(yield* dataOf(hostile))
    })
  )

  it.effect("may be caused by itself, and by something very large", () =>
    Effect.gen(function* () {
      const circular = new Error("round")
      circular.cause = circular
      const large = new Error("large", { cause: "x".repeat(100_000) })
      for (const error of [circular, large]) {
        const ran = yield* execute(Effect.exit(Durable.step("read", Effect.die(error), once)))
        assert.strictEqual(String(defectOf(valueOf(ran))), `Error: ${error.message}`)
      }
    })
  )

  it.effect("is no declared error of whoever reads it, however loose the Schema", () =>
    Effect.gen(function* () {
      const Broken = DurableFunction.make("broken", { error: Schema.Unknown })
      const broken = Broken.implement(() => Effect.die(refused))
      const ran = yield* execute(Effect.exit(Effect.orDie(Durable.invoke(Broken))), { functions: [broken] })
      assert.deepStrictEqual(propertiesOf(defectOf(valueOf(ran)), ["_tag", "errorType", "errorMessage"]), [
        "InvokeFailed",
        "Error",
        refused.message
      ])
      const step = Durable.step("read", Effect.die(refused), { ...once, error: Schema.Unknown })
      const own = yield* execute(Effect.exit(Effect.orDie(step)))
      assert.strictEqual(Object(defectOf(valueOf(own))).code, "ECONNREFUSED")
    })
  )
})
