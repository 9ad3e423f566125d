/**
 * What a fiber waits for that has itself called back. Effect does not tell, so its insides are asked.
 *
 * Owns: the hook by which that is heard of, and how promises and Effect's own constructs are told from anything else.
 * Does not own: what follows from it.
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

/** The function to which a waiting effect gives what calls it back. Where it comes from is told by its source only. */
export type Register = (...args: never) => unknown

/** Hears of every fiber that begins to wait to be called back, right after what calls it back was given away. */
export type OnWait = (fiber: Fiber.Fiber<unknown, unknown>, register: Register) => void

interface Waiting {
  readonly register: Register
}

type Evaluate = (this: Waiting, fiber: Fiber.Fiber<unknown, unknown>) => unknown

const evaluate = "~effect/Effect/evaluate"

let onWait: OnWait | undefined

let isHooked = false

/** All effects that wait to be called back have one prototype. */
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

/** Has somebody hear of waits until the returned function is called. */
export const hearWaits = (hear: OnWait): (() => void) => {
  if (!isHooked) hook()
  const before = onWait
  onWait = hear
  return () => void (onWait = before)
}

const registerOf = (effect: unknown): Register => cast<unknown, Waiting>(effect).register

const promises = [Effect.promise(() => Promise.resolve()), Effect.tryPromise(() => Promise.resolve())].map(registerOf)

const promiseTexts = new Set(promises.map(String))

/** Whether a wait is one of `Effect.promise` or `Effect.tryPromise`, whatever its promise is made of. */
export const isPromise = (register: Register): boolean =>
  register.length === promises[0]?.length && promiseTexts.has(String(register))

let known: ReadonlySet<string> | undefined

/** Whether only Effect itself can end a wait: a Deferred, a Queue, a Latch, a Semaphore, another fiber, or nothing. */
export const isOfEffect = (register: Register): boolean => (known ??= samples()).has(String(register))

/** The sources of what Effect's own constructs wait with, found by waiting. */
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
