/**
 * Sends what the invocation records: a queue, cut into batches, sent one at a time along the chain of tokens.
 *
 * A fibre that waits for its update makes the queue leave at the end of this turn of the event loop. Updates nobody
 * waits for ride along with the next request, or leave by themselves a little later.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { StoreUnavailable, type CheckpointResponse, type CheckpointStore, type StoreError } from "../CheckpointStore.ts"
import { byteLength } from "../internal/bytes.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { md5 } from "./Identity.ts"

/** How long an update may wait for company when nobody waits for it, in milliseconds. */
const idleDelay = 100

/** How often one request is sent before the invocation gives up. */
const maxAttempts = 5

/** What the checkpointer needs of the invocation around it. */
export interface Host {
  readonly executionArn: string
  readonly store: CheckpointStore["Service"]
  readonly now: () => number
  readonly random: () => number
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly after: (millis: number, action: () => void) => void
  /** The service reported operations: take all of them in, then let those who waited go on. */
  readonly onState: (operations: ReadonlyArray<Operation>) => void
  readonly onFailure: (error: StoreError) => void
  /** The service accepted a batch without giving a new token, although the execution is not over. */
  readonly onTokenMissing: () => void
  readonly onIdle: () => void
  /** The service acknowledged updates, each with the time at which it was written, after so many milliseconds. */
  readonly onAcknowledged: (
    sent: ReadonlyArray<{ readonly update: OperationUpdate; readonly since: number }>,
    millis: number
  ) => void
  /** A request failed and is sent again. */
  readonly onRepeat: () => void
}

interface Item {
  readonly update: OperationUpdate
  readonly bytes: number
  readonly since: number
  readonly acknowledged: (() => void) | undefined
}

export class Checkpointer {
  #token: string
  #queue: Array<Item> = []
  #awaited = 0
  #wanted = false
  #sender: Fiber.Fiber<void> | undefined
  #isRequestOpen = false
  #closed = false
  #idleTimer = false
  #requests = 0
  #updates = 0
  readonly #host: Host
  /** Tells the requests of this invocation from those of another that was given the same event. */
  readonly #nonce = globalThis.crypto.randomUUID()

  constructor(token: string, host: Host) {
    this.#token = token
    this.#host = host
  }

  /** Whether a request is under way or anything is left to send. */
  get busy(): boolean {
    return this.sending || this.#queue.length > 0
  }

  /** Whether a request is under way, or about to be repeated. */
  get sending(): boolean {
    return this.#sender !== undefined
  }

  get counts(): { readonly requests: number; readonly updates: number } {
    return { requests: this.#requests, updates: this.#updates }
  }

  /** Sends an update at the end of this turn, and calls back once it is acknowledged and the new state is in place. */
  submit(update: OperationUpdate, acknowledged: () => void): void {
    this.#push(update, acknowledged)
    this.flush()
  }

  /** Sends an update with the next request, or a little later. */
  post(update: OperationUpdate): void {
    this.#push(update, undefined)
    this.#armIdleTimer(idleDelay)
  }

  /** Sends what is queued. */
  flush(): void {
    if (this.#queue.length > 0) this.poll()
  }

  /** Asks the service for news, and sends what is queued with it. */
  poll(): void {
    if (this.#closed) return
    this.#wanted = true
    if (this.#sender !== undefined) return
    this.#sender = this.#host.fork(this.#send)
  }

  /** Takes nothing more, drops what is queued and repeats nothing. A request that is under way comes to its end. */
  close(): void {
    this.#closed = true
    this.#queue = []
    this.#awaited = 0
    if (!this.#isRequestOpen) this.abort()
  }

  /** Gives up a request that is under way. */
  abort(): void {
    this.#sender?.interruptUnsafe()
    this.#sender = undefined
  }

  #push(update: OperationUpdate, acknowledged: (() => void) | undefined): void {
    if (this.#closed) return
    if (acknowledged !== undefined) this.#awaited++
    this.#queue.push({ update, bytes: sizeOf(update), since: this.#host.now(), acknowledged })
  }

  #armIdleTimer(millis: number): void {
    if (this.#idleTimer) return
    this.#idleTimer = true
    this.#host.after(millis, () => {
      this.#idleTimer = false
      const oldest = this.#queue[0]
      if (this.#closed || this.#sender !== undefined || oldest === undefined) return
      const left = oldest.since + idleDelay - this.#host.now()
      if (left > 0) this.#armIdleTimer(left)
      else this.flush()
    })
  }

  readonly #send: Effect.Effect<void> = Effect.suspend(() =>
    // Whoever runs in this turn of the event loop may still join the batch.
    Effect.yieldNow.pipe(
      Effect.andThen(Effect.suspend(() => this.#sendBatch(this.#takeBatch()))),
      Effect.andThen(
        Effect.suspend(() => {
          if (!this.#closed && (this.#wanted || this.#awaited > 0)) return this.#send
          this.#sender = undefined
          if (this.#queue.length > 0) this.#armIdleTimer(idleDelay)
          this.#host.onIdle()
          return Effect.void
        })
      )
    )
  )

  #takeBatch(): ReadonlyArray<Item> {
    let bytes = 0
    let count = 0
    for (const item of this.#queue) {
      const alone = item.update.Type === "EXECUTION"
      const full = count === Limits.maxBatchUpdates || bytes + item.bytes > Limits.maxBatchBytes || alone
      if (count > 0 && full) break
      bytes += item.bytes
      count++
    }
    const batch = this.#queue.splice(0, count)
    for (const item of batch) if (item.acknowledged !== undefined) this.#awaited--
    this.#wanted = this.#queue.length > 0 && this.#wanted
    return batch
  }

  #sendBatch(batch: ReadonlyArray<Item>): Effect.Effect<void> {
    if (this.#closed) return Effect.void
    const { executionArn, store } = this.#host
    const request = {
      DurableExecutionArn: executionArn,
      CheckpointToken: this.#token,
      Updates: batch.map((item) => item.update),
      ClientToken: md5(`${this.#nonce}\0${this.#requests}`)
    }
    this.#requests++
    this.#updates += batch.length
    const sentAt = this.#host.now()
    const call = Effect.suspend(() => {
      this.#isRequestOpen = true
      return Effect.onExit(store.checkpoint(request), () => Effect.sync(() => void (this.#isRequestOpen = false)))
    })
    return retried({ random: this.#host.random, onRepeat: this.#host.onRepeat, isOver: () => this.#closed }, call).pipe(
      Effect.flatMap((response) => this.#withAllPages(response)),
      Effect.map(({ operations, token }) => {
        if (token !== undefined) this.#token = token
        else if (!batch.some((item) => item.update.Type === "EXECUTION")) return this.#host.onTokenMissing()
        this.#host.onState(operations)
        this.#host.onAcknowledged(batch, this.#host.now() - sentAt)
        for (const item of batch) item.acknowledged?.()
      }),
      Effect.catchCause((cause) => Effect.sync(() => this.#host.onFailure(failureOf(cause))))
    )
  }

  #withAllPages(
    response: CheckpointResponse
  ): Effect.Effect<{ readonly token: string | undefined; readonly operations: ReadonlyArray<Operation> }, StoreError> {
    const token = response.CheckpointToken || undefined
    const { NextMarker, Operations } = response.NewExecutionState
    if (!NextMarker || token === undefined) return Effect.succeed({ token, operations: Operations })
    return Effect.map(loadPages(this.#host, token, NextMarker), (more) => ({
      token,
      operations: [...Operations, ...more]
    }))
  }
}

/** Reads the pages of the state from a marker on. */
export const loadPages = Effect.fnUntraced(function* (
  host: Pick<Host, "executionArn" | "store" | "random" | "onRepeat">,
  token: string,
  marker: string
): Effect.fn.Return<Array<Operation>, StoreError> {
  const operations: Array<Operation> = []
  let next: string | undefined = marker
  while (next) {
    const page: { readonly Operations: ReadonlyArray<Operation>; readonly NextMarker?: string | undefined } =
      yield* retried(
        host,
        host.store.loadState({
          DurableExecutionArn: host.executionArn,
          CheckpointToken: token,
          Marker: next,
          MaxItems: Limits.maxPageItems
        })
      )
    for (const operation of page.Operations) operations.push(operation)
    next = page.NextMarker || undefined
  }
  return operations
})

/** A store that dies, or interrupts itself, is as good as unavailable. */
const failureOf = (cause: Cause.Cause<StoreError>): StoreError =>
  cause.reasons.find(Cause.isFailReason)?.error ??
  new StoreUnavailable({ message: `The checkpoint store has a fault of its own: ${Cause.pretty(cause)}` })

/** Repeats a call while the store is unavailable: a few times, with doubling delays and full jitter. */
const retried = <A>(
  host: Pick<Host, "random" | "onRepeat"> & { readonly isOver?: () => boolean },
  call: Effect.Effect<A, StoreError>,
  attempt = 1
): Effect.Effect<A, StoreError> =>
  Effect.catchTag(call, "StoreUnavailable", (error) =>
    attempt === maxAttempts || host.isOver?.()
      ? Effect.fail(error)
      : Effect.sleep(Math.ceil(host.random() * 100 * 2 ** attempt)).pipe(
          Effect.tap(() => Effect.sync(host.onRepeat)),
          Effect.andThen(retried(host, call, attempt + 1))
        )
  )

/** The size of an update in the request, in bytes, with the comma after it. */
const sizeOf = (update: OperationUpdate): number => byteLength(JSON.stringify(update)) + 1
