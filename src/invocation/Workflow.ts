/**
 * The workflow of one invocation, and what surrounds it.
 *
 * Owns: what the code of the program runs in: its services, its namespace, its compensation and its end.
 * Does not own: the answer.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type * as DurableFunction from "../DurableFunction.ts"
import { CaptureCallSites } from "../execution/CallSite.ts"
import { tellDrawn } from "../execution/Outside.ts"
import { Execution, executionOf, type Parts } from "../execution/Parts.ts"
import { WorkflowClock, WorkflowRandom, type ServicesHost } from "../execution/WorkflowServices.ts"
import { failureIn } from "../internal/cause.ts"
import { interruptChildren } from "../internal/effect.ts"
import { effectIn } from "../operations/argument.ts"
import { compensated } from "../operations/withCompensation.ts"
import { inScope, whenMayEnd } from "../operations/child.ts"
import { letGoOfOthers } from "../operations/letGo.ts"
import { lastSleep, sleep, untilKnown } from "../operations/sleep.ts"
import { defectObject, isOwnMistake } from "../values/Failures.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/** Starts the workflow as the first fiber of the run queue. */
export const startWorkflow = (
  handler: DurableFunction.AnyImplementation["handler"],
  payload: unknown,
  parts: Parts,
  services: Context.Context<never>
): void => {
  const { fibers, lifetime } = parts
  const block = Effect.suspend(() => effectIn(handler(cast<unknown, never>(payload)), "workflow"))
  // While the invocation is ending, this exit holds only the exits of finalizers.
  let hasEnded = false
  const ended = (exit: Exit.Exit<unknown, unknown>): Body => {
    hasEnded = true
    return lifetime.isOpen ? Effect.andThen(interruptChildren, endOf(parts, exit)) : exit
  }
  // Because of an interruption some failures are not handled. They are visible only here.
  const unwound = Effect.onExitPrimitive(inScope(parts, parts.root, block), (exit) => {
    if (lifetime.verdict?._tag === "Suspended") tellUnwound(parts, exit)
    return undefined
  })
  const workflow = Effect.matchCauseEffect(unwound, {
    onSuccess: (value) => ended(Exit.succeed(value)),
    onFailure: (cause) => ended(Exit.failCause(cause))
  })
  fibers.enqueue(() => {
    const fork = Effect.runForkWith(servicesOf(parts, services))
    const run = (body: Body) => fork(cast<Body, Effect.Effect<unknown, unknown>>(body))
    run(workflow).addObserver((exit) => {
      if (hasEnded || !lifetime.awaitsEnd) return lifetime.finish(exit)
      // Another fiber has interrupted the fiber of the workflow, which then runs no handler.
      run(ended(exit)).addObserver((last) => lifetime.finish(last))
    })
  })
}

/** Ends the workflow, whose fibers have ended. If it failed, its compensation runs before the execution ends. */
const endOf = (parts: Parts, exit: Exit.Exit<unknown, unknown>): Body =>
  Effect.suspend(() => Effect.flatMapEager(compensated(parts, exit), (undone) => endWorkflow(parts, undone)))

/**
 * Warns of failures of finalizers while an invocation is suspended: they are not an outcome, but should be visible.
 * This excludes what a fiber had failed with, or was failing with, before it was interrupted. An invocation that fails
 * has more to report.
 */
const tellUnwound = ({ fibers, listener }: Parts, exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isSuccess(exit)) return
  const { reasons } = exit.cause
  const cut = reasons.findLastIndex(Cause.isInterruptReason)
  const failures = reasons.slice(cut + 1).filter((reason) => {
    const failure = failureIn(reason)
    return !fibers.hasFailedWith(failure) && !isOwnMistake(failure)
  })
  if (cut < 0 || failures.length === 0) return
  const { ErrorMessage, ErrorType } = defectObject(Cause.squash(Cause.fromReasons(failures)))
  listener.warned?.(
    `A finalizer of the workflow failed while the invocation was suspended, which changes nothing of its outcome (${ErrorType}: ${ErrorMessage}). Correct it: it runs at the end of every invocation.`
  )
}

/** Returns the services of the workflow. */
const servicesOf = (parts: Parts, services: Context.Context<never>): Context.Context<never> => {
  const host = hostOf(parts)
  const own = Context.make(Execution, { parts, namespace: parts.root }).pipe(
    Context.add(Scheduler.Scheduler, parts.fibers),
    // The scheduler sees only fibers that ask it.
    Context.add(Scheduler.PreventSchedulerYield, false),
    Context.add(Clock.Clock, new WorkflowClock(host)),
    Context.add(Random.Random, new WorkflowRandom(host)),
    Context.add(CaptureCallSites, parts.fibers.placeOf !== undefined)
  )
  // Merging leaves room for additions: the ninth in a row copies all services, here that would be in each block.
  return Context.merge(parts.surroundings.services(services), own)
}

const hostOf = (parts: Parts): ServicesHost => ({
  clock: parts.host.clock,
  random: parts.host.random,
  lifetime: parts.lifetime,
  current: () => parts.fibers.current,
  namespaceOf: (fiber) => executionOf(fiber)?.namespace,
  known: (fiber, namespace) => untilKnown(parts, fiber, namespace),
  glance: (time) => {
    if (time.unread !== undefined) parts.glanced.add(time)
    return time.glance(parts.history.newestStamp)
  },
  drawn: (fiber, namespace) => tellDrawn(parts, fiber, namespace),
  sleep: (fiber, namespace, duration) => sleep(parts, fiber, namespace, duration),
  lastSleep: (fiber, duration) => lastSleep(parts, fiber, duration)
})

/**
 * Ends the workflow once the code has asked for everything that is recorded. First it cancels the fibers that it leaves
 * behind, as every block does: they get no outcome that came after its end, in no replay. Only their durable finalizers
 * go on.
 */
const endWorkflow = (parts: Parts, exit: Exit.Exit<unknown, unknown>): Effect.Effect<unknown, unknown> => {
  const ended = whenMayEnd(parts, parts.root, exit, endsInMistake(exit))
  return parts.fibers.live.size <= 1 ? ended : Effect.andThen(letGoOfOthers(parts), ended)
}

const endsInMistake = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && isOwnMistake(Cause.squash(exit.cause))
