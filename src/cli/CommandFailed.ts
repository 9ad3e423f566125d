/**
 * Why a command ends without what it was asked for: a sentence for whoever typed it, and the exit code.
 *
 * Owns: the exit codes.
 * Does not own: where the sentence goes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - 1: the execution did not succeed, or what was asked for cannot be done
 * - 2: the command was called wrongly
 */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  message: Schema.String,
  exitCode: Schema.Literals([1, 2])
}) {}

/** What was asked for cannot be done. */
export const failed = (message: string): CommandFailed => new CommandFailed({ message, exitCode: 1 })

/** The command was called wrongly. */
export const misused = (message: string): CommandFailed => new CommandFailed({ message, exitCode: 2 })
