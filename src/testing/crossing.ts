/**
 * The effect of a network on a message: it is encoded, sent as text, and decoded on the other side.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CheckpointDurableExecutionBody, CheckpointDurableExecutionResponse } from "../wire/CheckpointApi.ts"
import { InvocationAnswer, InvocationEvent } from "../wire/Invocation.ts"
import { reader } from "../wire/Malformed.ts"

/** Returns a function that sends messages of one kind across, read as messages of the service. Its codec is compiled once. */
const crossing = <A>(subject: string, schema: Schema.Codec<A, unknown>): ((message: A) => A) => {
  const encode = Schema.encodeSync(schema)
  const read = reader(subject, schema)
  return (message) => Result.getOrThrow(read(JSON.parse(JSON.stringify(encode(message)))))
}

/** Sends a message between a workflow and the service. */
export const sent = {
  request: crossing("checkpoint request", CheckpointDurableExecutionBody),
  response: crossing("checkpoint response", CheckpointDurableExecutionResponse),
  event: crossing("invocation event", InvocationEvent),
  answer: crossing("invocation answer", InvocationAnswer)
}
