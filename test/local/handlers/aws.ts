/**
 * A handler that is written with AWS's own SDK.
 */
import { withDurableExecution } from "@aws/durable-execution-sdk-js"

export const handler = withDurableExecution(async (event: { readonly n: number }, context) => {
  const doubled = await context.step("double", async () => event.n * 2)
  await context.wait("pause", { seconds: 1 })
  return context.step("add", async () => doubled + 1)
})
