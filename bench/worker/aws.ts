/** The shapes on AWS's own SDK. */
import {
  DurableExecutionInvocationInputWithClient,
  withDurableExecution,
  type DurableContext
} from "@aws/durable-execution-sdk-js"
import { setTimeout } from "node:timers/promises"
import { lambdaContext, nextTurn, type Engine } from "./engine.ts"
import { indexesOf, ioMillis, recordsOf, sum, type Body, type Shape } from "./shapes.ts"

export const aws: Engine = {
  handler: (shape) => {
    const handler = withDurableExecution(async (_, context) => workflow(context, shape))
    return {
      prepare: (text, client) => {
        const event = new DurableExecutionInvocationInputWithClient(JSON.parse(text), client)
        return () => handler(event, lambdaContext)
      }
    }
  }
}

const workflow = async (context: DurableContext, shape: Shape): Promise<number> => {
  switch (shape.kind) {
    case "steps": {
      let total = 0
      for (let i = 0; i < shape.count; i++) total += await step(context, shape.body, i)
      return total
    }
    case "together":
      return sum(await Promise.all(indexesOf(shape.count).map((i) => step(context, shape.body, i, `step-${i}`))))
    case "parallel": {
      const branches = indexesOf(shape.count).map((i) => (branch: DurableContext) => step(branch, shape.body, i))
      return sum((await context.parallel("parallel", branches)).getResults())
    }
    case "map": {
      const iteration = (item: DurableContext, i: number) => step(item, shape.body, i)
      const { concurrency: maxConcurrency } = shape
      return sum((await context.map("map", indexesOf(shape.count), iteration, { maxConcurrency })).getResults())
    }
    case "payload":
      return (await context.step("step", async () => recordsOf(shape.bytes))).length
    case "suspensions": {
      let total = 0
      for (let i = 0; i < shape.count; i++) {
        total += await step(context, "instant", i)
        await context.wait("wait", { seconds: 1 })
      }
      return total
    }
  }
}

const step = (context: DurableContext, body: Body, index: number, name = "step"): Promise<number> =>
  context.step(name, () => bodies[body](index))

const bodies: Readonly<Record<Body, (index: number) => Promise<number>>> = {
  instant: async (index) => index,
  async: async (index) => {
    await nextTurn()
    return index
  },
  io: (index) => setTimeout(ioMillis, index)
}
