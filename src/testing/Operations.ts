/**
 * Operations of an execution for a test: the record of the service, and its meaning for the code.
 *
 * Owns: which operation a name refers to, and how its outcome is read. Does not own: records, which the engine holds.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import { isRecordedAs } from "../values/Failures.ts"
import type { AnyReader } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { Operation } from "../wire/Operation.ts"
import { TestFailure } from "./TestFailure.ts"
import { read } from "../hosting/values.ts"

/**
 * The declared outcome of an operation: the options of a step or child, or the contract of an invoke.
 *
 * @category models
 * @since 0.1.0
 */
export interface OperationSchemas {
  /** Reads the value. Default: plain data. */
  readonly success?: Schema.Top
  /** Reads the declared errors. Default: an error is a raw error object. */
  readonly error?: Schema.Top
  /** Reads the value in place of `success`, as the operation or the contract declares it. */
  readonly successSerdes?: AnyReader | undefined
}

/**
 * The value of an operation, typed by its Schemas.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type OperationValue<O> = O extends { readonly success: infer S extends Schema.Top } ? S["Type"] : unknown

/**
 * The declared error of an operation.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type OperationFailure<O> = O extends { readonly error: infer S extends Schema.Top } ? S["Type"] : never

/**
 * An operation of an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestOperation<out A, out E> {
  /** The record of the service. */
  readonly record: Operation
  /** The names of the contexts around it and its own, as `"batch/item/charge"`. */
  readonly path: string
  /** Its exit: the value, a declared error, or a raw error object; undefined while it is open. */
  readonly exit: Exit.Exit<A, E | ErrorObject> | undefined
}

/** Returns an operation, with its outcome read by a contract or by options. @internal */
export const lookAt = Effect.fnUntraced(function* (
  executionArn: string,
  operations: ReadonlyArray<Operation>,
  name: string,
  schemas: OperationSchemas,
  occurrence: number
) {
  const all = operations
    .filter(({ Type }) => Type !== "EXECUTION")
    .map((record) => ({ record, path: pathOf(record, operations) }))
  const found = all.filter(({ path }) => path === name || path.endsWith(`/${name}`))[occurrence - 1]
  if (found === undefined) return yield* Effect.die(new TestFailure({ message: missing(name, occurrence, all) }))
  const exit = yield* exitOf(executionArn, found.record, found.path, schemas)
  const looked: TestOperation<unknown, unknown> = { ...found, exit }
  return looked
})

const missing = (name: string, occurrence: number, all: ReadonlyArray<{ readonly path: string }>): string => {
  const which = occurrence === 1 ? `no operation "${name}"` : `no occurrence ${occurrence} of the operation "${name}"`
  const paths = [...new Set(all.map(({ path }) => `"${path}"`))]
  const others = paths.length === 0 ? "It has no operations at all" : `Expected one of ${paths.join(", ")}`
  return `The execution has ${which} so far. ${others}.`
}

const pathOf = (record: Operation, operations: ReadonlyArray<Operation>): string => {
  const parent = operations.find(({ Id, Type }) => Id === record.ParentId && Type !== "EXECUTION")
  const own = record.Name ?? record.Type
  return parent === undefined ? own : `${pathOf(parent, operations)}/${own}`
}

interface Recorded {
  readonly Result?: string | undefined
  readonly Error?: ErrorObject | undefined
}

const detailsOf = (record: Operation): Recorded =>
  record.StepDetails ?? record.ContextDetails ?? record.CallbackDetails ?? record.ChainedInvokeDetails ?? {}

const open = new Set(["STARTED", "PENDING", "READY"])

const exitOf = (
  executionArn: string,
  record: Operation,
  path: string,
  { error, success, successSerdes }: OperationSchemas
): Effect.Effect<Exit.Exit<unknown, unknown> | undefined> => {
  if (open.has(record.Status)) return Effect.succeed(undefined)
  const { Error: failure, Result: text } = detailsOf(record)
  const info = { executionArn, operationId: record.Id, operation: path, value: "result" } as const
  if (record.Status === "SUCCEEDED") {
    return read({ success, successSerdes }, text, info).pipe(
      Effect.map(Exit.succeed),
      Effect.catch(({ message }) => unreadable(`The result of "${path}" does not fit its Schema: ${message}`))
    )
  }
  const raw: ErrorObject = failure ?? { ErrorMessage: `The operation is ${record.Status}.` }
  if (error === undefined || raw.ErrorData === undefined) return Effect.succeed(Exit.fail(raw))
  return read({ success: error }, raw.ErrorData, { ...info, value: "error" }).pipe(
    Effect.map((declared) => Exit.fail(isRecordedAs(declared, raw.ErrorType) ? declared : raw)),
    // An error that the Schema cannot read is not a declared one.
    Effect.catch(() => Effect.succeed(Exit.fail(raw)))
  )
}

const unreadable = (message: string): Effect.Effect<never> => Effect.die(new TestFailure({ message }))
