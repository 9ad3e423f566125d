/**
 * Functions of a test world that are not workflows: stubs with scripted replies, and plain functions written as Effects.
 *
 * Owns: how a reply becomes an outcome on the wire. Does not own: when functions are called.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as DurableFunction from "../DurableFunction.ts"
import { callPlain, failed, readPayload, squash, succeeded } from "../hosting/plain.ts"
import { erase } from "../internal/erase.ts"
import type { FromArguments } from "../Plain.ts"
import type { SerdesError } from "../Serdes.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import { isReply, noReply, succeed, type Reply } from "./Reply.ts"
import type { Served, TargetAnswer, TargetCall } from "./Served.ts"

/**
 * The information about a call in addition to its payload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** The number of the call of this stub, from 1. */
  readonly number: number
  readonly tenantId: string | undefined
}

/**
 * A stand-in for a function. `R` is the services that it requires when it is called; a `Stub` alone requires none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stub<out R = never> {
  readonly _tag: "Stub"
  readonly contract: DurableFunction.Any
  /** @internal */
  readonly respond: (payload: unknown, call: Call) => Effect.Effect<Reply, unknown, R>
}

/** @internal */
export const isStub = (value: object): value is Stub<unknown> => "_tag" in value && value._tag === "Stub"

type ReplyOf<C extends DurableFunction.Any> = Reply<DurableFunction.Success<C>, DurableFunction.Error<C>>

/**
 * Serves a contract with a stand-in: a function from payload to an Effect or a `Reply`, one reply for every call, or a list
 * with a reply for each call in turn.
 *
 * Payloads and values cross the wire as with the real function. A call beyond the end of a list fails with a message that
 * reports this.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Charge = DurableFunction.plain("charge", { payload: Schema.Int, success: Schema.String })
 *
 * export const always = TestEngine.stub(Charge, (cents) => Effect.succeed(`charged ${cents}`))
 * export const atLast = TestEngine.stub(Charge, [Reply.throttle, Reply.succeed("charged")])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const stub = <C extends DurableFunction.Any, R = never>(
  contract: C,
  respond:
    | ReplyOf<C>
    | ReadonlyArray<ReplyOf<C>>
    | ((
        payload: DurableFunction.Payload<C>,
        call: Call
      ) => Effect.Effect<DurableFunction.Success<C>, DurableFunction.Error<C>, R> | ReplyOf<C>)
): Stub<FromArguments<R> | DurableFunction.CalleeServices<C>> => ({
  _tag: "Stub",
  contract,
  respond: (payload, call) => {
    if (typeof respond === "function") {
      const answered = respond(payload, call)
      return Effect.isEffect(answered) ? Effect.map(answered, succeed) : Effect.succeed(answered)
    }
    if (!isList(respond)) return Effect.succeed(respond)
    return Effect.succeed(respond[call.number - 1] ?? beyondTheScript(contract, respond.length, call))
  }
})

const isList = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

const beyondTheScript = (contract: DurableFunction.Any, length: number, call: Call): Reply<never, never> => ({
  _tag: "Fail",
  error: {
    ErrorType: "TestFailure",
    ErrorMessage: `The stub of "${contract.name}" has ${length} ${length === 1 ? "reply" : "replies"}, and this is call ${call.number}. Give it a reply for each call.`
  }
})

/** @internal */
export const serveStub = (stub: Stub<unknown>): Served => {
  let calls = 0
  return serve(stub.contract, (payload, call) => stub.respond(payload, { number: ++calls, tenantId: call.tenantId }))
}

/** Serves a plain function that is written as an Effect. @internal */
export const servePlain = (implementation: DurableFunction.AnyImplementation): Served => ({
  _tag: "Target",
  run: ({ payload }) => callPlain(implementation, payload)
})

const serve = (
  contract: DurableFunction.Any,
  respond: (payload: unknown, call: TargetCall) => Effect.Effect<Reply, unknown, unknown>
): Served => ({
  _tag: "Target",
  run: (call) =>
    readPayload(contract, call.payload).pipe(
      Effect.flatMap((payload) => Effect.exit(Effect.suspend(() => erase(respond(payload, call))))),
      Effect.flatMap((exit) => (Exit.isSuccess(exit) ? answer(contract, exit.value) : failed(contract, exit.cause))),
      Effect.catchCause((cause) => Effect.succeed<TargetAnswer>({ _tag: "Failed", error: squash(cause) }))
    )
})

const answer = (contract: DurableFunction.Any, reply: Reply): Effect.Effect<TargetAnswer, SerdesError> => {
  if (!isReply(reply)) return noReply(`the stub of "${contract.name}"`, reply)
  switch (reply._tag) {
    case "Succeed":
      return succeeded(contract, reply.value)
    case "Fail":
      return Schema.is(Schema.toType(contract.error))(reply.error)
        ? failed(contract, Cause.fail(reply.error))
        : Effect.succeed({ _tag: "Failed", error: rawError(reply.error) })
    case "TimeOut":
      return Effect.succeed({
        _tag: "TimedOut",
        ...(reply.error === undefined ? undefined : { error: reply.error })
      })
    case "Stop":
      return Effect.succeed({
        _tag: "Stopped",
        ...(reply.error === undefined ? undefined : { error: reply.error })
      })
    case "After":
      return Effect.andThen(Effect.sleep(reply.millis), answer(contract, reply.reply))
    default:
      return Effect.succeed({ _tag: "Never" })
  }
}

/** Reads an error that the contract does not declare: by its type it is an error object. */
const rawError = Schema.decodeUnknownSync(ErrorObject)
