/**
 * What tests of one part of an invocation need of the others: a clock that a test moves, a store that a test answers, and
 * records and claims that it makes by hand.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scheduler from "effect/Scheduler"
import { CheckpointStore } from "../../src/CheckpointStore.ts"
import { Claim, isFinal, type ClaimHost, type Door, type Kind } from "../../src/execution/Claim.ts"
import type { AnyFiber } from "../../src/execution/Fibers.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { anybody } from "../../src/execution/Users.ts"
import type { Listener } from "../../src/execution/Listener.ts"
import type { Namespace } from "../../src/execution/Namespace.ts"
import type { Parts } from "../../src/execution/Parts.ts"
import { InHold, type Hold } from "../../src/execution/References.ts"
import type { Work } from "../../src/execution/Work.ts"
import { assemble, defaultOptions, type InvokeOptions } from "../../src/invocation/Assembly.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

export type Store = CheckpointStore["Service"]

/** Time that passes only when a test says so. */
export class ManualClock implements Clock.Clock {
  now = 0
  #sleepers: Array<{ readonly due: number; readonly wake: () => void }> = []
  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())

  currentTimeMillisUnsafe(): number {
    return this.now
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.now * 1_000)) * 1_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const sleeper = { due: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      this.#sleepers.push(sleeper)
      return Effect.sync(() => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
      })
    })
  }

  /** When those who sleep will wake, in order. */
  get timers(): ReadonlyArray<number> {
    return this.#sleepers.map(({ due }) => due).toSorted((a, b) => a - b)
  }

  /** Lets time pass, and wakes those whose time has come, one after the other. */
  pass(millis: number): void {
    const end = this.now + millis
    for (;;) {
      const [next] = this.#sleepers.toSorted((a, b) => a.due - b.due)
      if (next === undefined || next.due > end) break
      this.#sleepers = this.#sleepers.filter((other) => other !== next)
      this.now = Math.max(this.now, next.due)
      next.wake()
    }
    this.now = end
  }
}

/** Lets what is queued in the process happen. */
export const settle: Effect.Effect<void> = Effect.callback((resume) => {
  const next = (left: number): void => void setImmediate(() => (left === 0 ? resume(Effect.void) : next(left - 1)))
  next(10)
})

// --- Records and updates ---------------------------------------------------------------------------------------------------

export const record = (Id: string, more: Partial<Operation> = {}): Operation => ({
  Id,
  Name: Id,
  Type: "STEP",
  SubType: "Step",
  Status: "STARTED",
  StartTimestamp: 0,
  ...more
})

/** The record of a step of the workflow that has succeeded. */
export const succeeded = (name: string, EndTimestamp: number, more: Partial<Operation> = {}): Operation =>
  record(operationId("", name, 0), { Name: name, Status: "SUCCEEDED", EndTimestamp, ...more })

export const update = (Id: string, more: Partial<OperationUpdate> = {}): OperationUpdate => ({
  Id,
  Name: Id,
  Type: "STEP",
  SubType: "Step",
  Action: "SUCCEED",
  ...more
})

// --- Claims ----------------------------------------------------------------------------------------------------------------

/** A fiber that does nothing. */
export const idle: AnyFiber = Effect.runFork(Effect.never)

export const kinds = {
  step: { type: "STEP", subType: "Step" },
  wait: { type: "WAIT", subType: "Wait" },
  callback: { type: "CALLBACK", subType: "Callback" },
  context: { type: "CONTEXT", subType: "RunInChildContext" }
} as const satisfies Record<string, Kind>

/** What claims tell of themselves, when no invocation listens. */
export const claimHost = (said: Array<string> = []): ClaimHost => {
  let claims = 0
  return {
    executionArn: "arn",
    nextIndex: () => claims++,
    push: ({ path }, { Action }, _, acknowledged) => {
      said.push(`${Action} ${path}`)
      acknowledged()
    },
    committed: ({ path }, { Action }) => void said.push(`committed ${Action} ${path}`),
    convert: (_, conversion, done) => void Effect.runFork(conversion).addObserver(done),
    cannotConvert: ({ message }) => {
      said.push(message)
      return Effect.interrupt
    }
  }
}

export const claimOf = (
  namespace: Namespace,
  name: string,
  options: { readonly host: ClaimHost; readonly kind?: Kind; readonly fiber?: AnyFiber; readonly occurrence?: number }
): Claim => {
  const { fiber = idle, host, kind = kinds.step, occurrence = 0 } = options
  const id = operationId(namespace.id, name, occurrence)
  return new Claim({ id, name, kind, namespace, fiber, path: namespace.pathOf(name, occurrence), host })
}

// --- All parts -------------------------------------------------------------------------------------------------------------

export interface Assembled {
  readonly parts: Parts
  readonly clock: ManualClock
  /** The updates of each request so far, in short. */
  readonly requests: ReadonlyArray<ReadonlyArray<string>>
  readonly warnings: ReadonlyArray<string>
  /** Claims an operation, as the kernel of operations does. */
  readonly claim: (name: string, options?: { readonly kind?: Kind; readonly namespace?: Namespace }) => Claim
  /** Has a fiber wait for a claim. It notes in the log when the outcome is delivered. */
  readonly wait: (claim: Claim, options?: Partial<Door>) => Door
  /** What was delivered and performed, in order. */
  readonly log: Array<string>
  /** Does something when no fiber can run, and everything that follows from it. */
  readonly run: (action?: () => void) => void
}

/** Nothing goes on that nobody can see, as soon as the event loop has turned. */
export const whenQuiet: InvokeOptions["whenQuiet"] = (_, action) => {
  const turn = setImmediate(() => action())
  return () => clearImmediate(turn)
}

/** With it the run queue does not pause, however long a machine takes. */
const unhurried = new Scheduler.MixedScheduler("sync", (run) => {
  const turn = setImmediate(run)
  return () => clearImmediate(turn)
})

/**
 * The parts of an invocation that finds records. The store accepts everything and tells nothing of it, unless a test answers
 * a request.
 */
export const assembled = (
  options: Partial<InvokeOptions> & {
    readonly records?: ReadonlyArray<Operation>
    readonly news?: ReadonlyArray<string>
    readonly store?: Partial<Store>
  } = {}
): Assembled => {
  const { news = [], records = [], store, ...settings } = options
  const clock = new ManualClock()
  const requests: Array<ReadonlyArray<string>> = []
  const warnings: Array<string> = []
  const log: Array<string> = []
  const listener: Listener = { ...settings.listener, warned: (message) => void warnings.push(message) }
  const accepts: Store = {
    ordered: true,
    checkpoint: () => Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations: [] } }),
    loadState: () => Effect.die("asked for a page"),
    ...store
  }
  const services = Context.make(CheckpointStore, {
    ...accepts,
    checkpoint: (request) => {
      requests.push(request.Updates.map(({ Action, Name }) => `${Action} ${Name}`))
      return accepts.checkpoint(request)
    }
  }).pipe(Context.add(Clock.Clock, clock), Context.add(Scheduler.Scheduler, unhurried))
  const { parts } = assemble(
    {
      DurableExecutionArn: "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/execution-1/run-1",
      CheckpointToken: "first",
      InitialExecutionState: { Operations: [] },
      UpdatedOperationIds: news
    },
    [record("run-1", { Type: "EXECUTION", SubType: undefined }), ...records],
    { beganAt: 0, options: { ...defaultOptions, whenQuiet, ...settings, listener }, services }
  )
  return { parts, clock, requests, warnings, log, ...driver(parts, log) }
}

const driver = (parts: Parts, log: Array<string>): Pick<Assembled, "claim" | "wait" | "run"> => ({
  claim: (name, { kind = kinds.step, namespace = parts.root } = {}) => {
    const occurrence = namespace.use(name, anybody, undefined)
    const claim = claimOf(namespace, name, { host: parts.claims, kind, occurrence: Number(occurrence) })
    claim.enter(parts.history.claim(claim))
    return claim
  },
  wait: (claim, door) =>
    parts.delivery.wait({
      namespace: claim.namespace,
      fiber: idle,
      path: claim.path,
      isFinal: false,
      keyOf: (told) => (isFinal(told) ? (told.EndTimestamp ?? told.StartTimestamp) : undefined),
      outcome: () => Effect.succeed(claim.path),
      resume: (effect) => {
        Effect.runFork(effect).addObserver((exit) => void log.push(said(claim, exit)))
      },
      ...door,
      claim
    }),
  run: (action = () => {}) => parts.fibers.enqueue(action)
})

const said = (claim: Claim, exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === "Success" ? claim.path : `${claim.path} ${exit.cause.reasons.map(({ _tag }) => _tag).join()}`

/** A fiber of the workflow that runs in a hold, which does not end. By default it waits for what nobody can see. */
export const heldFiber = (
  { delivery, fibers }: Parts,
  effect: Effect.Effect<unknown, unknown> = Effect.callback<void>(() => {})
): AnyFiber => {
  const mark: Hold = { path: "hold", isLocal: false }
  delivery.holds.add(mark)
  const services = Context.add(Context.make(Scheduler.Scheduler, fibers), InHold, mark)
  return Effect.runForkWith(services)(effect)
}

// --- What tests of the delivery and its parts do ------------------------------------------------------------------------------

/** Claims operations, in this order, and has a fiber wait for each. */
export const waitFor = ({ claim, wait }: Assembled, ...names: ReadonlyArray<string>): ReadonlyArray<Claim> =>
  names.map((name) => {
    const claimed = claim(name)
    wait(claimed)
    return claimed
  })

/** New work of an operation, which notes that it began. */
export const perform = ({ claim, log, parts }: Assembled, name: string): Work =>
  parts.delivery.perform(claim(name), () => void log.push(`began ${name}`))

/** An answer leaves in a turn of the event loop of its own. */
export const nextTurn = (): Promise<void> => new Promise((done) => void setImmediate(done))

/** Why the invocation ended, if it has. */
export const verdictOf = ({ parts }: Pick<Assembled, "parts">): string | undefined => {
  const { verdict } = parts.lifetime
  return verdict?._tag === "Condemned" ? verdict.mistake._tag : verdict?._tag
}

export const messageOf = ({ parts }: Pick<Assembled, "parts">): string => {
  const { verdict } = parts.lifetime
  return verdict?._tag === "Condemned" ? verdict.mistake.message : ""
}

/** A store whose answers come when a test says so, and what they tell. */
export const slow = () => {
  const answers: Array<(operations: ReadonlyArray<Operation>) => void> = []
  const checkpoint: Store["checkpoint"] = () =>
    Effect.callback((resume) => {
      answers.push((Operations) =>
        resume(Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations } }))
      )
    })
  return {
    checkpoint,
    answer: (...operations: ReadonlyArray<Operation>) => answers.shift()?.(operations),
    waiting: () => answers.length
  }
}

/** The record of an operation that somebody else has to end. */
export const asked = (name: string): Operation =>
  record(operationId("", name, 0), { Name: name, Type: "CHAINED_INVOKE", SubType: "ChainedInvoke" })

/** A wait of the workflow that is due. */
export const due = (name: string, ScheduledEndTimestamp: number): Operation =>
  record(operationId("", name, 0), {
    Name: name,
    Type: "WAIT",
    SubType: "Wait",
    WaitDetails: { ScheduledEndTimestamp }
  })
