/** What the handlers of all suites share. */
import type { BatchResult, DurableContext, RetryDecision } from "@aws/durable-execution-sdk-js"

type Input = unknown

export type Workflow = (input: Input, context: DurableContext) => Promise<unknown>

/** What handlers do, by the id of their requirement. */
export type Workflows = Readonly<Record<string, Workflow>>

/** The options of a callback that some handlers use. */
export interface CallbackOptions {
  readonly timeout?: { readonly seconds: number }
  readonly heartbeatTimeout?: { readonly seconds: number }
  readonly serdes?: { readonly deserialize: (data: string | undefined) => Promise<unknown> }
}

export const text = (input: Input): string => (typeof input === "string" ? input : JSON.stringify(input))

export const fail = (): Promise<never> => Promise.reject(new Error("this always fails"))

export const everySecond =
  (maxAttempts: number, isWorthIt: (error: Error) => boolean = () => true) =>
  (error: Error, attempt: number): RetryDecision =>
    attempt < maxAttempts && isWorthIt(error) ? { shouldRetry: true, delay: { seconds: 1 } } : { shouldRetry: false }

/** The options of a step that has one attempt. */
export const never = { retryStrategy: () => ({ shouldRetry: false }) }

/** The options of a batch that runs one item after the other. */
export const one = { maxConcurrency: 1 }

export const values = async <A>(batch: Promise<BatchResult<A>>): Promise<ReadonlyArray<A>> => (await batch).getResults()

type Fact = "completionReason" | "status" | "successCount" | "failureCount" | "totalCount"

/** How a batch has ended, its status aside. */
export const counts = ["completionReason", "successCount", "failureCount", "totalCount"] as const

/** How a batch has ended. */
export const everything = ["status", ...counts] as const

export const factsOf = async (batch: Promise<BatchResult<unknown>>, facts: ReadonlyArray<Fact>) => {
  const result = await batch
  return Object.fromEntries(facts.map((fact) => [fact, result[fact]]))
}
