/**
 * The user's options of this library's client. They name no type of Node, so that users can compile without those types.
 *
 * @since 0.1.0
 */
import type { CredentialProvider, Credentials } from "./credentials.ts"

/**
 * An agent of `node:http` or `node:https`, or of a package that extends one.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpAgent {
  // A method, so that agents of any version of the types are accepted.
  destroy(): void
}

/**
 * How the Lambda API is called. Missing options come from the environment.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionOptions {
  /** Default: `AWS_REGION`. */
  readonly region?: string
  /** The address of the API. Default: `AWS_ENDPOINT_URL_LAMBDA`, `AWS_ENDPOINT_URL`, or else the service of the region. */
  readonly endpoint?: string
  /**
   * Credentials, or a function that finds them, such as any provider of `@aws-sdk/credential-providers`. The result is kept
   * until five minutes before its `expiration`. Default: those of the environment, or else those that
   * `@aws-sdk/credential-providers` finds where it is installed.
   */
  readonly credentials?: Credentials | CredentialProvider
  /**
   * The agent that makes the connections: for a proxy, or your own certificates. This library does not close it. Default: an
   * agent that keeps connections open.
   */
  readonly agent?: HttpAgent
  /** The maximum number of attempts of a request. Default: `AWS_MAX_ATTEMPTS`, or else 3. */
  readonly maxAttempts?: number
}
