/**
 * Other executions: start one without waiting for it, stop one, and hand over to a fresh one.
 *
 * Each is a step that calls the client, under a name of the execution that a repeated attempt gives again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import type * as Contract from "../../Contract.ts"
import * as DurableClient from "../../DurableClient.ts"
import { InvalidOptions } from "../../DurableError.ts"
import * as RetryPolicy from "../../RetryPolicy.ts"
import { StepContext } from "../../StepContext.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import { Execution } from "../Execution.ts"
import { prepare } from "./invoke.ts"
import { claimedStep, claimStep, step, type StepOptions } from "./step.ts"

export interface StartOptions {
  readonly name?: string | undefined
  readonly executionName?: string | undefined
  readonly tenantId?: string | undefined
}

/** What the service refuses once it refuses again. */
const whileUnavailable = RetryPolicy.exponential<DurableClient.ClientError>({
  maxAttempts: 6,
  maxDelay: "1 minute",
  while: (error) => error._tag === "ClientUnavailable",
  retryDefects: false
})

const recordedAs = (success: Schema.Top): StepOptions => ({
  success,
  error: DurableClient.ClientError,
  retry: cast<RetryPolicy.RetryPolicy<DurableClient.ClientError>, RetryPolicy.RetryPolicy<never>>(whileUnavailable)
})

/** An execution that is started, and the name under which. Default: one that belongs to the operation alone. */
const startAs = (
  contract: Contract.AnyDurable,
  payload: unknown,
  options: StartOptions,
  executionName: () => string | undefined
) =>
  Effect.flatMap(claimStep(options.name ?? contract.name), (claimed) =>
    Effect.gen(function* () {
      const prepared = prepare(claimed, { contract, payload, name: claimed.name, options })
      // What is wrong with the call itself is found before anything is recorded.
      const first = claimed.record === undefined ? yield* prepared : undefined
      const body = Effect.gen(function* () {
        const client = yield* DurableClient.DurableClient
        const { address, text } = first ?? (yield* prepared)
        const name = executionName() ?? (yield* StepContext).idempotencyKey
        yield* DurableClient.checkName(contract, name)
        const { executionArn } = yield* client.start({
          functionName: address,
          payload: text,
          name,
          tenantId: options.tenantId,
          type: "Event"
        })
        return executionArn
      })
      return cast<unknown, string>(yield* claimedStep(claimed, body, recordedAs(Schema.String)))
    })
  )

export const start = (contract: Contract.AnyDurable, payload: unknown, options: StartOptions) =>
  Effect.map(
    startAs(
      contract,
      payload,
      options,
      () => options.executionName ?? contract.idempotencyKey?.(cast<unknown, never>(payload))
    ),
    (executionArn) => ({ contract, executionArn })
  )

export const stop = (name: string, executionArn: string, error: ErrorObject | undefined) =>
  step(
    name,
    Effect.flatMap(DurableClient.DurableClient, (client) => Effect.asVoid(client.stop(executionArn, error))),
    recordedAs(Schema.Void)
  )

/**
 * Starts another execution, and ends this one: whoever reads its outcome is led to that of the other.
 *
 * The `idempotencyKey` of a contract does not name the other, because it may well lead back to this one.
 */
export const continueWith = (
  contract: Contract.AnyDurable,
  payload: unknown,
  options: StartOptions
): Effect.Effect<never, unknown, unknown> =>
  Effect.flatMap(
    startAs(contract, payload, options, () => options.executionName),
    (executionArn) =>
      Effect.flatMap(Execution, ({ context, run }): Effect.Effect<never> => {
        if (executionArn === run.executionArn) {
          const operation = options.name ?? contract.name
          return Effect.die(
            new InvalidOptions({
              operation: context.pathOf(operation, 0),
              message: `Expected "${operation}" to hand over to a fresh execution, found that the name "${options.executionName}" leads back to this one. Give the other a name of its own, or none.`
            })
          )
        }
        run.end({ _tag: "Continued", executionArn })
        return run.inert
      })
  )
