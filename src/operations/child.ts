/**
 * Child: runs a block of operations in a namespace of its own, and records its outcome.
 *
 * Owns: the life of every operation of type CONTEXT: its block runs, or its recorded outcome is read, or the block runs
 * again over its records.
 * Does not own: the content that other operations put into a context, such as branches and attempts.
 *
 * Invariants:
 * 1. A block whose outcome is recorded does not run again, unless its result was too large to keep or something in it may
 *    have to be undone.
 * 2. A block has a scope of its own, and its namespace closes when the block ends, in whatever way.
 * 3. Its end is acknowledged and delivered in order, unless nothing else of the workflow is in progress.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Scope from "effect/Scope"
import { Claim, isFinal, type Kind } from "../execution/Claim.ts"
import type { Namespace } from "../execution/Namespace.ts"
import { Execution, type Parts } from "../execution/Parts.ts"
import { isFinalizing } from "../execution/References.ts"
import { byteLength } from "../internal/bytes.ts"
import { exitOf } from "../internal/effect.ts"
import type {
  FromArguments,
  Recording as Recorded,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import { isOwnMistake, readFailure, writeFailureSafely } from "../values/Failures.ts"
import { readValue, writeValue, type Conversion, type Recording } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { Operation } from "../wire/Operation.ts"
import {
  inBothForms,
  type Sensed,
  type FirstArguments,
  type FirstUnrecorded,
  type Given,
  type InPipe,
  type LastArguments,
  type LastOptions
} from "./forms.ts"
import { letGoWithin } from "./letGo.ts"
import { claimByName, enter, flatNamespace, inWorkflow, outcomeOf, overtaken, type Body } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Runs a block of operations in its own namespace and its own scope. Names that are used outside may be used again
 * inside.
 *
 * The outcome is recorded, so a replay does not run the block again. A result of more than 262,144 bytes of JSON is not
 * kept; a replay rebuilds it from the operations inside. So a replay does not repeat the block's changes to a `Ref`, a
 * `Queue` or a `Deferred` outside of it: return a value instead. With `flat: true` the child itself has no record: it
 * costs no operation, needs no Schema, and its body runs again on every replay. In a pipe:
 * `effect.pipe(child(name, options))`.
 *
 * **Errors**: those of the block. **Defects**: those of the block, with type and message kept; `InvalidName`, `NameInUse`,
 * `NestedOperation`, `SerdesFailed`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const shipping = Durable.child("shipping", Effect.gen(function*() {
 *   const label = yield* Durable.step("label", Effect.succeed("label-1"))
 *   yield* Durable.wait("pick-up", "1 hour")
 *   return label
 * }))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const child: {
  <
    A = never,
    E = never,
    R = never,
    O extends RecordOptions<A, ChildOptions> = Required<RecordOptions<A, ChildOptions>>,
    V = never,
    W = unknown
  >(
    name: string,
    body: Effect.Effect<A, E, R> & Sensed<V, W>,
    ...options: O extends Flat
      ? FirstUnrecorded<V, W, O, Recorded<A> & ChildOptions>
      : FirstArguments<V, W, A, E, O, ChildOptions>
  ): Given<
    V,
    W,
    Effect.Effect<
      O extends Flat ? FromArguments<A> : RecordedValue<A, O>,
      O extends Flat ? FromArguments<E> : RecordedError<E, O>,
      FromArguments<R> | Execution | RecordServices<O>
    >
  >
  <O extends LastOptions<ChildOptions> = Required<RecordOptions<never, ChildOptions>>>(
    name: string,
    ...options: LastArguments<O, ChildOptions>
  ): InPipe<O, PipedChild<O>>
} = /* @__PURE__ */ inBothForms(
  1,
  "object undefined",
  (name: string, body: Body, options?: Recording & ChildOptions) => {
    const { flat, ...recording } = options ?? {}
    return typed(flat ? flatChild(name, body) : untypedChild(name, body, recording))
  }
)

/**
 * A {@link child} that takes its effect in a pipe.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipedChild<O> {
  <A, E, R>(
    body: Effect.Effect<A, E, R> & (O extends Flat ? unknown : Recordable<A, E, O, ChildOptions>)
  ): Effect.Effect<
    O extends Flat ? FromArguments<A> : RecordedValue<A, O>,
    O extends Flat ? FromArguments<E> : RecordedError<E, O>,
    FromArguments<R> | Execution | RecordServices<O>
  >
}

/**
 * The options of a {@link child}, except those for recording its outcome.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions {
  /**
   * Whether the child is only a namespace. Without a record it costs no operation and needs no Schema, and its body runs
   * again on every replay. Default: `false`.
   */
  readonly flat?: boolean | undefined
}

type Flat = readonly [{ readonly flat: true }]

// --- Implementation ------------------------------------------------------------------------------------------------------

const kind: Kind = { type: "CONTEXT", subType: "RunInChildContext" }

export const untypedChild = (name: string, body: Body, recording: Recording): Body =>
  contextOperation(kind, name, { recording, body: (namespace, parts) => inNamespace(parts, namespace, body) })

/** Runs a child without a record: only a namespace, which never ends. Its result is passed through unchanged. */
export const flatChild = (name: string, body: Body): Body =>
  inWorkflow(name, (execution, fiber) => {
    const namespace = flatNamespace(execution, fiber, name)
    return inScope(execution.parts, namespace, body)
  })

/**
 * Runs a block once in a namespace, and closes the namespace when the block ends, in whatever way, once the durable
 * finalizers of the fibers that it leaves behind have ended. The block has a scope of its own, which closes first: a replay
 * that skips the block would leave the parent's scope without the resources of the block.
 */
export const inNamespace = (parts: Parts, namespace: Namespace, body: Body): Body =>
  inScope(parts, namespace, body, (exit) => closeAfter(parts, namespace, exit))

/** Does the same as {@link inNamespace} around an operation. The operation needs no scope. */
export const operationInNamespace = (parts: Parts, namespace: Namespace, body: Body): Body =>
  Effect.onExitPrimitive(
    extended(parts, body, (services) => Context.add(services, Execution, { parts, namespace })),
    (exit) => closeAfter(parts, namespace, exit)
  )

const extended = ({ host }: Parts, body: Body, add: <R>(services: Context.Context<R>) => Context.Context<R>): Body =>
  Effect.updateContext(body, (services: Context.Context<unknown>) => host.extended(services, add))

const closeAfter = (
  parts: Parts,
  namespace: Namespace,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<void> | undefined => {
  const { delivery, lifetime } = parts
  if (lifetime.isOpen && namespace.standing === "abandoned") return closeAbandoned(parts, namespace)
  if (lifetime.isOpen && namespace.standing === "open" && namespace.hasFinalizers) return letGoWithin(parts, namespace)
  delivery.close(namespace, wasInterrupted(exit))
  return undefined
}

/** A cancelled block is closed by what has cancelled it. A block of a durable finalizer continues, and closes as any other. */
const closeAbandoned = (parts: Parts, namespace: Namespace): Effect.Effect<void> =>
  Effect.withFiber((self) => (isFinalizing(self) ? letGoWithin(parts, namespace) : Effect.void))

const wasInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)

/**
 * Runs a block once, in a namespace and a scope of its own. If work outside ends the block, the end first waits for its
 * place among all outcomes, before anything is interrupted.
 */
export const inScope = (
  parts: Parts,
  namespace: Namespace,
  body: Body,
  close?: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> | undefined
): Body => {
  const scope = Scope.makeUnsafe()
  const block = extended(parts, body, (services) =>
    Context.add(
      Context.add(parts.surroundings.within(namespace, services), Execution, { parts, namespace }),
      Scope.Scope,
      scope
    )
  )
  return Effect.onExitPrimitive(block, (exit) => {
    // Finalizers of the scope still belong to the block.
    const closed = (): Effect.Effect<void> | undefined =>
      scope.state._tag === "Empty"
        ? close?.(exit)
        : Effect.onExitPrimitive(Effect.provideService(Scope.close(scope, exit), Execution, { parts, namespace }), () =>
            close?.(exit)
          )
    return parts.lifetime.isOpen && namespace.standing === "open" && parts.fibers.isBack
      ? Effect.onExitPrimitive(whenMayEnd(parts, namespace, Effect.void, true, -1), closed)
      : closed()
  })
}

/** Continues with an exit once a block may end. `Delivery.performEnd` says what the index of the end means. */
export const whenMayEnd = <A, E>(
  parts: Parts,
  namespace: Namespace,
  exit: Effect.Effect<A, E>,
  isExempt: boolean,
  index?: number
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => {
    const { claims: host, delivery } = parts
    const claim = new Claim({ id: namespace.id, name: "", kind, namespace, fiber, path: namespace.path, host })
    return Effect.callback<A, E>((resume) => {
      const work = delivery.performEnd({ claim, run: () => resume(exit), isExempt, free: resume }, index)
      return Effect.sync(() => delivery.drop(work))
    })
  })

// --- Contexts with a record ----------------------------------------------------------------------------------------------

/** The outcome of an operation of type CONTEXT, in its written form. */
export type Outcome = { readonly text: string | undefined } | { readonly error: ErrorObject }

export interface ContextRules {
  readonly recording: Recording
  /**
   * Returns the block. It runs again in a rebuilt namespace when its result was too large to keep, or when something in it
   * may have to be undone; `summary` is then the kept short form of the result.
   */
  readonly body: (namespace: Namespace, parts: Parts, summary: string | undefined) => Body
  /** Does everything that can fail without a request. Runs only when the operation has no record. */
  readonly prepare?: ((claim: Claim, parts: Parts) => Effect.Effect<unknown, unknown, unknown>) | undefined
  /** Returns the short form of a result that is too large to keep. */
  readonly summary?: (() => string) | undefined
  /**
   * Returns whether the time of its end cannot be observed, so that the end need not be acknowledged. Default: when nothing
   * else is in progress. It is called once, when the block has ended.
   */
  readonly isUnseen?: ((outcome: Outcome, namespace: Namespace) => boolean) | undefined
  /** Creates the namespace in which the block runs. */
  readonly namespaceOf?: ((claim: Claim, isRebuilding: boolean) => Namespace) | undefined
}

/** Claims an operation of type CONTEXT around a block, and runs it. */
export const contextOperation = (kind: Kind, name: string, rules: ContextRules): Body =>
  inWorkflow(name, (execution, fiber) => {
    const { parts } = execution
    return context(parts, claimByName(execution, fiber, kind, name), rules)
  })

/** Runs a claimed context: replays its record, or runs the block and records its outcome. */
export const context = (parts: Parts, claim: Claim, rules: ContextRules): Body =>
  Effect.flatMapEager(outcomeIn(parts, claim, rules), (outcome) =>
    claim.converted(valueOf(claim, rules.recording, outcome))
  )

/** Runs a context as {@link context} does, but leaves the outcome in its written form. */
export const outcomeIn = (
  parts: Parts,
  claim: Claim,
  rules: ContextRules
): Effect.Effect<Outcome, unknown, unknown> => {
  const refused = enter(parts, claim)
  if (refused !== undefined) return refused
  const { record } = claim
  const isDone = record !== undefined && isFinal(record)
  if (isDone && record.ContextDetails?.ReplayChildren !== true) return recordedOutcome(parts, claim, rules)
  return record === undefined && rules.prepare !== undefined && !claim.namespace.isRebuilding
    ? Effect.flatMapEager(rules.prepare(claim, parts), () => runContext(parts, claim, rules))
    : runContext(parts, claim, rules)
}

/** Waits for the recorded outcome until it is delivered in order. */
const recordedOutcome = (parts: Parts, claim: Claim, rules: ContextRules): Effect.Effect<Outcome> =>
  cast<Effect.Effect<Outcome, unknown, unknown>, Effect.Effect<Outcome>>(
    Effect.map(
      outcomeOf(
        parts,
        claim,
        { kind: claim.kind, perform: () => {}, outcome: (_, record) => Effect.succeed(record) },
        undefined
      ),
      (record) => knownOutcome(cast<unknown, Operation>(record), rules) ?? { text: undefined }
    )
  )

/** Returns the outcome in a record; nothing if the record holds only a short form, from which the result is rebuilt. */
const knownOutcome = (
  { ContextDetails: details, Status }: Operation,
  { summary }: ContextRules
): Outcome | undefined => {
  if (Status !== "SUCCEEDED") return { error: details?.Error ?? {} }
  const isWhole = details?.ReplayChildren !== true || (summary === undefined && !!details.Result)
  return isWhole ? { text: details?.Result } : undefined
}

const runContext = (parts: Parts, claim: Claim, rules: ContextRules): Effect.Effect<Outcome, never, unknown> => {
  const { record } = claim
  const isDone = record !== undefined && isFinal(record)
  const namespace =
    rules.namespaceOf?.(claim, isDone) ??
    claim.namespace.inside({ id: claim.id, path: claim.path, isRebuilding: isDone })
  parts.delivery.noteBegin(claim)
  // The START is ordinary new work: it waits until the recorded outcomes are delivered, while the block runs already.
  let hasEnded = false
  if (record === undefined && !namespace.isRebuilding) {
    const isCutOff = (): boolean => namespace.standing === "closed" && !hasEnded
    parts.delivery.performStart(claim, namespace, () => claim.later({ Action: "START" }), isCutOff)
  }
  parts.history.open(namespace)
  const summary = isDone ? record.ContextDetails?.Result : undefined
  const ended = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<Outcome> => {
    hasEnded = true
    return end(parts, claim, rules, namespace, exit)
  }
  return Effect.matchCauseEffect(rules.body(namespace, parts, summary), {
    onSuccess: (value) => ended(Exit.succeed(value)),
    onFailure: (cause) => ended(Exit.failCause(cause))
  })
}

const end = (
  parts: Parts,
  claim: Claim,
  rules: ContextRules,
  namespace: Namespace,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Outcome> => {
  const over = overtaken(parts, claim)
  if (over !== undefined) return parts.lifetime.isOpen && wasInterrupted(exit) ? Effect.interrupt : over
  const { record } = claim
  if (record !== undefined && isFinal(record)) {
    const known = knownOutcome(record, rules)
    return Effect.flatMap(recordedOutcome(parts, claim, rules), (recorded) =>
      known === undefined ? write(claim, rules.recording, exit) : Effect.succeed(recorded)
    )
  }
  const isExempt = Exit.isFailure(exit) && isOwnMistake(Cause.squash(exit.cause))
  return Effect.flatMapEager(
    write(claim, rules.recording, exit),
    (outcome) =>
      overtaken(parts, claim) ??
      (claim.namespace.isRebuilding
        ? rebuiltEnd(parts, claim, outcome)
        : endsWith(parts, claim, rules, { outcome, namespace, isExempt }))
  )
}

/**
 * Ends a block that ran over its records although its own end is not recorded. A cancelled block may have to be
 * undone; otherwise a rebuilt block never ends.
 */
const rebuiltEnd = (parts: Parts, claim: Claim, outcome: Outcome): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    if (!claim.namespace.isForUndo) return recordedOutcome(parts, claim, { recording: {}, body: () => Effect.void })
    claim.isDelivered = true
    return Effect.succeed(outcome)
  })

/** Writes the outcome of a block. An outcome that cannot be written is replaced by the reason. */
export const write = (
  claim: Claim,
  recording: Recording,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Outcome> => {
  const failed = (cause: Parameters<typeof writeFailureSafely>[2]): Effect.Effect<Outcome> =>
    Effect.mapEager(claim.converted(writeFailureSafely(claim, recording, cause)), (error) => ({ error }))
  if (Exit.isFailure(exit)) return failed(exit.cause)
  const written = claim.converted(writeValue(claim, "result", recording, exit.value))
  const done = exitOf(written)
  if (done === undefined)
    return Effect.catchCause(
      Effect.map(written, (text): Outcome => ({ text })),
      failed
    )
  return Exit.isSuccess(done) ? Effect.succeed({ text: done.value }) : failed(done.cause)
}

/** Reads the outcome for the fiber that asked for the operation. */
export const valueOf = (claim: Claim, recording: Recording, outcome: Outcome): Conversion<unknown> =>
  "error" in outcome
    ? cast<unknown, Conversion<unknown>>(
        Effect.flatMapEager(readFailure(claim, recording, outcome.error), (exit) => exit)
      )
    : readValue(claim, "result", recording, outcome.text)

/**
 * Records the end of a context. If nothing else of the workflow is in progress, the time of the end cannot be observed, and
 * the record is sent with the next request. Otherwise the end is acknowledged and delivered in order.
 */
const endsWith = (
  parts: Parts,
  claim: Claim,
  rules: ContextRules,
  {
    isExempt,
    namespace,
    outcome
  }: { readonly outcome: Outcome; readonly namespace: Namespace; readonly isExempt: boolean }
): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const { delivery } = parts
    const change = changeOf(outcome, namespace.isKept, rules, parts)
    let leave = (): void => {}
    const work = delivery.performEnd({
      claim,
      run: () => {
        const isUnseen = rules.isUnseen?.(outcome, namespace) ?? delivery.isAlone(parts.host.now())
        if (isUnseen) {
          claim.later(change)
          claim.isDelivered = true
          if (rules.isUnseen === undefined && claim.movesTime) {
            claim.time.leaveUnread({ claim, of: "end" }, parts.history.shown(claim))
          }
          return resume(Effect.succeed(outcome))
        }
        const door = delivery.wait({
          claim,
          namespace: claim.namespace,
          fiber: claim.fiber,
          path: claim.path,
          isFinal: isFinalizing(claim.fiber),
          keyOf: (record) => (isFinal(record) ? (record.EndTimestamp ?? record.StartTimestamp) : undefined),
          outcome: () => Effect.succeed(outcome),
          resume: (effect) => resume(cast<unknown, Effect.Effect<Outcome>>(effect))
        })
        leave = () => delivery.leave(door)
        claim.commit(change)
      },
      isExempt,
      ended: namespace,
      free: resume
    })
    return Effect.sync(() => {
      delivery.drop(work)
      leave()
    })
  })

const changeOf = (outcome: Outcome, isKept: boolean, { summary }: ContextRules, parts: Parts) => {
  const again = { ContextOptions: { ReplayChildren: true } }
  if ("error" in outcome) return { Action: "FAIL", Error: outcome.error, ...(isKept ? again : undefined) }
  const { text } = outcome
  const fits = text === undefined || byteLength(text) <= parts.settings.maxPayload
  if (fits && !isKept) return { Action: "SUCCEED", ...(text === undefined ? undefined : { Payload: text }) }
  // A result that is too large to keep is rebuilt: a replay runs the body again over its recorded operations.
  return { Action: "SUCCEED", Payload: summary?.() ?? (fits ? (text ?? "") : ""), ...again }
}
