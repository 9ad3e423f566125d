/**
 * What the simulation has found, cut down to the smallest program that shows it.
 */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"

const Program = DurableFunction.make("program")

const both = { concurrency: "unbounded" } as const
const stray = Effect.forkDetach(Durable.step("stray", Effect.void))

/** When it is replayed the wait is over at once, and the fork has not begun when the block ends. */
const block = Effect.asVoid(Effect.all([Durable.wait("pause", "2 seconds"), stray], both))

const run = (program: Effect.Effect<void, never, Durable.Execution>) =>
  TestEngine.run(Program).pipe(Effect.provide(TestEngine.layer([Program.implement(() => program)])))

describe("A fork that is never joined", () => {
  it.effect("may still have to begin when a replay of the workflow ends", () => run(block))

  // NonDeterministic: "The history holds STEP "stray", but the code of "child" ended without asking for it."
  it.effect("may still have to begin when a replay of a child ends", () => run(Durable.child("child", block)))
})

describe("A hold that outlives its child", () => {
  // TestFailure: "The execution was suspended while the workflow slept for 5 ms outside of a step".
  it.effect("is let go of at a suspension, and is not taken for a sleep outside of holds", () =>
    run(
      Effect.andThen(
        Durable.child("child", Effect.asVoid(Effect.forkDetach(Durable.hold(Effect.sleep(5))))),
        Durable.wait("pause", "1 second")
      )
    )
  )
})

describe("The test engine", () => {
  const waits = Effect.andThen(Durable.wait("a", "1 second"), Durable.wait("b", "1 second"))

  // Virtual time stands still while an invocation without a run sleeps.
  it.effect("lets time pass for an invocation that repeats a request for its state", () =>
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
    }).pipe(Effect.provide(TestEngine.layer([Program.implement(() => waits)], { pageItems: 1, patience: "1 second" })))
  )
})
