/**
 * The failure of a command: a sentence for the user, and the exit code.
 *
 * Owns: the exit codes.
 * Does not own: where the sentence is written.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - 1: the execution did not succeed, or the request cannot be fulfilled
 * - 2: the command was called wrongly
 */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  message: Schema.String,
  exitCode: Schema.Literals([1, 2])
}) {}

/** Returns the failure of a request that cannot be fulfilled. */
export const failed = (message: string): CommandFailed => new CommandFailed({ message, exitCode: 1 })

/** Returns the failure of a wrong call. */
export const misused = (message: string): CommandFailed => new CommandFailed({ message, exitCode: 2 })
