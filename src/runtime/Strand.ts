/**
 * What a workflow sees of time and chance: the same at every replay.
 *
 * Time is when the last outcome came that the service recorded, and never the clock of this process; random numbers come
 * from a generator seeded by who asks. Both are kept per durable context and, within it, per fibre: which of two fibres
 * gets on first may differ on a replay, so neither may notice the other before it is joined.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import type * as Random from "effect/Random"
import { md5 } from "./Identity.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** What the first strand of an execution begins with. Times are milliseconds since the epoch. */
export interface Origin {
  readonly executionArn: string
  readonly start: number
}

/** What one fibre sees in one context. */
export class Strand {
  #now: number
  #forks = 0
  #random: Random.Random | undefined
  readonly #seed: string

  constructor(now: number, seed: string) {
    this.#now = now
    this.#seed = seed
  }

  /** Milliseconds since the epoch. They never go back. */
  get now(): number {
    return this.#now
  }

  get random(): Random.Random {
    return (this.#random ??= seeded(this.#seed))
  }

  /** Something ended that the fibre waited for. */
  advanceTo(time: number): void {
    if (time > this.#now) this.#now = time
  }

  /** The fibre slept. */
  pass(millis: number): void {
    this.#now += millis
  }

  /** A fibre that is forked sees the time of the fork, and numbers of its own. */
  fork(): Strand {
    return new Strand(this.#now, `${this.#seed}\0${this.#forks++}`)
  }
}

/** The fibre that forked the current one, until the current one is known itself. */
const Known: Context.Reference<AnyFiber | undefined> = Context.Reference<AnyFiber | undefined>(
  "effect-durable/KnownFiber",
  { defaultValue: () => undefined }
)

/** The strands of one context: one for the fibre whose code it is, and one for every fibre that was forked in it. */
export class Strands {
  readonly #executionArn: string
  readonly #first: Strand
  readonly #forked = new WeakMap<AnyFiber, Strand>()

  constructor(origin: Origin, contextId: string) {
    this.#executionArn = origin.executionArn
    this.#first = new Strand(origin.start, `${origin.executionArn}\0${contextId}`)
  }

  /** The strands of a context that the current fibre opens inside this one. */
  inside(contextId: string): Strands {
    return new Strands({ executionArn: this.#executionArn, start: this.of(Fiber.getCurrent()).now }, contextId)
  }

  of(fiber: AnyFiber | undefined): Strand {
    return (fiber && this.#forked.get(fiber)) ?? this.#first
  }

  /**
   * Notes a fibre that was forked in this context and is about to begin. What it has seen when it ends, its parent has
   * seen: most parents wait for their fibres, and the others cannot be told apart.
   */
  adopt(fiber: AnyFiber): void {
    const parent = this.of(fiber.getRef(Known))
    const strand = parent.fork()
    this.#forked.set(fiber, strand)
    fiber.setContext(Context.add(fiber.context, Known, fiber))
    fiber.addObserver(() => parent.advanceTo(strand.now))
  }
}

/**
 * A generator of our own, because the numbers of an execution must be the same with any version of Effect: sfc32 of
 * Chris Doty-Humphrey's PractRand, seeded with an MD5.
 */
const seeded = (seed: string): Random.Random => {
  const digits = md5(`random\0${seed}`)
  const word = (index: number): number => Number.parseInt(digits.slice(index * 8, index * 8 + 8), 16) | 0
  let [a, b, c, counter] = [word(0), word(1), word(2), word(3)]
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) next()
  // 53 bits, as many as a number holds.
  const nextDoubleUnsafe = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53
  return {
    nextDoubleUnsafe,
    nextIntUnsafe: () =>
      Math.floor(nextDoubleUnsafe() * (Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER + 1)) + Number.MIN_SAFE_INTEGER
  }
}
