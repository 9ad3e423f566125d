/** Explores an example with its own input. */
import { DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { examples } from "../../examples/lib/all.ts"

export interface Explored {
  readonly schedules: number
  readonly checkpoints: number
  readonly failure: string | undefined
}

/** The function of an example, whatever it takes and gives. */
const anything = (name: string) =>
  DurableFunction.make(name, { payload: Schema.Unknown, success: Schema.Unknown, error: Schema.Unknown })

export const explored = (name: string, options: TestEngine.ExploreOptions): Effect.Effect<Explored> => {
  const { functionName, memory, payload } = examples[name]!
  const world = memory()
  return TestEngine.explore(anything(functionName), payload, { ...options, world }).pipe(
    Effect.provide(world),
    Effect.exit,
    Effect.map((exit) =>
      Exit.isSuccess(exit)
        ? {
            schedules: exit.value.schedules + exit.value.orders,
            checkpoints: exit.value.checkpoints.length,
            failure: undefined
          }
        : { schedules: 0, checkpoints: 0, failure: String(Cause.squash(exit.cause)) }
    )
  )
}
