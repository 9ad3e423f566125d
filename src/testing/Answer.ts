/**
 * Answers to callbacks: those that are scripted when a world is created, and those that a test gives by hand.
 *
 * Owns: the text of an answer, in the form in which external systems write it: as text, or as JSON by the Schema of the
 * callback.
 * Does not own: which callbacks are open.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import type { ClientError, DurableClient } from "../DurableClient.ts"
import { erase } from "../internal/erase.ts"
import type { FromArguments, RecordServices } from "../Plain.ts"
import { json, Serdes, type Info } from "../Serdes.ts"
import { errorObject } from "../values/Failures.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import { isReply, noReply, succeed, type CallbackReply } from "./Reply.ts"
import type { Pattern } from "./pattern.ts"
import { TestFailure } from "./TestFailure.ts"
import { write } from "../hosting/values.ts"

/**
 * The Schemas that answer a callback: those that the workflow gave it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackSchemas {
  /** Writes the value as JSON. Default: a text is sent unchanged, and other plain data as JSON. */
  readonly success?: Schema.Top
  /** Writes the declared errors, which arrive with their types. Default: an error is a raw error object. */
  readonly error?: Schema.Top
}

interface NoSchemas {
  readonly success?: never
  readonly error?: never
}

/**
 * An open callback, as the function that answers it sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenCallback {
  readonly name: string
  /** The number of the callback that this answer is for, from 1. */
  readonly number: number
  readonly callbackId: string
  readonly executionArn: string
  /** Reports that the work continues, which restarts the heartbeat time-out. */
  readonly heartbeat: Effect.Effect<void>
}

/**
 * The answers to callbacks of some names. `R` is the services that they require; an `Answer` alone requires none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer<out R = never> {
  readonly _tag: "Answer"
  readonly name: string | RegExp | ((name: string) => boolean)
  /** @internal */
  readonly schemas: CallbackSchemas
  /** @internal */
  readonly respond: (callback: OpenCallback) => Effect.Effect<CallbackReply, unknown, R>
}

/** @internal */
export const isAnswer = (value: object): value is Answer<unknown> => "_tag" in value && value._tag === "Answer"

/**
 * A callback of an execution, for a test that answers it by hand.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackHandle<in A, in E> {
  readonly callbackId: string
  readonly succeed: (value: A) => Effect.Effect<void, ClientError>
  readonly fail: (error: E | ErrorObject) => Effect.Effect<void, ClientError>
  /** Reports that the work continues, which restarts the heartbeat time-out. */
  readonly heartbeat: Effect.Effect<void, ClientError>
}

/**
 * The value that completes a callback.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type CallbackValue<O> = O extends { readonly success: infer S extends Schema.Top } ? S["Type"] : unknown

/**
 * The declared errors of a callback, in addition to raw error objects.
 *
 * @category type extractors
 * @since 0.1.0
 */
export type CallbackFailure<O> = O extends { readonly error: infer S extends Schema.Top } ? S["Type"] : never

type ReplyFor<O> = CallbackReply<CallbackValue<O>, CallbackFailure<O>>

/**
 * Answers callbacks by their name: with one `Reply` for every callback, a list with a reply for each in turn, or a function
 * from the open callback to a reply or an Effect.
 *
 * `name` is the name of the operation, a pattern, or a predicate for names. A callback inside of
 * `Durable.waitForCallback` has the name of that operation, and is answered once its submitter has succeeded. The first
 * matching answer applies. An Effect runs in virtual time, like a stub: it may sleep and send heartbeats, and returns
 * the value or fails with the error. Pass the Schemas of the callback; without them a text is sent unchanged, other
 * plain data as JSON, and an error as an error object. An answer that comes too late is lost. A callback that comes
 * after the end of the list fails, and its message says so.
 *
 * @example
 * ```ts
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}
 * const approval = { success: Schema.Struct({ by: Schema.String }), error: Rejected }
 *
 * export const late = TestEngine.answer("approval", Reply.after("2 days", Reply.succeed({ by: "Ada" })), approval)
 * export const atLast = TestEngine.answer(
 *   "approval",
 *   [Reply.fail(new Rejected({ reason: "too expensive" })), Reply.succeed({ by: "Ada" })],
 *   approval
 * )
 * export const slowly = TestEngine.answer(/^import-/, ({ heartbeat }) =>
 *   Effect.as(Effect.repeat(Effect.delay(heartbeat, "10 minutes"), { times: 5 }), "imported")
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answer = <const O extends CallbackSchemas = NoSchemas, R = never>(
  name: string | RegExp | ((name: string) => boolean),
  respond:
    | ReplyFor<O>
    | ReadonlyArray<ReplyFor<O>>
    | ((callback: OpenCallback) => Effect.Effect<CallbackValue<O>, CallbackFailure<O> | ErrorObject, R> | ReplyFor<O>),
  schemas?: O
): Answer<FromArguments<R> | RecordServices<readonly [O]>> => ({
  _tag: "Answer",
  name,
  schemas: schemas ?? {},
  respond: (callback) => {
    if (typeof respond === "function") {
      const answered = respond(callback)
      return Effect.isEffect(answered) ? Effect.map(asArgument(answered), succeed) : Effect.succeed(answered)
    }
    if (!isList(respond)) return Effect.succeed(respond)
    return Effect.succeed(respond[callback.number - 1] ?? beyondTheScript(respond.length, callback))
  }
})

/** Returns an effect whose requirements are typed by the arguments. */
const asArgument = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, FromArguments<R>> => cast(effect)

const isList = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

const beyondTheScript = (length: number, { name, number }: OpenCallback): CallbackReply<never, never> => ({
  _tag: "Fail",
  error: {
    ErrorType: "TestFailure",
    ErrorMessage: `The answer to the callback "${name}" has ${length} ${length === 1 ? "reply" : "replies"}, and this is callback ${number}. Give it a reply for each.`
  }
})

// --- Sending ---------------------------------------------------------------------------------------------------------

/** The part of the client that answers callbacks. */
type Client = Pick<DurableClient["Service"], "succeedCallback" | "failCallback" | "heartbeatCallback">

/** The answers of one world, with a count of their own. */
export interface Answering {
  readonly name: Pattern
  /** Runs the work of the holder of the callback, until the callback is answered. */
  readonly run: (
    callback: Pick<OpenCallback, "name" | "callbackId" | "executionArn">
  ) => Effect.Effect<void, ClientError>
}

/** Serves an answer to one world. @internal */
export const serveAnswer = ({ name, respond, schemas }: Answer<unknown>, client: Client): Answering => {
  let callbacks = 0
  return {
    name,
    run: (callback) => {
      // If the callback is closed, there is nothing more to do.
      const heartbeat = Effect.catch(client.heartbeatCallback(callback.callbackId), (error) =>
        error._tag === "CallbackClosed" ? Effect.interrupt : Effect.die(error)
      )
      const open = { ...callback, number: ++callbacks, heartbeat }
      return Effect.exit(Effect.suspend(() => erase(respond(open)))).pipe(
        Effect.flatMap((exit) => {
          if (Exit.isSuccess(exit)) return complete(client, open, schemas, exit.value)
          const failure = exit.cause.reasons.find(Cause.isFailReason)
          return failure === undefined
            ? Effect.failCause(exit.cause).pipe(Effect.orDie)
            : complete(client, open, schemas, { _tag: "Fail", error: failure.error })
        }),
        Effect.catchTag("CallbackClosed", () => Effect.void)
      )
    }
  }
}

/** Returns the handle of a callback for a test that answers it by hand. */
export const handleOf = (
  client: Client,
  callback: { readonly name: string; readonly callbackId: string },
  schemas: CallbackSchemas,
  services: Context.Context<never>
): CallbackHandle<unknown, unknown> => ({
  callbackId: callback.callbackId,
  succeed: (value) => Effect.provideContext(complete(client, callback, schemas, succeed(value)), services),
  fail: (error) => Effect.provideContext(complete(client, callback, schemas, { _tag: "Fail", error }), services),
  heartbeat: client.heartbeatCallback(callback.callbackId)
})

const complete = (
  client: Client,
  callback: { readonly name: string; readonly callbackId: string },
  schemas: CallbackSchemas,
  reply: CallbackReply
): Effect.Effect<void, ClientError> => {
  const { callbackId } = callback
  if (!isReply(reply)) return noReply(`the answer to the callback "${callback.name}"`, reply)
  switch (reply._tag) {
    case "Succeed":
      return Effect.flatMap(textOf(callback, schemas, reply.value), (text) => client.succeedCallback(callbackId, text))
    case "Fail":
      return Effect.flatMap(errorOf(callback, schemas, reply.error), (error) => client.failCallback(callbackId, error))
    case "After":
      return Effect.andThen(Effect.sleep(reply.millis), complete(client, callback, schemas, reply.reply))
    default:
      return Effect.void
  }
}

const textOf = (callback: { readonly name: string }, { success }: CallbackSchemas, value: unknown) =>
  success === undefined && typeof value === "string"
    ? Effect.succeed(value)
    : written(callback, success, value, "result")

const errorOf = (
  callback: { readonly name: string },
  schemas: CallbackSchemas,
  error: unknown
): Effect.Effect<ErrorObject> => {
  const { error: declared } = schemas
  if (declared !== undefined && Schema.is(Schema.toType(declared))(error)) {
    return Effect.map(written(callback, declared, error, "error"), (data) => errorObject(error, data))
  }
  return isErrorObject(error)
    ? Effect.succeed(error)
    : Effect.die(
        new TestFailure({
          message: `The callback "${callback.name}" cannot fail with ${errorObject(error, undefined).ErrorType}: give the answer the error Schema of the callback, or an error object.`
        })
      )
}

/** Returns whether an error is an error object, which by its type has only its own fields. */
const isErrorObject = (error: unknown): error is ErrorObject =>
  !(error instanceof Error) && Schema.is(ErrorObject)(error)

/** Writes an answer as plain JSON, as external systems do. */
const written = (
  { name }: { readonly name: string },
  schema: Schema.Top | undefined,
  value: unknown,
  kind: Info["value"]
): Effect.Effect<string | undefined> =>
  write({ success: schema }, value, { executionArn: "", operationId: name, operation: name, value: kind }).pipe(
    Effect.provideService(Serdes, json),
    Effect.catch(({ message }) =>
      Effect.die(new TestFailure({ message: `The answer to the callback "${name}" cannot be written: ${message}` }))
    )
  )
