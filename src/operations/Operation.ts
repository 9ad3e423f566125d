/**
 * The kernel of all operations: the behaviour that they share.
 *
 * Owns: the beginning of an operation. The kernel refuses it in the body of a step, after the end of the execution, and in a
 * branch that was cancelled. It assigns an identity and a place in the order of claims, finds the record and checks its
 * kind, and makes the fiber wait at a door until the outcome is delivered.
 * Does not own: the work of an operation, which the operation's own file defines in a {@link Leaf}.
 *
 * Invariants:
 * 1. An operation without a record does everything that can fail without a request before its fiber waits.
 * 2. A fiber waits in the same way whether its operation is replayed or new, and continues only with the outcome.
 * 3. In a namespace that is being rebuilt no operation begins: an operation without an outcome waits forever.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { NameInUse, NestedOperation, InvalidName } from "../DurableError.ts"
import { callSiteOf, placeOf } from "../execution/CallSite.ts"
import { Claim, isFinal, type Door, type Kind } from "../execution/Claim.ts"
import * as Contradiction from "../execution/Contradiction.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import { operationId } from "../execution/Identity.ts"
import type { Namespace } from "../execution/Namespace.ts"
import { Execution, type ExecutionService, type Parts } from "../execution/Parts.ts"
import { isFinalizing, isLetGo, isLocal, stepAround } from "../execution/References.ts"
import type { Work } from "../execution/Work.ts"
import type { WorkflowTime } from "../execution/WorkflowTime.ts"
import { describeFound, kindOf } from "../internal/found.ts"
import type { Conversion } from "../values/Values.ts"
import { isOperationName } from "../wire/Constraints.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"

/** An effect whose types were checked at the public function. */
export type Body = Effect.Effect<unknown, unknown, unknown>

/** The definition of an operation that waits for an outcome. */
export interface Leaf<in out Prepared = void> {
  readonly kind: Kind
  /** Does everything that can fail without a request. Runs only when the operation has no record. */
  readonly prepare?: ((claim: Claim, parts: Parts) => Effect.Effect<Prepared, unknown, unknown>) | undefined
  /** Begins or continues the operation once all earlier outcomes are delivered. `prepared` is set if there was no record. */
  readonly perform: (claim: Claim, parts: Parts, prepared: Prepared | undefined) => void
  /** Returns whether a record without an outcome requires work in this invocation. Default: no. */
  readonly isUnfinished?: ((record: Operation) => boolean) | undefined
  /** Returns when the awaited event happened, if it has happened. Default: when the operation ended. */
  readonly keyOf?: ((record: Operation) => number | undefined) | undefined
  /** Whether the awaited event is the start of the operation instead of its end. */
  readonly isForStart?: boolean | undefined
  /** Reads the outcome from a record that has one. */
  readonly outcome: (claim: Claim, record: Operation) => Conversion<unknown> | Effect.Effect<unknown, unknown>
  /** Ends the work in progress when the fiber stops waiting. */
  readonly cancel?: ((claim: Claim, parts: Parts) => Effect.Effect<void>) | undefined
}

/** Claims an operation by its name and waits for its outcome. */
export const operation = <Prepared>(name: string, leaf: Leaf<Prepared>): Body =>
  inWorkflow(name, (execution, fiber) => begin(execution.parts, claimByName(execution, fiber, leaf.kind, name), leaf))

/** Runs `body` as part of the workflow. Refuses if the fiber runs a step, was cancelled, or the invocation is ending. */
export const inWorkflow = (name: string, body: (execution: ExecutionService, fiber: AnyFiber) => Body): Body =>
  Effect.withFiber((fiber) => {
    if (isLocal(fiber)) return unplaced(name)
    const execution = Context.getUnsafe(cast<unknown, Context.Context<Execution>>(fiber.context), Execution)
    return refusal(execution, fiber, name) ?? body(execution, fiber)
  })

const refusal = (
  { namespace, parts }: ExecutionService,
  fiber: AnyFiber,
  name: string
): Effect.Effect<never> | undefined => {
  const step = stepAround(fiber)
  return step === undefined ? over(parts, namespace, fiber, name) : nested(step, name)
}

/** Returns the effect that replaces an operation if the invocation or its block is over. */
const over = (
  { lifetime }: Parts,
  namespace: Namespace,
  fiber: AnyFiber,
  name: string,
  path?: string
): Effect.Effect<never> | undefined => {
  if (!lifetime.isOpen) return lifetime.inert
  if (namespace.standing === "closed") return Contradiction.contextEnded(namespace, path ?? namespace.pathOf(name, 0))
  return isLetGo(namespace, fiber) ? Effect.interrupt : undefined
}

/** Does the same for a claimed operation, after a conversion: its block may have ended meanwhile. */
export const overtaken = (parts: Parts, { fiber, name, namespace, path }: Claim): Effect.Effect<never> | undefined =>
  over(parts, namespace, fiber, name, path)

/** Fails as a durable operation in the body of a step. */
export const nested = (step: string, name: string): Effect.Effect<never> =>
  Effect.die(
    new NestedOperation({
      operation: step,
      message:
        `The body of the step "${step}" uses the durable operation "${name}", which cannot be recorded inside a step. ` +
        `Move "${name}" out of the step, or make "${step}" a Durable.child.`
    })
  )

/** Fails as a durable operation inside of `Durable.local`, a codec or a retry policy. */
const unplaced = (name: string): Effect.Effect<never> =>
  Effect.die(
    new NestedOperation({
      operation: name,
      message:
        `The durable operation "${name}" is used inside of Durable.local, a codec or a retry policy, which is not part of the workflow, so it cannot be recorded. ` +
        `Move "${name}" out of it, and keep only work of this process inside.`
    })
  )

// --- Identity ----------------------------------------------------------------------------------------------------------

/**
 * Claims the next operation of a name in the current namespace.
 *
 * @internal
 */
export const claimByName = (
  { namespace, parts }: ExecutionService,
  fiber: AnyFiber,
  kind: Kind,
  name: string
): Claim => {
  const site = callSiteOf(fiber)
  const occurrence = useName(namespace, parts, fiber, name, site)
  return new Claim({
    id: operationId(namespace.id, name, occurrence),
    name,
    kind,
    namespace,
    fiber,
    path: namespace.pathOf(name, occurrence),
    site,
    host: parts.claims
  })
}

/**
 * Claims an operation that is not identified by its name. Its name is a label, which is converted to a valid name.
 *
 * @internal
 */
export const claimAs = (
  { namespace, parts }: ExecutionService,
  fiber: AnyFiber,
  kind: Kind,
  identity: { readonly id: string; readonly path: string; readonly label: string; readonly movesTime?: boolean }
): Claim =>
  new Claim({
    id: identity.id,
    name: labelOf(identity.label),
    kind,
    namespace,
    fiber,
    path: identity.path,
    movesTime: identity.movesTime ?? true,
    host: parts.claims
  })

/**
 * Creates a namespace without a record inside the current one. Its operations belong to the recorded context around it.
 *
 * @internal
 */
export const flatNamespace = (
  { namespace, parts }: ExecutionService,
  fiber: AnyFiber,
  name: string,
  hasDice?: boolean
): Namespace => {
  const occurrence = useName(namespace, parts, fiber, name, callSiteOf(fiber))
  const id = operationId(namespace.id, name, occurrence)
  const record = parts.history.get(id)
  const path = namespace.pathOf(name, occurrence)
  if (record !== undefined) Contradiction.tell(parts, Contradiction.flatNow(path, record))
  return namespace.inside({ id, path, isFlat: true, hasDice })
}

/** Creates the namespace of one branch of an operation, identified by its index. */
export const branchNamespace = (
  parent: Namespace,
  index: number,
  options: { readonly path: string; readonly time?: WorkflowTime; readonly isRebuilding?: boolean }
): Namespace => parent.inside({ id: operationId(parent.id, "", index), isFlat: true, ...options })

/** Returns the path of a branch of an operation, for people. */
export const branchPath = (namespace: Namespace, index: number): string => `${namespace.path}[${index}]`

/** Converts a text to a name that the service accepts. */
const labelOf = (text: string): string => {
  const printable = text.replaceAll(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  return printable === "" ? "-" : printable.slice(0, Limits.maxNameLength)
}

/** Counts one more use of a name in a namespace, and returns its occurrence. */
export const useName = (
  namespace: Namespace,
  parts: Parts,
  fiber: AnyFiber,
  name: string,
  site: Error | undefined
): number => {
  if (typeof name !== "string" || !isOperationName(name)) throw invalidName(namespace, name)
  const used = namespace.use(name, parts.fibers.userOf(fiber), site)
  if (typeof used === "number") return used
  throw inUse(namespace, name, placeOf(used.first), placeOf(site))
}

const invalidName = (namespace: Namespace, name: unknown): InvalidName => {
  const [shown, found] =
    typeof name === "string" ? [name, `a text of length ${name.length}: ${describeFound(name)}`] : ["", kindOf(name)]
  return new InvalidName({
    operation: namespace.pathOf(shown.slice(0, 40), 0),
    message: `Expected the name of an operation to be 1 to 256 characters of printable ASCII, found ${found}. Use such a name; put other text into the payload.`
  })
}

const inUse = (
  namespace: Namespace,
  name: string,
  first: string | undefined,
  second: string | undefined
): NameInUse => {
  const places =
    first === undefined
      ? ""
      : first === second
        ? ` Both are at ${first}.`
        : ` First used at ${first}, now at ${second ?? "an unknown place"}.`
  return new NameInUse({
    operation: namespace.pathOf(name, 0),
    message:
      `The operation name "${name}" is used by two fibers in ${namespace.path === "" ? "the workflow" : `"${namespace.path}"`}, ` +
      `and one of them uses it after work that no operation records, such as a promise, so their order would depend on timing.${places} ` +
      "Put the work into a Durable.step, put a key into the name, or give each branch a namespace with Durable.forEach, Durable.all or Durable.child."
  })
}

// --- Begin and wait ------------------------------------------------------------------------------------------------------

/**
 * Finds the record of a claim and reports a contradiction. Returns the effect that replaces the operation if it cannot
 * continue.
 */
export const enter = (parts: Parts, claim: Claim): Effect.Effect<never> | undefined => {
  const { history, lifetime, listener, usage } = parts
  const entry = history.claim(claim)
  if (entry.claim !== claim) {
    const other = entry.claim?.path
    if (entry.claim !== undefined && entry.claim.namespace.standing !== "closed" && other !== claim.path) {
      throw new Error(`The operations "${other}" and "${claim.path}" have the same id ${claim.id}. Rename one of them.`)
    }
    entry.claim = claim
  }
  claim.enter(entry)
  claim.namespace.noteClaim(claim)
  const { record } = claim
  if (record === undefined) {
    if (!claim.namespace.isRebuilding) usage.addOperation(claim.path)
  } else if (!isSameKind(claim, record)) {
    Contradiction.tell(parts, Contradiction.otherKind(claim, record))
    return lifetime.inert
  }
  listener.claimed?.(claim)
  return undefined
}

const isSameKind = ({ kind, namespace }: Claim, record: Operation): boolean =>
  record.Type === kind.type && record.SubType === kind.subType && (record.ParentId ?? "") === (namespace.wireId ?? "")

/** Begins a claimed operation; the fiber waits for the outcome. */
export const begin = <Prepared>(parts: Parts, claim: Claim, leaf: Leaf<Prepared>): Body => {
  const refused = enter(parts, claim)
  if (refused !== undefined) return refused
  if (claim.record !== undefined || leaf.prepare === undefined || claim.namespace.isRebuilding) {
    return outcomeOf(parts, claim, leaf, undefined)
  }
  return Effect.flatMapEager(
    leaf.prepare(claim, parts),
    (prepared) => overtaken(parts, claim) ?? outcomeOf(parts, claim, leaf, prepared)
  )
}

/** Returns when an operation ended, if it has ended. */
const endOf = (record: Operation): number | undefined =>
  isFinal(record) ? (record.EndTimestamp ?? record.StartTimestamp) : undefined

/** Waits for the outcome of an operation, and begins the operation if it has not begun. */
export const outcomeOf = <Prepared>(
  parts: Parts,
  claim: Claim,
  leaf: Leaf<Prepared>,
  prepared: Prepared | undefined
): Body =>
  Effect.callback<unknown, unknown>((resume) => {
    const { delivery, lifetime } = parts
    if (!lifetime.isOpen) return resume(lifetime.inert)
    const work = (): void => leaf.perform(claim, parts, prepared)
    const mayBegin = (): boolean => !claim.namespace.isRebuilding
    const { record } = claim
    let begun: Work | undefined
    const begin = (): void => {
      claim.attempt = claim.nextAttempt
      begun = delivery.perform(claim, work)
    }
    const door: Door = delivery.wait({
      claim,
      namespace: claim.namespace,
      fiber: claim.fiber,
      path: claim.path,
      isFinal: isFinalizing(claim.fiber),
      keyOf: leaf.keyOf ?? endOf,
      isForStart: leaf.isForStart,
      onChange: (changed) => {
        if (changed.Status === "READY" && claim.nextAttempt > claim.attempt && leaf.isUnfinished?.(changed) === true)
          begin()
      },
      outcome: () => leaf.outcome(claim, claim.record!),
      resume
    })
    const isUnfinished = record === undefined || (!isFinal(record) && leaf.isUnfinished?.(record) === true)
    if (isUnfinished && mayBegin()) begin()
    return Effect.suspend(() => {
      delivery.leave(door)
      if (begun !== undefined) delivery.drop(begun)
      return leaf.cancel?.(claim, parts) ?? Effect.void
    })
  })
