/**
 * A store whose requests suffer faults, as a seed decides.
 *
 * Owns: which requests suffer a fault, and the notification of the test.
 * Does not own: crashes, and the effect of a fault on a single request.
 *
 * Invariants:
 * 1. Each kind of fault has a random generator of its own, so that adding a kind does not move the others.
 * 2. The same requests in the same order suffer the same faults.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CheckpointRequest, CheckpointStore, StateRequest, StoreError } from "../CheckpointStore.ts"
import { seeded } from "../execution/Chance.ts"
import { readMillis } from "../internal/durations.ts"
import type { Crash, Crashed } from "./Crash.ts"
import { Pages } from "./Pages.ts"
import { suffer, type RequestFault } from "./RequestFault.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * The faults of a store's requests. A share is a number from 0, for none, to 1, for all of them; it is the independent
 * probability for each request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The seed that decides which requests suffer a fault: any whole number. Default: 1. */
  readonly seed?: number | undefined
  /** The share that is refused as too many requests, before the service processes them. */
  readonly throttle?: number | undefined
  /** The share that is answered with an error of the service, half of them after the service has applied the request. */
  readonly error?: number | undefined
  /** The share whose connection is closed, half of them after the service has applied the request. */
  readonly reset?: number | undefined
  /** The share that the service has applied, but whose answer is lost. */
  readonly lost?: number | undefined
  /** The share that the network delivers twice. */
  readonly repeat?: number | undefined
  /** The share that takes up to `longest`, half of them on the way back. */
  readonly delay?: number | undefined
  /** The maximum delay of a request, a duration. Default: 1 second. */
  readonly longest?: Duration.Input | undefined
  /**
   * The share that is answered as stale, because the invocation no longer owns the execution; half of them after the service
   * has applied the request. The effect is that of a killed invocation.
   */
  readonly stale?: number | undefined
  /** The share of checkpoints whose answer has no token for the next one. */
  readonly tokenless?: number | undefined
  /** Number of operations on one page of an answer: a whole number of at least 1. Default: as many as the store returns. */
  readonly pageItems?: number | undefined
  /**
   * The points at which invocations are killed, such as `"after:3"` or `{ before: "charge" }`; several crashes are a list. A
   * test in which a crash does not happen fails when the layer of the faults is released.
   */
  readonly crash?: Crash | ReadonlyArray<Crash> | undefined
  /** Receives each crash that happens, before the invocation does. */
  readonly onCrash?: ((crash: Crashed) => Effect.Effect<void>) | undefined
  /** Receives each other fault that happens. */
  readonly onFault?: ((fault: Fault) => Effect.Effect<void>) | undefined
}

/**
 * The kinds of faults that have a share.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "throttle" | "error" | "reset" | "lost" | "repeat" | "delay" | "stale" | "tokenless"

/**
 * A fault that happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly kind: Kind
  readonly request: CheckpointRequest | StateRequest
}

/** Returns a store with faults around another one. It does not perform the crashes. */
export const faulty = (
  { checkpoint, loadState, ordered }: CheckpointStore["Service"],
  options: Omit<Options, "crash">
): CheckpointStore["Service"] => {
  const draws = new Draws(options)
  const pages = new Pages(options.pageItems, loadState)
  const told = (kind: Kind, request: Fault["request"]): Effect.Effect<void> =>
    options.onFault?.({ kind, request }) ?? Effect.void
  const spoiled = <A>(request: Fault["request"], call: () => Effect.Effect<A, StoreError>) =>
    draws.next().reduce(
      (inner, [kind, fault]) =>
        () =>
          suffer(fault, inner, told(kind, request)),
      call
    )()
  return {
    ordered,
    loadState: (request) => Effect.suspend(() => spoiled(request, () => pages.load(request))),
    checkpoint: (request) =>
      Effect.suspend(() => {
        const answered = spoiled(request, () => Effect.map(checkpoint(request), pages.cutAnswer))
        if (!draws.isNext("tokenless")) return answered
        return Effect.tap(
          Effect.map(answered, ({ NewExecutionState }) => ({ NewExecutionState })),
          () => told("tokenless", request)
        )
      })
  }
}

/** The faults of a request, by their kind. */
const makes: Readonly<Record<Exclude<Kind, "tokenless">, (draw: () => number, longest: number) => RequestFault>> = {
  throttle: () => ({ kind: "unavailable", when: "before", message: "TooManyRequestsException: Rate exceeded" }),
  error: (draw) => ({
    kind: "unavailable",
    when: halfOf(draw),
    message: "ServiceException: An error occurred and the request cannot be processed."
  }),
  reset: (draw) => ({ kind: "unavailable", when: halfOf(draw), message: "read ECONNRESET" }),
  lost: () => ({ kind: "unavailable", when: "after" }),
  repeat: () => ({ kind: "twice" }),
  stale: (draw) => ({ kind: "stale", when: halfOf(draw), message: "Invalid checkpoint token" }),
  delay: (draw, longest) => ({ kind: "slow", when: halfOf(draw), millis: Math.ceil(draw() * longest) })
}

const halfOf = (draw: () => number): "before" | "after" => (draw() < 0.5 ? "before" : "after")

const kinds = ["throttle", "error", "reset", "lost", "repeat", "stale", "delay"] as const

/** The decisions which requests suffer a fault. */
class Draws {
  readonly #shares: Options
  readonly #longest: number
  readonly #generators = new Map<Kind, () => number>()

  constructor(options: Options) {
    this.#shares = options
    this.#longest = readMillis("the option longest of Faults", options.longest ?? "1 second")
    for (const kind of [...kinds, "tokenless"] as const) checkShare(kind, options[kind])
  }

  isNext(kind: Kind): boolean {
    return this.#drawOf(kind)() < (this.#shares[kind] ?? 0)
  }

  /** Returns the faults of the next request, the innermost first. */
  next(): ReadonlyArray<readonly [Kind, RequestFault]> {
    return kinds.flatMap((kind) => {
      const draw = this.#drawOf(kind)
      return this.isNext(kind) ? [[kind, makes[kind](draw, this.#longest)] as const] : []
    })
  }

  #drawOf(kind: Kind): () => number {
    const known = this.#generators.get(kind)
    if (known !== undefined) return known
    const random = seeded(`${this.#shares.seed ?? 1} ${kind}`)
    const draw = (): number => random.nextDoubleUnsafe()
    this.#generators.set(kind, draw)
    return draw
  }
}

/** Throws if a share is invalid. */
export const checkShare = (option: string, share: number | undefined): void => {
  if (share === undefined || (share >= 0 && share <= 1)) return
  throw new TestFailure({
    message: `Expected the fault ${option} to be a share from 0 to 1, found ${share}. It is the probability for each request: 0.1 is one in ten.`
  })
}
