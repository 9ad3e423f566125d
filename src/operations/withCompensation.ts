/**
 * Compensation: undoes completed work, as durable operations, when the execution fails for good.
 *
 * Owns: what has to be undone, from the claim on; and the undoing.
 * Does not own: how the execution failed.
 *
 * Invariants:
 * 1. A part counts from its claim on: every context around it runs again on every replay.
 * 2. When the execution fails, code that was cancelled runs once more over its records, each part up to its first operation
 *    without an outcome. A part that reaches its end was done, and is undone.
 * 3. Undos run one after the other, in the reverse order of the recorded ends of the parts.
 * 4. The failure names the recorded work that cannot be undone.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Scope from "effect/Scope"
import { Interrupted } from "../DurableError.ts"
import { isFinal, type Kind } from "../execution/Claim.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import { operationId } from "../execution/Identity.ts"
import type { Claimed, Namespace } from "../execution/Namespace.ts"
import { Execution, type Part, type Parts } from "../execution/Parts.ts"
import { truncate } from "../internal/bytes.ts"
import { defectObject, isOwnMistake } from "../values/Failures.ts"
import { context, inNamespace } from "./child.ts"
import { letGoOfOthers } from "./letGo.ts"
import { effectIn, unfit } from "./argument.ts"
import { inBothForms } from "./forms.ts"
import { claimAs, flatNamespace, inWorkflow, type Body } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Runs an effect that is undone if the execution fails.
 *
 * When the execution ends with a typed error or a defect of its own, the undos run, in reverse order of the times at
 * which the effects were recorded. An undo may use durable operations of any kind, and so may take as long as it needs;
 * its value is not used. An undo has the services of the effect, and its own scope. No undo runs because of a
 * suspension, of an error that was caught, of a mistake such as `NonDeterministic`, or of a limit. A failed undo does
 * not keep the others from running; the message of the execution's failure names it. Once the undos begin, fibers that
 * the workflow has left running do nothing more.
 *
 * An effect in a branch that was cancelled, by a lost race or a time-out, is undone as well if its record shows that it was
 * done. If only some of its operations were recorded, the failure names it.
 *
 * The effect has its own namespace, and costs nothing in addition to its operations. An undo that runs costs one
 * operation in addition to its own operations. The children and batches around it run again on every replay, over their
 * recorded operations. In a pipe: `effect.pipe(withCompensation(name, undo))`.
 *
 * **Errors**: those of the effect. **Defects**: `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const hotel = Durable.withCompensation(
 *   "hotel",
 *   Durable.step("book", Effect.succeed("room 12")),
 *   (room) => Durable.step("cancel", Effect.log(`cancelled ${room}`))
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const withCompensation: {
  // The shorter form comes first: for a wrong call, the compiler reports the first form that accepts the number of
  // arguments.
  <A, X, E2, R2>(
    name: string,
    undo: (value: NoInfer<A>, cause: Cause.Cause<unknown>) => Effect.Effect<X, E2, R2>
  ): <E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | R2 | Execution>
  <A, E, R, X, E2, R2>(
    name: string,
    effect: Effect.Effect<A, E, R>,
    undo: (value: A, cause: Cause.Cause<unknown>) => Effect.Effect<X, E2, R2>
  ): Effect.Effect<A, E, R | R2 | Execution>
} = /* @__PURE__ */ inBothForms(1, "function", (name: string, effect: Body, undo: Undo) =>
  typed(
    typeof undo === "function"
      ? untypedCompensation(name, effect, undo)
      : unfit(name, "undo", "a function", undo, "It takes the value, and returns an Effect.")
  )
)

// --- Implementation ------------------------------------------------------------------------------------------------------

type Undo = (value: unknown, cause: Cause.Cause<unknown>) => Body

const untypedCompensation = (name: string, body: Body, undo: Undo): Body =>
  inWorkflow(name, (execution, fiber) => {
    const { parts } = execution
    // The effect may run once more without the code around it, so its random numbers and identifiers are its own.
    const namespace = flatNamespace(execution, fiber, name, true)
    execution.namespace.keep()
    namespace.listClaims()
    const services = fiber.context
    const known = parts.undoable.get(namespace.id)
    const part: Part = known ?? {
      name,
      began: namespace.time.copy(),
      namespace,
      state: "begun",
      rebuild: (rebuilt) => Effect.provideContext(attempt(parts, part, rebuilt, body, undo, services), services)
    }
    if (known === undefined) parts.undoable.set(namespace.id, part)
    return attempt(parts, part, namespace, body, undo, services)
  })

/** Runs a part, and notes its exit. No interruption can come between the end of the part and the note. */
const attempt = (
  parts: Parts,
  part: Part,
  namespace: Namespace,
  body: Body,
  undo: Undo,
  services: Context.Context<never>
): Body =>
  Effect.onExit(Effect.provideService(body, Execution, { parts, namespace }), (exit) =>
    Effect.sync(() => {
      if (!parts.lifetime.isOpen || typeof part.state === "object") return
      // Code that handles the end of its rebuilding did not reach its original end.
      if (namespace.isForUndo && namespace.standing === "closed") return
      if (Exit.isSuccess(exit)) {
        const { value } = exit
        part.namespace = namespace
        part.state = {
          // Work that continues outside of the workflow and ends later does not count for the time of completion.
          // Operations inside a recorded context do not count either: a replay does not ask for them again.
          claims: namespace.claims.filter((claim) => claim.isDelivered && isDirectlyIn(namespace, claim)),
          undo: (cause) => withServices(services, () => effectIn(undo(value, cause), part.name))
        }
      } else if (!Cause.hasInterrupts(exit.cause) && namespace.standing === "open") {
        // The part failed by itself, and not because the context around it has ended.
        part.state = "failed"
      }
    })
  )

/**
 * Provides an undo with the services of what it undoes, but with its own execution and scope: the original ones may
 * have ended by then.
 */
const withServices = (services: Context.Context<never>, undo: () => Body): Body =>
  Effect.withFiber((fiber) => {
    const own = cast<Context.Context<never>, Context.Context<Execution | Scope.Scope>>(fiber.context)
    return Effect.provideContext(
      Effect.suspend(undo),
      services.pipe(
        Context.add(Execution, Context.get(own, Execution)),
        Context.add(Scope.Scope, Context.get(own, Scope.Scope))
      )
    )
  })

// --- When the execution has failed ---------------------------------------------------------------------------------------

/** Undoes all completed work in reverse order, if the execution fails. The failure remains its outcome. */
export const compensated = (
  parts: Parts,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Exit.Exit<unknown, unknown>, never, unknown> =>
  parts.undoable.size === 0 || Exit.isSuccess(exit) || !isToBeUndone(exit.cause) || !parts.lifetime.isOpen
    ? Effect.succeed(exit)
    : Effect.as(undoAll(parts, exit.cause), exit)

/**
 * Returns whether a failure requires undos. Mistakes mean that the program is wrong, not that its work has to be undone; an
 * interruption of the workflow itself is not a mistake here.
 */
const isToBeUndone = (cause: Cause.Cause<unknown>): boolean => {
  if (cause.reasons.some(Cause.isFailReason)) return true
  const defect = Cause.squash(cause)
  return defect instanceof Interrupted || !isOwnMistake(defect)
}

const undoAll = Effect.fnUntraced(function* (
  parts: Parts,
  cause: Cause.Cause<unknown>
): Effect.fn.Return<void, never, unknown> {
  yield* letGoOfOthers(parts)
  yield* quiet(parts)
  parts.delivery.close(parts.root)
  yield* rebuilt(parts)
  const after = parts.root.afterwards()
  parts.history.open(after)
  for (const part of inOrder(parts)) {
    if (typeof part.state !== "object") {
      if (part.state === "begun" && hasDone(parts, part)) parts.notUndone.push(describeCut(part))
      continue
    }
    // In a fiber of its own, so that an undo which is interrupted does not keep the others from running.
    const undone = yield* Fiber.await(yield* Effect.forkChild(undo(parts, after, part, part.state.undo(cause))))
    if (!parts.lifetime.isOpen) return yield* parts.lifetime.inert
    if (Exit.isFailure(undone)) parts.notUndone.push(describe(part, undone.cause))
  }
})

/** Waits until everything that was sent is acknowledged, and nothing more can be delivered. */
const quiet = (parts: Parts): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    parts.delivery.whenIdle(() => resume(Effect.void))
  })

/** Runs cancelled code once more, as far as it is recorded. */
const rebuilt = Effect.fnUntraced(function* (parts: Parts): Effect.fn.Return<void, never, unknown> {
  const services = yield* Effect.context()
  const fork = Effect.runForkWith(services)
  const begun = Array.from(parts.undoable.values()).filter(({ state }) => state === "begun")
  if (begun.length === 0) return
  const fibers: Array<AnyFiber> = []
  const namespaces = begun.map((part) => {
    const namespace = part.namespace.rebuilt(part.began.copy())
    fibers.push(fork(cast<Body, Effect.Effect<unknown, unknown>>(part.rebuild(namespace))))
    return namespace
  })
  yield* quiet(parts)
  for (const namespace of namespaces) parts.delivery.close(namespace)
  for (const fiber of fibers) fiber.interruptUnsafe(fiber.id)
})

// --- The order -----------------------------------------------------------------------------------------------------------

/**
 * Returns the parts in reverse order. A part whose undo ended or began before this invocation keeps its place before the
 * others.
 */
const inOrder = (parts: Parts): ReadonlyArray<Part> => {
  let last = 0
  const keyed = Array.from(parts.undoable.values(), (part) => {
    const record = parts.history.get(undoId(part))
    // A part without operations was done after everything before it.
    last = doneAt(part) ?? last
    return { part, doneAt: last, progress: record === undefined ? 0 : isFinal(record) ? 2 : 1 }
  })
  return keyed
    .toReversed()
    .sort((a, b) => b.progress - a.progress || (a.doneAt === b.doneAt ? 0 : b.doneAt - a.doneAt))
    .map(({ part }) => part)
}

/**
 * Returns when the last operation of a part ended. A context that ended and is not acknowledged counts as later than all
 * others.
 */
const doneAt = ({ state }: Part): number | undefined => {
  let last: number | undefined
  for (const { record } of typeof state === "object" ? state.claims : []) {
    if (record === undefined || (record.Type === "CONTEXT" && !isFinal(record))) return Infinity
    if (record.EndTimestamp !== undefined) last = Math.max(last ?? 0, record.EndTimestamp)
  }
  return last
}

/** Returns whether an operation of a part is recorded directly below what is around the part, and not in a context of it. */
const isDirectlyIn = ({ recorded }: Namespace, { namespace }: Claimed): boolean => namespace.recorded === recorded

/**
 * Returns whether an operation of a part that was cut off is recorded as done. A nested part is checked separately, and
 * a context that has ended counts as a whole: a replay does not ask for the operations inside it.
 */
const hasDone = ({ history, undoable }: Parts, { namespace }: Part): boolean => {
  const isOver = (one: Namespace): boolean => {
    const record = one.recorded === one ? history.get(one.id) : undefined
    return undoable.has(one.id) || (record !== undefined && isFinal(record))
  }
  const isInside = (claim: Claimed): boolean => {
    let around: Namespace | undefined = claim.namespace
    while (around !== undefined && around !== namespace) {
      if (isOver(around)) return false
      around = around.parent
    }
    return true
  }
  return namespace.claims.some(
    (claim) => claim.record?.Status === "SUCCEEDED" && claim.record.Type !== "WAIT" && isInside(claim)
  )
}

// --- Undoing -------------------------------------------------------------------------------------------------------------

const undoId = ({ namespace }: Part): string => operationId("", `compensate:${namespace.id}`, 0)

const kind: Kind = { type: "CONTEXT", subType: "RunInChildContext" }

/** Runs an undo. No code reads its errors as typed errors, so they need no Schema. */
const undo = (parts: Parts, namespace: Namespace, part: Part, body: Body): Body =>
  Effect.withFiber((fiber) => {
    const claim = claimAs({ namespace, parts }, fiber, kind, {
      id: undoId(part),
      path: `compensate:${part.namespace.path}`,
      label: `compensate:${part.name}`
    })
    return context(parts, claim, {
      recording: {},
      body: (inner) => inNamespace(parts, inner, Effect.orDie(Effect.asVoid(body)))
    })
  })

const describe = ({ namespace }: Part, cause: Cause.Cause<unknown>): string => {
  const { ErrorMessage = "", ErrorType = "Error" } = defectObject(Cause.squash(cause))
  return `"${namespace.path}" (${ErrorType}: ${truncate(ErrorMessage, 500)})`
}

const describeCut = ({ namespace }: Part): string =>
  `"${namespace.path}" (cut off after some of its operations were recorded)`
