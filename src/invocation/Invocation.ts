/**
 * One invocation, from event to answer.
 *
 * Owns: the sequence of an invocation: load the state, put the parts together, run the workflow until it ends or a verdict
 * ends it, end its fibers, send what is left, and answer.
 * Does not own: anything that happens while the workflow runs.
 *
 * Invariants:
 * 1. PENDING is answered only when nothing is left to send, and a result only when everything it depends on is
 *    acknowledged.
 * 2. When the invocation answers, every fiber of the workflow has ended, or is in a region that cannot be interrupted
 *    and holds no resources of the process.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import { CheckpointStore, type StoreError } from "../CheckpointStore.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import { InvocationFailed, StoreRejected } from "../DurableError.ts"
import { graceFrom } from "../execution/Core.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import { describeHold } from "../execution/References.ts"
import type { Ending, Verdict } from "../execution/Lifetime.ts"
import { loadPages } from "../execution/Outbox.ts"
import type { Parts } from "../execution/Parts.ts"
import { exitOf } from "../internal/effect.ts"
import * as Telemetry from "../Telemetry.ts"
import { countEnd, observed } from "../telemetry/Observer.ts"
import { Serdes } from "../Serdes.ts"
import type { Subject } from "../values/Values.ts"
import type { InvocationAnswer, InvocationEvent } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"
import { answerEnding, readPayload, subjectOf } from "./Answer.ts"
import { assemble, defaultOptions, type Assembled, type InvokeOptions, type Surroundings } from "./Assembly.ts"
import { startWorkflow } from "./Workflow.ts"

export { defaultOptions, type InvokeOptions }

/** An answer, and the parts that a host may want to inspect. */
export interface Invoked {
  readonly answer: InvocationAnswer
  readonly parts: Parts | undefined
}

/** Runs one invocation. Fails with `InvocationFailed` when it ends without an answer, so that the service repeats it. */
export const invoke = (
  implementation: DurableFunction.AnyImplementation,
  event: InvocationEvent,
  options: Partial<InvokeOptions> = {}
): Effect.Effect<Invoked, InvocationFailed, CheckpointStore> =>
  Effect.withFiber((fiber) => {
    const services = observed(
      event.DurableExecutionArn,
      cast<Context.Context<never>, Context.Context<CheckpointStore>>(fiber.context)
    )
    const beganAt = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
    const surroundings = { services, beganAt, options: { ...defaultOptions, ...options } }
    let assembled: Assembled | undefined
    const run: Run = (begun, records) => {
      assembled = assemble(begun, records, surroundings)
      return execute(implementation, assembled.parts, surroundings)
    }
    const { NextMarker, Operations } = event.InitialExecutionState
    const answered = NextMarker ? loaded(event, surroundings, run) : Effect.suspend(() => run(event, Operations))
    return Effect.onExitPrimitive(answered, (exit) => {
      if (assembled !== undefined) return end(assembled, exit, services)
      countEnd(exit, services)
      return undefined
    })
  })

/** Ends everything that belongs to an invocation, including the workflow if the invocation was interrupted from outside. */
const end = (
  { observer, parts }: Assembled,
  exit: Exit.Exit<Invoked, InvocationFailed>,
  services: Context.Context<never>
): Effect.Effect<void> | undefined => {
  const { lifetime } = parts
  const close = (): void => {
    observer.ended(exit)
    parts.outbox.close()
    parts.host.dispose()
    countEnd(exit, services)
  }
  if (!lifetime.isOpen) {
    close()
    return undefined
  }
  lifetime.end(interrupted)
  return Effect.mapEager(endFibers(parts), close)
}

/** Runs the workflow of an event over all records of its execution. */
type Run = (event: InvocationEvent, records: ReadonlyArray<Operation>) => Effect.Effect<Invoked, InvocationFailed>

/**
 * Loads the remaining pages of the state, then calls `run`. The service may change operations while its pages are read, so
 * that a later page holds an operation again: its last record counts.
 */
const loaded = (
  event: InvocationEvent,
  { options, services }: Surroundings,
  run: Run
): Effect.Effect<Invoked, InvocationFailed> => {
  const { NextMarker = "", Operations } = event.InitialExecutionState
  const listener = { repeated: () => Telemetry.checkpointRetries.updateUnsafe(1, services) }
  const store = Context.get(services, CheckpointStore)
  const rest = loadPages(store, listener, event.DurableExecutionArn, event.CheckpointToken, NextMarker)
  return Effect.matchEffect(within(options.deadline, "loaded the state of the execution", rest), {
    onSuccess: (more) => {
      const later = new Map(more.map((record) => [record.Id, record]))
      const first = Operations.filter(({ Id }) => !later.has(Id))
      return run({ ...event, InitialExecutionState: { Operations: first } }, [...first, ...later.values()])
    },
    onFailure: (error) => unreadable(event, error)
  })
}

/** Stops an effect that runs before or after the workflow when the deadline of the invocation has passed. */
export const within = <A, E, R>(
  deadline: number | undefined,
  action: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvocationFailed, R> =>
  deadline === undefined || exitOf(effect) !== undefined
    ? effect
    : Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.timeoutOrElse(effect, {
          duration: Math.max(0, deadline - now),
          orElse: () =>
            Effect.fail(
              new InvocationFailed({
                reason: "deadline",
                message: `The invocation ran out of time while it ${action}.`
              })
            )
        })
      )

const unreadable = (
  event: InvocationEvent,
  error: StoreError | InvocationFailed
): Effect.Effect<Invoked, InvocationFailed> => {
  switch (error._tag) {
    case "InvocationFailed":
      return Effect.fail(error)
    case "StaleCheckpointToken":
      return Effect.fail(
        new InvocationFailed({
          reason: "stale-token",
          message: `This invocation no longer owns the execution. ${error.message}`
        })
      )
    case "StoreUnavailable":
      return Effect.fail(
        new InvocationFailed({
          reason: "store-unavailable",
          message: `The state of the execution could not be loaded. ${error.message}`
        })
      )
    case "StoreRefused": {
      const rejected = new StoreRejected({
        operation: event.DurableExecutionArn.split("/").at(-2) ?? event.DurableExecutionArn,
        message: `The service refused to give out the state of the execution. ${error.message}`
      })
      return Effect.succeed({
        answer: { Status: "FAILED", Error: { ErrorType: rejected._tag, ErrorMessage: rejected.message } },
        parts: undefined
      })
    }
  }
}

// --- Running -------------------------------------------------------------------------------------------------------------

const execute = (
  { contract, ...implementation }: DurableFunction.AnyImplementation,
  parts: Parts,
  { options, services }: Surroundings
): Effect.Effect<Invoked, InvocationFailed> => {
  options.onStart?.(parts)
  const self = subjectOf(parts, contract, Context.get(services, Serdes))
  const read = within(options.deadline, "read its payload", readPayload(parts, self, contract))
  return Effect.flatMapEager(read, (payload) => {
    if ("answer" in payload) return Effect.succeed({ answer: payload.answer, parts })
    armDeadline(parts)
    startWorkflow(implementation.handler, payload.value, parts, services)
    return Effect.flatMap(parts.lifetime.ended, (ending) =>
      Effect.flatMapEager(endFibers(parts), () =>
        Effect.mapEager(answer(parts, self, contract, ending), (given) => ({ answer: given, parts }))
      )
    )
  })
}

const interrupted: Verdict = {
  _tag: "Aborted",
  error: new InvocationFailed({ reason: "interrupted", message: "The invocation was interrupted from outside." })
}

/** How long before the end of its function an invocation ends by default, in milliseconds. */
export const defaultMargin = 1_000

/** Returns when an invocation and its function end, given the time that is left. A time without an end has no deadline. */
export const limitsOf = (
  now: number,
  remaining: number,
  margin = defaultMargin
): Partial<Pick<InvokeOptions, "deadline" | "end">> => {
  if (!(remaining < Infinity)) return {}
  // If the time-out of a function leaves no margin, the full margin would end every invocation as it begins, without any
  // progress.
  const last = remaining > margin ? margin : remaining / 2
  const end = now + remaining
  return { deadline: Math.max(0, end - last), end }
}

const armDeadline = ({ delivery, host, lifetime, settings }: Parts): void => {
  const { deadline } = settings
  if (deadline === undefined) return
  const runOut = (): void => {
    const running = Array.from(delivery.running.values(), ({ claim }) => `the step "${claim.path}"`)
    const holds = Array.from(delivery.holds, describeHold)
    const names = [...running, ...holds]
    const message =
      `The invocation ran out of time${names.length === 0 ? "" : ` while running ${names.join(", ")}`}. ` +
      "What was acknowledged is kept; the service invokes the function again. Raise the function's time-out or split the work into smaller steps."
    lifetime.end({ _tag: "Aborted", error: new InvocationFailed({ reason: "deadline", message }) })
  }
  const left = deadline - host.now()
  if (left > 0) host.after(left, runOut)
  else runOut()
}

/**
 * Interrupts every fiber of the workflow from the root down, so that no handler takes the end for a failure. Waits for
 * local finalizers, and for a request in flight, as long as the grace period lasts.
 */
const endFibers = (parts: Parts): Effect.Effect<void> => {
  const { beside, delivery, fibers, lifetime, outbox } = parts
  if (!lifetime.mayRecord) outbox.close()
  fibers.stop()
  const left = new Set<AnyFiber>()
  // A fiber is listed before those that it forks, whose ends it may handle.
  const all = Array.from(fibers.live.keys())
  for (const fiber of all) fiber.interruptUnsafe(fiber.id)
  for (const fiber of [...all, ...delivery.stop(), ...fibers.live.keys(), ...beside.live]) {
    fiber.interruptUnsafe(fiber.id)
    if (fiber.pollUnsafe() === undefined) left.add(fiber)
  }
  const isQuiet = (): boolean => left.size === 0 && (lifetime.mayRecord || !outbox.isSending)
  return isQuiet() ? Effect.void : untilQuiet(parts, left, isQuiet)
}

/**
 * Waits until fibers have ended, and until no obsolete request is in flight, but no longer than the grace period.
 */
const untilQuiet = (parts: Parts, left: Set<AnyFiber>, isQuiet: () => boolean): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const { host, lifetime, outbox, settings } = parts
    const finish = (): void => {
      cancel()
      resume(Effect.void)
    }
    const cancel = host.after(graceFrom(host.now(), settings), () => {
      lifetime.over()
      // Updates that may still be recorded are sent after this.
      if (!lifetime.mayRecord) outbox.abort()
      finish()
    })
    const check = (): void => {
      if (isQuiet()) finish()
    }
    for (const fiber of Array.from(left)) {
      fiber.addObserver(() => {
        left.delete(fiber)
        check()
      })
    }
    outbox.whenIdle(check)
  })

/** Answers once everything that the answer depends on is sent. */
const answer = (
  parts: Parts,
  self: Subject,
  contract: DurableFunction.Any,
  ending: Ending
): Effect.Effect<InvocationAnswer, InvocationFailed> =>
  Effect.flatMapEager(
    within(parts.settings.deadline, "wrote its result", answerEnding(parts, self, contract, ending)),
    (given) =>
      ending._tag === "Ended"
        ? Effect.flatMapEager(drain(parts), (verdict) =>
            verdict === undefined ? Effect.succeed(given) : answerEnding(parts, self, contract, verdict)
          )
        : Effect.succeed(given)
  )

/** Sends what is left to send. Returns the verdict that prevented it, if any. */
const drain = ({ lifetime, outbox }: Parts): Effect.Effect<Verdict | undefined> => {
  if (!outbox.isBusy) return Effect.succeed(lifetime.verdict)
  const sent = Effect.callback<Verdict | undefined>((resume) => {
    outbox.whenIdle(() => {
      if (outbox.isBusy) outbox.flush()
      else resume(Effect.succeed(lifetime.verdict))
    })
    outbox.flush()
  })
  return Effect.raceFirst(sent, lifetime.judged)
}
