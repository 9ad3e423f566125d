/** What the handlers of all suites share. */
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** The options of a handler whose workflow needs nothing. */
export const alone = { layer: Layer.empty }

/** A step or a workflow that fails, because its requirement says so. */
export class Failure extends Schema.TaggedError<Failure>()("Failure", { message: Schema.String }) {}

/** A failure that is worth another attempt. */
export class TransientError extends Schema.TaggedError<TransientError>()("TransientError", {
  message: Schema.String
}) {}
