/**
 * What the tests of invoke share: worlds with one caller in them, and callees that count their calls.
 */
import { assert } from "@effect/vitest"
import { DurableFunction, type Durable, type DurableError } from "effect-durable"
import { type Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"

/** Functions and stubs that require nothing. */
export type Functions = ReadonlyArray<DurableFunction.AnyImplementation<never> | TestEngine.Stub>

export const Double = DurableFunction.plain("double", { payload: Schema.Int, success: Schema.Int })
export const double = TestEngine.stub(Double, (n) => Effect.succeed(n * 2))

/** The one caller of a world. It takes nothing, may fail in any way, and gives back whatever is JSON. */
export const Caller = DurableFunction.make("caller", { success: Schema.Unknown })

/** How the caller ended, and everything that was recorded of it. */
export interface Ended {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly operations: ReadonlyArray<Operation>
  readonly history: ReadonlyArray<HistoryEvent>
  /** How often the caller was invoked. */
  readonly invocations: number
}

/** Runs a workflow in a world of its own to its end, whatever that is. */
export const runToEnd = <A>(
  workflow: Effect.Effect<A, DurableError.OperationError, Durable.Execution>,
  functions: Functions,
  options: TestEngine.Options = {}
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Caller)
    const exit = yield* Effect.exit(run.result)
    const history = yield* run.history
    return {
      exit,
      operations: yield* run.operations(),
      history,
      invocations: history.filter((event) => event.EventType === "InvocationCompleted").length
    }
  }).pipe(Effect.orDie, Effect.provide(TestEngine.layer([Caller.implement(() => workflow), ...functions], options)))

/** The value of a workflow that must succeed. */
export const runToValue = <A>(
  workflow: Effect.Effect<A, DurableError.OperationError, Durable.Execution>,
  functions: Functions,
  options: TestEngine.Options = {}
): Effect.Effect<unknown> => Effect.flatMap(runToEnd(workflow, functions, options), ({ exit }) => Effect.orDie(exit))

/** The error of a workflow that must fail with one. */
export const runToError = <A>(
  workflow: Effect.Effect<A, DurableError.OperationError, Durable.Execution>,
  functions: Functions,
  options: TestEngine.Options = {}
): Effect.Effect<unknown> =>
  Effect.flatMap(runToEnd(workflow, functions, options), ({ exit }) => Effect.orDie(Effect.flip(exit)))

/** A stand-in that remembers how it was called. */
export const spy = <C extends DurableFunction.Any>(
  contract: C,
  respond: (
    payload: DurableFunction.Payload<C>,
    call: TestEngine.Call
  ) =>
    | Effect.Effect<DurableFunction.Success<C>, DurableFunction.Error<C>>
    | Reply.Reply<DurableFunction.Success<C>, DurableFunction.Error<C>>
) => {
  const calls: Array<{ readonly payload: DurableFunction.Payload<C>; readonly tenantId: string | undefined }> = []
  const stub = TestEngine.stub(contract, (payload, call) => {
    calls.push({ payload, tenantId: call.tenantId })
    return respond(payload, call)
  })
  return { calls, stub }
}

/** Who was invoked under which address, in order. */
export const addresses = (history: ReadonlyArray<HistoryEvent>): ReadonlyArray<string | undefined> =>
  history.flatMap((event) =>
    event.EventType === "ChainedInvokeStarted" ? [event.ChainedInvokeStartedDetails?.FunctionName] : []
  )

/** The operations in short. */
export const brief = (operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations.map(({ Name, Status, Type }) => `${Type} ${Name ?? ""} ${Status}`)

/** How an execution failed that ended neither with a result nor with an error of its contract or of the library. */
export const executionFailed = (exit: Exit.Exit<unknown, unknown>): TestEngine.ExecutionFailed => {
  const failure = failureOf(exit)
  assert.instanceOf(failure, TestEngine.ExecutionFailed, `The execution ended as ${JSON.stringify(exit)}`)
  return failure
}

/** The typed failure of an exit. */
export const failureOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isSuccess(exit)) return undefined
  const reason = exit.cause.reasons.find((one) => one._tag === "Fail")
  return reason?._tag === "Fail" ? reason.error : undefined
}

/** Milliseconds from the start of an execution to its end, on the virtual clock. */
export const elapsed = (history: ReadonlyArray<HistoryEvent>): number =>
  (history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0)

/** The fields of an error, without its prototype. */
export const fieldsOf = (value: object): Record<string, unknown> => Object.fromEntries(Object.entries(value))

/** The payloads of invokes as they crossed the wire. */
export const sent = ({ history }: Ended): ReadonlyArray<string | undefined> =>
  history.flatMap((event) =>
    event.EventType === "ChainedInvokeStarted" ? [event.ChainedInvokeStartedDetails?.Input?.Payload] : []
  )

/** A little real time. */
export const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
