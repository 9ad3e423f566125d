/**
 * Fibers that the body of a step forks and leaves behind.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { everywhere, run } from "../support/host.ts"
import { unchecked } from "./support.ts"

const sleepless = (note: (text: string) => void, text: string) =>
  Effect.forkDetach(
    Effect.onInterrupt(
      Effect.forever(
        Effect.andThen(
          Effect.sync(() => note(text)),
          Effect.sleep("10 seconds")
        )
      ),
      () => Effect.sync(() => note(`${text} interrupted`))
    )
  )

describe("A fiber that the body of a step leaves behind", () => {
  it.effect("goes on beside the workflow, keeps nobody, and ends with the invocation", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.step("fork", Effect.asVoid(sleepless((text) => log.push(text), "tick")))
          yield* kit.step("long", { takes: "1 minute" })
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.isAbove(log.filter((text) => text === "tick").length, 5)
      assert.deepStrictEqual(
        log.filter((text) => text !== "tick"),
        ["tick interrupted"]
      )
      assert.strictEqual(ran.invocations, 2)
      assert.strictEqual(ran.fibersLeft, 0)
      assert.deepStrictEqual(ran.warnings, [])
    })
  )

  it.effect("is left nowhere, wherever the invocation is killed", () =>
    Effect.gen(function* () {
      yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Durable.step("fork", Effect.asVoid(sleepless(() => {}, "tick")))
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
    })
  )

  it.effect("waits for a promise for ever and keeps nobody", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          const never = Effect.promise(() => new Promise<never>(() => {}))
          yield* Durable.step("fork", Effect.asVoid(Effect.forkDetach(never, { startImmediately: true })))
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.deepStrictEqual(ran.warnings, [])
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect("may use no operation, as the body itself", () =>
    Effect.gen(function* () {
      const found: Array<unknown> = []
      const inner = Effect.andThen(Effect.sleep("1 second"), Durable.step("inner", Effect.void))
      yield* run((kit) =>
        Effect.gen(function* () {
          const noted = Effect.flatMap(Effect.exit(inner), (exit) =>
            Effect.sync(() => void found.push(Exit.isFailure(exit) && exit.cause.reasons[0]))
          )
          yield* Durable.step("fork", unchecked(Effect.asVoid(Effect.forkDetach(noted))))
          yield* kit.step("long", { takes: "1 minute" })
        })
      )
      assert.lengthOf(found, 1)
      assert.instanceOf(Object(found[0]).defect, DurableError.NestedOperation)
    })
  )
})
