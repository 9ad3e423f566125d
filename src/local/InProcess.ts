/**
 * Functions in the process of the engine itself. Their checkpoints still go over HTTP, as from any other process.
 *
 * Owns: how an implementation is called in this process, and how its calls end.
 * Does not own: the implementation, and which calls there are.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { CheckpointStore } from "../CheckpointStore.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import type { DurableClient } from "../DurableClient.ts"
import { callPlain, squash, type Ending } from "../hosting/plain.ts"
import { invoke, limitsOf } from "../invocation/Invocation.ts"
import * as LambdaCheckpoints from "../lambda/LambdaCheckpoints.ts"
import * as LambdaClient from "../lambda/LambdaClient.ts"
import { LambdaContext, type InvocationContext } from "../lambda/LambdaContext.ts"
import { decodeInvocationEvent } from "../wire/Invocation.ts"
import type { FunctionCall, FunctionEnd, Functions } from "./Functions.ts"

/** A function that runs in this process. */
export interface Guest {
  readonly name: string
  /** The other names that lead to it. */
  readonly aliases: ReadonlyArray<string>
  readonly kind: "durable" | "plain"
  readonly implementation: DurableFunction.AnyImplementation
  /** The services that its code requires. */
  readonly services: Context.Context<never>
  readonly timeoutSeconds: number
  readonly executionTimeoutSeconds: number | undefined
}

export interface InProcessOptions {
  readonly guests: ReadonlyArray<Guest>
  /** The address of the engine. */
  readonly url: Effect.Effect<string>
  readonly region: string
}

/** Runs functions until the scope closes. */
export const hosted = ({ guests, region, url }: InProcessOptions): Effect.Effect<Functions, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    // The functions connect with their first call, when the engine has an address.
    const connected = yield* Effect.cached(
      Effect.flatMap(url, (endpoint) => Layer.buildWithScope(connection(endpoint, region), scope))
    )
    const byName = new Map(
      guests.flatMap((guest) => [guest.name, ...guest.aliases].map((name) => [name, guest] as const))
    )
    return {
      names: guests.map(({ name }) => name),
      find: (name) => byName.get(name),
      run: (call) => {
        const guest = byName.get(call.functionName)
        return guest === undefined
          ? Effect.die(new Error(`No ${call.functionName} runs here.`))
          : run(guest, call, connected)
      }
    }
  })

type Connected = CheckpointStore | DurableClient

const connection = (endpoint: string, region: string): Layer.Layer<Connected> => {
  const options = { endpoint, region, credentials: { accessKeyId: "local", secretAccessKey: "local" } }
  return Layer.merge(LambdaCheckpoints.layerWith(options), LambdaClient.layerWith(options))
}

const run = (
  guest: Guest,
  call: FunctionCall,
  connected: Effect.Effect<Context.Context<Connected>>
): Effect.Effect<FunctionEnd> =>
  Effect.gen(function* () {
    const { kind, services, timeoutSeconds } = guest
    const now = yield* Clock.currentTimeMillis
    const millis = timeoutSeconds * 1_000
    const around = Context.mergeAll(
      yield* connected,
      services,
      Context.make(LambdaContext, contextOf(call, now + millis))
    )
    const ended = kind === "durable" ? invoked(guest, call, limitsOf(now, millis)) : called(guest, call)
    return yield* Effect.timeoutOrElse(Effect.provideContext(ended, around), {
      duration: millis,
      orElse: () => Effect.succeed<FunctionEnd>({ _tag: "TimedOut", afterSeconds: timeoutSeconds })
    })
  })

const invoked = (
  { implementation }: Guest,
  { payload, traceHeader }: FunctionCall,
  limits: ReturnType<typeof limitsOf>
): Effect.Effect<FunctionEnd, never, CheckpointStore> =>
  Effect.fromResult(decodeInvocationEvent(JSON.parse(payload))).pipe(
    Effect.flatMap((event) =>
      // On one machine an address without a version is sufficient.
      invoke(implementation, event, { ...limits, traceHeader, warnAboutTargets: false })
    ),
    Effect.matchCause({
      onSuccess: ({ answer }): FunctionEnd => ({ _tag: "Returned", body: JSON.stringify(answer) }),
      onFailure: threw
    })
  )

const called = ({ implementation }: Guest, { payload }: FunctionCall): Effect.Effect<FunctionEnd> =>
  Effect.matchCause(callPlain(implementation, payload === "null" ? undefined : payload), {
    onSuccess: endOf,
    onFailure: threw
  })

const endOf = (ending: Ending): FunctionEnd =>
  ending._tag === "Succeeded"
    ? { _tag: "Returned", body: ending.result ?? "null" }
    : { _tag: "Threw", error: ending.error ?? {} }

const threw = (cause: Cause.Cause<unknown>): FunctionEnd => ({ _tag: "Threw", error: squash(cause) })

const contextOf = (
  { functionArn, functionName, requestId, tenantId, traceHeader, version }: FunctionCall,
  deadline: number
): InvocationContext => ({
  awsRequestId: requestId,
  functionName,
  functionVersion: version,
  invokedFunctionArn: functionArn,
  memoryLimitInMB: "1024",
  logGroupName: `/aws/lambda/${functionName}`,
  logStreamName: "local",
  tenantId,
  xRayTraceId: traceHeader,
  getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now())
})
