/**
 * What the order example writes: the checkpoint requests and updates of each of its executions.
 */
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { functions, Gateway, order, ProcessOrder } from "../examples/01-order.ts"

export interface Written {
  readonly function: string
  readonly requests: number
  readonly updates: number
}

export const countOrder: Effect.Effect<ReadonlyArray<Written>> = Effect.gen(function* () {
  const { world } = yield* TestEngine.TestEngine
  const written = new Map<string, Written>()
  const { checkpoint } = world.store
  Object.assign(world.store, {
    checkpoint: (request: Parameters<typeof checkpoint>[0]) => {
      const name = request.DurableExecutionArn.split(":")[6] ?? ""
      const { requests, updates } = written.get(name) ?? { requests: 0, updates: 0 }
      written.set(name, { function: name, requests: requests + 1, updates: updates + request.Updates.length })
      return checkpoint(request)
    }
  })
  yield* TestEngine.run(ProcessOrder, order)
  return [...written.values()]
}).pipe(Effect.orDie, Effect.provide(TestEngine.layer(functions).pipe(Layer.provide(Gateway.layerMemory))))

export const printOrder = (written: ReadonlyArray<Written>): void => {
  console.log("\nThe order example writes")
  for (const { function: name, requests, updates } of written) {
    console.log(`  ${name.padEnd(20)}${requests} requests, ${updates} updates`)
  }
}
