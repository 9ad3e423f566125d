/**
 * What Lambda says about the invocation that is running.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * The context object of a Lambda invocation, as far as this library and most handlers need it.
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
  /** Milliseconds until Lambda ends the invocation. */
  readonly getRemainingTimeInMillis: () => number
}

/**
 * The Lambda invocation that is running. `LambdaHandler` provides it to the workflow and to the bodies of its steps.
 *
 * It is a fact about one invocation and not about the execution: a replay sees another one.
 *
 * @category services
 * @since 0.1.0
 */
export class LambdaContext extends Context.Service<LambdaContext, InvocationContext>()(
  "effect-durable/lambda/LambdaContext"
) {}
