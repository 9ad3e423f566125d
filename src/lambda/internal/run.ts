/**
 * One call of a handler, from the event that Lambda passes to the answer.
 *
 * Owns: the surroundings of an invocation: its services, store, deadline and log annotations, and a complete context.
 * Does not own: building and keeping layers (`sandbox.ts`), the invocation itself, and handing over the answer.
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
import { invoke, limitsOf, within, type Invoked, type InvokeOptions } from "../../invocation/Invocation.ts"
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
  /** Whether missing configuration fails only the invocation, and not the execution. */
  readonly mayWait: boolean
  /** The milliseconds before the end of the function at which an invocation is cut off. */
  readonly margin: number
}

/** Returns a function that runs one invocation. */
export const runner =
  <R, E>(
    implementation: DurableFunction.AnyImplementation,
    { checkpoints, margin, mayWait, options, services }: RunnerOptions<R, E>
  ) =>
  (input: unknown, context: Partial<InvocationContext> | undefined): Effect.Effect<Invoked, unknown> =>
    Effect.withFiber((fiber) => {
      // The client is removed first, because decoding keeps only the fields of the event.
      const client = Predicate.hasProperty(input, "durableExecutionClient") ? input.durableExecutionClient : undefined
      const decoded = decodeInvocationEvent(input)
      if (Result.isFailure(decoded)) return Effect.fail(decoded.failure)
      const now = Context.get(fiber.context, Clock.Clock).currentTimeMillisUnsafe()
      const limits = {
        ...options,
        ...limitsOf(now, remainingIn(context), margin),
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

/** Returns the services of an invocation: those of the handler's layer, its store, its context, and its log annotations. */
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

/** Returns the milliseconds that the function has left. A context without a clock, as in a test, never ends. */
const remainingIn = (context: Partial<InvocationContext> | undefined): number =>
  typeof context?.getRemainingTimeInMillis === "function" ? context.getRemainingTimeInMillis() : Infinity

/** Returns the annotations that every log of an invocation has in addition to those of the execution. */
const annotationsOf = (context: Partial<InvocationContext> | undefined): Readonly<Record<string, unknown>> => ({
  ...(context?.awsRequestId ? { requestId: context.awsRequestId } : undefined),
  ...(context?.tenantId ? { tenantId: context.tenantId } : undefined)
})

/** Returns the context of Lambda unchanged, or a test's incomplete one completed with the fields of an unknown function. */
const completed = (context: Partial<InvocationContext> = {}): InvocationContext => {
  const missing = Object.entries(unknownContext).filter(([field]) => !(field in context))
  return missing.length === 0
    ? cast(context)
    : Object.assign(cast<unknown, InvocationContext>(Object.create(context)), Object.fromEntries(missing))
}

/** The context of a handler that is called without one, for instance by a test. It has no known limits. */
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
