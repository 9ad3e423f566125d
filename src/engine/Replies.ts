/**
 * The answers to recent checkpoints, so that a client that lost one can repeat the request and receive the same answer.
 *
 * A request is identified by its ClientToken and its checkpoint token; a repeated one must have the same updates. The
 * service remembers it for 15 minutes.
 *
 * @since 0.1.0
 */
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Limits from "../wire/Limits.ts"
import type {
  CheckpointDurableExecutionBody as CheckpointRequest,
  CheckpointDurableExecutionResponse as CheckpointAnswer
} from "../wire/CheckpointApi.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as AppendLog from "./internal/AppendLog.ts"

interface Reply {
  readonly updates: ReadonlyArray<OperationUpdate>
  readonly answer: CheckpointAnswer
  readonly at: number
}

export interface Replies {
  readonly byRequest: HashMap.HashMap<string, Reply>
  /** The keys of `byRequest` in the order in which they were stored; those before `oldest` are forgotten. */
  readonly keys: AppendLog.AppendLog<string>
  readonly oldest: number
}

export const empty: Replies = { byRequest: HashMap.empty(), keys: AppendLog.empty(), oldest: 0 }

/** Returns the answer to this request if it came before, or that it came with other updates. */
export const find = (
  replies: Replies,
  request: CheckpointRequest,
  now: number
): CheckpointAnswer | "OtherUpdates" | undefined => {
  const key = keyOf(request)
  if (key === undefined) return undefined
  const reply = Option.getOrUndefined(HashMap.get(replies.byRequest, key))
  if (reply === undefined || isForgotten(reply, now)) return undefined
  return Equal.equals(reply.updates, request.Updates ?? []) ? reply.answer : "OtherUpdates"
}

/** Stores the answer to this request, and drops answers that are too old. */
export const store = (replies: Replies, request: CheckpointRequest, answer: CheckpointAnswer, now: number): Replies => {
  const key = keyOf(request)
  if (key === undefined) return replies
  const kept = forgetOld(replies, now)
  return {
    byRequest: HashMap.set(kept.byRequest, key, { updates: request.Updates ?? [], answer, at: now }),
    keys: AppendLog.append(kept.keys, key),
    oldest: kept.oldest
  }
}

const forgetOld = (replies: Replies, now: number): Replies => {
  const key = AppendLog.get(replies.keys, replies.oldest)
  if (key === undefined) return replies
  const reply = Option.getOrUndefined(HashMap.get(replies.byRequest, key))
  if (reply !== undefined && !isForgotten(reply, now)) return replies
  return forgetOld({ ...replies, byRequest: HashMap.remove(replies.byRequest, key), oldest: replies.oldest + 1 }, now)
}

const isForgotten = (reply: Reply, now: number): boolean => now - reply.at >= Limits.clientTokenWindow

// A ClientToken contains no space.
const keyOf = (request: CheckpointRequest): string | undefined =>
  request.ClientToken === undefined ? undefined : `${request.ClientToken} ${request.CheckpointToken}`
