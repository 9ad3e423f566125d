/**
 * Every size, count and range that the service imposes or this library chooses, each with its source.
 *
 * All sizes are bytes of UTF-8 and all lengths are characters, unless a line states otherwise. "model" is the published API
 * model of Lambda, "quota" the Lambda quotas page, "observed" a refusal seen from the service, "ours" a choice of this
 * library that a user may configure.
 *
 * @since 0.1.0
 */

/** Largest payload of a step, a polling state, a callback or a context result (observed; contexts above it replay their children). */
export const maxOperationPayload = 262_144

/** Largest payload of an asynchronous invocation, and so of a chained invoke (Invoke API documentation). */
export const maxInvokePayload = 1_048_576

/** Largest string in any payload field, and largest synchronous request or response (model). */
export const maxWirePayload = 6_291_456

/** Largest result in the invocation's answer; a larger one is sent as an EXECUTION update (6 MB − 50, as AWS's SDKs). */
export const maxInlineResult = maxWirePayload - 50

/** Largest error object in one update (both of AWS's emulators refuse more). */
export const maxErrorObject = 32_768

/** Operations that one execution may hold (quota, hard). */
export const maxOperations = 3_000

/** Bytes that one execution may write (quota, hard). */
export const maxStorage = 104_857_600

/** Updates in one checkpoint request (as AWS's SDKs). */
export const maxBatchUpdates = 250

/** Bytes of updates in one checkpoint request (as AWS's SDKs). */
export const maxBatchBytes = 768_000

/** Longest id of an operation (model). */
export const maxIdLength = 64

/** Longest name of an operation, in printable ASCII characters (model). */
export const maxNameLength = 256

/** Longest sub-type of an operation (model). */
export const maxSubTypeLength = 32

/** Longest name of an execution (model). */
export const maxExecutionNameLength = 64

/** Longest ARN of an execution (model). */
export const maxExecutionArnLength = 1_024

/** Longest checkpoint token (model). */
export const maxCheckpointTokenLength = 2_048

/** Longest ClientToken of a checkpoint request (model). */
export const maxClientTokenLength = 64

/** Longest id of a callback (model). */
export const maxCallbackIdLength = 1_024

/** Longest tenant id (model). */
export const maxTenantIdLength = 256

/** Longest address of a function in any form (model). */
export const maxFunctionAddressLength = 256

/** Longest name of a function by itself (Invoke API documentation). */
export const maxFunctionNameLength = 64

/** Longest qualifier of a function: a version or an alias (model). */
export const maxQualifierLength = 128

/** Longest wait, retry delay and execution time-out: 366 days in seconds (model). */
export const maxDurationSeconds = 31_622_400

/** Longest callback and heartbeat time-out, in seconds; 0 means no time-out (model). */
export const maxCallbackTimeoutSeconds = 99_999_999

/** Longest time for which the service keeps a closed execution, in days, and the default (model, documentation). */
export const maxRetentionDays = 90
export const defaultRetentionDays = 14

/** Default and maximum number of operations or events on one page (model). */
export const defaultPageItems = 100
export const maxPageItems = 1_000

/** Maximum number of statuses in one listing request (model). */
export const maxStatuses = 10

/** How long the service remembers a ClientToken, in milliseconds (documented as 15 minutes). */
export const clientTokenWindow = 900_000
