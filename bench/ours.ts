/** Steps in a row with effect-durable. */
import { CheckpointStore, Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { invoke } from "../src/runtime/Invocation.ts"
import { executionOperation, firstEvent, nextTurn, type Contestant } from "./backend.ts"

const Steps = DurableFunction.make("steps", { success: Schema.Int })

export const ours: Contestant = async (count, body, backend) => {
  const work = body === "immediate" ? Effect.void : Effect.promise(nextTurn)
  const steps = Steps.implement(() =>
    Effect.gen(function* () {
      let sum = 0
      for (let i = 0; i < count; i++) sum += yield* Durable.step("step", Effect.as(work, i))
      return sum
    })
  )
  const event = { ...firstEvent, InitialExecutionState: { Operations: [executionOperation], NextMarker: undefined } }
  const { answer } = await Effect.runPromise(
    Effect.provideService(invoke(steps, event), CheckpointStore.CheckpointStore, {
      checkpoint: ({ Updates }) =>
        Effect.sync(() => {
          const { operations, token } = backend.checkpoint(Updates)
          return { CheckpointToken: token, NewExecutionState: { Operations: operations } }
        }),
      loadState: () => Effect.succeed({ Operations: [] })
    })
  )
  if (answer.Status !== "SUCCEEDED") throw new Error(`The execution ended as ${JSON.stringify(answer)}.`)
}
