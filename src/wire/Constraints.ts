/**
 * The formats of names, ids and addresses that the service accepts, as plain predicates and two parsers.
 *
 * The schemas in this folder do not apply them to incoming messages: an emulator's ARN that is a bare UUID, or a format that
 * the service widens one day, must not stop an execution. They are for outgoing messages, and for the engine, which refuses
 * the same messages as the service. The patterns come from Lambda's published API model; the lengths are in Limits.
 *
 * @since 0.1.0
 */
import * as Limits from "./Limits.ts"

// A pattern would also test the text of an array or a number.
const matches = (pattern: RegExp, maxLength: number) => (text: string) =>
  typeof text === "string" && text.length <= maxLength && pattern.test(text)

const inRange = (minimum: number, maximum: number) => (value: number) =>
  Number.isInteger(value) && value >= minimum && value <= maximum

const identifier = /^[a-zA-Z0-9_-]+$/
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/**
 * Id or parent id of an operation: 1..64 letters, digits, `-`, `_`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isOperationId: (text: string) => boolean = matches(identifier, Limits.maxIdLength)

/**
 * Name of an operation: 1..256 printable ASCII characters, the space included.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isOperationName: (text: string) => boolean = matches(/^[\x20-\x7E]+$/, Limits.maxNameLength)

/**
 * Sub-type of an operation: 1..32 letters, digits, `-`, `_`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSubType: (text: string) => boolean = matches(identifier, Limits.maxSubTypeLength)

/**
 * Name of an execution, unique per account and region: 1..64 letters, digits, `-`, `_`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isExecutionName: (text: string) => boolean = matches(identifier, Limits.maxExecutionNameLength)

/**
 * Checkpoint token: 1..2048 characters of standard base64.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isCheckpointToken: (text: string) => boolean = matches(base64, Limits.maxCheckpointTokenLength)

/**
 * Token that makes a checkpoint request idempotent: 1..64 visible ASCII characters, no space.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isClientToken: (text: string) => boolean = matches(/^[\x21-\x7E]+$/, Limits.maxClientTokenLength)

/**
 * Id of a callback: 1..1024 characters of standard base64. The service refuses the URL-safe alphabet (`-`, `_`).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isCallbackId: (text: string) => boolean = matches(base64, Limits.maxCallbackIdLength)

/**
 * Tenant of an invocation: 1..256 letters, digits, spaces and `. _ : / = + - @`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTenantId: (text: string) => boolean = matches(/^[a-zA-Z0-9._:/=+\-@ ]+$/, Limits.maxTenantIdLength)

/**
 * Length of a wait, a retry delay or an execution time-out: 1..31,622,400 whole seconds (366 days).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isDurationSeconds: (value: number) => boolean = inRange(1, Limits.maxDurationSeconds)

/**
 * Time-out or heartbeat time-out of a callback: 0..99,999,999 whole seconds, where 0 means no time-out.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isCallbackTimeoutSeconds: (value: number) => boolean = inRange(0, Limits.maxCallbackTimeoutSeconds)

/**
 * Number of items requested for one page: 0..1000, where 0 means the default of 100.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isMaxItems: (value: number) => boolean = inRange(0, Limits.maxPageItems)

/**
 * Days for which a closed execution is kept: 1..90.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRetentionDays: (value: number) => boolean = inRange(1, Limits.maxRetentionDays)

// --- Executions ------------------------------------------------------------------------------------------------------

/**
 * The parts of an execution's ARN. `version` is `$LATEST`, `$LATEST.PUBLISHED` or a number: an execution is pinned to the
 * version on which it started, never to an alias.
 *
 * @since 0.1.0
 * @category models
 */
export interface DurableExecutionArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  readonly functionName: string
  readonly version: string
  readonly executionName: string
  readonly executionId: string
}

const executionArn = new RegExp(
  "^arn:(?<partition>[a-zA-Z0-9-]+):lambda:(?<region>[a-zA-Z0-9-]+):(?<account>\\d{12})" +
    ":function:(?<functionName>[a-zA-Z0-9_-]+):(?<version>\\$LATEST(?:\\.PUBLISHED)?|[0-9]+)" +
    "/durable-execution/(?<executionName>[a-zA-Z0-9_-]+)/(?<executionId>[a-zA-Z0-9_-]+)$"
)

/**
 * Returns the parts of an execution's ARN, or undefined if the text is not one.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseDurableExecutionArn = (text: string): DurableExecutionArn | undefined => {
  if (text.length > Limits.maxExecutionArnLength) return undefined
  const parts = executionArn.exec(text)?.groups
  if (parts === undefined) return undefined
  const { partition = "", region = "", account = "", functionName = "" } = parts
  const { version = "", executionName = "", executionId = "" } = parts
  return { partition, region, account, functionName, version, executionName, executionId }
}

/**
 * Returns whether the text is the ARN of an execution in the form of the service: at most 1024 characters.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isDurableExecutionArn = (text: string): boolean =>
  text.length <= Limits.maxExecutionArnLength && executionArn.test(text)

/**
 * Returns the ARN with these parts; the inverse of `parseDurableExecutionArn`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatDurableExecutionArn = (arn: DurableExecutionArn): string =>
  `arn:${arn.partition}:lambda:${arn.region}:${arn.account}:function:${arn.functionName}:${arn.version}` +
  `/durable-execution/${arn.executionName}/${arn.executionId}`

// --- Functions -------------------------------------------------------------------------------------------------------

/**
 * The target of a qualifier: the unpublished code, the newest published version, one version, or an alias.
 *
 * @since 0.1.0
 * @category models
 */
export type QualifierKind = "latest" | "latest-published" | "version" | "alias"

/**
 * Returns the target of the qualifier, or undefined if the text is not a qualifier. A text of digits only is a version.
 *
 * @since 0.1.0
 * @category parsing
 */
export const qualifierKind = (text: string): QualifierKind | undefined => {
  if (text === "$LATEST") return "latest"
  if (text === "$LATEST.PUBLISHED") return "latest-published"
  if (text.length > Limits.maxQualifierLength || !identifier.test(text)) return undefined
  return /^[0-9]+$/.test(text) ? "version" : "alias"
}

/**
 * Returns whether the text may qualify a function: `$LATEST`, `$LATEST.PUBLISHED`, a version or an alias.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isQualifier = (text: string): boolean => qualifierKind(text) !== undefined

/**
 * The address of a function. Keys for parts that are not in the text are absent.
 *
 * - `name`: `orders`, `orders:live`
 * - `partial-arn`: `123456789012:function:orders`, `123456789012:function:orders:7`, optionally with a region before it
 * - `arn`: `arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST`
 *
 * @since 0.1.0
 * @category models
 */
export interface FunctionAddress {
  readonly kind: "name" | "partial-arn" | "arn"
  readonly name: string
  readonly qualifier?: string
  readonly partition?: string
  readonly region?: string
  readonly account?: string
}

const functionParts = "(?<account>\\d{12}):function:"
const nameParts = "(?<name>[a-zA-Z0-9_.-]+)(?::(?<qualifier>[^:]+))?$"
const region = "(?<region>[a-z][a-z0-9-]*):"
const functionArn = new RegExp(`^arn:(?<partition>aws[a-zA-Z-]*):lambda:${region}${functionParts}${nameParts}`)
const shortAddress = new RegExp(`^(?:(?:${region})?${functionParts})?${nameParts}`)

/**
 * Returns the parts of a function's address, or undefined if the text is not one. A durable target needs `qualifier`.
 *
 * Lambda's own pattern makes every part optional, so `function:live` is ambiguous. This parser reads only the documented
 * forms: that text is the function named `function` with the qualifier `live`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert/strict"
 * import { parseFunctionAddress } from "./Constraints.ts"
 *
 * assert.deepEqual(parseFunctionAddress("orders:live"), { kind: "name", name: "orders", qualifier: "live" })
 * assert.deepEqual(parseFunctionAddress("orders:"), undefined)
 * ```
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseFunctionAddress = (text: string): FunctionAddress | undefined => {
  if (text.length > Limits.maxFunctionAddressLength) return undefined
  const parts = (functionArn.exec(text) ?? shortAddress.exec(text))?.groups
  if (parts === undefined) return undefined
  const { account, name = "", partition, qualifier, region } = parts
  if (name.length > Limits.maxFunctionNameLength) return undefined
  if (qualifier !== undefined && !isQualifier(qualifier)) return undefined
  return {
    kind: partition !== undefined ? "arn" : account !== undefined ? "partial-arn" : "name",
    name,
    ...(qualifier !== undefined && { qualifier }),
    ...(partition !== undefined && { partition }),
    ...(region !== undefined && { region }),
    ...(account !== undefined && { account })
  }
}

/**
 * Returns whether the text is the address of a function in one of its documented forms, qualified or not.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFunctionAddress = (text: string): boolean => parseFunctionAddress(text) !== undefined
