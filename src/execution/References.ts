/**
 * The references of a fiber of an invocation, in addition to its execution.
 *
 * Owns: the answers to three questions: in which step a fiber runs, whether it is in a durable finalizer (and so may
 * continue where others were abandoned), and in which hold.
 * Does not own: the consequences of the answers.
 *
 * Invariants:
 * 1. Each question has one answer, which no service that a program provides to itself can change.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { AnyFiber } from "./Fibers.ts"
import type { Namespace } from "./Namespace.ts"

/** The step in whose body a fiber runs. No service that the body provides to itself removes it. */
const StepAround: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-durable/StepAround",
  { defaultValue: () => undefined }
)

/** Returns the path of the step in whose body a fiber runs, if it runs in one. */
export const stepAround = (fiber: AnyFiber): string | undefined => Context.getOrUndefined(fiber.context, StepAround)

/** Returns the services of the body of a step. */
export const insideStep = <R>(services: Context.Context<R>, path: string): Context.Context<R> =>
  Context.add(services, StepAround, path)

/** One run of a durable finalizer. */
export interface Finalizer {
  /** The finalizer around it, if there is one. */
  readonly around: Finalizer | undefined
  isOver: boolean
}

/** The durable finalizer in which a fiber runs, or which forked it. */
export const InFinalizer: Context.Reference<Finalizer | undefined> = Context.Reference<Finalizer | undefined>(
  "effect-durable/InFinalizer",
  { defaultValue: () => undefined }
)

/**
 * Checks whether a fiber belongs to a durable finalizer that has not ended. It may then record what it does although its
 * branch was cancelled.
 */
export const isFinalizing = (fiber: AnyFiber): boolean => {
  for (let one = Context.getOrUndefined(fiber.context, InFinalizer); one !== undefined; one = one.around)
    if (!one.isOver) return true
  return false
}

/** Checks whether a fiber was abandoned with a namespace, and may do nothing more in it. */
export const isLetGo = ({ standing }: Pick<Namespace, "standing">, fiber: AnyFiber): boolean =>
  standing === "abandoned" && !isFinalizing(fiber)

/** A hold: work that the program has marked to keep the invocation alive. */
export interface Hold {
  readonly path: string
  /** Whether the work is not part of the workflow, so that it contains no operations. */
  readonly isLocal: boolean
}

/** The hold to which a fiber belongs, if it belongs to one. */
export const InHold: Context.Reference<Hold | undefined> = Context.Reference<Hold | undefined>(
  "effect-durable/InHold",
  { defaultValue: () => undefined }
)

/** Checks whether a fiber runs code that is not part of the workflow. */
export const isLocal = (fiber: AnyFiber): boolean => Context.getOrUndefined(fiber.context, InHold)?.isLocal === true

/** Describes a hold, for messages. */
export const describeHold = ({ isLocal: isNoPart, path }: Hold): string =>
  isNoPart ? `Durable.local in ${path === "" ? "the workflow" : `"${path}"`}` : `the hold "${path}"`
