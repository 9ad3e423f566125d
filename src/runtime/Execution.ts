/**
 * How a durable operation begins: it claims its identity in the current context and finds its record, if there is one.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import { InvalidName, NestedOperation, NonDeterministic } from "../DurableError.ts"
import { isOperationName } from "../wire/Constraints.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as Limits from "../wire/Limits.ts"
import type { SubType } from "../wire/SubType.ts"
import { callSiteOf } from "./CallSite.ts"
import { contextEnded, DurableContext } from "./DurableContext.ts"
import { operationId } from "./Identity.ts"
import { isFinal } from "./Journal.ts"
import type { Run } from "./Run.ts"
import type { Strand } from "./Strand.ts"
import { CurrentUnit, type Parked, type Unit } from "./Supervisor.ts"

/** What the runtime keeps in {@link Execution}: an interface, because declarations hide the internal members of those only. */
export interface ExecutionService {
  /** @internal */
  readonly run: Run
  /** @internal */
  readonly context: DurableContext
  /** The path of the step in whose body the current fibre runs, if it does. @internal */
  readonly step: string | undefined
}

/**
 * The execution that a durable operation belongs to. The runtime provides it; a workflow only requires it.
 *
 * @category services
 * @since 0.1.0
 */
export class Execution extends Context.Service<Execution, ExecutionService>()("effect-durable/Execution") {}

/** The execution of a fibre, if it belongs to one. */
export const executionOf = (fiber: Fiber.Fiber<unknown, unknown>): Execution["Service"] | undefined =>
  Context.getOrUndefined(cast<Context.Context<never>, Context.Context<Execution>>(fiber.context), Execution)

/** What the current fibre sees of time and chance, unless it is none of a workflow's or belongs to a step. */
export const currentStrand = (): Strand | undefined => {
  const fiber = Fiber.getCurrent()
  if (fiber === undefined || fiber.getRef(CurrentUnit)?.kind === "step") return undefined
  const execution = executionOf(fiber)
  // A hold in the body of a step is a unit of its own, and still belongs to the step.
  return execution?.step === undefined ? execution?.context.strands.of(fiber) : undefined
}

/** The wire types of the operations that a workflow asks for. */
export type ClaimedType = "CONTEXT" | "STEP" | "WAIT" | "CALLBACK" | "CHAINED_INVOKE"

/** An operation that the code asked for, with what is recorded of it. */
export interface Claim {
  readonly run: Run
  /** The context in which it stands. */
  readonly context: DurableContext
  readonly id: string
  readonly path: string
  readonly type: ClaimedType
  readonly subType: SubType
  readonly name: string
  readonly record: Operation | undefined
}

/** What an operation is on the wire, and by what name. */
interface Spec {
  readonly type: ClaimedType
  readonly subType: SubType
  readonly name: string
}

/** Claims the next operation of a name in the current context. */
export const claim = (spec: Spec): Effect.Effect<Claim, never, Execution> =>
  inWorkflow(spec.name, ({ context, run }, fiber) => {
    const { id, path } = identify(run, context, fiber, spec.name)
    return lookUp({ ...spec, run, context, id, path, record: run.journal.get(id) })
  })

/** Claims an operation whose identity is no name. Its name is a label: it is made to fit. */
export const claimAs = (
  run: Run,
  context: DurableContext,
  { id, path }: Pick<Claim, "id" | "path">,
  spec: Spec
): Effect.Effect<Claim> =>
  Effect.suspend(() => {
    if (run.phase !== "running") return run.inert
    run.journal.claim(id, path)
    return lookUp({ ...spec, name: labelOf(spec.name), run, context, id, path, record: run.journal.get(id) })
  })

/** Where the branch of an operation stands, for people. */
export const branchPath = (context: DurableContext, index: number): string => `${context.path}[${index}]`

/** A text as the service accepts a name. */
const labelOf = (text: string): string => {
  const printable = text.replaceAll(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  return printable === "" ? "-" : printable.slice(0, Limits.maxNameLength)
}

/** Runs what belongs to a workflow, unless the current fibre runs a step or the invocation is ending. */
export const inWorkflow = <A>(
  name: string,
  body: (execution: ExecutionService, fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A>
): Effect.Effect<A, never, Execution> =>
  Effect.withFiber((fiber) => {
    const execution = Context.getUnsafe(fiber.context, Execution)
    const step = execution.step ?? execution.run.stepBodies.get(fiber)
    if (step !== undefined) return nested(step, name)
    if (execution.run.phase !== "running") return execution.run.inert
    execution.run.supervisor.progress()
    return body(execution, fiber)
  })

const lookUp = (claimed: Claim): Effect.Effect<Claim> => {
  const { context, record, run } = claimed
  if (context.closed) return contextEnded(claimed)
  context.noteClaim(claimed.id)
  if (record === undefined) {
    if (context.recorded.finished) return run.idle(claimed)
    run.usage.addOperation(claimed.path)
    return begun(claimed)
  }
  if (
    record.Type !== claimed.type ||
    record.SubType !== claimed.subType ||
    (record.ParentId ?? "") !== (context.wireId ?? "")
  ) {
    run.contradict(mismatch(claimed, record))
    return run.inert
  }
  // A callback is only created here: what waits for its outcome does so, and takes note of it, by itself.
  if (claimed.type === "CALLBACK") return begun(claimed)
  if (isFinal(record)) {
    context.noteOutcome(record.EndTimestamp)
    observe(claimed, record)
  }
  // A context that had not ended is entered again, for what has to be undone of it; it never ends.
  else if (context.recorded.finished && claimed.type !== "CONTEXT") return run.idle(claimed)
  return begun(claimed)
}

const begun = (claimed: Claim): Effect.Effect<Claim> => {
  claimed.run.observer.claimed(claimed)
  return Effect.succeed(claimed)
}

/**
 * Notes for the clock of the workflow that the current fibre, in the context where it is now, gets the outcome of an
 * operation. When a context ended does not count: what its code waited for does, inside of it.
 */
export const observe = (operation: Pick<Parked, "context" | "type">, record: Operation): void => {
  if (isFinal(record)) hasEnded(operation, record.EndTimestamp)
}

const hasEnded = (operation: Pick<Parked, "context" | "type">, time: number | undefined): void => {
  if (operation.type === "CONTEXT" || time === undefined) return
  const fiber = Fiber.getCurrent()
  const context = (fiber && executionOf(fiber)?.context) ?? operation.context
  context.strands.of(fiber).advanceTo(time)
}

/**
 * A namespace inside the current context that has no record of its own: its operations stand in the context around it.
 */
export const claimFlat = (name: string): Effect.Effect<DurableContext, never, Execution> =>
  inWorkflow(name, ({ context, run }, fiber) => {
    const { id, path } = identify(run, context, fiber, name)
    const record = run.journal.get(id)
    if (record !== undefined) {
      run.contradict(mismatch({ path, type: "CONTEXT", subType: "flat" }, record))
      return run.inert
    }
    return Effect.succeed(new DurableContext({ parent: context, id, path, flat: true }))
  })

/** The namespace of one branch of an operation, known by its index. */
export const branchContext = (
  parent: DurableContext,
  index: number,
  options: { readonly path: string; readonly abandoned?: boolean }
): DurableContext => new DurableContext({ parent, id: operationId(parent.id, "", index), flat: true, ...options })

/** Claims the only operation that a context may have of a name. Whether it makes sense is for the caller to see. */
export const claimOnce = (run: Run, context: DurableContext, spec: Spec): Claim => {
  if (typeof spec.name !== "string" || !isOperationName(spec.name)) throw invalidName(context, spec.name)
  const id = operationId(context.id, spec.name, 0)
  const path = context.pathOf(spec.name, 0)
  run.journal.claim(id, path)
  return { ...spec, run, context, id, path, record: run.journal.get(id) }
}

const identify = (
  run: Run,
  context: DurableContext,
  fiber: Fiber.Fiber<unknown, unknown>,
  name: string
): { readonly id: string; readonly path: string } => {
  if (typeof name !== "string" || !isOperationName(name)) throw invalidName(context, name)
  const occurrence = context.use(name, fiber, callSiteOf(fiber))
  const id = operationId(context.id, name, occurrence)
  const path = context.pathOf(name, occurrence)
  run.journal.claim(id, path)
  return { id, path }
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

const invalidName = (context: DurableContext, name: string): InvalidName => {
  const shown = typeof name === "string" ? name.slice(0, 40) : ""
  const found =
    typeof name !== "string"
      ? `a ${typeof name}`
      : name === ""
        ? "an empty name"
        : `${name.length} character${name.length === 1 ? "" : "s"}: ${JSON.stringify(shown)}${shown.length < name.length ? "…" : ""}`
  return new InvalidName({
    operation: context.pathOf(shown, 0),
    message: `Expected the name of an operation to be 1 to 256 characters of printable ASCII, found ${found}. Use such a name; put other text into the payload.`
  })
}

const mismatch = (
  claimed: { readonly path: string; readonly type: string; readonly subType: string },
  record: Operation
): NonDeterministic =>
  new NonDeterministic({
    operation: claimed.path,
    message:
      `The history holds a ${kindOf(record.Type, record.SubType)} at "${claimed.path}", but the code asks for a ${kindOf(claimed.type, claimed.subType)}. ` +
      "Run this execution with the version of the code that recorded it, or give the changed operation a new name."
  })

const kindOf = (type: string, subType: string | undefined): string =>
  subType === undefined ? type : `${type} (${subType})`

/** Counts an effect as work in flight, from the moment it starts until it has ended in whatever way. */
export const tracked = <A, E, R>(
  claimed: Pick<Claim, "run" | "context" | "path">,
  kind: Unit["kind"],
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const unit: Unit = { kind, path: claimed.path, context: claimed.context, fiber }
    const { supervisor } = claimed.run
    return Effect.acquireUseRelease(
      Effect.sync(() => supervisor.enter(unit)),
      () => Effect.provideService(effect, CurrentUnit, unit),
      () => Effect.sync(() => supervisor.leave(unit))
    )
  })

/** Records a change of a claimed operation, and waits until it is acknowledged. */
export const record = (claimed: Claim, change: Change): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (claimed.context.closed) return contextEnded(claimed)
    const { run } = claimed
    const update = updateOf(claimed, change)
    run.usage.addUpdate(claimed.path, update)
    return Effect.map(run.acknowledge(update), () => {
      const known = run.journal.get(claimed.id)
      claimed.context.noteOutcome(known?.EndTimestamp)
      if (change.Action !== "SUCCEED" && change.Action !== "FAIL") return
      // AWS's test runner may answer without the operation. This is about when it ended, as a replay will learn.
      hasEnded(claimed, known !== undefined && isFinal(known) ? known.EndTimestamp : run.now())
    })
  })

/** Records a change of a claimed operation with the next request. */
export const recordLater = (claimed: Claim, change: Change): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (claimed.context.closed) return contextEnded(claimed)
    const update = updateOf(claimed, change)
    claimed.run.usage.addUpdate(claimed.path, update)
    claimed.run.checkpointer.post(update)
    return Effect.void
  })

type Change = Omit<OperationUpdate, "Id" | "ParentId" | "Name" | "Type" | "SubType">

/** An update of a claimed operation. */
const updateOf = (claimed: Claim, change: Change): OperationUpdate => {
  const parentId = claimed.context.wireId
  return {
    Id: claimed.id,
    ...(parentId === undefined ? undefined : { ParentId: parentId }),
    Name: claimed.name,
    Type: claimed.type,
    SubType: claimed.subType,
    ...change
  }
}
