/**
 * The durable operations: Effects whose outcome is recorded, so that a replay answers with the record.
 *
 * Use them in the workflow of a `DurableFunction`. Between operations a workflow is an ordinary Effect; what it does
 * there runs again on every replay, so whatever touches the world belongs into a `step`.
 *
 * @since 0.1.0
 */
import { Execution } from "./runtime/Execution.ts"
import { StepContext } from "./StepContext.ts"

export {
  /**
   * The execution that durable operations belong to: what every one of them requires and the runtime provides.
   *
   * @category services
   * @since 0.1.0
   */
  Execution,
  /**
   * The attempt that the body of a step is running.
   *
   * @category services
   * @since 0.1.0
   */
  StepContext
}

export * from "./durable/blocks.ts"
export * from "./durable/callbacks.ts"
export * from "./durable/concurrency.ts"
export * from "./durable/conditions.ts"
export * from "./durable/executions.ts"
export * from "./durable/facts.ts"
export * from "./durable/steps.ts"
export type { PayloadAndOptions, Timeout } from "./durable/typed.ts"
