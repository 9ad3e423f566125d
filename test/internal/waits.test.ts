import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import * as Pool from "effect/Pool"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { hearWaits, isOfEffect, isPromise, type Register } from "../../src/internal/waits.ts"

/** What a fiber waits with. */
const waitOf = (effect: Effect.Effect<unknown>): Register => {
  let found: Register | undefined
  let waiting: unknown
  const stop = hearWaits((fiber, register) => {
    waiting = fiber
    found = register
  })
  const fiber = Effect.runFork(effect)
  stop()
  // What it forks may have begun to wait before it.
  assert.strictEqual(waiting, fiber)
  fiber.interruptUnsafe()
  return found!
}

class Thenable implements PromiseLike<never> {
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is told apart
  then<A>(): PromiseLike<A> {
    return this
  }
}

describe("What a fiber waits with is heard of", () => {
  it("and of nobody after the returned function was called", () => {
    let heard = 0
    const stop = hearWaits(() => heard++)
    const stopInner = hearWaits(() => heard--)
    Effect.runFork(Effect.never)
    assert.strictEqual(heard, -1)
    stopInner()
    Effect.runFork(Effect.never)
    assert.strictEqual(heard, 0)
    stop()
    Effect.runFork(Effect.never)
    assert.strictEqual(heard, 0)
  })

  const promises: Readonly<Record<string, Effect.Effect<unknown>>> = {
    "a promise": Effect.promise(() => new Promise(() => {})),
    "a promise with a signal": Effect.promise((_signal) => new Promise(() => {})),
    "a thenable": Effect.promise(() => new Thenable()),
    "a promise that may fail": Effect.orDie(Effect.tryPromise(() => new Thenable())),
    "a promise whose errors are mapped": Effect.orDie(
      Effect.tryPromise({ try: () => new Thenable(), catch: (error) => error })
    )
  }
  for (const [name, effect] of Object.entries(promises)) {
    it(`${name} as a promise`, () => {
      const wait = waitOf(effect)
      assert.isTrue(isPromise(wait))
      assert.isFalse(isOfEffect(wait))
    })
  }

  const constructs: Readonly<Record<string, Effect.Effect<unknown>>> = {
    nothing: Effect.never,
    "a Deferred": Effect.flatMap(Deferred.make<void>(), Deferred.await),
    "an empty Queue": Effect.flatMap(Queue.unbounded<void>(), Queue.take),
    "a batch of a Queue": Effect.flatMap(Queue.unbounded<void>(), (queue) => Queue.takeN(queue, 2)),
    "a full Queue": Effect.flatMap(Queue.bounded<number>(1), (queue) =>
      Effect.andThen(Queue.offer(queue, 1), Queue.offer(queue, 2))
    ),
    "the end of a Queue": Effect.flatMap(Queue.unbounded<void>(), Queue.await),
    "a message of a PubSub": Effect.scoped(
      Effect.flatMap(Effect.flatMap(PubSub.unbounded<void>(), PubSub.subscribe), PubSub.take)
    ),
    "a full PubSub": Effect.scoped(
      Effect.flatMap(PubSub.bounded<number>(1), (messages) =>
        Effect.andThen(PubSub.subscribe(messages), PubSub.publishAll(messages, [1, 2]))
      )
    ),
    "a Pool without a free item": Effect.scoped(
      Effect.flatMap(Pool.make({ acquire: Effect.void, size: 1 }), (pool) =>
        Effect.andThen(Pool.get(pool), Pool.get(pool))
      )
    ),
    "a partition of a Semaphore": Effect.flatMap(PartitionedSemaphore.make<string>({ permits: 1 }), ({ withPermits }) =>
      withPermits("one", 1)(withPermits("another", 1)(Effect.void))
    ),
    "a transaction": Effect.tx(Effect.txRetry),
    "a Latch": Latch.makeUnsafe(false).await,
    "a Semaphore": Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.withPermits(1)(Effect.void)),
    "another fiber": Fiber.join(Effect.runFork(Effect.never)),
    "branches that run at once": Effect.forEach([1, 2], () => Effect.never, { concurrency: 2 }),
    "the winner of a race": Effect.race(Effect.never, Effect.never),
    "the first of a race": Effect.raceFirst(Effect.never, Effect.never),
    "several fibers": Fiber.joinAll([Effect.runFork(Effect.never), Effect.runFork(Effect.never)])
  }
  for (const [name, effect] of Object.entries(constructs)) {
    it(`${name} as what only Effect can end`, () => {
      const wait = waitOf(effect)
      assert.isTrue(isOfEffect(wait))
      assert.isFalse(isPromise(wait))
    })
  }

  it("a callback of the user as neither", () => {
    const bare = waitOf(Effect.callback((resume) => void setTimeout(() => resume(Effect.void), 0).unref()))
    assert.isFalse(isPromise(bare) || isOfEffect(bare))
    const signalled = waitOf(Effect.callback((_resume, signal) => signal.throwIfAborted()))
    assert.isFalse(isPromise(signalled) || isOfEffect(signalled))
  })
})
