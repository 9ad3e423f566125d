/** The state of a condition under a codec that keeps values elsewhere and takes its time to write them. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { assertSucceeded, execute } from "../operations/support.ts"

describe("The state of a waitForCondition", () => {
  it.effect("is written and read by a codec under one name, and by one that takes its time", () =>
    Effect.gen(function* () {
      const shelf = new Map<string, number>()
      let writes = 0
      const elsewhere = Serdes.make<number>({
        serialize: (value, { operationId, value: kind }) =>
          Effect.delay(
            Effect.sync(() => {
              const key = `${operationId}/${kind}/${++writes}`
              shelf.set(key, value)
              return key
            }),
            "2 millis"
          ),
        deserialize: (key, { value: kind }) =>
          Effect.suspend(() => {
            const value = shelf.get(key ?? "")
            return value === undefined || !key?.includes(`/${kind}/`)
              ? Effect.fail(new Error(`no ${kind} here`))
              : Effect.succeed(value)
          })
      })
      const ends: Array<unknown> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const ready = Durable.waitForCondition("ready", {
            initial: 0,
            check: (n: number) => Effect.succeed(n + 1),
            delay: "1 second",
            until: (n) => n === 3,
            stateSerdes: elsewhere
          })
          ends.push(yield* Effect.exit(ready))
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends.slice(-2), [Exit.succeed(3), Exit.succeed(3)])
    })
  )
})
