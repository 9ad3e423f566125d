/** The counterpart of `ours.ts` on AWS's SDK. */
import { withDurableExecution, type DurableContext } from "@aws/durable-execution-sdk-js"
import { LocalDurableTestRunner } from "@aws/durable-execution-sdk-js-testing"

interface Charge {
  readonly card: string
  readonly cents: number
}

interface Order {
  readonly card: string
  readonly lines: ReadonlyArray<number>
}

export const handler = withDurableExecution(async ({ card, lines }: Order, context: DurableContext) => {
  const cents = await context.step("sum", async () => lines.reduce((total, line) => total + line, 0))
  const charge = await context.invoke<Charge, string>("charge", "charge:$LATEST", { card, cents })
  await context.wait("let it settle", { hours: 1 })
  const shipped = await context.map(
    "ship",
    [...lines],
    (item: DurableContext, line: number) => item.step("ship", async () => line),
    { maxConcurrency: 10 }
  )
  return { charge, shipped: shipped.getResults().length }
})

export const test = async (): Promise<boolean> => {
  const runner = new LocalDurableTestRunner<Awaited<ReturnType<typeof handler>>>({ handlerFunction: handler })
  runner.registerFunction("charge:$LATEST", async () => "ch_1")
  const execution = await runner.run({ payload: { card: "visa", lines: [1, 2, 3] } })
  return execution.getStatus() === "SUCCEEDED"
}
