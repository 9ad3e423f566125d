/** The test on AWS's own runner. */
import { withDurableExecution, type DurableContext } from "@aws/durable-execution-sdk-js"
import { LocalDurableTestRunner } from "@aws/durable-execution-sdk-js-testing"
import { hasWait, steps, type TestSubject } from "./subject.ts"

const handler = withDurableExecution(async (_: unknown, context: DurableContext) => {
  let total = 0
  for (let i = 0; i < steps; i++) {
    total += await context.step("step", async () => i)
    if (hasWait(i)) await context.wait("wait", { hours: 1 })
  }
  return total
})

export const aws: TestSubject = {
  begin: () => LocalDurableTestRunner.setupTestEnvironment({ skipTime: true }),
  test: async () => {
    const execution = await new LocalDurableTestRunner({ handlerFunction: handler }).run({ payload: {} })
    return Number(execution.getResult())
  },
  end: () => LocalDurableTestRunner.teardownTestEnvironment()
}
