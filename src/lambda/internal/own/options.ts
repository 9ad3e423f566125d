/**
 * What users may tell our own client. It names no type of Node, so that nobody needs those types to compile.
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
  // A method, so that agents of whatever version of the types are taken.
  destroy(): void
}

/**
 * How the Lambda API is called. What is left out comes from the environment.
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
   * Credentials, or a function that finds them: every provider of `@aws-sdk/credential-providers` is one. What it finds is
   * kept until five minutes before its `expiration`. Default: those of the environment, or else what that package finds.
   */
  readonly credentials?: Credentials | CredentialProvider
  /** Makes the connections: for a proxy, or certificates of your own. Nobody closes it. Default: one that keeps connections open. */
  readonly agent?: HttpAgent
  /** A number of attempts: how often a request is tried at the most. Default: `AWS_MAX_ATTEMPTS`, or else 3. */
  readonly maxAttempts?: number
}
