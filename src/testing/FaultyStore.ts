/**
 * A store to whose requests things happen, as a seed says.
 *
 * Owns: to which requests something happens, and what a test is told of it.
 * Does not own: crashes, and what becomes of a single request.
 *
 * Invariants:
 * 1. Each kind of fault has a generator of its own, so that one more kind leaves the others where they were.
 * 2. Requests that come in the same order suffer the same.
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
 * What happens to the requests of a store. A share is a number from 0, for none, to 1, for all of them; it is the chance of each
 * request by itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Decides which requests suffer: any whole number. Default: 1. */
  readonly seed?: number | undefined
  /** The share that is refused because there are too many, before the service looks at them. */
  readonly throttle?: number | undefined
  /** The share that is answered with an error of the service, half of them after it has carried the request out. */
  readonly error?: number | undefined
  /** The share whose connection is closed, half of them after the service has carried the request out. */
  readonly reset?: number | undefined
  /** The share that the service has carried out, and whose answer is lost. */
  readonly lost?: number | undefined
  /** The share that the network delivers twice. */
  readonly repeat?: number | undefined
  /** The share that takes up to `longest`, half of them on the way back. */
  readonly delay?: number | undefined
  /** How long a delayed request takes at most, a duration. Default: 1 second. */
  readonly longest?: Duration.Input | undefined
  /**
   * The share that is told that the invocation no longer owns the execution, half of them after the service has carried the
   * request out: the invocation is as good as killed.
   */
  readonly stale?: number | undefined
  /** The share of checkpoints whose answer has no token for the next one. */
  readonly tokenless?: number | undefined
  /** Operations on one page of an answer: a whole number of at least 1. Default: as many as the store gives. */
  readonly pageItems?: number | undefined
  /** Where invocations are killed, such as `"after:3"` or `{ before: "charge" }`; several crashes are a list. */
  readonly crash?: Crash | ReadonlyArray<Crash> | undefined
  /** Hears of each crash that comes about, before the invocation is told. */
  readonly onCrash?: ((crash: Crashed) => Effect.Effect<void>) | undefined
  /** Hears of each other fault that comes about. */
  readonly onFault?: ((fault: Fault) => Effect.Effect<void>) | undefined
}

/**
 * The kinds of faults that a share can be given of.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "throttle" | "error" | "reset" | "lost" | "repeat" | "delay" | "stale" | "tokenless"

/**
 * A fault that came about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly kind: Kind
  readonly request: CheckpointRequest | StateRequest
}

/** A store around another one. Its crashes are left to others. */
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

/** What happens to a request of a kind. */
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

/** To which requests something happens. */
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

  /** What happens to the next request, the innermost first. */
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

/** Refuses what is no share. */
export const checkShare = (option: string, share: number | undefined): void => {
  if (share === undefined || (share >= 0 && share <= 1)) return
  throw new TestFailure({
    message: `Expected the fault ${option} to be a share from 0 to 1, found ${share}. It is the chance of each request: 0.1 is one in ten.`
  })
}
