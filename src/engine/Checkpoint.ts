/**
 * Checkpoints: the function reports its progress and receives the changes since its last checkpoint.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { CheckpointDurableExecutionBody, CheckpointDurableExecutionResponse } from "../wire/Api.ts"
import * as Constraints from "../wire/Constraints.ts"
import * as Execution from "./Execution.ts"
import * as Metering from "./Metering.ts"
import * as Paging from "./Paging.ts"
import { invalid, type Refused } from "./Refused.ts"
import * as Replies from "./Replies.ts"
import * as State from "./State.ts"
import * as Transition from "./Transition.ts"
import * as Validation from "./Validation.ts"
import * as Work from "./Work.ts"

/**
 * The body of the API's request and the ARN from its path.
 *
 * @since 0.1.0
 * @category models
 */
export type CheckpointRequest = CheckpointDurableExecutionBody & { readonly DurableExecutionArn: string }

/**
 * The answer to a checkpoint. `CheckpointToken` is absent when the checkpoint closed the execution.
 *
 * @since 0.1.0
 * @category models
 */
export type CheckpointAnswer = CheckpointDurableExecutionResponse

/** Applies all updates or none. */
export const checkpoint = (work: Work.Work, request: CheckpointRequest): Result.Result<CheckpointAnswer, Refused> => {
  if (request.ClientToken !== undefined && !Constraints.isClientToken(request.ClientToken)) {
    return Result.fail(invalid("ClientToken is not valid."))
  }
  const execution = State.execution(work.state, request.DurableExecutionArn)
  if (execution === undefined) return Result.fail(unknownExecution(request.DurableExecutionArn))
  // A client that lost an answer asks again with the token that this answer has replaced.
  const reply = Replies.find(execution.replies, request, work.time)
  if (reply === "OtherUpdates") return Result.fail(invalid("The ClientToken was used before with other updates."))
  if (reply !== undefined) return Result.succeed(reply)
  if (!holdsToken(execution, request.CheckpointToken)) return Result.fail(invalidToken())
  const updates = request.Updates ?? []
  const problem = Validation.problemWith(execution, updates, work.config)
  if (problem !== undefined) return Result.fail(invalid(problem))

  Work.store(work, Metering.charge(execution, Metering.costOf(execution, updates)))
  for (const update of updates) Transition.apply(work, request.DurableExecutionArn, update)
  return Result.succeed(deliver(work, request))
}

/** Returns every change since the last delivery to the function, including its own changes. */
const deliver = (work: Work.Work, request: CheckpointRequest): CheckpointAnswer => {
  const execution = Work.execution(work, request.DurableExecutionArn)
  const changes = { from: execution.delivered, to: execution.changes.size, order: 0 }
  const { answer, gate } =
    execution.outcome === undefined
      ? next(work, execution, Paging.changesPage(execution, changes, Paging.largest(work.config)))
      : last(execution, Paging.changesPage(execution, changes, { items: Infinity, bytes: Infinity }))
  const replies = Replies.store(execution.replies, request, answer, work.time)
  Work.store(work, Execution.deliverAll({ ...execution, gate, replies }))
  return answer
}

interface Delivery {
  readonly answer: CheckpointAnswer
  readonly gate: Execution.Gate
}

const next = (work: Work.Work, execution: Execution.Execution, page: Paging.OperationPage): Delivery => {
  const token = Work.freshToken(work, execution.identity.arn)
  const gate = execution.gate._tag === "InFlight" ? { ...execution.gate, token } : execution.gate
  return { answer: { CheckpointToken: token, NewExecutionState: page }, gate }
}

/** Returns the last answer. It has no token, so nothing can follow. It holds all changes and the execution itself. */
const last = (execution: Execution.Execution, page: Paging.OperationPage): Delivery => ({
  answer: { NewExecutionState: { Operations: [Execution.executionOperation(execution), ...page.Operations] } },
  gate: execution.gate
})

/** Returns whether this is the one valid token: the last that the running invocation received. */
export const holdsToken = ({ gate, outcome }: Execution.Execution, token: string): boolean =>
  outcome === undefined && gate._tag === "InFlight" && gate.token === token

/** The message of the service, in its letter case. */
export const invalidToken = (): Refused => invalid("Invalid checkpoint token")

/** Returns the refusal for an unknown ARN. In the API's model, requests with a token have no ResourceNotFoundException. */
export const unknownExecution = (arn: string): Refused => invalid(`There is no durable execution ${arn}.`)
