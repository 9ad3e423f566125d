/**
 * The event that the service sends to an invocation of a durable function, and the invocation's answer.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import * as Difference from "./internal/difference.ts"
import { list, marker, maybe, record, stripped } from "./internal/fields.ts"
import { Operation } from "./Operation.ts"

// --- The event -------------------------------------------------------------------------------------------------------

/**
 * The event of an invocation: the execution to continue, the token of its first checkpoint, and the first page of the
 * recorded operations. `UpdatedOperationIds` are those that changed while no invocation ran.
 *
 * A page may be empty and may lack the EXECUTION operation, whose input can be too large for the event:
 * GetDurableExecutionState then continues at `NextMarker`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InvocationEvent = record({
  DurableExecutionArn: Schema.String,
  CheckpointToken: Schema.String,
  InitialExecutionState: record({
    Operations: list(Operation),
    NextMarker: marker
  }),
  UpdatedOperationIds: maybe(list(Schema.String))
})

/**
 * @since 0.1.0
 * @category models
 */
export type InvocationEvent = typeof InvocationEvent.Type

/**
 * The error for an input that is not an event of a durable execution: the function is configured as an ordinary one, or was
 * invoked without version or alias. `found` describes the input without its content.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotDurable extends Schema.TaggedError<NotDurable>()("NotDurable", { found: Schema.String }) {
  override get message(): string {
    return (
      `This is a durable function, and it was invoked as an ordinary one: the event is ${this.found}. ` +
      "Create the function with a DurableConfig that has an ExecutionTimeout (it cannot be added to a function that exists), " +
      "and invoke it by a qualified address: a version, an alias or $LATEST."
    )
  }
}

/**
 * The error for an event of a durable execution that differs from its schema at `path`
 * (`InitialExecutionState.Operations[3]`, empty for the event itself). `problem` contains nothing of the event's content.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedEvent extends Schema.TaggedError<MalformedEvent>()("MalformedEvent", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The event of the durable invocation is malformed${this.path === "" ? "" : ` at ${this.path}`}: ${this.problem}.`
  }
}

/**
 * Reads the event of an invocation. It never throws, whatever the input does, and costs about two microseconds per
 * operation.
 *
 * Fails with `NotDurable` if the input has no ARN or no checkpoint token, and with `MalformedEvent` if it has both and
 * anything else is wrong.
 *
 * @since 0.1.0
 * @category reading
 */
export const decodeInvocationEvent = (input: unknown): Result.Result<InvocationEvent, NotDurable | MalformedEvent> => {
  const found = otherThanDurable(input)
  if (found !== undefined) return Result.fail(new NotDurable({ found }))
  return Result.flatMap(
    Result.mapError(decodeEvent(input), (difference) => new MalformedEvent(difference)),
    (event) => (holdsNothing(event) ? Result.fail(new MalformedEvent(noState)) : Result.succeed(event))
  )
}

/**
 * Returns whether an event has no execution, on this page or another: its workflow would start from the beginning each time.
 */
const holdsNothing = ({ InitialExecutionState: { NextMarker, Operations } }: InvocationEvent): boolean =>
  Operations.length === 0 && NextMarker === undefined

const noState: Difference.Difference = {
  path: "InitialExecutionState.Operations",
  problem: "expected the operation of the execution, or a NextMarker, found an empty array"
}

const decodeEvent = Difference.decoder(InvocationEvent)

/** Returns what the input is instead of a durable event, or undefined if it claims to be one. */
const otherThanDurable = (input: unknown): string | undefined => {
  try {
    if (typeof input !== "object" || input === null || Array.isArray(input)) return Difference.kindOf(input)
    const missing = ["DurableExecutionArn", "CheckpointToken"].filter((key) => isEmpty(Reflect.get(input, key)))
    return missing.length === 0 ? undefined : `an object without ${missing.join(" and ")}`
  } catch {
    // The input threw while it was read; the decoder encounters that again and reports it.
    return undefined
  }
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === ""

// --- The answer ------------------------------------------------------------------------------------------------------

/**
 * The answer of an invocation: the execution is over, or continues when an awaited event has happened. The service retries
 * an invocation that throws.
 *
 * @since 0.1.0
 * @category models
 */
export type InvocationAnswer =
  | { readonly Status: "SUCCEEDED"; readonly Result?: string }
  | { readonly Status: "FAILED"; readonly Error?: ErrorObject }
  | { readonly Status: "PENDING" }

const absent = Schema.optionalKey(Schema.Never.annotate({ message: "Expected no such field with this Status" }))

/**
 * The schema of an answer. It refuses a success with an `Error`, a failure with a `Result` and an unknown `Status`, as the
 * service does.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InvocationAnswer: Schema.Codec<InvocationAnswer> = stripped(
  Schema.Union([
    Schema.Struct({ Status: Schema.Literal("SUCCEEDED"), Result: Schema.optionalKey(Schema.String), Error: absent }),
    Schema.Struct({ Status: Schema.Literal("FAILED"), Error: Schema.optionalKey(ErrorObject), Result: absent }),
    Schema.Struct({ Status: Schema.Literal("PENDING") })
  ]).annotate({ expected: "an object whose Status is SUCCEEDED, FAILED or PENDING" })
)
