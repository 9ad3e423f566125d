/** The interface of the two compared engines: each makes Lambda handlers of workflows. */
import type { Backend } from "./backend.ts"
import type { Shape } from "./shapes.ts"

export interface Engine {
  /** The handler of the shape's workflow. */
  readonly handler: (shape: Shape) => Handler
}

export interface Handler {
  /** Runs an invocation from the JSON text of its event. The event brings the client. */
  readonly prepare: (event: string, client: Backend["client"]) => () => Promise<Answer>
}

export interface Answer {
  readonly Status: string
  readonly Result?: string | undefined
  readonly Error?: { readonly ErrorType?: string | undefined; readonly ErrorMessage?: string | undefined } | undefined
}

/** The Lambda context of every invocation. */
export const lambdaContext = {
  awsRequestId: "00000000-0000-4000-8000-000000000001",
  functionName: "bench",
  functionVersion: "1",
  invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:bench:1",
  memoryLimitInMB: "512",
  logGroupName: "/aws/lambda/bench",
  logStreamName: "bench",
  getRemainingTimeInMillis: () => 900_000
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
