/** The test on `TestEngine`. */
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { hasWait, steps, type TestSubject } from "./subject.ts"

const Bench = DurableFunction.make("bench", { success: Schema.Int })

const bench = Bench.implement(() =>
  Effect.gen(function* () {
    let total = 0
    for (let i = 0; i < steps; i++) {
      total += yield* Durable.step("step", Effect.succeed(i))
      if (hasWait(i)) yield* Durable.wait("wait", "1 hour")
    }
    return total
  })
)

export const ours: TestSubject = {
  begin: () => Promise.resolve(),
  test: () => Effect.runPromise(Effect.provide(TestEngine.run(Bench, undefined), TestEngine.layer([bench]))),
  end: () => Promise.resolve()
}
