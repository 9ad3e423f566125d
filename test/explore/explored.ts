/** Explores an example with its own input. */
import { DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Example } from "../../examples/lib/all.ts"

export interface Explored {
  /** How many were tried: where one fails, those up to it. */
  readonly schedules: number
  readonly checkpoints: number
  readonly failure: string | undefined
}

/** The function of an example, whatever it takes and gives. */
const anything = (name: string) =>
  DurableFunction.make(name, { payload: Schema.Unknown, success: Schema.Unknown, error: Schema.Unknown })

export const explored = (
  { functionName, memory, payload }: Omit<Example, "local">,
  options: TestEngine.ExploreOptions
): Effect.Effect<Explored> => {
  const world = memory()
  // Every run has a world of its own, and the first two are without a crash.
  let runs = 0
  const counted = Layer.unwrap(
    Effect.sync(() => {
      runs++
      return world
    })
  )
  return TestEngine.explore(anything(functionName), payload, { ...options, world: counted }).pipe(
    Effect.provide(world),
    Effect.exit,
    Effect.map((exit) => ({
      schedules: Math.max(0, runs - 2),
      checkpoints: Exit.isSuccess(exit) ? exit.value.checkpoints.length : 0,
      failure: Exit.isSuccess(exit) ? undefined : String(Cause.squash(exit.cause))
    }))
  )
}
