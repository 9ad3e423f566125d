/**
 * One call of a handler, from what Lambda passes to the answer.
 *
 * Owns: what an invocation runs in: its services, its store, its deadline, its logs' annotations, and a context that is complete.
 * Does not own: how layers are built and kept, which the sandbox does; what an invocation does; how the answer is handed over.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Result from "effect/Result"
import { CheckpointStore } from "../../CheckpointStore.ts"
import type * as DurableFunction from "../../DurableFunction.ts"
import { deadlineOf, invoke, within, type Invoked, type InvokeOptions } from "../../invocation/Invocation.ts"
import { decodeInvocationEvent } from "../../wire/Invocation.ts"
import { LambdaContext, type InvocationContext } from "../LambdaContext.ts"
import { configured } from "./configuration.ts"
import { fromDurableExecutionClient, type DurableExecutionClient } from "./eventClient.ts"

export interface RunnerOptions<R, E> {
  /** The services of the handler's layer. */
  readonly services: () => Effect.Effect<Context.Context<R>, E>
  /** Where checkpoints go, unless the event brings a client. */
  readonly checkpoints: () => Effect.Effect<Context.Context<CheckpointStore>, unknown>
  readonly options: Partial<InvokeOptions>
  /** Whether configuration that is missing fails the invocation, and not the execution. */
  readonly mayWait: boolean
  /** How long before its end an invocation is cut off, in milliseconds. */
  readonly margin: number
}

/** Makes what runs one invocation. */
export const runner =
  <R, E>(
    implementation: DurableFunction.AnyImplementation,
    { checkpoints, margin, mayWait, options, services }: RunnerOptions<R, E>
  ) =>
  (input: unknown, context: Partial<InvocationContext> | undefined): Effect.Effect<Invoked, unknown> =>
    Effect.withFiber((fiber) => {
      // The client is taken off first: decoding keeps only what belongs to the event.
      const client = Predicate.hasProperty(input, "durableExecutionClient") ? input.durableExecutionClient : undefined
      const decoded = decodeInvocationEvent(input)
      if (Result.isFailure(decoded)) return Effect.fail(decoded.failure)
      const now = Context.get(fiber.context, Clock.Clock).currentTimeMillisUnsafe()
      const limits = {
        ...options,
        deadline: deadlineOf(now, remainingIn(context), margin),
        traceHeader: context?.xRayTraceId ?? process.env["_X_AMZN_TRACE_ID"]
      }
      const store =
        client === undefined || client === null
          ? Effect.mapEager(within(limits.deadline, "built the layer of its checkpoints", checkpoints()), (found) =>
              Context.get(found, CheckpointStore)
            )
          : Effect.succeed(fromDurableExecutionClient(cast<unknown, DurableExecutionClient>(client)))
      const layer = within(limits.deadline, "built the layer of its handler", services())
      return Effect.flatMapEager(configured(layer, { mayWait, operation: implementation.contract.name }), (outcome) => {
        if ("answer" in outcome) return Effect.succeed({ answer: outcome.answer, parts: undefined })
        return Effect.flatMapEager(store, (found) =>
          Effect.provideContext(
            invoke(implementation, decoded.success, limits),
            invocationServices(outcome.built, found, context)
          )
        )
      })
    })

/** What an invocation runs in: the services of the handler's layer, its store, its context, and what its logs say. */
const invocationServices = <R>(
  services: Context.Context<R>,
  store: CheckpointStore["Service"],
  context: Partial<InvocationContext> | undefined
) =>
  services.pipe(
    Context.add(CheckpointStore, store),
    Context.add(LambdaContext, completed(context)),
    Context.add(References.CurrentLogAnnotations, {
      ...Context.get(services, References.CurrentLogAnnotations),
      ...annotationsOf(context)
    })
  )

/** How long the function has left. A context that does not know the time, as a test may call it, never ends. */
const remainingIn = (context: Partial<InvocationContext> | undefined): number =>
  typeof context?.getRemainingTimeInMillis === "function" ? context.getRemainingTimeInMillis() : Infinity

/** What every log of an invocation has in addition to the execution. */
const annotationsOf = (context: Partial<InvocationContext> | undefined): Readonly<Record<string, unknown>> => ({
  ...(context?.awsRequestId ? { requestId: context.awsRequestId } : undefined),
  ...(context?.tenantId ? { tenantId: context.tenantId } : undefined)
})

/** The context of Lambda is itself; what one of a test leaves out is that of an unknown function. */
const completed = (context: Partial<InvocationContext> = {}): InvocationContext => {
  const missing = Object.entries(unknownContext).filter(([field]) => !(field in context))
  return missing.length === 0
    ? cast(context)
    : Object.assign(cast<unknown, InvocationContext>(Object.create(context)), Object.fromEntries(missing))
}

/** A handler that is called without a context, by a test for instance, has no limits that it knows of. */
const unknownContext: InvocationContext = {
  awsRequestId: "",
  functionName: "",
  functionVersion: "$LATEST",
  invokedFunctionArn: "",
  memoryLimitInMB: "",
  logGroupName: "",
  logStreamName: "",
  getRemainingTimeInMillis: () => Infinity
}
