/**
 * Logs of a workflow: written when the code gets there for the first time and not when it is replayed, each with the
 * place that it comes from.
 *
 * A context replays while operations of it that were recorded before this invocation have not been asked for again.
 * Concurrent fibres of one context pass that point at different times, so a fibre whose last operation is new is past it
 * whatever the others do. The bodies of steps are never replayed.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { StepContext } from "../StepContext.ts"
import { executionOf, type ExecutionService } from "./Execution.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

const SpokenByRuntime: Context.Reference<boolean> = Context.Reference<boolean>("effect-durable/SpokenByRuntime", {
  defaultValue: () => false
})

/** A warning of the runtime itself, which a replay does not silence: it says something about the replay. */
export const warn = (message: string): Effect.Effect<void> =>
  Effect.provideService(Effect.logWarning(message), SpokenByRuntime, true)

/** Has the loggers of a workflow pass over what is replayed, and know where the rest comes from. */
export const ofWorkflow = (loggers: ReadonlySet<Logger.Logger<unknown, unknown>>) =>
  new Set(
    Array.from(loggers, (logger) =>
      Logger.make<unknown, unknown>((options) => {
        const { fiber } = options
        const execution = executionOf(fiber)
        if (execution === undefined) return logger.log(options)
        if (isReplayed(execution, fiber) && !fiber.getRef(SpokenByRuntime)) return undefined
        return annotated(fiber, placeOf(execution, fiber), () => logger.log(options))
      })
    )
  )

/** Whether the code that a fibre runs was run by an earlier invocation too. */
export const isReplayed = ({ context, run, step }: ExecutionService, fiber: AnyFiber): boolean =>
  step === undefined && !run.stepBodies.has(fiber) && run.observer.isReplaying(context, fiber)

/** Loggers read annotations off the fibre, so it has them for as long as they look. */
const annotated = <A>(fiber: AnyFiber, annotations: Readonly<Record<string, unknown>>, log: () => A): A => {
  const { context } = fiber
  const present = fiber.getRef(References.CurrentLogAnnotations)
  fiber.setContext(Context.add(context, References.CurrentLogAnnotations, { ...annotations, ...present }))
  try {
    return log()
  } finally {
    fiber.setContext(context)
  }
}

/** The operation in which code runs: the step, else the innermost context that has a record. */
const placeOf = ({ context, step }: ExecutionService, fiber: AnyFiber): Readonly<Record<string, unknown>> => {
  if (step === undefined) {
    const { id, parent, path } = context.recorded
    return id === "" ? {} : { operation: path, operationId: id, ...parentOf(parent?.wireId) }
  }
  const attempt = stepOf(fiber)
  return {
    operation: step,
    ...(attempt === undefined ? undefined : { operationId: attempt.operationId }),
    ...parentOf(context.wireId),
    ...(attempt === undefined ? undefined : { attempt: attempt.attempt })
  }
}

const parentOf = (parentId: string | undefined) => (parentId === undefined ? undefined : { parentId })

const stepOf = (fiber: AnyFiber): StepContext["Service"] | undefined =>
  Context.getOrUndefined(cast<Context.Context<never>, Context.Context<StepContext>>(fiber.context), StepContext)
