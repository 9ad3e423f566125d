/**
 * The kind of wait of a fiber that waits to be called back. Effect does not report it, so this module reads Effect's
 * internals.
 *
 * Owns: the hook that observes such waits, and how promises and Effect's own constructs are distinguished from anything
 * else.
 * Does not own: the consequences of a wait.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"

/**
 * The function to which a waiting effect passes its callback. Only the source of the function shows where it comes from.
 */
export type Register = (...args: never) => unknown

/** Called for every fiber that begins to wait to be called back, right after its callback was passed on. */
export type OnWait = (fiber: Fiber.Fiber<unknown, unknown>, register: Register) => void

interface Waiting {
  readonly register: Register
}

type Evaluate = (this: Waiting, fiber: Fiber.Fiber<unknown, unknown>) => unknown

const evaluate = "~effect/Effect/evaluate"

let onWait: OnWait | undefined

let isHooked = false

/** Installs the hook. All effects that wait to be called back share one prototype. */
const hook = (): void => {
  isHooked = true
  const prototype = cast<unknown, Record<string, Evaluate>>(Object.getPrototypeOf(Effect.never))
  const evaluated = prototype[evaluate]
  if (evaluated === undefined) return
  prototype[evaluate] = function (fiber) {
    const answer = evaluated.call(this, fiber)
    onWait?.(fiber, this.register)
    return answer
  }
}

/** Calls `hear` for every wait until the returned function is called. */
export const hearWaits = (hear: OnWait): (() => void) => {
  if (!isHooked) hook()
  const before = onWait
  onWait = hear
  return () => void (onWait = before)
}

const registerOf = (effect: unknown): Register => cast<unknown, Waiting>(effect).register

const promises = [Effect.promise(() => Promise.resolve()), Effect.tryPromise(() => Promise.resolve())].map(registerOf)

const promiseTexts = new Set(promises.map(String))

/** Checks whether a wait is one of `Effect.promise` or `Effect.tryPromise`, whatever kind of promise it waits for. */
export const isPromise = (register: Register): boolean =>
  register.length === promises[0]?.length && promiseTexts.has(String(register))

const ofBranches = new WeakSet<Register>()

/** Returns a function with which a fiber waits, and notes that only fibers that it has forked can call it back. */
export const forBranches = <F extends Register>(register: F): F => {
  ofBranches.add(register)
  return register
}

let known: ReadonlySet<string> | undefined

/**
 * Names in the functions with which PubSub, Pool, the end of a Queue, PartitionedSemaphore and transactions wait. Bundlers
 * keep these names. Waiting with these constructs here would add them to every bundle.
 */
const names =
  /onPubSubEmptySpaceUnsafe|isShuttingDown.{1,12}\.waiters|state\.awaiters|permits:.{1,12},\s*resume:|journal\.keys/

/**
 * Checks whether only Effect itself can end a wait: a Deferred, a Queue, a PubSub, a Latch, a Semaphore, a Pool, a
 * transaction, another fiber, or nothing.
 */
export const isOfEffect = (register: Register): boolean => {
  const text = String(register)
  return ofBranches.has(register) || (known ??= samples()).has(text) || names.test(text)
}

/** Returns the sources of the functions that Effect's own constructs wait with, found by waiting. */
const samples = (): ReadonlySet<string> => {
  const texts = new Set<string>()
  const stop = hearWaits((_, register) => void texts.add(String(register)))
  const endless = Effect.runFork(Effect.never)
  const waits: ReadonlyArray<Effect.Effect<unknown>> = [
    Deferred.await(Deferred.makeUnsafe<void>()),
    Effect.flatMap(Queue.unbounded<void>(), Queue.take),
    Effect.flatMap(Queue.bounded<number>(1), (queue) => Queue.offerAll(queue, [1, 2])),
    Effect.flatMap(Queue.bounded<number>(1), (queue) => Effect.andThen(Queue.offer(queue, 1), Queue.offer(queue, 2))),
    Latch.makeUnsafe(false).await,
    Semaphore.makeUnsafe(0).take(1),
    Fiber.await(endless),
    Fiber.awaitAll([endless]),
    Fiber.join(endless),
    Fiber.joinAll([endless]),
    Effect.all([Effect.never, Effect.never], { concurrency: "unbounded" }),
    Effect.all([Effect.never, Effect.never], { concurrency: "unbounded", mode: "result" }),
    Effect.raceAll([Effect.never, Effect.never]),
    Effect.raceAllFirst([Effect.never, Effect.never])
  ]
  const fibers = waits.map((wait) => Effect.runFork(wait))
  stop()
  for (const fiber of [...fibers, endless]) fiber.interruptUnsafe()
  return texts
}
