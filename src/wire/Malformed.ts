/**
 * The error of a message that does not match its schema.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Difference from "./internal/difference.ts"

/**
 * The error of a message that does not match its schema. `subject` names the message, `path` the place in it
 * (`Operations[3].Status`, empty for the message itself), `problem` the difference. None of them contains the message's
 * content.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedMessage extends Schema.TaggedError<MalformedMessage>()("MalformedMessage", {
  subject: Schema.String,
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The ${this.subject} is malformed${this.path === "" ? "" : ` at ${this.path}`}: ${this.problem}.`
  }
}

/**
 * Returns a reader of one kind of message, compiled once. The reader never throws, whatever the input does.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { reader } from "./Malformed.ts"
 *
 * const readPage = reader("page of operations", Schema.Struct({ Operations: Schema.Array(Schema.String) }))
 * readPage({ Operations: [1] }) // fails: The page of operations is malformed at Operations[0]: expected string, found a number.
 * ```
 *
 * @since 0.1.0
 * @category reading
 */
export const reader = <Type>(
  subject: string,
  schema: Schema.Codec<Type, unknown>
): ((input: unknown) => Result.Result<Type, MalformedMessage>) => {
  const decode = Difference.decoder(schema)
  return (input) => Result.mapError(decode(input), (difference) => new MalformedMessage({ subject, ...difference }))
}
