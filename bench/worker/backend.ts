/**
 * The fake service: the two calls of a running invocation, in this process. It stores operations, answers as AWS's
 * client does with those that changed, and refuses what the service refuses. So only the SDK is measured.
 */
import { setTimeout } from "node:timers/promises"

/** The part of an update that matters here, as either SDK writes it. */
interface Update {
  readonly Id?: string | undefined
  readonly ParentId?: string | undefined
  readonly Name?: string | undefined
  readonly Type?: string | undefined
  readonly SubType?: string | undefined
  readonly Action?: string | undefined
  readonly Payload?: string | undefined
  readonly ContextOptions?: { readonly ReplayChildren?: boolean | undefined } | undefined
  readonly WaitOptions?: { readonly WaitSeconds?: number | undefined } | undefined
}

interface CheckpointRequest {
  readonly CheckpointToken: string | undefined
  readonly ClientToken?: string | undefined
  readonly Updates?: ReadonlyArray<Update> | undefined
}

interface StateRequest {
  readonly CheckpointToken: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

/** An operation as the service stores it, and as the event of an invocation has it: times are milliseconds. */
export interface Operation {
  readonly Id: string
  readonly ParentId?: string | undefined
  readonly Name?: string | undefined
  readonly Type: "EXECUTION" | "CONTEXT" | "STEP" | "WAIT"
  readonly SubType?: string | undefined
  readonly Status: "STARTED" | "SUCCEEDED"
  readonly StartTimestamp: number
  readonly EndTimestamp?: number
  readonly ExecutionDetails?: { readonly InputPayload: string }
  readonly ContextDetails?: { readonly Result?: string | undefined; readonly ReplayChildren?: boolean }
  readonly StepDetails?: { readonly Attempt: number; readonly Result?: string | undefined }
  readonly WaitDetails?: { readonly ScheduledEndTimestamp: number }
}

export interface Options {
  /** Milliseconds until a checkpoint is answered. Default: none. */
  readonly latency?: number
  /** The operations that earlier invocations recorded. */
  readonly history?: ReadonlyArray<Operation>
  /** The number of operations in the event; the SDK has to request the others. Default: all of them. */
  readonly eventItems?: number | undefined
  /** Whether to count the bytes of requests. Counting takes time. */
  readonly weighs?: boolean
  /** Whether to drop operations that have ended, so that the memory in use is that of the SDK. */
  readonly forgets?: boolean
  /** Called before a checkpoint is answered, with the number of operations that have ended so far. */
  readonly onCheckpoint?: (ended: number) => void
}

const executionId = "00000000-0000-4000-8000-000000000000"
const executionArn = `arn:aws:lambda:us-east-1:123456789012:function:bench:1/durable-execution/bench/${executionId}`

/** AWS's client adds a ClientToken to requests that have none, so its bytes count for them too. */
const someClientToken = "00000000-0000-4000-8000-000000000000"

export class Backend {
  requests = 0
  updates = 0
  /** The bytes of the requests as JSON, if they are counted. */
  bytes = 0
  /** The number of ended operations by type, and of open ones. */
  readonly ended: Record<string, number> = {}
  open = 0
  readonly #options: Options
  readonly #operations = new Map<string, Operation>()
  #tokens = 0
  #changed: ReadonlyArray<string> | undefined

  constructor(options: Options = {}) {
    this.#options = options
    this.#operations.set(executionId, {
      Id: executionId,
      Type: "EXECUTION",
      Status: "STARTED",
      StartTimestamp: Date.now(),
      ExecutionDetails: { InputPayload: "null" }
    })
    for (const operation of options.history ?? []) {
      this.#operations.set(operation.Id, operation)
      this.#count(operation)
    }
  }

  /** The client in the event, in the shape that both SDKs accept. */
  readonly client = {
    checkpoint: async (request: CheckpointRequest) => {
      const operations = this.#checkpoint(request)
      if (this.#options.latency) await setTimeout(this.#options.latency)
      return { CheckpointToken: this.#token, NewExecutionState: { Operations: operations.map(withDates) } }
    },
    getExecutionState: async ({ CheckpointToken, Marker, MaxItems = 100 }: StateRequest) => {
      this.#authorize(CheckpointToken)
      this.requests++
      const start = Number(Marker)
      const page = [...this.#operations.values()].slice(start, start + MaxItems)
      return { Operations: page.map(withDates), NextMarker: this.#markerAfter(start + page.length) }
    }
  }

  /** The operations of the execution, without the execution itself. */
  get history(): ReadonlyArray<Operation> {
    return [...this.#operations.values()].filter(({ Type }) => Type !== "EXECUTION")
  }

  /** The JSON text of the next invocation's event. */
  event(): string {
    const { eventItems = Infinity } = this.#options
    const operations = [...this.#operations.values()].slice(0, eventItems)
    return JSON.stringify({
      DurableExecutionArn: executionArn,
      CheckpointToken: this.#token,
      InitialExecutionState: { Operations: operations, NextMarker: this.#markerAfter(operations.length) },
      UpdatedOperationIds: this.#changed
    })
  }

  /** Ends every wait, as the passing of time between two invocations does. */
  passTime(): void {
    const waits = [...this.#operations.values()].filter(({ Status, Type }) => Type === "WAIT" && Status === "STARTED")
    if (waits.length === 0) throw new Error("The invocation was suspended, and the execution waits for nothing.")
    for (const wait of waits) this.#put({ ...wait, Status: "SUCCEEDED", EndTimestamp: Date.now() })
    this.#changed = waits.map(({ Id }) => Id)
    this.#tokens++
  }

  get #token(): string {
    return btoa(`token ${this.#tokens}`)
  }

  #markerAfter(count: number): string {
    return count < this.#operations.size ? String(count) : ""
  }

  #authorize(token: string | undefined): void {
    if (token !== this.#token) throw new Error(`Expected the checkpoint token ${this.#token}, found ${token}.`)
  }

  #checkpoint(request: CheckpointRequest): ReadonlyArray<Operation> {
    const { CheckpointToken, ClientToken = someClientToken, Updates = [] } = request
    this.#authorize(CheckpointToken)
    this.#tokens++
    this.requests++
    this.updates += Updates.length
    if (this.#options.weighs) this.bytes += Buffer.byteLength(JSON.stringify({ ...request, ClientToken }))
    const changed = new Map<string, Operation>()
    for (const update of Updates) {
      const operation = this.#apply(update)
      changed.set(operation.Id, operation)
    }
    this.#options.onCheckpoint?.(Object.values(this.ended).reduce((total, count) => total + count, 0))
    return [...changed.values()]
  }

  #apply(update: Update): Operation {
    const { Action, Id = "" } = update
    const before = this.#operations.get(Id)
    if (before?.Status === "SUCCEEDED" || (before !== undefined && Action === "START")) throw refused(update)
    const started = before ?? { ...startOf(update), Id, Status: "STARTED", StartTimestamp: Date.now() }
    if (before === undefined) this.open++
    return this.#put(Action === "START" ? started : { ...started, ...endOf(update), EndTimestamp: Date.now() })
  }

  #put(operation: Operation): Operation {
    this.#operations.set(operation.Id, operation)
    if (operation.Status === "SUCCEEDED") {
      this.open--
      this.#count(operation)
      if (this.#options.forgets) this.#operations.delete(operation.Id)
    }
    return operation
  }

  #count({ Type }: Operation): void {
    this.ended[Type] = (this.ended[Type] ?? 0) + 1
  }
}

const startOf = (update: Update) => {
  const { Name, ParentId, SubType, Type, WaitOptions } = update
  switch (Type) {
    case "CONTEXT":
      return { ParentId, Name, SubType, Type, ContextDetails: {} } as const
    case "STEP":
      return { ParentId, Name, SubType, Type, StepDetails: { Attempt: 0 } } as const
    case "WAIT": {
      const ScheduledEndTimestamp = Date.now() + (WaitOptions?.WaitSeconds ?? 0) * 1_000
      return { ParentId, Name, SubType, Type, WaitDetails: { ScheduledEndTimestamp } } as const
    }
    default:
      throw refused(update)
  }
}

const endOf = (update: Update) => {
  const { Action, ContextOptions, Payload, Type } = update
  if (Action !== "SUCCEED" || Type === "WAIT") throw refused(update)
  const ReplayChildren = ContextOptions?.ReplayChildren ?? false
  return Type === "CONTEXT"
    ? ({ Status: "SUCCEEDED", ContextDetails: { Result: Payload, ReplayChildren } } as const)
    : ({ Status: "SUCCEEDED", StepDetails: { Attempt: 1, Result: Payload } } as const)
}

const refused = (update: Update): Error => new Error(`Nobody expected the update ${JSON.stringify(update)}.`)

/** AWS's client returns times as `Date`s. */
const withDates = ({ EndTimestamp, StartTimestamp, WaitDetails, ...operation }: Operation) => ({
  ...operation,
  StartTimestamp: new Date(StartTimestamp),
  EndTimestamp: EndTimestamp === undefined ? undefined : new Date(EndTimestamp),
  WaitDetails: WaitDetails && { ScheduledEndTimestamp: new Date(WaitDetails.ScheduledEndTimestamp) }
})
