/**
 * The durable operations: Effects whose outcome is recorded, so that a replay returns the recorded outcome.
 *
 * Use them in the workflow of a `DurableFunction`. Between operations a workflow is ordinary Effect code, which runs
 * again on every replay, so put code that reads or changes external state into a `step`. Effect's own concurrency, time
 * and random numbers are the same on every replay, and its sleeps of a second or more are durable.
 *
 * @since 0.1.0
 */
import { Execution } from "./execution/Parts.ts"
import { StepContext } from "./StepContext.ts"

export {
  /**
   * The execution that durable operations belong to. Every operation requires it, and the runtime provides it.
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

export { all } from "./operations/all.ts"
export type { Branch, CollectOptions, ConcurrencyOptions } from "./operations/branch.ts"
export {
  callback,
  type AnswerError,
  type AnswerServices,
  type AnswerValue,
  type Callback,
  type CallbackOptions
} from "./operations/callback.ts"
export { child, type ChildOptions, type PipedChild } from "./operations/child.ts"
export { continueWith, type ContinueWithOptions } from "./operations/continueWith.ts"
export { execution, isReplaying, isSuspending, uuid, type ExecutionInfo } from "./operations/facts.ts"
export { forEach, type ForEachOptions } from "./operations/forEach.ts"
export { hold } from "./operations/hold.ts"
export { invoke, type InvokeOptions } from "./operations/invoke.ts"
export { local } from "./operations/local.ts"
export { map, type MapOptions } from "./operations/map.ts"
export { onExit } from "./operations/onExit.ts"
export { parallel, type BatchOptions } from "./operations/parallel.ts"
export { patched } from "./operations/patched.ts"
export { race, raceFirst } from "./operations/race.ts"
export { retry, type PipedRetry } from "./operations/retry.ts"
export { start, type StartOptions } from "./operations/start.ts"
export { step, type PipedStep, type StepOptions } from "./operations/step.ts"
export { stop, type StopOptions } from "./operations/stop.ts"
export { timeout, type PipedTimeout } from "./operations/timeout.ts"
export type { Timeout } from "./operations/typed.ts"
export { wait } from "./operations/wait.ts"
export { waitForCallback, type WaitForCallbackOptions } from "./operations/waitForCallback.ts"
export {
  waitForCondition,
  type ConditionOptions,
  type ConditionAttempt,
  type StateError,
  type ConditionRecording,
  type StateServices,
  type StateValue
} from "./operations/waitForCondition.ts"
export { withCompensation } from "./operations/withCompensation.ts"
