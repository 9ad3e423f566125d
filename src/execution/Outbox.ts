/**
 * Updates of an invocation on their way to the service.
 *
 * Owns: the queue of updates, how it is cut into requests, the chain of tokens, and how a request is repeated.
 * Does not own: the meaning of an answer, which the history stores and the delivery delivers; the two quotas of the
 * service, whose use is counted in `Usage.ts`; and when the service is polled while there is nothing to send.
 *
 * Invariants:
 * 1. Updates leave in the order in which they were queued, one request at a time. A queued update is never withdrawn,
 *    except for the start of a step whose success is queued before the start has left, if the handler omits such starts.
 * 2. A request holds at most 250 updates and 750 KiB. An update of the execution has a request of its own. A token is used
 *    once.
 * 3. An answer, with all of its pages, is stored before any other part sees it.
 * 4. An update that a fiber waits for leaves when the workflow has nothing more to add. Any other leaves with the next
 *    request, or a little later.
 * 5. Where the service stamps whole milliseconds, no request shares a millisecond with an outcome that was known before, if
 *    the order of the two matters.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import {
  StoreUnavailable,
  type CheckpointRequest,
  type CheckpointResponse,
  type CheckpointStore,
  type StoreError
} from "../CheckpointStore.ts"
import { byteLength, jsonSize } from "../internal/bytes.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { Host } from "./Host.ts"
import type { Lifetime } from "./Lifetime.ts"
import type { Listener, Sent } from "./Listener.ts"
import type { Usage } from "./Usage.ts"

/** Read when the modules load: Node loads it on first use, which takes as long as a short invocation. */
const { crypto } = globalThis

/** How many times to wait for the next millisecond. The limit keeps a stopped clock from blocking requests. */
const longestWait = 5

/** How long an update that no fiber waits for may wait for others, in milliseconds. */
const idleDelay = 100

/** How often a request is repeated before the invocation gives up. */
const maxRepeats = 4

/** The reports of the outbox. */
export interface OutboxOwner {
  /** Called with the records that the service has reported. */
  readonly onState: (records: ReadonlyArray<Operation>) => void
  /** Called when the service has acknowledged updates. */
  readonly onAcknowledged: (acknowledged: ReadonlyArray<() => void>) => void
  readonly onFailure: (error: StoreError) => void
  /** Called when the service has accepted a request without giving a new token, although the execution is not over. */
  readonly onTokenMissing: () => void
  /** Called when no request is in flight any more. */
  readonly onIdle: () => void
  /** Called before an update enters the queue, to queue what must be recorded before it. */
  readonly onPush: () => void
  /**
   * Returns whether order matters between something stamped in this millisecond and an outcome that is known to have
   * come in it. `endsContext` says whether a context ends that no fiber may be waiting for.
   */
  readonly isTaken: (millis: number, endsContext: () => boolean) => boolean
}

interface Item extends Sent {
  readonly bytes: number
  readonly acknowledged: (() => void) | undefined
  readonly isAwaited: boolean
}

export class Outbox {
  #token: string
  #queue: Array<Item> = []
  #awaited = 0
  #isWanted = false
  #isSending = false
  /** Whether a request is in flight, and not waiting to be repeated. */
  #isCalling = false
  #isClosed = false
  #isPushing = false
  #idleTimer = false
  #requests = 0
  #updates = 0
  #whenIdle: (() => void) | undefined
  #wake: (() => void) | undefined
  #sender: Fiber.Fiber<void> | undefined
  #questions: Array<{ readonly after: number; readonly answered: () => void }> = []
  #owner: OutboxOwner | undefined
  readonly #executionArn: string
  readonly #store: CheckpointStore["Service"]
  readonly #lifetime: Lifetime
  readonly #listener: Listener
  readonly #usage: Usage
  readonly #host: Host
  readonly #omitsStarts: boolean
  /** Distinguishes the requests of this invocation from those of another one with the same event. */
  readonly #nonce = crypto.randomUUID()

  constructor(options: {
    readonly executionArn: string
    readonly token: string
    readonly store: CheckpointStore["Service"]
    readonly lifetime: Lifetime
    readonly listener: Listener
    readonly usage: Usage
    readonly host: Host
    /** Whether the start of a step is omitted if its success leaves with the same request. */
    readonly omitsStarts: boolean
  }) {
    this.#executionArn = options.executionArn
    this.#token = options.token
    this.#store = options.store
    this.#lifetime = options.lifetime
    this.#listener = options.listener
    this.#usage = options.usage
    this.#host = options.host
    this.#omitsStarts = options.omitsStarts
  }

  attach(owner: OutboxOwner): void {
    this.#owner = owner
  }

  /** Whether a request is in flight, or updates are left to send. */
  get isBusy(): boolean {
    return this.#isSending || this.#queue.length > 0
  }

  /** Whether a request is in flight, or about to be sent. */
  get isSending(): boolean {
    return this.#isSending
  }

  /** Whether every stamp of the service is later than those before it. */
  get isOrdered(): boolean {
    return this.#store.ordered === true
  }

  /** The number of requests that were begun, and the number of their updates. */
  get counts(): { readonly requests: number; readonly updates: number } {
    return { requests: this.#requests, updates: this.#updates }
  }

  /** Queues an update. An awaited update makes the queue be sent; any other leaves with the next request. */
  push(
    path: string,
    update: OperationUpdate,
    acknowledged?: () => void,
    isAwaited: boolean = acknowledged !== undefined
  ): void {
    if (this.#isClosed) return
    this.prepare()
    this.#usage.addUpdate(path, update)
    if (this.#omitsStarts && update.Type === "STEP" && update.Action === "SUCCEED") this.#withdrawStart(update)
    if (isAwaited) this.#awaited++
    this.#queue.push({ update, bytes: sizeOf(update), since: this.#host.now(), acknowledged, isAwaited })
    if (!isAwaited) this.#armIdleTimer(idleDelay)
  }

  /**
   * Withdraws the start of a step, because its success contains everything that the start would. A start that a fiber
   * waits for stays.
   */
  #withdrawStart({ Id }: OperationUpdate): void {
    const at = this.#queue.findLastIndex(({ isAwaited, update }) => update.Id === Id && !isAwaited)
    if (at !== -1) this.#queue.splice(at, 1)
  }

  /** Queues a record that must be written, and known, before anything else. */
  prepare(): void {
    if (this.#isPushing || this.#isClosed) return
    this.#isPushing = true
    try {
      this.#owner?.onPush()
    } finally {
      this.#isPushing = false
    }
  }

  /** Whether a fiber waits for a queued update. */
  get isAwaited(): boolean {
    return this.#awaited > 0
  }

  /** Sends what is queued. */
  flush(): void {
    if (this.#queue.length > 0) this.poll()
  }

  /** Polls the service for news. Sends the queue with that request. */
  poll(): void {
    if (this.#isClosed) return
    this.prepare()
    this.#isWanted = true
    if (this.#isSending) return
    this.#isSending = true
    if (this.#sender === undefined) this.#sender = this.#host.fork(Effect.suspend(() => this.#send()))
    else this.#wake?.()
  }

  /** Polls the service for news. Calls `answered` when the service has answered a request that begins from now on. */
  ask(answered: () => void): void {
    this.#questions.push({ after: this.#requests, answered })
    this.poll()
  }

  /** Calls `action`, from now on, whenever no request is in flight any more. */
  whenIdle(action: () => void): void {
    this.#whenIdle = action
  }

  /** Closes and empties the queue. A request in flight completes. */
  close(): void {
    this.#isClosed = true
    this.#queue = []
    this.#awaited = 0
    if (!this.#isCalling) this.abort()
  }

  /** Gives up a request in flight. */
  abort(): void {
    this.#sender?.interruptUnsafe()
    this.#isSending = false
  }

  // --- Sending -----------------------------------------------------------------------------------------------------------

  /** Sends all requests of an invocation in one fiber, each when it is needed. Between requests the fiber is idle. */
  #send(waited = 0): Effect.Effect<void> {
    if (this.#isClosed) {
      this.#isSending = false
      this.#whenIdle?.()
      return Effect.void
    }
    if (!(this.#isWanted || this.#awaited > 0)) return this.#rest
    return this.#isTooEarly() && waited < longestWait
      ? Effect.flatMap(Effect.sleep(1), () => this.#send(waited + 1))
      : this.#sendBatch(this.#takeBatch())
  }

  readonly #rest: Effect.Effect<void> = Effect.callback((resume) => {
    this.#isSending = false
    if (this.#queue.length > 0) this.#armIdleTimer(idleDelay)
    this.#wake = () => resume(this.#send())
    this.#owner?.onIdle()
    this.#whenIdle?.()
  })

  /** Returns whether an update that is sent now might get the same stamp as an outcome that was known before it. */
  #isTooEarly(): boolean {
    return !this.isOrdered && this.#owner?.isTaken(Math.floor(this.#host.now()), this.#endsContext) === true
  }

  readonly #endsContext = (): boolean =>
    this.#queue.some(({ update: { Action, Type } }) => Type === "CONTEXT" && Action !== "START")

  #takeBatch(): ReadonlyArray<Item> {
    let bytes = 0
    let count = 0
    for (const item of this.#queue) {
      const isAlone = item.update.Type === "EXECUTION"
      const isFull = count === Limits.maxBatchUpdates || bytes + item.bytes > Limits.maxBatchBytes || isAlone
      if (count > 0 && isFull) break
      bytes += item.bytes
      count++
    }
    const batch = this.#queue.splice(0, count)
    for (const item of batch) if (item.isAwaited) this.#awaited--
    this.#isWanted = this.#queue.length > 0 && this.#isWanted
    return batch
  }

  #sendBatch(batch: ReadonlyArray<Item>): Effect.Effect<void> {
    const request = {
      DurableExecutionArn: this.#executionArn,
      CheckpointToken: this.#token,
      Updates: batch.map((item) => item.update),
      ClientToken: `${this.#nonce}-${this.#requests}`
    }
    this.#requests++
    this.#updates += batch.length
    this.#isCalling = true
    const sentAt = this.#host.now()
    const answered = (response: CheckpointResponse): Effect.Effect<void> => this.#take(batch, response, sentAt)
    return Effect.matchCauseEffect(this.#store.checkpoint(request), {
      onSuccess: answered,
      onFailure: (cause) =>
        isPassing(cause) && !this.#isClosed
          ? Effect.matchCauseEffect(this.#repeat(request), { onSuccess: answered, onFailure: this.#fail })
          : this.#fail(cause)
    })
  }

  /** Sends a request again that was not answered. */
  #repeat(request: CheckpointRequest): Effect.Effect<CheckpointResponse, StoreError> {
    const again = Effect.suspend(() => {
      this.#isCalling = true
      return this.#store.checkpoint(request)
    })
    const over = (): boolean => {
      this.#isCalling = false
      return this.#isClosed
    }
    over()
    return Effect.delay(repeated(again, this.#listener, over, maxRepeats - 1), firstDelay)
  }

  readonly #fail = (cause: Cause.Cause<StoreError>): Effect.Effect<void> => {
    this.#isCalling = false
    this.#owner?.onFailure(failureOf(cause))
    return this.#send()
  }

  #take(batch: ReadonlyArray<Item>, response: CheckpointResponse, sentAt: number): Effect.Effect<void> {
    const token = response.CheckpointToken || undefined
    const { NextMarker, Operations } = response.NewExecutionState
    if (!NextMarker || token === undefined) {
      this.#accept(batch, token, Operations, sentAt)
      return this.#send()
    }
    return Effect.matchCauseEffect(loadPages(this.#store, this.#listener, this.#executionArn, token, NextMarker), {
      onSuccess: (more) => {
        this.#accept(batch, token, [...Operations, ...more], sentAt)
        return this.#send()
      },
      onFailure: this.#fail
    })
  }

  #accept(
    batch: ReadonlyArray<Item>,
    token: string | undefined,
    records: ReadonlyArray<Operation>,
    sentAt: number
  ): void {
    this.#isCalling = false
    if (token !== undefined) this.#token = token
    else if (!batch.some((item) => item.update.Type === "EXECUTION")) return this.#owner?.onTokenMissing()
    if (records.length > 0) this.#owner?.onState(records)
    this.#listener.acknowledged?.(batch, this.#host.now() - sentAt)
    const waiting = batch.flatMap(({ acknowledged }) => (acknowledged === undefined ? [] : [acknowledged]))
    const number = this.#requests - 1
    const answered = this.#questions.filter(({ after }) => after <= number)
    this.#questions = this.#questions.filter(({ after }) => after > number)
    this.#owner?.onAcknowledged([...waiting, ...answered.map((question) => question.answered)])
  }

  #armIdleTimer(millis: number): void {
    if (this.#idleTimer) return
    this.#idleTimer = true
    this.#host.after(millis, () => {
      this.#idleTimer = false
      const oldest = this.#queue[0]
      if (this.#isClosed || this.#isSending || oldest === undefined) return
      const left = oldest.since + idleDelay - this.#host.now()
      if (left > 0) this.#armIdleTimer(left)
      else if (this.#lifetime.isOpen) this.flush()
    })
  }
}

/** Reads the pages of the state, starting at a marker. */
export const loadPages = Effect.fnUntraced(function* (
  store: CheckpointStore["Service"],
  listener: Pick<Listener, "repeated">,
  executionArn: string,
  token: string,
  marker: string
): Effect.fn.Return<Array<Operation>, StoreError> {
  const records: Array<Operation> = []
  let next: string | undefined = marker
  while (next) {
    const request = {
      DurableExecutionArn: executionArn,
      CheckpointToken: token,
      Marker: next,
      MaxItems: Limits.maxPageItems
    }
    const page: { readonly Operations: ReadonlyArray<Operation>; readonly NextMarker?: string | undefined } =
      yield* repeated(store.loadState(request), listener, () => false)
    for (const record of page.Operations) records.push(record)
    next = page.NextMarker || undefined
  }
  return records
})

/** Returns the failure of a store. A store that dies or interrupts itself counts as unavailable. */
const failureOf = (cause: Cause.Cause<StoreError>): StoreError =>
  cause.reasons.find(Cause.isFailReason)?.error ??
  new StoreUnavailable({ message: `The checkpoint store has a fault of its own: ${Cause.pretty(cause)}` })

/** Checks whether a failed request may succeed when it is repeated. */
const isPassing = (cause: Cause.Cause<StoreError>): boolean =>
  cause.reasons.find(Cause.isFailReason)?.error._tag === "StoreUnavailable"

/** The delay before the first repetition of a request, in milliseconds. Later delays double, with jitter. */
const firstDelay = 100
const backOff = Schedule.jittered(Schedule.exponential(firstDelay * 2))

/** Repeats a call a few times while the store is unavailable. */
const repeated = <A>(
  call: Effect.Effect<A, StoreError>,
  listener: Pick<Listener, "repeated">,
  isOver: () => boolean,
  times = maxRepeats
): Effect.Effect<A, StoreError> => {
  let calls = times === maxRepeats ? 0 : 1
  const counted = Effect.suspend(() => {
    if (calls++ > 0) listener.repeated?.()
    return call
  })
  return Effect.retry(counted, {
    schedule: backOff,
    times,
    while: (error) => error._tag === "StoreUnavailable" && !isOver()
  })
}

/** The maximum size of the ids, types and numbers of one update, in bytes. */
const fixedSize = 320

const isFixed = (): number => 0

/**
 * The size of each field in the request, in bytes: exact for fields that may be large, and an upper bound for a name.
 */
const sizes: { readonly [Field in keyof OperationUpdate]-?: (update: OperationUpdate) => number } = {
  Id: isFixed,
  ParentId: isFixed,
  Type: isFixed,
  SubType: isFixed,
  Action: isFixed,
  Name: ({ Name = "" }) => Name.length * 2,
  Payload: ({ Payload }) => (Payload === undefined ? 0 : jsonSize(Payload)),
  Error: ({ Error: error }) => sizeInJson(error),
  ContextOptions: isFixed,
  StepOptions: isFixed,
  WaitOptions: isFixed,
  CallbackOptions: isFixed,
  ChainedInvokeOptions: ({ ChainedInvokeOptions }) => sizeInJson(ChainedInvokeOptions)
}

/** Only the fields whose sizes count. */
const sizesOfFields = Object.values(sizes).filter((size) => size !== isFixed)

/** Returns the size of an update in the request. */
const sizeOf = (update: OperationUpdate): number => {
  let bytes = fixedSize
  for (const size of sizesOfFields) bytes += size(update)
  return bytes
}

const sizeInJson = (value: object | undefined): number => (value === undefined ? 0 : byteLength(JSON.stringify(value)))
