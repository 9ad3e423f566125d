/**
 * Puts the parts of one invocation together.
 *
 * Owns: which parts there are, in which order they are made, and how each is connected to the others; the defaults of the
 * settings; and what a failure of the store means for an invocation.
 * Does not own: what any part does.
 *
 * Invariants:
 * 1. This is the only place where the parts are put together.
 * 2. A part is made from the parts that are made before it. It is connected to later ones only once all of them exist.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { CheckpointStore, type StoreError } from "../CheckpointStore.ts"
import { InvocationFailed, StoreRejected } from "../DurableError.ts"
import { notedHere, placeOf } from "../execution/CallSite.ts"
import { Beside } from "../execution/Beside.ts"
import type { ClaimHost } from "../execution/Claim.ts"
import * as Contradiction from "../execution/Contradiction.ts"
import type { Core, Settings } from "../execution/Core.ts"
import { Delivery } from "../execution/Delivery.ts"
import { Fibers } from "../execution/Fibers.ts"
import { History } from "../execution/History.ts"
import { Host } from "../execution/Host.ts"
import { Lifetime, suspended, type Verdict } from "../execution/Lifetime.ts"
import { listeners, type Listener } from "../execution/Listener.ts"
import { recordMark } from "../execution/recordMark.ts"
import { Namespace } from "../execution/Namespace.ts"
import { Outbox } from "../execution/Outbox.ts"
import { executionOf, type Parts } from "../execution/Parts.ts"
import { startTimer } from "../execution/Timer.ts"
import { Usage, type Quotas } from "../execution/Usage.ts"
import type { WorkflowTime } from "../execution/WorkflowTime.ts"
import { Observer } from "../telemetry/Observer.ts"
import type { InvocationEvent } from "../wire/Invocation.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"

export interface InvokeOptions extends Settings, Quotas {
  /** Whether to capture where in the code operations are used. */
  readonly captureSources: boolean
  /** Whether the start of a step is omitted where its success leaves with the same request. */
  readonly omitStart: boolean
  /** The X-Ray header of the trace to which the invocation belongs. */
  readonly traceHeader: string | undefined
  /** A listener in addition to telemetry. */
  readonly listener: Listener | undefined
  readonly onStart: ((parts: Parts) => void) | undefined
}

export const defaultOptions: InvokeOptions = {
  grace: 500,
  end: Infinity,
  outsideLimit: 10_000,
  outsideGrace: 1_000,
  startTimer,
  whenQuiet: (limit, action) => startTimer(limit, () => action()),
  deadline: undefined,
  onNonDeterminism: "fail",
  maxOperations: Limits.maxOperations,
  maxStorage: Limits.maxStorage,
  maxPayload: Limits.maxOperationPayload,
  omitStart: false,
  warnAboutTargets: true,
  insteadOf: undefined,
  captureSources: false,
  traceHeader: undefined,
  listener: undefined,
  onStart: undefined
}

/** The environment of an invocation. */
export interface Surroundings {
  readonly services: Context.Context<CheckpointStore>
  /** When the invocation began, in milliseconds. */
  readonly beganAt: number
  readonly options: InvokeOptions
}

/** The parts of an invocation, and the observer that watches it. */
export interface Assembled {
  readonly parts: Parts
  readonly observer: Observer
}

/** Makes the parts of an invocation, with the clock, random generator, scheduler and store of its surroundings. */
export const assemble = (
  event: InvocationEvent,
  records: ReadonlyArray<Operation>,
  { beganAt, options, services }: Surroundings
): Assembled => {
  const scheduler = Context.get(services, Scheduler.Scheduler)
  const fibers = new Fibers(scheduler.executionMode)
  const beside = new Beside(scheduler, fibers)
  const host = new Host({
    services,
    clock: Context.get(services, Clock.Clock),
    random: Context.get(services, Random.Random),
    scheduler: beside
  })
  const news = new Set(event.UpdatedOperationIds)
  const history = new History(records, news, event.InitialExecutionState.Operations.length, beganAt)
  const observer = new Observer({
    executionArn: event.DurableExecutionArn,
    services,
    history,
    clock: host.clock,
    beganAt,
    news,
    traceHeader: options.traceHeader
  })
  const listener = options.listener === undefined ? observer : listeners([observer, options.listener])
  const usage = new Usage(records, options, (message) => listener.warned?.(message))
  const lifetime = new Lifetime()
  if (options.captureSources) fibers.placeOf = () => placeOf(notedHere())
  const store = Context.get(services, CheckpointStore)
  const outbox = new Outbox({
    executionArn: event.DurableExecutionArn,
    token: event.CheckpointToken,
    store,
    lifetime,
    listener,
    usage,
    host,
    omitsStarts: options.omitStart
  })
  const core: Core = {
    executionArn: event.DurableExecutionArn,
    executionName: nameOf(event.DurableExecutionArn),
    settings: options,
    lifetime,
    history,
    usage,
    outbox,
    fibers,
    beside,
    host,
    listener,
    surroundings: observer,
    placeOf: (fiber) => executionOf(fiber)?.namespace.path
  }
  return { parts: connect(core), observer }
}

/** Returns the name of an execution: the second to last part of its ARN, or all of a text that is no ARN. */
const nameOf = (arn: string): string => arn.split("/").at(-2) ?? arn

/** Connects each part to the parts that it has to inform. */
const connect = (core: Core): Parts => {
  const { fibers, history, lifetime, listener, outbox } = core
  const delivery = new Delivery(core)
  const times = new Set<WorkflowTime>()
  const root = Namespace.root(core.executionArn, history.start ?? core.host.now())
  history.open(root)
  fibers.attach({
    onIdle: () => delivery.next(),
    onSpin: () => {
      // A hold may take as long as the invocation has.
      if (!delivery.isHeld) Contradiction.tell(core, Contradiction.spinning(core.executionName))
    },
    onActivity: () => listener.moved?.(),
    onLost: () => delivery.lose()
  })
  outbox.attach({
    onState: (records) => {
      listener.told?.(records)
      delivery.changed(history.apply(records))
    },
    onAcknowledged: (waiting) => {
      for (const acknowledged of waiting) acknowledged()
      fibers.wake()
    },
    onFailure: (error) => lifetime.end(verdictOf(error, core.executionName)),
    onTokenMissing: () => {
      outbox.close()
      lifetime.end(suspended)
    },
    onIdle: () => {
      listener.moved?.()
      fibers.wake()
    },
    onPush: () => settleReadings(core, times),
    isTaken: (millis, endsContext) => delivery.isTaken(millis, endsContext)
  })
  return {
    ...core,
    delivery,
    claims: claimsOf(core, delivery),
    root,
    glanced: times,
    undoable: new Map(),
    notUndone: []
  }
}

const claimsOf = (core: Core, delivery: Delivery): ClaimHost => ({
  executionArn: core.executionArn,
  nextIndex: () => core.history.nextIndex,
  push: (claim, update, isAwaited, acknowledged) => {
    delivery.record(claim, () => core.outbox.push(claim.path, update, acknowledged, isAwaited))
  },
  committed: (claim, change) => delivery.acknowledged(claim, change),
  convert: (claim, conversion, done) => delivery.whileConverting(claim, conversion, done),
  cannotConvert: ({ message }) => {
    core.lifetime.end({ _tag: "Aborted", error: new InvocationFailed({ reason: "serdes", message }) })
    return core.lifetime.inert
  }
})

/** Records the times that code was shown before they were known, before anything that may depend on them. */
const settleReadings = (core: Core, times: Set<WorkflowTime>): void => {
  for (const time of times) {
    const settled = time.settle()
    if (settled === undefined) continue
    const { claim } = settled.unread
    recordMark(core, claim.name, { kind: "reading", of: claim.id, label: claim.name, time: settled.time })
  }
  times.clear()
}

/**
 * Returns the verdict for a failure of the store. A final refusal of the service ends the execution, anything else only
 * this invocation.
 */
const verdictOf = (error: StoreError, executionName: string): Verdict => {
  const aborted = (reason: InvocationFailed["reason"], message: string): Verdict => ({
    _tag: "Aborted",
    error: new InvocationFailed({ reason, message })
  })
  switch (error._tag) {
    case "StaleCheckpointToken":
      return aborted(
        "stale-token",
        `This invocation no longer owns the execution, so it stops and records nothing more. ${error.message}`
      )
    case "StoreUnavailable":
      return aborted("store-unavailable", `The checkpoint service stayed unavailable. ${error.message}`)
    case "StoreRefused":
      return {
        _tag: "Condemned",
        mistake: new StoreRejected({
          operation: executionName,
          message: `The checkpoint service refused a request for good. ${error.message}`
        })
      }
  }
}
