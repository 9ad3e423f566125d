/**
 * The shared part of operations on other executions: each is a step that calls the client.
 *
 * Owns: how a client call is recorded and repeated, and how an execution starts so that a repeated attempt starts nothing
 * twice.
 * Does not own: what happens with the started execution.
 *
 * Invariants:
 * 1. An invalid call is found before anything is recorded.
 * 2. An execution starts under a name that is the same in every attempt.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import { checkName, ClientError, DurableClient } from "../ClientPort.ts"
import { isDurableFunction, type AnyDurable } from "../DurableFunction.ts"
import type { Kind } from "../execution/Claim.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import { StepContext } from "../StepContext.ts"
import { noContract, prepare, type Call, type Prepared } from "./invoke.ts"
import { begin, claimByName, inWorkflow, type Body } from "./Operation.ts"
import { stepLeaf, type StepRules } from "./step.ts"

/** The options for starting another execution, without their types. */
export interface StartRules {
  readonly name?: string | undefined
  readonly executionName?: string | undefined
  readonly tenantId?: string | undefined
}

/** Retries only while the client is unavailable; a call that the service refuses would be refused again. */
const whileUnavailable = RetryPolicy.exponential<ClientError>({
  maxAttempts: 6,
  maxDelay: "1 minute",
  while: (error) => error._tag === "ClientUnavailable",
  retryDefects: false
})

/** Returns the step options of a client call. */
export const recordedAs = (success: Schema.Top): StepRules => ({
  success,
  error: ClientError,
  retry: cast<RetryPolicy.RetryPolicy<ClientError>, RetryPolicy.RetryPolicy<never>>(whileUnavailable)
})

const kind: Kind = { type: "STEP", subType: "Step" }

/** Starts an execution and returns its ARN and name. Default name: one unique to the operation. */
export const startAs = (
  operation: string,
  contract: AnyDurable,
  payload: unknown,
  rules: StartRules,
  executionName: () => string | undefined
): Effect.Effect<string, unknown, unknown> => {
  if (!isDurableFunction(contract)) return noContract(operation, contract)
  const call: Call = { contract, payload, name: rules.name ?? contract.name, rules: { tenantId: rules.tenantId } }
  const started = inWorkflow(call.name, (execution, fiber) => {
    const { parts } = execution
    const claim = claimByName(execution, fiber, kind, call.name)
    let prepared: Prepared | undefined
    const ready = Effect.suspend(() => {
      if (prepared !== undefined) return Effect.succeed(prepared)
      return Effect.map(prepare(claim, parts, call), (made) => (prepared = made))
    })
    const body = Effect.flatMap(ready, (made) => startNamed(contract, made, rules, executionName))
    return begin(
      parts,
      claim,
      stepLeaf(body, recordedAs(Schema.String), () => Effect.asVoid(ready))
    )
  })
  return cast<Body, Effect.Effect<string, unknown, unknown>>(started)
}

/** The body of the step: calls the client with the name. */
const startNamed = Effect.fnUntraced(function* (
  contract: AnyDurable,
  { address, text }: Prepared,
  { tenantId }: StartRules,
  nameOf: () => string | undefined
) {
  const client = yield* DurableClient
  const executionName = nameOf() ?? (yield* StepContext).idempotencyKey
  yield* checkName(contract, executionName)
  const { executionArn } = yield* client.start({
    functionName: address,
    payload: text,
    executionName,
    tenantId,
    type: "Event"
  })
  return executionArn
})
