/** When a world is given up: real time without any event, in which the process could run. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { afterEach, vi } from "vitest"
import { listenForSilence } from "../../src/testing/Silence.ts"

/** A world without time of its own: each beat comes when it is called. */
const listened = (patience: number) => {
  let pulse = 0
  let isComputing = false
  let next: (() => void) | undefined
  const asked: Array<number> = []
  let silences = 0
  const stop = listenForSilence(
    {
      pulse: () => pulse,
      isComputing: () => isComputing,
      startTimer: (millis, action) => {
        asked.push(millis)
        next = action
        return () => (next = undefined)
      }
    },
    patience,
    () => silences++
  )
  const beat = (): void => {
    const now = next
    next = undefined
    now?.()
  }
  return {
    asked,
    stop,
    beats: (count: number) => Array.from({ length: count }, beat),
    moves: () => void pulse++,
    computes: (is: boolean) => void (isComputing = is),
    silences: () => silences,
    isListening: () => next !== undefined
  }
}

describe("a silence", () => {
  it("is over the patience after as many beats as it takes, and is told once", () => {
    const world = listened(1_000)
    world.beats(9)
    assert.strictEqual(world.silences(), 0)
    world.beats(3)
    assert.strictEqual(world.silences(), 1)
    assert.deepStrictEqual(
      world.asked,
      Array.from({ length: 10 }, () => 100)
    )
    assert.isFalse(world.isListening())
  })

  it("begins anew whenever anything happens", () => {
    const world = listened(1_000)
    for (let round = 0; round < 100; round++) {
      world.beats(9)
      world.moves()
    }
    assert.strictEqual(world.silences(), 0)
    world.beats(11)
    assert.strictEqual(world.silences(), 1)
  })

  it("lasts ten times as long while the thread pool computes", () => {
    const world = listened(1_024)
    world.computes(true)
    world.beats(99)
    assert.strictEqual(world.silences(), 0)
    world.beats(2)
    assert.strictEqual(world.silences(), 1)
  })

  it("is heard in beats of half a second at the most, and no longer than somebody listens", () => {
    const world = listened(60_000)
    world.beats(50)
    assert.strictEqual(Math.max(...world.asked), 500)
    world.stop()
    assert.isFalse(world.isListening())
  })

  it("never comes where patience is endless", () => {
    const world = listened(Infinity)
    world.beats(10_000)
    assert.strictEqual(world.silences(), 0)
  })
})

describe("a world", () => {
  const Main = DurableFunction.make("main")
  const told = (workflow: Effect.Effect<void, never, Durable.Execution>, options: TestEngine.Options) =>
    Effect.map(
      Effect.exit(
        TestEngine.run(Main).pipe(Effect.provide(TestEngine.layer([Main.implement(() => workflow)], options)))
      ),
      (exit) => (Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "ended")
    )

  /** Computes for so many turns of a loop, which take a while on any machine. */
  const compute = Effect.sync(() => {
    let sum = 0
    for (let n = 0; n < 5_000_000; n++) sum += Math.sqrt(n)
    return sum
  })

  it.live("that computes is not given up, however long that takes", () =>
    Effect.gen(function* () {
      let steps = 0
      const busy = Effect.forEach(
        Array.from({ length: 20 }),
        () =>
          Effect.andThen(
            Durable.step("compute", Effect.asVoid(compute)),
            Effect.sync(() => steps++)
          ),
        { discard: true }
      )
      assert.strictEqual(yield* told(busy, { patience: "20 millis" }), "ended")
      assert.isAtLeast(steps, 20)
    })
  )

  afterEach(() => {
    vi.useRealTimers()
  })

  it.live("in which nothing happens is told which timers are faked, and what is real", () =>
    Effect.gen(function* () {
      const asleep = Durable.step(
        "sleep",
        Effect.promise(() => new Promise<void>((done) => setTimeout(done, 600_000)))
      )
      const real = yield* told(asleep, { patience: "50 millis" })
      assert.include(real, "Outside of Effect there is a timer.")
      assert.notInclude(real, "faked")
      vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] })
      const faked = yield* told(asleep, { patience: "50 millis" })
      assert.include(faked, "setTimeout, setInterval of this process are faked")
      assert.include(faked, `vi.useFakeTimers({ toFake: ["Date"] })`)
    })
  )
})
