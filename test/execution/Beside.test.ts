import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { Beside } from "../../src/execution/Beside.ts"
import { Fibers, type AnyFiber } from "../../src/execution/Fibers.ts"
import { settle } from "./support.ts"

const make = () => {
  const fibers = new Fibers()
  fibers.attach({ onIdle: () => false, onSpin: () => {}, onActivity: () => {}, onLost: () => {} })
  const beside = new Beside(new Scheduler.MixedScheduler(), fibers)
  const fork = <A>(scheduler: Scheduler.Scheduler, effect: Effect.Effect<A>): Fiber.Fiber<A> =>
    Effect.runForkWith(Context.make(Scheduler.Scheduler, scheduler))(effect)
  /** A fiber of the workflow. */
  const member = <A>(effect: Effect.Effect<A>): Fiber.Fiber<A> => {
    let forked: Fiber.Fiber<A> | undefined
    fibers.enqueue(() => void (forked = fork(fibers, effect)))
    return forked!
  }
  const inside = Effect.provideService(Scheduler.Scheduler, beside)
  return { fibers, beside, fork: <A>(effect: Effect.Effect<A>) => fork(beside, effect), member, inside }
}

const turn = Effect.promise(() => new Promise<void>((done) => void setImmediate(done)))

describe("What runs beside the workflow", () => {
  it.live("is known until it ends, with all that it forks", () =>
    Effect.gen(function* () {
      const { beside, fibers, fork } = make()
      const gate = Deferred.makeUnsafe<void>()
      const children: Array<AnyFiber> = []
      const body = fork(
        Effect.gen(function* () {
          children.push(yield* Effect.forkDetach(Deferred.await(gate)))
          yield* Effect.yieldNow
        })
      )
      yield* Fiber.join(body)
      assert.deepStrictEqual([...beside.live], children)
      assert.strictEqual(fibers.live.size, 0)
      Deferred.doneUnsafe(gate, Effect.void)
      yield* settle
      assert.strictEqual(beside.live.size, 0)
    })
  )

  it.live("has a fiber of the workflow outside until it is back on its queue, as a slice of its own", () =>
    Effect.gen(function* () {
      const { beside, fibers, inside, member } = make()
      const seen: Array<string> = []
      const look = Effect.withFiber((fiber) => {
        const { after, slice } = fibers.userOf(fiber)
        seen.push(`running ${fibers.isRunning}, a slice of its own ${after < slice}`)
        return Effect.void
      })
      const fiber = member(inside(Effect.andThen(turn, Effect.andThen(Effect.never, look))))
      yield* settle
      assert.deepStrictEqual([...fibers.outside.keys()], [fiber])
      assert.strictEqual(beside.live.size, 0)
      const back = member(Effect.andThen(inside(turn), look))
      yield* Fiber.join(back)
      assert.deepStrictEqual(seen, ["running true, a slice of its own true"])
      assert.deepStrictEqual([...fibers.outside.keys()], [fiber])
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(fibers.outside.size, 0)
    })
  )
})
