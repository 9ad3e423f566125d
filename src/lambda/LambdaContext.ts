/**
 * The information that Lambda provides about the current invocation.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * The part of a Lambda invocation's context object that this library and most handlers need.
 *
 * @category models
 * @since 0.1.0
 */
export interface InvocationContext {
  readonly awsRequestId: string
  readonly functionName: string
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  readonly memoryLimitInMB: string
  readonly logGroupName: string
  readonly logStreamName: string
  /** The tenant of the invocation, for a function with tenant isolation. */
  readonly tenantId?: string | undefined
  /** The X-Ray header of the invocation, on runtimes that do not put it into the environment. */
  readonly xRayTraceId?: string | undefined
  /** Returns the milliseconds until Lambda ends the invocation. */
  readonly getRemainingTimeInMillis: () => number
}

/**
 * The current Lambda invocation. `LambdaHandler` provides it to the workflow and to the bodies of its steps.
 *
 * It describes one invocation and not the execution: a replay sees another invocation.
 *
 * @category services
 * @since 0.1.0
 */
export class LambdaContext extends Context.Service<LambdaContext, InvocationContext>()(
  "effect-durable/lambda/LambdaContext"
) {}
