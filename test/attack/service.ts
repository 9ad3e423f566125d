/**
 * A service of our own, smaller and meaner than the engine: a test says how long a request takes, what an answer tells, when
 * and by whose clock something ended, and in which order timers of the process come.
 *
 * It knows nothing of the runtime but its entry, and nothing of the engine.
 */
import { assert } from "@effect/vitest"
import { DurableFunction } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import { CheckpointStore, StoreRefused, type CheckpointRequest } from "../../src/CheckpointStore.ts"
import type { Execution } from "../../src/execution/Parts.ts"
import { invoke, type InvokeOptions } from "../../src/invocation/Invocation.ts"
import type { InvocationAnswer } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

const Workflow = DurableFunction.make("workflow", { success: Schema.UndefinedOr(Schema.Json) })

export type Program = Effect.Effect<unknown, unknown, Execution>

export interface Ways {
  /** How long a request is on its way, in milliseconds. Default: 0. */
  readonly latency?: number
  /** What an answer tells of all operations, of which some have changed. Default: those that have changed. */
  readonly tells?: (changed: ReadonlyArray<Operation>, all: ReadonlyArray<Operation>) => ReadonlyArray<Operation>
  /** Whether updates of one request have different stamps. Default: no, and stamps are whole milliseconds. */
  readonly isFine?: boolean
  /** What happens when the service carries out a request, before it answers. */
  readonly meanwhile?: (service: Service, request: CheckpointRequest, number: number) => void
  /** How late a timer of the process is, in milliseconds. Default: not at all. */
  readonly lag?: (millis: number) => number
  readonly options?: Partial<InvokeOptions>
}

interface Timer {
  readonly due: number
  readonly fire: () => void
}

const start = 1_000_000

export class Service {
  now = start
  readonly log: Array<string> = []
  readonly requests: Array<string> = []
  readonly warnings: Array<string> = []
  /** Fibers that are alive. */
  alive = 0
  readonly #records = new Map<string, Operation>()
  readonly #timers = new Set<Timer>()
  #news = new Set<string>()
  #steps = 0
  readonly #ways: Ways

  constructor(ways: Ways) {
    this.#ways = ways
  }

  note(text: string): Effect.Effect<void> {
    return Effect.sync(() => void this.log.push(text))
  }

  get operations(): ReadonlyArray<Operation> {
    return [...this.#records.values()]
  }

  /** Timers of the process that are left. */
  get timers(): number {
    return this.#timers.size
  }

  named(name: string): Operation {
    const found = this.operations.find(({ Name }) => Name === name)
    assert(found !== undefined, `there is no "${name}" among ${this.operations.map(({ Name }) => Name).join(", ")}`)
    return found
  }

  /** Somebody outside ends an operation, by a clock of his own. It is told with the next answer. */
  complete(name: string, at = this.#stamp()): void {
    const record = this.named(name)
    const result = { Result: JSON.stringify(name) }
    this.#set({
      ...record,
      Status: "SUCCEEDED",
      EndTimestamp: at,
      ...(record.Type === "CALLBACK" && { CallbackDetails: { ...record.CallbackDetails, ...result } }),
      ...(record.Type === "CHAINED_INVOKE" && { ChainedInvokeDetails: result })
    })
  }

  #set(record: Operation): void {
    this.#records.set(record.Id, record)
    this.#news.add(record.Id)
  }

  /** No two stamps are the same where they are fine. */
  #stamp(): number {
    return this.#ways.isFine === true ? this.now + ++this.#steps / 1_000 : Math.floor(this.now)
  }

  /** Waits and delays that are due have ended. */
  #pass(): void {
    for (const record of this.operations) {
      const due = record.WaitDetails?.ScheduledEndTimestamp
      if (record.Type === "WAIT" && record.Status === "STARTED" && due !== undefined && due <= this.now) {
        this.#set({ ...record, Status: "SUCCEEDED", EndTimestamp: Math.max(due, record.StartTimestamp) })
      }
      const next = record.StepDetails?.NextAttemptTimestamp
      if (record.Status === "PENDING" && next !== undefined && next <= this.now)
        this.#set({ ...record, Status: "READY" })
    }
  }

  // --- Requests --------------------------------------------------------------------------------------------------------

  readonly store: CheckpointStore["Service"] = {
    checkpoint: (request) =>
      Effect.gen({ self: this }, function* () {
        yield* Effect.yieldNow
        this.now += this.#ways.latency ?? 0
        this.requests.push(request.Updates.map(({ Action, Name }) => `${Action} ${Name ?? ""}`).join(", "))
        for (const update of request.Updates) {
          const problem = this.#apply(update)
          if (problem !== undefined) return yield* Effect.fail(new StoreRefused({ message: problem }))
        }
        this.#ways.meanwhile?.(this, request, this.requests.length)
        this.#pass()
        const changed = [...this.#news].map((id) => this.#records.get(id)!)
        this.#news = new Set()
        const told = this.#ways.tells?.(changed, this.operations) ?? changed
        return { CheckpointToken: `token ${this.requests.length}`, NewExecutionState: { Operations: told } }
      }),
    loadState: () => Effect.die(new Error("there is one page only"))
  }

  #apply({ Action, Id, Name = "", ...update }: OperationUpdate): string | undefined {
    const known = this.#records.get(Id)
    if (update.ParentId !== undefined && this.#records.get(update.ParentId)?.Status !== "STARTED") {
      return `"${Name}" stands below what is not open`
    }
    const at = this.#stamp()
    if (Action === "START") {
      if (known !== undefined && known.Status !== "READY") return `"${Name}" was started before`
      this.#set({
        Id,
        Name,
        Type: update.Type,
        ...(update.ParentId !== undefined && { ParentId: update.ParentId }),
        ...(update.SubType !== undefined && { SubType: update.SubType }),
        StartTimestamp: known?.StartTimestamp ?? at,
        Status: "STARTED",
        ...(known?.StepDetails !== undefined && { StepDetails: { Attempt: known.StepDetails.Attempt } }),
        ...(update.Type === "WAIT" && {
          WaitDetails: { ScheduledEndTimestamp: at + (update.WaitOptions?.WaitSeconds ?? 0) * 1_000 }
        }),
        ...(update.Type === "CALLBACK" && { CallbackDetails: { CallbackId: `callback ${Id}` } })
      })
      return undefined
    }
    if (known === undefined || known.Status !== "STARTED") return `"${Name}" is not open`
    const details = { Result: update.Payload, Error: update.Error }
    const attempt = (known.StepDetails?.Attempt ?? 0) + 1
    if (Action === "RETRY") {
      const next = at + (update.StepOptions?.NextAttemptDelaySeconds ?? 1) * 1_000
      this.#set({
        ...known,
        Status: "PENDING",
        StepDetails: { ...details, Attempt: attempt, NextAttemptTimestamp: next }
      })
      return undefined
    }
    this.#set({
      ...known,
      Status: Action === "SUCCEED" ? "SUCCEEDED" : "FAILED",
      EndTimestamp: at,
      ...(known.Type === "STEP" && { StepDetails: { ...details, Attempt: attempt } }),
      ...(known.Type === "CONTEXT" && {
        ContextDetails: { ...details, ReplayChildren: update.ContextOptions?.ReplayChildren ?? false }
      })
    })
    return undefined
  }

  // --- The process -----------------------------------------------------------------------------------------------------

  readonly #clock: Clock.Clock = {
    currentTimeMillis: Effect.sync(() => this.now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.floor(this.now)) * 1_000_000n),
    monotonicTimeNanos: Effect.sync(() => BigInt(Math.floor(this.now)) * 1_000_000n),
    currentTimeMillisUnsafe: () => this.now,
    currentTimeNanosUnsafe: () => BigInt(Math.floor(this.now)) * 1_000_000n,
    monotonicTimeNanosUnsafe: () => BigInt(Math.floor(this.now)) * 1_000_000n,
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const millis = Duration.toMillis(duration)
        const timer = { due: this.now + millis + (this.#ways.lag?.(millis) ?? 0), fire: () => resume(Effect.void) }
        this.#timers.add(timer)
        return Effect.sync(() => void this.#timers.delete(timer))
      })
  }

  /** One invocation. Time goes on when the process has had nothing to do for a few turns of its loop. */
  invocation(program: Program): Effect.Effect<InvocationAnswer | undefined> {
    return Effect.gen({ self: this }, function* () {
      this.#pass()
      const news = [...this.#news]
      this.#news = new Set()
      const services = Context.make(CheckpointStore, this.store).pipe(
        Context.add(Clock.Clock, this.#clock),
        Context.add(Logger.CurrentLoggers, new Set([this.#logger])),
        Context.add(Metric.FiberRuntimeMetrics, {
          recordFiberStart: () => void this.alive++,
          recordFiberEnd: () => void this.alive--
        })
      )
      const execution: Operation = {
        Id: "execution",
        Type: "EXECUTION",
        Status: "STARTED",
        StartTimestamp: start,
        ExecutionDetails: {}
      }
      const fiber = Effect.runForkWith(services)(
        invoke(
          { contract: Workflow, handler: () => program },
          {
            DurableExecutionArn: "arn:aws:lambda:eu-west-1:1:function:workflow:1/durable-execution/one/two",
            CheckpointToken: "token",
            InitialExecutionState: { Operations: [execution, ...this.operations] },
            UpdatedOperationIds: news
          },
          { warnAboutTargets: false, outsideLimit: 200, ...this.#ways.options }
        )
      )
      for (let idle = 0; fiber.pollUnsafe() === undefined; idle++) {
        yield* turn
        if (idle % 6 !== 5) continue
        const [next] = [...this.#timers].sort((a, b) => a.due - b.due)
        if (next === undefined) continue
        this.#timers.delete(next)
        this.now = Math.max(this.now, next.due)
        next.fire()
      }
      yield* turn
      const exit = fiber.pollUnsafe()
      return exit !== undefined && Exit.isSuccess(exit) ? exit.value.answer : undefined
    })
  }

  /** Invocations until the execution is over. Between two of them time goes on until something is due. */
  drive(program: (number: number) => Program, between?: (service: Service, number: number) => void) {
    return Effect.gen({ self: this }, function* () {
      for (let number = 1; number < 50; number++) {
        const answer = yield* this.invocation(program(number))
        if (answer !== undefined && answer.Status !== "PENDING") return answer
        between?.(this, number)
        const dues = this.operations.flatMap(({ Status, StepDetails, WaitDetails }) => {
          const due = WaitDetails?.ScheduledEndTimestamp ?? StepDetails?.NextAttemptTimestamp
          return due !== undefined && (Status === "STARTED" || Status === "PENDING") ? [due] : []
        })
        if (this.#news.size === 0 && dues.length > 0) this.now = Math.max(this.now, Math.min(...dues))
      }
      return assert.fail(`the execution does not come to an end: ${this.requests.join(" | ")}`)
    })
  }

  readonly #logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (logLevel !== "Debug" && logLevel !== "Trace") this.warnings.push([message].flat().map(String).join(" "))
  })
}

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The value of an execution that succeeded. */
export const valueOf = (answer: InvocationAnswer | undefined): unknown => {
  assert(answer?.Status === "SUCCEEDED", `expected a success, found ${JSON.stringify(answer)}`)
  return answer.Result === undefined ? undefined : JSON.parse(answer.Result)
}
