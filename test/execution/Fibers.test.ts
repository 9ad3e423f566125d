import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import { Fibers, type AnyFiber } from "../../src/execution/Fibers.ts"
import { settle } from "./support.ts"

/** A run queue, what was asked of its host, and how to start fibers on it. */
const make = (onIdle: () => boolean = () => false, fibers = new Fibers()) => {
  const log: Array<string> = []
  let idles = 0
  let tasks = 0
  fibers.attach({
    onIdle: () => {
      idles++
      return onIdle()
    },
    onSpin: () => void log.push("spins"),
    onActivity: () => void tasks++,
    onLost: () => void log.push("lost")
  })
  const note = (text: string): Effect.Effect<void> => Effect.sync(() => void log.push(text))
  const fork = <A>(...effects: ReadonlyArray<Effect.Effect<A>>): ReadonlyArray<Fiber.Fiber<A>> => {
    const forked: Array<Fiber.Fiber<A>> = []
    fibers.enqueue(() => {
      const run = Effect.runForkWith(Context.make(Scheduler.Scheduler, fibers))
      for (const effect of effects) forked.push(run(effect))
    })
    return forked
  }
  return { fibers, log, note, fork, counts: () => ({ idles, tasks }) }
}

/** A promise that a test keeps. */
const gate = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, passed: Effect.promise(() => promise) }
}

/** More than what a turn of the event loop may take, in milliseconds. */
const turn = 25

/** Computes for so many milliseconds. */
const ticks = (millis: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + millis
    const next: Effect.Effect<void> = Effect.suspend(() =>
      performance.now() < end
        ? Effect.flatMap(
            Effect.sync(() => {}),
            () => next
          )
        : Effect.void
    )
    return next
  })

/** A run queue, and what computes on it until the event loop has turned three times. */
const computing = () => {
  let turns = 0
  const busy = Effect.suspend(() => {
    const end = turns + 3
    const count = (): void => {
      turns++
      if (turns < end) setImmediate(count)
    }
    setImmediate(count)
    const next: Effect.Effect<void> = Effect.suspend(() =>
      turns < end
        ? Effect.flatMap(
            Effect.sync(() => {}),
            () => next
          )
        : Effect.void
    )
    return next
  })
  return { ...make(), busy, turns: () => turns }
}

const twice = (note: (text: string) => Effect.Effect<void>, name: string, first: Effect.Effect<void> = Effect.void) =>
  first.pipe(Effect.andThen(note(`${name} 1`)), Effect.andThen(Effect.yieldNow), Effect.andThen(note(`${name} 2`)))

describe("The run queue", () => {
  it("runs the fibers of a workflow first in, first out", () => {
    const { fork, log, note } = make()
    fork(twice(note, "a"), twice(note, "b"))
    assert.deepStrictEqual(log, ["a 1", "b 1", "a 2", "b 2"])
  })

  it.live("lets no fiber yield to another because of what it has computed", () =>
    Effect.gen(function* () {
      const { fibers, fork, log, note } = make()
      const busy = Effect.forEach(Array.from({ length: 10_000 }), () => Effect.void, { discard: true })
      fibers.enqueue(() => {
        fork(Effect.andThen(busy, note("a")))
        fork(note("b"))
      })
      while (log.length < 2) yield* settle
      assert.deepStrictEqual(log, ["a", "b"])
    })
  )

  it.live("pauses the whole workflow while a fiber computes for long, and lets the same fiber go on first", () =>
    Effect.gen(function* () {
      const { busy, fork, log, note, turns } = computing()
      fork(Effect.andThen(note("a begins"), Effect.andThen(busy, note("a ends"))), note("b"))
      fork(note("c"))
      while (log.length < 4) yield* settle
      assert.deepStrictEqual(log, ["a begins", "a ends", "b", "c"])
      assert.isAtLeast(turns(), 3)
    })
  )

  it.live(
    "does so in a fiber that another one has forked and in one that is resumed, and runs no part of them twice",
    () =>
      Effect.gen(function* () {
        const { busy, fork, log, note } = computing()
        const child = Effect.andThen(note("a begins"), Effect.andThen(busy, note("a ends")))
        fork(
          Effect.gen(function* () {
            const children = [yield* Effect.forkChild(child), yield* Effect.forkChild(note("b"))]
            yield* note("forked")
            for (const fiber of children) yield* Fiber.join(fiber)
            yield* busy
            yield* note("end")
          })
        )
        while (log.length < 5) yield* settle
        assert.deepStrictEqual(log, ["forked", "a begins", "a ends", "b", "end"])
      })
  )

  it.live("pauses no fiber inside of another one, which would overtake it", () =>
    Effect.gen(function* () {
      const { fork, log, note } = make()
      const busy = ticks(3 * turn)
      fork(
        Effect.gen(function* () {
          yield* Effect.forkChild(Effect.andThen(busy, note("a")), { startImmediately: true })
          yield* note("b")
          yield* Effect.all([Effect.andThen(busy, note("c")), note("d")], { concurrency: "unbounded" })
        })
      )
      while (log.length < 4) yield* settle
      assert.deepStrictEqual(log, ["a", "b", "c", "d"])
    })
  )

  it.live("pauses no fiber while others are still to be interrupted or woken by the same event", () =>
    Effect.gen(function* () {
      const { fork, log, note } = make()
      const busy = ticks(3 * turn)
      const told = Deferred.makeUnsafe<void>()
      const tell = Effect.onInterrupt(Effect.never, () => Effect.andThen(busy, Deferred.succeed(told, undefined)))
      const fails = Effect.andThen(Effect.yieldNow, Effect.fail("no"))
      fork(
        Effect.gen(function* () {
          const branches = [tell, Effect.andThen(Deferred.await(told), note("told")), fails]
          yield* Effect.exit(Effect.all(branches, { concurrency: "unbounded" }))
          const queue = yield* Queue.unbounded<string>()
          const taker = (name: string): Effect.Effect<void> =>
            Effect.flatMap(Queue.take(queue), (text) =>
              busy.pipe(Effect.andThen(note(name + text)), Effect.andThen(Effect.suspend(() => taker(name))))
            )
          for (const name of ["a", "b"]) yield* Effect.forkChild(taker(name))
          yield* Effect.yieldNow
          yield* Queue.offerAll(queue, ["1", "2"])
          for (let i = 0; i < 4; i++) yield* Effect.yieldNow
          yield* Queue.offer(queue, "3")
          for (let i = 0; i < 4; i++) yield* Effect.yieldNow
        })
      )
      for (let i = 0; i < 1_000 && log.length < 4; i++) yield* settle
      assert.deepStrictEqual(log, ["told", "a1", "a2", "b3"])
    })
  )

  it.live("keeps those that one event wakes in their order, also when the first of them computes for long", () =>
    Effect.gen(function* () {
      const { fork, log, note } = make()
      const busy = ticks(3 * turn)
      const latch = Latch.makeUnsafe(false)
      const woken = (name: string, first: Effect.Effect<void> = Effect.void) =>
        Effect.andThen(latch.await, Effect.andThen(first, note(name)))
      fork(woken("a", busy), woken("b"), woken("c", busy), latch.open)
      while (log.length < 3) yield* settle
      assert.deepStrictEqual(log, ["a", "b", "c"])
    })
  )

  it("takes outcome after outcome in one turn of the event loop, however long that takes", () => {
    let left = 3
    const { counts, fibers } = make(() => {
      const end = performance.now() + turn
      while (performance.now() < end);
      return left-- > 0
    })
    fibers.wake()
    assert.strictEqual(counts().idles, 4)
  })

  it("asks for more when nothing is left to run, until there is nothing more", () => {
    let left = 3
    const { counts, fibers } = make(() => left-- > 0, new Fibers("sync"))
    fibers.wake()
    assert.deepStrictEqual(counts(), { idles: 4, tasks: 0 })
  })

  it("asks for more once for all that is woken meanwhile", () => {
    const { counts, fibers, fork } = make()
    fork(
      Effect.sync(() => {
        fibers.wake()
        fibers.wake()
      })
    )
    assert.strictEqual(counts().idles, 1)
  })

  it("asks for nothing more once it is stopped, and lets fibers run", () => {
    const { counts, fibers, fork, log, note } = make()
    fibers.stop()
    fork(twice(note, "a"))
    assert.deepStrictEqual(log, ["a 1", "a 2"])
    assert.strictEqual(counts().idles, 0)
  })

  it("leaves the functions of the host as they are outside of it, also when something in it throws", () => {
    const { fibers } = make()
    const read = (): ReadonlyArray<unknown> => [
      Reflect.get(Promise.prototype, "then"),
      globalThis.setTimeout,
      globalThis.setImmediate
    ]
    const before = read()
    let inside: ReadonlyArray<unknown> = []
    fibers.enqueue(() => void (inside = read()))
    assert.notDeepEqual(inside, before)
    assert.throws(
      () =>
        fibers.enqueue(() => {
          throw new Error("boom")
        }),
      "boom"
    )
    assert.deepStrictEqual(read(), before)
  })
})

describe("Fibers loop", () => {
  /** More than may run in a row. */
  const total = 260_000

  it.live.each([
    { way: "never wait", goOn: (next: () => void) => next() },
    { way: "wait for promises that are kept already", goOn: (next: () => void) => void Promise.resolve().then(next) }
  ])("if they $way, and that is reported once", ({ goOn }) =>
    Effect.gen(function* () {
      const { counts, fibers, log } = make()
      const again = (): void => {
        if (counts().tasks < total) goOn(() => fibers.enqueue(again))
      }
      fibers.enqueue(again)
      while (counts().tasks < total) yield* settle
      assert.deepStrictEqual(log, ["spins"])
    })
  )

  it.live("not if they all wait now and then while the event loop turns", () =>
    Effect.gen(function* () {
      const { counts, fibers, log } = make()
      const some = (): void => {
        if (counts().tasks % 20_000 > 0) fibers.enqueue(some)
      }
      while (counts().tasks < total) {
        fibers.enqueue(some)
        while (fibers.queued) yield* settle
        yield* settle
      }
      assert.deepStrictEqual(log, [])
    })
  )
})

describe("What comes from outside", () => {
  it.live("enters as a slice of its own, with all that follows from it", () =>
    Effect.gen(function* () {
      const { fibers, fork } = make()
      const { open, passed } = gate()
      const seen: Array<string> = []
      const isOutside = (fiber: AnyFiber): boolean => {
        const { after, slice } = fibers.userOf(fiber)
        return after < slice
      }
      const look = (place: string) =>
        Effect.withFiber((fiber) => Effect.succeed(void seen.push(`${place}: ${isOutside(fiber)}`)))
      const [fiber] = fork(
        look("before").pipe(
          Effect.andThen(passed),
          Effect.andThen(look("woken")),
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(look("later"))
        )
      )
      open()
      yield* settle
      fibers.enqueue(() => void seen.push(`next: ${isOutside(fiber!)}`))
      assert.deepStrictEqual(seen, ["before: false", "woken: true", "later: true", "next: false"])
    })
  )

  it.live("enters one after the other", () =>
    Effect.gen(function* () {
      const { fork, log, note } = make()
      const { open, passed } = gate()
      fork(twice(note, "a", passed), twice(note, "b", passed))
      open()
      yield* settle
      assert.deepStrictEqual(log, ["a 1", "a 2", "b 1", "b 2"])
    })
  )

  it.live("is off the stack when what follows from it is done, so that its fiber can be interrupted then", () =>
    Effect.gen(function* () {
      const { open, passed } = gate()
      let target: AnyFiber | undefined
      let ended: boolean | undefined
      let isParked = false
      const { fork } = make(() => {
        if (!isParked || ended !== undefined) return false
        target?.interruptUnsafe()
        ended = target?.pollUnsafe() !== undefined
        return true
      })
      const park = Effect.sync(() => void (isParked = true))
      target = fork(Effect.andThen(passed, Effect.andThen(park, Effect.never)))[0]
      open()
      yield* settle
      assert.isTrue(ended)
    })
  )
})

describe("A fiber is outside", () => {
  const timer = Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))
  const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
  const request = Effect.promise(() => fetch("data:text/plain,hello"))
  const digest = Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(8)))
  for (const [name, waiting] of Object.entries({ timer, turn, request, digest })) {
    it.live(`while it waits for a ${name}, until it runs again`, () =>
      Effect.gen(function* () {
        const { fibers, fork, log } = make()
        const [fiber] = fork(
          Effect.andThen(
            waiting,
            Effect.sync(() => void log.push(`outside: ${fibers.outside.size}`))
          )
        )
        assert.deepStrictEqual([...fibers.outside.keys()], [fiber])
        yield* Fiber.join(fiber!)
        assert.deepStrictEqual(log, ["outside: 0"])
      })
    )
  }

  it.live("until it is interrupted", () =>
    Effect.gen(function* () {
      const { fibers, fork } = make()
      const [fiber] = fork(Effect.promise(() => new Promise(() => {})))
      assert.strictEqual(fibers.outside.size, 1)
      yield* Fiber.interrupt(fiber!)
      assert.strictEqual(fibers.outside.size, 0)
    })
  )

  it("with the place in the code, if that is noted", () => {
    const { fibers, fork } = make()
    fibers.placeOf = () => "workflow.ts:5"
    const [fiber] = fork(gate().passed)
    assert.strictEqual(fibers.outside.get(fiber!), "workflow.ts:5")
  })

  it.live("until it is called off, and then it is lost; not when it comes back", () =>
    Effect.gen(function* () {
      const { fork, log } = make()
      const { open, passed } = gate()
      const back = Deferred.makeUnsafe<void>()
      const [never] = fork(Effect.promise(() => new Promise(() => {})))
      fork(Effect.andThen(passed, Deferred.succeed(back, undefined)))
      open()
      yield* Deferred.await(back)
      yield* settle
      assert.deepStrictEqual(log, [])
      fork(Fiber.interrupt(never!))
      yield* settle
      assert.deepStrictEqual(log, ["lost"])
    })
  )

  it("not when only another fiber can wake it", () => {
    const { fibers, fork } = make()
    const deferred = Deferred.makeUnsafe<void>()
    fork<unknown>(
      Effect.never,
      Deferred.await(deferred),
      Effect.callback(() => {}),
      Effect.flatMap(Effect.forkChild(Effect.never), Fiber.join)
    )
    assert.strictEqual(fibers.outside.size, 0)
    assert.strictEqual(fibers.live.size, 5)
  })

  it("not for what runs beside the workflow", () => {
    const { fibers } = make()
    const { setTimeout } = globalThis
    fibers.enqueue(() => {
      fibers.unwatched(() => {
        assert.strictEqual(globalThis.setTimeout, setTimeout)
        Effect.runFork(gate().passed)
      })
      assert.notStrictEqual(globalThis.setTimeout, setTimeout)
      Effect.runFork(gate().passed)
    })
    assert.strictEqual(fibers.outside.size, 0)
    assert.strictEqual(fibers.live.size, 0)
  })
})

describe("Who lives", () => {
  it.live("is known until it ends, and who waits for a fiber that it forked is no leaf", () =>
    Effect.gen(function* () {
      const { fibers, fork } = make()
      const inner = Deferred.makeUnsafe<void>()
      const children: Array<AnyFiber> = []
      const [parent] = fork(
        Effect.gen(function* () {
          const child = yield* Effect.forkChild(Deferred.await(inner))
          children.push(child)
          yield* Fiber.join(child)
        })
      )
      assert.deepStrictEqual([...fibers.live.keys()], [parent, ...children])
      assert.deepStrictEqual([...fibers.leaves()], children)
      assert.strictEqual(fibers.live.get(children[0]!)?.parent, parent)
      Deferred.doneUnsafe(inner, Effect.void)
      yield* settle
      assert.strictEqual(fibers.live.size, 0)
    })
  )

  it("forks at once for whom it is told", () => {
    const { fibers, fork } = make()
    const [parent] = fork(Effect.never)
    const run = Effect.runForkWith(Context.make(Scheduler.Scheduler, fibers))
    fibers.enqueue(() => void fibers.forkedBy(parent!, () => run(Effect.never)))
    assert.lengthOf([...fibers.leaves()], 1)
    assert.notInclude([...fibers.leaves()], parent)
  })
})
