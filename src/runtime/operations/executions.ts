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
import * as RetryPolicy from "../../RetryPolicy.ts"
import { StepContext } from "../../StepContext.ts"
import { erase } from "../../internal/erase.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import { Execution } from "../Execution.ts"
import { step } from "./step.ts"

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

const clientStep = (name: string, success: Schema.Top, call: Effect.Effect<unknown, unknown, unknown>) =>
  step(name, call, {
    success,
    error: DurableClient.ClientError,
    retry: cast<RetryPolicy.RetryPolicy<DurableClient.ClientError>, RetryPolicy.RetryPolicy<never>>(whileUnavailable)
  })

export const start = (contract: Contract.AnyDurable, payload: unknown, options: StartOptions) =>
  Effect.map(
    clientStep(
      options.name ?? contract.name,
      Schema.String,
      Effect.gen(function* () {
        const { idempotencyKey } = yield* StepContext
        const name = options.executionName ?? contract.idempotencyKey?.(cast<unknown, never>(payload)) ?? idempotencyKey
        const { executionArn } = yield* DurableClient.start(contract, cast<unknown, never>(payload), {
          name,
          ...(options.tenantId === undefined ? undefined : { tenantId: options.tenantId })
        }).pipe(Effect.catchTag("InvalidTarget", Effect.die), erase)
        return executionArn
      })
    ),
    (executionArn) => ({ contract, executionArn })
  )

export const stop = (name: string, executionArn: string, error: ErrorObject | undefined) =>
  clientStep(
    name,
    Schema.Void,
    Effect.flatMap(DurableClient.DurableClient, (client) => Effect.asVoid(client.stop(executionArn, error)))
  )

/** Starts another execution, and ends this one: whoever reads its outcome is led to that of the other. */
export const continueWith = (
  contract: Contract.AnyDurable,
  payload: unknown,
  options: StartOptions
): Effect.Effect<never, unknown, unknown> =>
  Effect.flatMap(start(contract, payload, options), ({ executionArn }) =>
    Effect.flatMap(Execution, ({ run }) => {
      run.end({ _tag: "Continued", executionArn: cast<unknown, string>(executionArn) })
      return run.inert
    })
  )
