/**
 * The backend for AWS Lambda: handlers, checkpoints and the client.
 *
 * @since 0.1.0
 */
export * as LambdaCheckpoints from "./LambdaCheckpoints.ts"
export * as LambdaClient from "./LambdaClient.ts"
export * as LambdaContext from "./LambdaContext.ts"
export * as LambdaHandler from "./LambdaHandler.ts"
export * as LambdaLogger from "./LambdaLogger.ts"
