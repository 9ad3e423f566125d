/** Steps in a row with AWS's own SDK. */
import {
  InvocationStatus,
  withDurableExecution,
  type CheckpointDurableExecutionRequest,
  type DurableExecutionClient,
  type WireOperation
} from "@aws/durable-execution-sdk-js"
import { executionOperation, firstEvent, nextTurn, type Contestant, type Recorded } from "./backend.ts"

export const aws: Contestant = async (count, body, backend) => {
  const client: DurableExecutionClient = {
    checkpoint: async ({ Updates = [] }: CheckpointDurableExecutionRequest) => {
      const { operations, token } = backend.checkpoint(Updates)
      return { CheckpointToken: token, NewExecutionState: { Operations: operations.map(withDates) } }
    },
    getExecutionState: async () => ({ Operations: [] })
  }
  const work = body === "immediate" ? undefined : nextTurn
  const handler = withDurableExecution(
    async (_, context) => {
      let sum = 0
      for (let i = 0; i < count; i++) sum += await context.step("step", async () => (await work?.(), i))
      return sum
    },
    { durableExecutionClient: client }
  )
  const event = {
    ...firstEvent,
    InitialExecutionState: { Operations: [withDates(executionOperation)], NextMarker: "" }
  }
  const answer = await handler(event, lambdaContext)
  if (answer.Status !== InvocationStatus.SUCCEEDED) throw new Error(`The execution ended as ${JSON.stringify(answer)}.`)
}

/** AWS's Lambda client gives its SDK times as `Date`s. */
const withDates = (operation: Recorded): WireOperation => ({
  ...operation,
  StartTimestamp: new Date(operation.StartTimestamp),
  EndTimestamp: operation.EndTimestamp === undefined ? undefined : new Date(operation.EndTimestamp)
})

const lambdaContext = { awsRequestId: "bench", getRemainingTimeInMillis: () => 900_000 }
