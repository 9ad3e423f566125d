/**
 * Retry: run a block of operations again after it has failed, with durable waits between the attempts.
 *
 * Each attempt has a namespace of its own. That an attempt was followed by a wait is in the history, so the policy is
 * asked once for each attempt.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Interrupted } from "../../DurableError.ts"
import type { RetryPolicy } from "../../RetryPolicy.ts"
import { claim, type Claim } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import { operationId } from "../Identity.ts"
import { isOwnMistake } from "../Outcome.ts"
import type { Recording } from "../Recording.ts"
import { flatChild, inContext, recorded } from "./child.ts"
import { decide, failureOf } from "./step.ts"
import { wait } from "./wait.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export const retry = (name: string, body: Body, policy: RetryPolicy<never>, recording: Recording) =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: "RunInChildContext", name }), (claimed) =>
    recorded(claimed, recording, {
      body: (context) => inContext(claimed, context, attempts(claimed, context, body, policy))
    })
  )

const attempts = Effect.fnUntraced(function* (
  claimed: Claim,
  context: DurableContext,
  body: Body,
  policy: RetryPolicy<never>
): Effect.fn.Return<unknown, unknown, unknown> {
  const { run } = claimed
  const began = run.now()
  for (let attempt = 1; ; attempt++) {
    const exit = yield* Effect.exit(flatChild("attempt", body))
    if (run.phase !== "running") return yield* run.inert
    if (Exit.isSuccess(exit)) return exit.value
    // The wait after an attempt is the decision to make another one.
    const decided = run.journal.get(operationId(context.id, "back-off", attempt - 1))
    if (decided !== undefined) {
      yield* wait("back-off", decidedAlready)
      continue
    }
    // No wait in what is only rebuilt is the decision to make none.
    if (context.finished || wouldBeMadeAgain(exit.cause)) return yield* exit
    const decision = yield* decide(claimed, policy, attempt, began, failureOf(exit.cause))
    if (decision._tag === "Died") return yield* Effect.failCause(decision.cause)
    if (decision._tag === "Stop") return yield* exit
    yield* wait("back-off", decision.delaySeconds * 1_000)
  }
})

/** A mistake of the program would be made again. An interruption is one only where it ends an execution. */
const wouldBeMadeAgain = (cause: Cause.Cause<unknown>): boolean => {
  const failure = Cause.squash(cause)
  return isOwnMistake(failure) && !(failure instanceof Interrupted)
}

/** A wait that has been started keeps its duration. */
const decidedAlready = "1 second"
