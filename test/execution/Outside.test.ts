import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Outside } from "../../src/execution/Outside.ts"
import { defaultOptions, type InvokeOptions } from "../../src/invocation/Assembly.ts"
import { assembled, idle, succeeded } from "./support.ts"

/** An invocation with a fiber outside, and what is awaited of it. */
const make = (
  options: Parameters<typeof assembled>[0] & { readonly hasDurable?: boolean; readonly isHeldBack?: boolean } = {}
) => {
  const { hasDurable = true, isHeldBack = false, ...rest } = options
  const made = assembled({ outsideLimit: 1, outsideGrace: 1, ...rest })
  const woken = Promise.withResolvers<void>()
  const outside = new Outside(made.parts, {
    wake: () => woken.resolve(),
    hasDurable: () => hasDurable,
    isHeldBack: () => isHeldBack
  })
  // The delivery of this invocation, which would look after work outside by itself, is not asked.
  made.parts.fibers.stop()
  made.parts.fibers.outside.set(idle, undefined)
  return { ...made, outside, woken: Effect.promise(() => woken.promise) }
}

describe("What is recorded and not asked for", () => {
  it.live("waits for a fiber that is outside for a grace time, and then no more until it is back", () =>
    Effect.gen(function* () {
      const { outside, woken } = make({ records: [succeeded("a", 1)] })
      assert.isFalse(outside.isHolding)
      outside.look(true)
      assert.isTrue(outside.isHolding)
      yield* woken
      assert.isTrue(outside.isLenient)
      outside.look(true)
      assert.isFalse(outside.isHolding)
      outside.look(false)
      assert.isFalse(outside.isLenient || outside.isHolding)
      outside.look(true)
      assert.isTrue(outside.isHolding)
      outside.stop()
    })
  )

  it.live("waits again for whoever goes outside after all were back", () =>
    Effect.gen(function* () {
      const { outside, woken } = make({ records: [succeeded("a", 1)] })
      outside.look(true)
      outside.look(false)
      outside.look(true)
      yield* woken
      assert.isTrue(outside.isLenient)
    })
  )
})

describe("Work outside, when all else waits,", () => {
  it.live("is cut off after the limit when the service will wake the execution, and somebody is told", () =>
    Effect.gen(function* () {
      const { outside, parts, warnings } = make()
      outside.wait()
      assert.strictEqual((yield* parts.lifetime.judged)._tag, "Suspended")
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], "The workflow")
      assert.include(warnings[0], "This work is interrupted now")
    })
  )

  it.live("fails the invocation after the limit when nothing will wake the execution", () =>
    Effect.gen(function* () {
      const { outside, parts } = make({ hasDurable: false })
      outside.wait()
      const verdict = yield* parts.lifetime.judged
      assert.strictEqual(verdict._tag, "Aborted")
      assert.deepInclude(verdict._tag === "Aborted" ? verdict.error : {}, { reason: "outside" })
    })
  )

  it.live("is cut off after the limit for a pause, if work waits for another invocation", () =>
    Effect.gen(function* () {
      const { outside, parts, warnings, woken } = make({ hasDurable: false, isHeldBack: true })
      outside.wait()
      assert.isFalse(outside.isOver)
      yield* woken
      assert.isTrue(outside.isOver && parts.lifetime.isOpen)
      assert.include(warnings.join(), "This work is interrupted now")
      outside.moved()
      assert.isFalse(outside.isOver)
    })
  )

  it("is cut off before the limit by an invocation that ends before, if that can be suspended", () => {
    const options = { outsideLimit: 10_000, deadline: 2_000 }
    const suspended = make(options)
    suspended.outside.wait()
    suspended.clock.pass(1_799)
    assert.isTrue(suspended.parts.lifetime.isOpen)
    suspended.clock.pass(1)
    assert.strictEqual(suspended.parts.lifetime.verdict?._tag, "Suspended")
    assert.include(suspended.warnings[0], "has waited 1800 ms")
    const failing = make({ ...options, hasDurable: false })
    failing.outside.wait()
    failing.clock.pass(2_000)
    assert.isTrue(failing.parts.lifetime.isOpen)
    failing.outside.stop()
  })

  it("is not cut off again and again while what is queued is not sent", () => {
    const store = { checkpoint: () => Effect.never }
    const { clock, outside, parts } = make({ outsideLimit: 10_000, deadline: 2_000, store })
    parts.outbox.push("a", { Id: "a", Name: "a", Type: "STEP", SubType: "Step", Action: "START" })
    outside.wait()
    clock.pass(2_000)
    assert.isTrue(parts.lifetime.isOpen)
    outside.stop()
  })

  it.live("has what is queued sent before it is cut off", () =>
    Effect.gen(function* () {
      const { outside, parts, requests } = make()
      parts.outbox.push("a", { Id: "a", Name: "a", Type: "STEP", SubType: "Step", Action: "START" })
      outside.wait()
      assert.strictEqual((yield* parts.lifetime.judged)._tag, "Suspended")
      assert.deepStrictEqual(requests, [["START a"]])
    })
  )
})

describe("What nobody can see", () => {
  it.live("has until the limit to show, and then it is decided", () =>
    Effect.gen(function* () {
      const { outside } = make({ whenQuiet: defaultOptions.whenQuiet })
      const decided = Promise.withResolvers<void>()
      outside.doubt(() => assert.fail("moved before that"))
      outside.certain()
      outside.doubt(() => assert.fail("is asked anew"))
      outside.doubt(() => decided.resolve())
      yield* Effect.promise(() => decided.promise)
    })
  )

  it("has no longer than the invocation, which has to end with the verdict", () => {
    const limits: Array<number> = []
    const whenQuiet: InvokeOptions["whenQuiet"] = (limit) => {
      limits.push(limit)
      return () => {}
    }
    for (const deadline of [undefined, 500, 3_000, 60_000]) {
      make({ whenQuiet, outsideLimit: 10_000, deadline }).outside.doubt(() => {})
    }
    assert.deepStrictEqual(limits, [10_000, 450, 2_700, 10_000])
  })

  it("is left to the next invocation by one that has recorded something and ends before", () => {
    let over: (isQuiet?: boolean) => void = () => {}
    const whenQuiet: InvokeOptions["whenQuiet"] = (_, action) => {
      over = action
      return () => {}
    }
    const doubted = (deadline: number, isQuiet?: boolean) => {
      let decisions = 0
      const { outside, parts } = make({ whenQuiet, outsideLimit: 10_000, deadline })
      const doubt = () => outside.doubt(() => void decisions++)
      doubt()
      over()
      parts.outbox.push("a", { Id: "a", Name: "a", Type: "STEP", SubType: "Step", Action: "START" })
      parts.outbox.flush()
      doubt()
      over(isQuiet)
      return { decisions, verdict: parts.lifetime.verdict }
    }
    const { decisions, verdict } = doubted(1_000)
    assert.strictEqual(decisions, 1)
    assert.deepInclude(verdict?._tag === "Aborted" ? verdict.error : {}, { reason: "outside" })
    assert.include(verdict?._tag === "Aborted" ? verdict.error.message : "", "has waited 900 ms")
    assert.strictEqual(doubted(1_000, true).decisions, 2)
    assert.strictEqual(doubted(60_000).decisions, 2)
  })

  it("fails the invocation, as it may come another time", () => {
    const { outside, parts } = make()
    outside.fail()
    const { verdict } = parts.lifetime
    assert.deepInclude(verdict?._tag === "Aborted" ? verdict.error : {}, { reason: "outside" })
  })
})

describe("The end of the limit", () => {
  it("counts for nothing while a fiber that is back computes for many turns, and afterwards again", () => {
    const timers: Array<() => void> = []
    const startTimer: InvokeOptions["startTimer"] = (_, action) => {
      timers.push(action)
      return () => {}
    }
    const { outside, parts } = make({ hasDurable: false, startTimer, whenQuiet: startTimer })
    let decisions = 0
    const rest = () => {
      outside.wait()
      outside.doubt(() => void decisions++)
    }
    rest()
    parts.fibers.enqueue(() => {
      // This task stands for the rest of a fiber that the queue has paused.
      parts.fibers.enqueue(() => {})
      for (const passed of timers.splice(0)) passed()
    })
    assert.isTrue(parts.lifetime.isOpen)
    assert.strictEqual(decisions, 0)
    rest()
    for (const passed of timers.splice(0).toReversed()) passed()
    assert.isFalse(parts.lifetime.isOpen)
    assert.strictEqual(decisions, 1)
  })
})

describe("A limit that is longer than a timer of the host can take", () => {
  it.live("does not pass at once", () =>
    Effect.gen(function* () {
      const { outside, parts } = make({
        outsideLimit: 2 ** 31,
        outsideGrace: 2 ** 32,
        whenQuiet: defaultOptions.whenQuiet,
        records: [succeeded("a", 1)]
      })
      outside.look(true)
      outside.wait()
      outside.doubt(() => assert.fail("the limit has passed"))
      // A timer that fires at once would come before this one.
      yield* Effect.promise(() => new Promise((done) => void setTimeout(done, 1)))
      assert.isTrue(parts.lifetime.isOpen)
      assert.isFalse(outside.isLenient)
      outside.stop()
    })
  )
})

describe("Work outside is told of", () => {
  it("once per place", () => {
    const { outside, parts, warnings } = make()
    outside.look(true)
    outside.look(true)
    assert.lengthOf(warnings, 1)
    parts.fibers.outside.set(idle, "workflow.ts:5")
    outside.look(true)
    outside.look(false)
    outside.look(true)
    assert.lengthOf(warnings, 2)
    assert.include(warnings[1], "workflow.ts:5")
  })

  it("to people only where it is new, and to listeners always", () => {
    const heard: Array<string | undefined> = []
    const { outside, warnings } = make({
      records: [succeeded("a", 1)],
      listener: { outside: (place) => void heard.push(place) }
    })
    outside.look(true)
    outside.stop()
    assert.deepStrictEqual(warnings, [])
    assert.lengthOf(heard, 1)
  })
})
