/**
 * Durable execution for AWS Lambda, written as Effect programs.
 *
 * @since 0.1.0
 */
export * as BatchResult from "./BatchResult.ts"
export * as CheckpointStore from "./CheckpointStore.ts"
export * as CompletionPolicy from "./CompletionPolicy.ts"
export * as Durable from "./Durable.ts"
export * as DurableClient from "./DurableClient.ts"
export * as DurableError from "./DurableError.ts"
export * as DurableFunction from "./DurableFunction.ts"
export * as Plain from "./Plain.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as Serdes from "./Serdes.ts"
export * as Targets from "./Targets.ts"
export * as Telemetry from "./Telemetry.ts"
