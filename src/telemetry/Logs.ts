/**
 * The logs of a workflow.
 *
 * Owns: which lines are written, with which time, and which operation they name as their place.
 * Does not own: the loggers, which belong to the host.
 *
 * Invariants:
 * 1. A line is written when the code reaches it for the first time: not during a replay, and not in a context that is
 *    only rebuilt. The bodies of steps are never replayed.
 * 2. A line has the time of the host. For each line Effect also reads the clock of the workflow, and that reading is
 *    disregarded.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { cast } from "effect/Function"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type { AnyFiber } from "../execution/Fibers.ts"
import { executionOf, type ExecutionService } from "../execution/Parts.ts"
import { stepAround } from "../execution/References.ts"
import { WorkflowClock } from "../execution/WorkflowServices.ts"
import { StepContext } from "../StepContext.ts"

type Loggers = ReadonlySet<Logger.Logger<unknown, unknown>>

/**
 * Returns the loggers of a workflow: one in front of all loggers of the host, so that it is called exactly once for every
 * line. If the host has none, the workflow has none, and Effect does not read the clock.
 */
export const ofWorkflow = (loggers: Loggers, clock: Clock.Clock): Loggers =>
  loggers.size === 0 ? loggers : new Set([inFrontOf(loggers, clock)])

const inFrontOf = (loggers: Loggers, clock: Clock.Clock): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    const { fiber } = options
    const execution = executionOf(fiber)
    const tell = (): void => {
      const told = { ...options, date: new Date(clock.currentTimeMillisUnsafe()) }
      for (const logger of loggers) logger.log(told)
    }
    if (execution === undefined) return tell()
    const ofFiber = fiber.getRef(Clock.Clock)
    if (ofFiber instanceof WorkflowClock) ofFiber.timeOf(fiber)?.disregard()
    if (!isReplayed(execution, fiber)) annotated(fiber, placeOf(execution, fiber), tell)
  })

/** Returns whether an earlier invocation also ran the code that a fiber runs. */
export const isReplayed = ({ namespace, parts }: ExecutionService, fiber: AnyFiber): boolean =>
  stepAround(fiber) === undefined && (namespace.isRebuilding || parts.history.isReplaying)

/** Adds annotations to a fiber while its loggers run, because loggers read the annotations of the fiber. */
const annotated = (fiber: AnyFiber, annotations: Readonly<Record<string, unknown>>, tell: () => void): void => {
  const { context } = fiber
  const present = fiber.getRef(References.CurrentLogAnnotations)
  fiber.setContext(Context.add(context, References.CurrentLogAnnotations, { ...annotations, ...present }))
  try {
    tell()
  } finally {
    fiber.setContext(context)
  }
}

/** Returns the operation in which code runs: the step, otherwise the innermost context that has a record. */
const placeOf = ({ namespace }: ExecutionService, fiber: AnyFiber): Readonly<Record<string, unknown>> => {
  const step = stepAround(fiber)
  if (step === undefined) {
    const { id, parent, path } = namespace.recorded
    return id === "" ? {} : { operation: path, operationId: id, ...parentOf(parent?.wireId) }
  }
  const attempt = attemptOf(fiber)
  return {
    operation: step,
    ...(attempt === undefined ? undefined : { operationId: attempt.operationId }),
    ...parentOf(namespace.wireId),
    ...(attempt === undefined ? undefined : { attempt: attempt.attempt })
  }
}

const parentOf = (parentId: string | undefined) => (parentId === undefined ? undefined : { parentId })

const attemptOf = (fiber: AnyFiber): StepContext["Service"] | undefined =>
  Context.getOrUndefined(cast<Context.Context<never>, Context.Context<StepContext>>(fiber.context), StepContext)
