/**
 * Retry: runs a block of operations again after it has failed, with durable waits between the attempts.
 *
 * Owns: when another attempt begins.
 * Does not own: the policy that decides it, and how an attempt or a wait is recorded.
 *
 * Invariants:
 * 1. Each attempt has a namespace of its own, without a record: on the wire its operations belong to the context of the
 *    retry.
 * 2. The history shows that a wait followed an attempt, so the policy is asked once for each attempt.
 * 3. The policy uses the host's clock and random numbers, because no replay asks it again.
 * 4. Where only recorded operations run, an attempt without a recorded decision after it waits forever.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Interrupted } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import { operationId } from "../execution/Identity.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type { Decision, RetryPolicy } from "../RetryPolicy.ts"
import { isOwnMistake } from "../values/Failures.ts"
import type { Recording } from "../values/Values.ts"
import { noPolicy } from "./argument.ts"
import { context, flatChild, inNamespace } from "./child.ts"
import {
  inBothForms,
  type Sensed,
  type FirstArguments,
  type Given,
  type InPipe,
  type LastArguments,
  type LastOptions
} from "./forms.ts"
import { claimByName, inWorkflow, type Body } from "./Operation.ts"
import { decide, failureOf } from "./step.ts"
import { typed, type AfterFirst, type PolicyFor } from "./typed.ts"
import { untypedWait } from "./wait.ts"

/**
 * Runs a block of operations again after it has failed, with durable waits between the attempts.
 *
 * Each attempt has its own namespace and its own scope. The time between two attempts passes without an invocation. The
 * policy also decides about an attempt that interrupts itself; a mistake, such as `NameInUse`, is never repeated. A
 * retry costs one operation, and one for each wait. In a pipe: `block.pipe(retry(name, policy, options))`; if the
 * policy reads the errors, annotate their type there.
 *
 * **Errors**: those of the block, from its last attempt. **Defects**: those of the block;
 * `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable, RetryPolicy } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const reserve = Effect.andThen(Durable.wait("settle", "1 second"), Durable.step("reserve", Effect.succeed("seat 12")))
 *
 * export const seat = Durable.retry("seat", reserve, RetryPolicy.fixed({ maxAttempts: 3, delay: "1 minute" }))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const retry: {
  <A = never, E = never, R = never, O extends RecordOptions<A> = Required<RecordOptions<A>>, V = never, W = unknown>(
    name: string,
    block: Effect.Effect<A, E, R> & Sensed<V, W>,
    policy: RetryPolicy<NoInfer<E>>,
    ...options: FirstArguments<V, W, A, E, O>
  ): Given<
    V,
    W,
    Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | Execution | RecordServices<O>>
  >
  <
    O extends LastOptions<unknown, readonly [policy: RetryPolicy<never>]> = readonly [
      RetryPolicy<never>,
      ...Required<RecordOptions<never>>
    ]
  >(
    name: string,
    ...policyAndOptions: LastArguments<O, unknown, readonly [policy: RetryPolicy<never>]>
  ): InPipe<O, PipedRetry<O[0], AfterFirst<O>>>
} = /* @__PURE__ */ inBothForms(
  1,
  "object",
  (name: string, block: Body, policy: RetryPolicy<never>, recording?: Recording) =>
    typed(untypedRetry(name, block, policy, recording ?? {}))
)

/**
 * A {@link retry} that takes its effect in a pipe.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipedRetry<Policy, O> {
  <A, E, R>(
    block: Effect.Effect<A, E, R> & Recordable<A, E, O> & PolicyFor<E, Policy>
  ): Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | Execution | RecordServices<O>>
}

// --- Implementation ------------------------------------------------------------------------------------------------------

const kind: Kind = { type: "CONTEXT", subType: "RunInChildContext" }

const untypedRetry = (name: string, block: Body, policy: RetryPolicy<never>, recording: Recording): Body =>
  inWorkflow(name, (execution, fiber) => {
    const refused = noPolicy(policy, name, "policy")
    if (refused !== undefined) return refused
    const claim = claimByName(execution, fiber, kind, name)
    return context(execution.parts, claim, {
      recording,
      body: (namespace, parts) => inNamespace(parts, namespace, attempts(claim, parts, namespace, block, policy))
    })
  })

const attempts = Effect.fnUntraced(function* (
  claim: Claim,
  parts: Parts,
  namespace: Namespace,
  block: Body,
  policy: RetryPolicy<never>
): Effect.fn.Return<unknown, unknown, unknown> {
  const { history, host, lifetime } = parts
  const began = host.now()
  for (let number = 1; ; number++) {
    const exit = yield* Effect.exit(flatChild("attempt", block))
    if (!lifetime.isOpen) return yield* lifetime.inert
    if (Exit.isSuccess(exit)) return exit.value
    // A context around it is over, so the fiber, which the program forked there, has to end.
    if (namespace.standing === "closed") return yield* exit
    const isRebuilding = namespace.isRebuilding
    // The wait after an attempt is the decision to make another one. Without an outcome the decision is unknown.
    const isDecided = history.get(operationId(namespace.id, "back-off", number - 1)) !== undefined
    if (isDecided || (isRebuilding && !claim.isSettled)) {
      yield* untypedWait("back-off", decidedAlready)
      continue
    }
    // In a retry that has its outcome, a missing wait is the decision to make no other attempt.
    if (isRebuilding || wouldBeMadeAgain(exit.cause)) return yield* exit
    const decision = yield* decided(claim, parts, policy, { number, began }, exit.cause)
    if (decision._tag === "Stop") return yield* exit
    yield* untypedWait("back-off", decision.delaySeconds * 1_000)
  }
})

/** Returns whether a mistake of the program caused the failure. An interruption is a mistake only if it ends an execution. */
const wouldBeMadeAgain = (cause: Cause.Cause<unknown>): boolean => {
  const failure = Cause.squash(cause)
  return isOwnMistake(failure) && !(failure instanceof Interrupted)
}

/** The duration of a wait that has started already: the recorded duration stays. */
const decidedAlready = "1 second"

/** Asks the policy, outside of the workflow. A policy that answers synchronously makes no fiber wait. */
const decided = (
  claim: Claim,
  parts: Parts,
  policy: RetryPolicy<never>,
  attempted: { readonly number: number; readonly began: number },
  cause: Cause.Cause<unknown>
): Effect.Effect<Decision> =>
  Effect.withFiber((fiber) =>
    Effect.callback<Decision>((resume) => {
      const { delivery, host } = parts
      const decision = decide(claim, parts, policy, attempted, failureOf(cause))
      delivery.run(claim, () => host.forkAs(fiber, decision), resume)
      return Effect.suspend(() => delivery.cancel(claim))
    })
  )
