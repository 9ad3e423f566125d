/** What is left of worlds that have ended. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const Main = DurableFunction.make("main")
const Plain = DurableFunction.plain("plain")

const collect = (): void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
}

describe("a thousand worlds", () => {
  it.live("leave nothing behind, also when they forget timers and when steps hang", () =>
    Effect.gen(function* () {
      const worlds: Array<WeakRef<object>> = []
      const intervals: Array<NodeJS.Timeout> = []
      const forgets = Effect.sync(() => void intervals.push(setInterval(() => {}, 600_000)))
      const main = Main.implement(() =>
        Effect.gen(function* () {
          yield* Durable.step("forgets", forgets)
          yield* Durable.step(
            "computes",
            Effect.asVoid(Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(1))))
          )
          yield* Durable.wait("day", "1 day")
          yield* Effect.orDie(Durable.invoke(Plain))
          // The engine looks for a moment whether something is real.
          if (worlds.length % 50 === 0)
            yield* Durable.step("hangs", Effect.asVoid(Effect.timeoutOption(Effect.never, "1 minute")))
        })
      )
      for (let number = 0; number < 1_000; number++) {
        yield* Effect.gen(function* () {
          worlds.push(new WeakRef((yield* TestEngine.TestEngine).world))
          yield* TestEngine.run(Main)
        }).pipe(Effect.provide(TestEngine.layer([main, TestEngine.stub(Plain, () => Effect.void)])))
      }
      for (let turn = 0; turn < 5; turn++) {
        yield* Effect.promise(() => new Promise<void>((done) => void setImmediate(done)))
        collect()
      }
      const left = worlds.filter((world) => world.deref() !== undefined).length
      for (const interval of intervals) clearInterval(interval)
      // The stack of this very fiber may still know the last one.
      assert.isAtMost(left, 1)
    })
  )
})
