/**
 * What the simulation has found, cut down to the smallest program that shows it.
 */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"

const Program = DurableFunction.make("program")

const waits = Program.implement(() => Effect.andThen(Durable.wait("a", "1 second"), Durable.wait("b", "1 second")))

describe("The test engine", () => {
  // Time stands still while an invocation that loads its state waits before it asks again: this test fails for now.
  it.effect.fails("lets time pass for an invocation that repeats a request for its state", () =>
    Effect.gen(function* () {
      const { world } = yield* TestEngine.TestEngine
      const { loadState } = world.store
      let requests = 0
      const flaky: Pick<CheckpointStore.CheckpointStore["Service"], "loadState"> = {
        loadState: (request) =>
          Effect.suspend(() =>
            requests++ === 0
              ? Effect.fail(new CheckpointStore.StoreUnavailable({ message: "busy" }))
              : loadState(request)
          )
      }
      Object.assign(world.store, flaky)
      yield* TestEngine.run(Program)
      assert.isAbove(requests, 1)
    }).pipe(Effect.provide(TestEngine.layer([waits], { pageItems: 1, patience: "1 second" })))
  )
})
