/**
 * The method and the path of each operation of the durable Lambda API. They are separate from the Schemas of `Api`, so that
 * a client that only sends requests does not load those.
 *
 * @since 0.1.0
 */
import { percentEncode } from "./internal/percent.ts"

/**
 * The method and path of every operation. The path holds one label in braces; a label is percent-encoded as one segment.
 *
 * @since 0.1.0
 * @category models
 */
export const routes = {
  CheckpointDurableExecution: {
    method: "POST",
    path: "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint"
  },
  GetDurableExecution: { method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}" },
  GetDurableExecutionHistory: { method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/history" },
  GetDurableExecutionState: { method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/state" },
  ListDurableExecutionsByFunction: {
    method: "GET",
    path: "/2025-12-01/functions/{FunctionName}/durable-executions"
  },
  SendDurableExecutionCallbackSuccess: {
    method: "POST",
    path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed"
  },
  SendDurableExecutionCallbackFailure: {
    method: "POST",
    path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail"
  },
  SendDurableExecutionCallbackHeartbeat: {
    method: "POST",
    path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat"
  },
  StopDurableExecution: { method: "POST", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/stop" },
  Invoke: { method: "POST", path: "/2015-03-31/functions/{FunctionName}/invocations" }
} as const

/**
 * The name of an operation of the API.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiOperationName = keyof typeof routes

/**
 * Returns the path of an operation with its label: an execution's ARN, a function's address or a callback's id.
 *
 * @since 0.1.0
 * @category formatting
 */
export const pathOf = (operation: ApiOperationName, label: string): string =>
  routes[operation].path.replace(/\{\w+\}/, () => percentEncode(label))
