import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import type { AnyFiber } from "../../src/execution/Fibers.ts"
import {
  assembled,
  due,
  heldFiber,
  idle,
  kinds,
  nextTurn,
  settle,
  slow,
  succeeded,
  verdictOf,
  waitFor
} from "./support.ts"

describe("An invocation is suspended", () => {
  it("when all fibers wait for what the service will bring, with nothing left to send", async () => {
    const made = assembled()
    const { parts, requests, run } = made
    run(() => {
      const [claim] = waitFor(made, "a")
      claim!.later({ Action: "START" })
    })
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
    assert.deepStrictEqual(requests, [["START a"]])
    assert.isFalse(parts.outbox.isBusy)
  })

  it("not while a request is under way", async () => {
    const store = slow()
    const made = assembled({ store })
    const { parts, run } = made
    run(() => {
      waitFor(made, "a")
      parts.outbox.poll()
    })
    assert.isUndefined(verdictOf(made))
    store.answer()
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("not while an attempt runs", () =>
    Effect.gen(function* () {
      const made = assembled()
      const { claim, parts, run } = made
      const body = Promise.withResolvers<void>()
      const ended: Array<string> = []
      run(() => {
        waitFor(made, "a")
        const fork = () => Effect.runFork(Effect.promise(() => body.promise))
        parts.delivery.run(claim("busy"), fork, ({ _tag }) => void ended.push(_tag))
      })
      assert.isUndefined(verdictOf(made))
      body.resolve()
      yield* settle
      assert.deepStrictEqual(ended, ["Success"])
      yield* Effect.promise(nextTurn)
      assert.strictEqual(verdictOf(made), "Suspended")
    }).pipe(Effect.runPromise))

  it("not while a fiber is outside", async () => {
    const made = assembled()
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void waitFor(made, "a"))
    assert.isUndefined(verdictOf(made))
    parts.fibers.outside.clear()
    run()
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("when a wait is due that comes before all known outcomes, also beside a hold that only waits for operations", async () => {
    const made = assembled({ records: [due("asleep", 10), succeeded("b", 20)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      wait(claim("asleep", { kind: kinds.wait }), { fiber: heldFiber(parts) })
      waitFor(made, "b")
    })
    await nextTurn()
    assert.deepStrictEqual(log, [])
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("when a wait is due, also beside a hold that waits for what nobody can see while what it forked waits for operations", async () => {
    const made = assembled({ records: [due("asleep", 10), succeeded("b", 20)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      let forked: AnyFiber | undefined
      const hold = Effect.gen(function* () {
        forked = yield* Effect.forkChild(Effect.never)
        yield* Effect.callback<void>(() => {})
      })
      heldFiber(parts, hold)
      parts.fibers.enqueue(() => {
        wait(claim("asleep", { kind: kinds.wait }), { fiber: forked! })
        waitFor(made, "b")
      })
    })
    await nextTurn()
    assert.deepStrictEqual(log, [])
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("when a wait is due and a fiber stays outside: the service is asked for the wait, and the limit holds", () =>
    Effect.gen(function* () {
      const limits: Array<() => void> = []
      const startTimer = (_: number, action: () => void) => {
        limits.push(action)
        return () => {}
      }
      const made = assembled({ records: [due("asleep", 10), succeeded("b", 20)], startTimer })
      const { claim, clock, log, parts, requests, run, wait } = made
      parts.fibers.outside.set(idle, undefined)
      run(() => {
        wait(claim("asleep", { kind: kinds.wait }))
        waitFor(made, "b")
      })
      yield* settle
      assert.isUndefined(verdictOf(made))
      clock.pass(100)
      yield* settle
      assert.deepStrictEqual(requests, [[]])
      for (const elapse of limits) elapse()
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual(verdictOf(made), "Suspended")
    }).pipe(Effect.runPromise))

  it("not while a fiber naps", async () => {
    const made = assembled()
    const { clock, log, parts, run } = made
    run(() => {
      waitFor(made, "a")
      const door = parts.delivery.waitUntil({
        at: 300,
        namespace: parts.root,
        fiber: idle,
        path: "nap",
        isFinal: false,
        outcome: () => Effect.void,
        resume: () => void log.push(`woken at ${parts.root.time.now}`)
      })
      parts.delivery.nap(door, 300)
    })
    assert.isTrue(parts.delivery.isNapping)
    assert.isUndefined(verdictOf(made))
    clock.pass(300)
    assert.deepStrictEqual(log, ["woken at 300"])
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("not when nothing will ever come: then it is stuck", () =>
    Effect.gen(function* () {
      const made = assembled()
      made.run()
      yield* settle
      assert.strictEqual(verdictOf(made), "Stuck")
    }).pipe(Effect.runPromise))

  it("not as stuck while a fiber waits for what nobody can see: that may come another time", () =>
    Effect.gen(function* () {
      const made = assembled()
      made.run(() => {
        Effect.runForkWith(Context.make(Scheduler.Scheduler, made.parts.fibers))(Effect.callback<void>(() => {}))
      })
      yield* settle
      assert.strictEqual(verdictOf(made), "Aborted")
    }).pipe(Effect.runPromise))
})
