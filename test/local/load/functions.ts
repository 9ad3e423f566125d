/** What the local engine is loaded with: a wait between two steps, a step alone, and many steps. */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const Waits = DurableFunction.make("waits", { payload: Schema.Int, success: Schema.Int })
export const Short = DurableFunction.make("short", { payload: Schema.Int, success: Schema.Int })
export const Long = DurableFunction.make("long", { payload: Schema.Int, success: Schema.Int })

const doubled = (n: number) => Durable.step("double", Effect.succeed(2 * n))

export const waits = Waits.implement((n) =>
  Effect.gen(function* () {
    const before = yield* doubled(n)
    yield* Durable.wait("pause", "5 seconds")
    return before + (yield* doubled(n))
  })
)

export const short = Short.implement(doubled)

export const long = Long.implement((steps) =>
  Effect.gen(function* () {
    let sum = 0
    for (let step = 0; step < steps; step++) sum += yield* Durable.step("one", Effect.succeed(1))
    return sum
  })
)
