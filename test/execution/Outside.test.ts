import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Outside } from "../../src/execution/Outside.ts"
import { assembled, idle, succeeded } from "./support.ts"

/** An invocation with a fiber outside, and what is awaited of it. */
const make = (options: Parameters<typeof assembled>[0] & { readonly hasDurable?: boolean } = {}) => {
  const { hasDurable = true, ...rest } = options
  const made = assembled({ outsideLimit: 1, outsideGrace: 1, ...rest })
  const woken = Promise.withResolvers<void>()
  const outside = new Outside(made.parts, { wake: () => woken.resolve(), hasDurable: () => hasDurable })
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
      assert.include(warnings[0], "It is cut off now")
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
