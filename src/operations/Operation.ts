/**
 * The kernel of all operations: what they have in common, so that none of them has to repeat it.
 *
 * Owns: how an operation begins. It is refused in the body of a step, after the end, and in what was let go of; it gets
 * its identity and its place in the order of claims; it finds its record, which has to be of the same kind; and its fiber
 * waits at a door until the outcome is delivered.
 * Does not own: what an operation does, which its own file says in four answers ({@link Leaf}).
 *
 * Invariants:
 * 1. An operation without a record does everything that can fail without a request before its fiber waits.
 * 2. A fiber waits in the same way whether its operation is replayed or new, and goes on only with its outcome.
 * 3. In a namespace that is rebuilt nothing begins: an operation without an outcome waits for good.
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
import { InFinalizer, isLocal, stepAround } from "../execution/References.ts"
import type { Work } from "../execution/Work.ts"
import type { WorkflowTime } from "../execution/WorkflowTime.ts"
import type { Conversion } from "../values/Values.ts"
import { isOperationName } from "../wire/Constraints.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"

/** An effect whose types were checked where it was given. */
export type Body = Effect.Effect<unknown, unknown, unknown>

/** What an operation is that waits for an outcome. */
export interface Leaf<in out Prepared = void> {
  readonly kind: Kind
  /** Does what can fail without a request. It is asked only when nothing is recorded. */
  readonly prepare?: ((claim: Claim, parts: Parts) => Effect.Effect<Prepared, unknown, unknown>) | undefined
  /** Begins, or goes on, once the past is delivered; with what was prepared if nothing was recorded. */
  readonly perform: (claim: Claim, parts: Parts, prepared: Prepared | undefined) => void
  /** Whether a record without an outcome asks for something to be done here. Default: no. */
  readonly isUnfinished?: ((record: Operation) => boolean) | undefined
  /** When what the fiber waits for came, if it has come. Default: when the operation ended. */
  readonly keyOf?: ((record: Operation) => number | undefined) | undefined
  /** Whether that is the beginning of the operation and not its end. */
  readonly isForStart?: boolean | undefined
  /** What the record says, once it has an outcome. */
  readonly outcome: (claim: Claim, record: Operation) => Conversion<unknown> | Effect.Effect<unknown, unknown>
  /** Ends what is running when the fiber does not wait any more. */
  readonly cancel?: ((claim: Claim, parts: Parts) => Effect.Effect<void>) | undefined
}

/** An operation that waits for an outcome. */
export const operation = <Prepared>(name: string, leaf: Leaf<Prepared>): Body =>
  inWorkflow(name, (execution, fiber) => begin(execution.parts, claimByName(execution, fiber, leaf.kind, name), leaf))

/** Runs what belongs to a workflow, unless the fiber runs a step, was let go of, or the invocation is ending. */
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
  if (step !== undefined) return nested(step, name)
  if (!parts.lifetime.isOpen) return parts.lifetime.inert
  if (namespace.standing === "closed") return Contradiction.contextEnded(namespace, namespace.pathOf(name, 0))
  if (namespace.standing === "abandoned" && !fiber.getRef(InFinalizer)) return Effect.interrupt
  return undefined
}

/** What a durable operation does in the body of a step. */
export const nested = (step: string, name: string): Effect.Effect<never> =>
  Effect.die(
    new NestedOperation({
      operation: step,
      message:
        `The body of the step "${step}" uses the durable operation "${name}", which cannot be recorded inside a step. ` +
        `Move "${name}" out of the step, or make "${step}" a Durable.child.`
    })
  )

/** What a durable operation does in what is local. */
const unplaced = (name: string): Effect.Effect<never> =>
  Effect.die(
    new NestedOperation({
      operation: name,
      message:
        `The durable operation "${name}" is used inside of Durable.local, which is no part of the workflow, so it cannot be recorded. ` +
        `Move "${name}" out of Durable.local, and keep in there only what belongs to this process.`
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
  const occurrence = useName(namespace, parts, fiber, name)
  return new Claim({
    id: operationId(namespace.id, name, occurrence),
    name,
    kind,
    namespace,
    fiber,
    occurrence,
    site: callSiteOf(fiber),
    host: parts.claims
  })
}

/**
 * Claims an operation whose identity is no name. Its name is a label: it is made to fit.
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
    occurrence: 0,
    path: identity.path,
    movesTime: identity.movesTime ?? true,
    host: parts.claims
  })

/**
 * A namespace inside the current one that has no record: its operations stand in the recorded one around it.
 *
 * @internal
 */
export const flatNamespace = (
  { namespace, parts }: ExecutionService,
  fiber: AnyFiber,
  name: string,
  hasDice?: boolean
): Namespace => {
  const occurrence = useName(namespace, parts, fiber, name)
  const id = operationId(namespace.id, name, occurrence)
  const record = parts.history.get(id)
  const path = namespace.pathOf(name, occurrence)
  if (record !== undefined) Contradiction.tell(parts, Contradiction.flatNow(path, record))
  return namespace.inside({ id, path, isFlat: true, hasDice })
}

/** The namespace of one branch of an operation, known by its index. */
export const branchNamespace = (
  parent: Namespace,
  index: number,
  options: { readonly path: string; readonly time?: WorkflowTime; readonly isRebuilding?: boolean }
): Namespace => parent.inside({ id: operationId(parent.id, "", index), isFlat: true, ...options })

/** Where the branch of an operation stands, for people. */
export const branchPath = (namespace: Namespace, index: number): string => `${namespace.path}[${index}]`

/** A text as the service accepts a name. */
const labelOf = (text: string): string => {
  const printable = text.replaceAll(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  return printable === "" ? "-" : printable.slice(0, Limits.maxNameLength)
}

/** Counts one more use of a name in a namespace. */
export const useName = (namespace: Namespace, parts: Parts, fiber: AnyFiber, name: string): number => {
  if (typeof name !== "string" || !isOperationName(name)) throw invalidName(namespace, name)
  const site = callSiteOf(fiber)
  const used = namespace.use(name, { ...parts.fibers.userOf(fiber), site })
  if (typeof used === "number") return used
  throw inUse(namespace, name, placeOf(used.first), placeOf(site))
}

const invalidName = (namespace: Namespace, name: unknown): InvalidName => {
  const shown = typeof name === "string" ? name.slice(0, 40) : ""
  const found =
    typeof name !== "string"
      ? `a ${typeof name}`
      : name === ""
        ? "an empty name"
        : `${name.length} character${name.length === 1 ? "" : "s"}: ${JSON.stringify(shown)}${shown.length < name.length ? "…" : ""}`
  return new InvalidName({
    operation: namespace.pathOf(shown, 0),
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
      `and one of them gets there after work that no operation records, such as a promise, so which of them comes first would depend on timing.${places} ` +
      "Put the work into a Durable.step, put a key into the name, or give each branch a namespace with Durable.forEach, Durable.all or Durable.child."
  })
}

// --- Beginning and waiting -----------------------------------------------------------------------------------------------

/**
 * Finds the record of a claim, and reports a contradiction. Returns what the operation does instead of going on, if
 * it does not.
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
    if (claim.namespace.standing !== "rebuilding") usage.addOperation(claim.path)
  } else if (!isSameKind(claim, record)) {
    Contradiction.tell(parts, Contradiction.otherKind(claim, record))
    return lifetime.inert
  }
  listener.claimed?.(claim)
  return undefined
}

const isSameKind = ({ kind, namespace }: Claim, record: Operation): boolean =>
  record.Type === kind.type && record.SubType === kind.subType && (record.ParentId ?? "") === (namespace.wireId ?? "")

/** An operation that was claimed: it begins, and its fiber waits for the outcome. */
export const begin = <Prepared>(parts: Parts, claim: Claim, leaf: Leaf<Prepared>): Body => {
  const refused = enter(parts, claim)
  if (refused !== undefined) return refused
  if (claim.record !== undefined || leaf.prepare === undefined || claim.namespace.standing === "rebuilding") {
    return outcomeOf(parts, claim, leaf, undefined)
  }
  return Effect.flatMapEager(leaf.prepare(claim, parts), (prepared) => outcomeOf(parts, claim, leaf, prepared))
}

/** When an operation ended, if it has. */
const endOf = (record: Operation): number | undefined =>
  isFinal(record) ? (record.EndTimestamp ?? record.StartTimestamp) : undefined

/** Waits for the outcome of an operation, which begins if it has not. */
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
    const mayBegin = (): boolean => claim.namespace.standing !== "rebuilding"
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
      isFinal: claim.fiber.getRef(InFinalizer),
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
