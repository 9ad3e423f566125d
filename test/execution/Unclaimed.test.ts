import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import type { AnyFiber } from "../../src/execution/Fibers.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { runBranches } from "../../src/operations/branches.ts"
import {
  assembled,
  due,
  heldFiber,
  idle,
  messageOf,
  kinds,
  perform,
  record,
  settle,
  succeeded,
  verdictOf,
  waitFor
} from "./support.ts"

describe("Over what the code has not asked for, new work", () => {
  it("does not begin over what the code has not asked for: they contradict each other, and both are named", () => {
    const made = assembled({ records: [succeeded("gone", 10), due("asleep", 99)] })
    made.run(() => void perform(made, "new"))
    assert.deepStrictEqual(made.log, [])
    assert.strictEqual(verdictOf(made), "NonDeterministic")
    for (const said of [`STEP "gone"`, `WAIT "asleep"`, `STEP "new"`]) assert.include(messageOf(made), said)
  })

  it("waits while something may still ask for it", () =>
    Effect.gen(function* () {
      const made = assembled({ records: [succeeded("gone", 10)] })
      const { claim, log, parts, run } = made
      const body = Promise.withResolvers<void>()
      const fork = () => Effect.runFork(Effect.promise(() => body.promise))
      run(() => {
        perform(made, "new")
        parts.delivery.run(claim("busy"), fork, () => void waitFor(made, "gone"))
      })
      assert.isUndefined(verdictOf(made))
      body.resolve()
      yield* settle
      assert.deepStrictEqual(log, ["gone", "began new"])
    }).pipe(Effect.runPromise))

  it("that ends something with a mistake needs no more reason", () => {
    const made = assembled({ records: [succeeded("gone", 10)] })
    const { claim, log, parts, run } = made
    run(
      () => void parts.delivery.performEnd({ claim: claim("end"), run: () => void log.push("ended"), isExempt: true })
    )
    assert.deepStrictEqual(log, ["ended"])
  })

  it("fails only the invocation where the settings say so", () => {
    const made = assembled({ records: [succeeded("gone", 10)], onNonDeterminism: "retry" })
    made.run(() => void perform(made, "new"))
    assert.strictEqual(verdictOf(made), "Aborted")
  })
})

describe("While a hold runs, what came after something that is missing was begun", () => {
  const begun = record(operationId("", "gone", 0), { Name: "gone", StartTimestamp: 15 })
  const made = () => assembled({ records: [begun, succeeded("b", 20)], outsideGrace: 60_000 })

  /** A hold whose fiber forks another, which waits for "b", and then waits in a way of its own. */
  const forking = (waiting: (forked: Fiber.Fiber<never>) => Effect.Effect<void>) => {
    const all = made()
    all.run(() => {
      let forked: AnyFiber | undefined
      heldFiber(
        all.parts,
        Effect.gen(function* () {
          const child = yield* Effect.forkChild(Effect.never)
          forked = child
          yield* waiting(child)
        })
      )
      all.parts.fibers.enqueue(() => void all.wait(all.claim("b"), { fiber: forked! }))
    })
    return all
  }

  it("waits while the hold may go on by itself", () => {
    const { claim, log, parts, run, wait } = made()
    run(() => {
      heldFiber(parts)
      wait(claim("b"))
    })
    assert.deepStrictEqual(log, [])
    parts.delivery.stop()
  })

  it("waits while a fiber of the hold that has forked another may go on by itself", () => {
    const { log, parts } = forking(() => Effect.callback<void>(() => {}))
    assert.deepStrictEqual(log, [])
    parts.delivery.stop()
  })

  it("is delivered at once while the hold waits for operations: nothing else moves it", () => {
    const { log, parts } = forking(Fiber.join)
    assert.deepStrictEqual(log, ["b"])
    parts.delivery.stop()
  })

  it("is delivered at once while the branches of the hold wait for operations", () => {
    const { claim, log, parts, run, wait } = made()
    run(() => {
      let branch: AnyFiber | undefined
      const body = Effect.withFiber((fiber) => {
        branch = fiber
        return Effect.never
      })
      const rules = { concurrency: 1, mayStart: () => true, isComplete: () => false, onChange: () => {} }
      heldFiber(parts, cast(runBranches(parts, [{ namespace: parts.root, body }], rules)))
      parts.fibers.enqueue(() => void wait(claim("b"), { fiber: branch! }))
    })
    assert.deepStrictEqual(log, ["b"])
    parts.delivery.stop()
  })
})

describe("While a fiber is outside", () => {
  it("nothing is passed over for a grace time, and then what is missing neither blocks nor contradicts", () =>
    Effect.gen(function* () {
      const began = Promise.withResolvers<void>()
      const made = assembled({ records: [succeeded("gone", 10), succeeded("b", 20)], outsideGrace: 1 })
      const { claim, log, parts, run } = made
      parts.fibers.outside.set(idle, undefined)
      run(() => {
        waitFor(made, "b")
        parts.delivery.perform(claim("new"), () => {
          log.push("began new")
          began.resolve()
        })
      })
      assert.deepStrictEqual(log, [])
      yield* Effect.promise(() => began.promise)
      assert.deepStrictEqual(log, ["b", "began new"])
      assert.isUndefined(verdictOf(made))
    }).pipe(Effect.runPromise))

  it("what came before everything that is missing was begun is delivered at once", () => {
    const gone = succeeded("gone", 30, { StartTimestamp: 25 })
    const made = assembled({ records: [gone, succeeded("b", 20)], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void waitFor(made, "b"))
    assert.deepStrictEqual(made.log, ["b"])
    made.parts.delivery.stop()
  })

  it("what came after something that is missing was begun waits, also if that has not ended", () => {
    const begun = record(operationId("", "gone", 0), { Name: "gone", StartTimestamp: 15 })
    const made = assembled({ records: [begun, succeeded("b", 20)], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void waitFor(made, "b"))
    assert.deepStrictEqual(made.log, [])
    made.parts.delivery.stop()
  })

  it("what came in the request that began something missing waits, too", () => {
    const begun = record(operationId("", "gone", 0), { Name: "gone", StartTimestamp: 20 })
    const made = assembled({ records: [begun, succeeded("b", 20)], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void waitFor(made, "b"))
    assert.deepStrictEqual(made.log, [])
    made.parts.delivery.stop()
  })

  it("the end of a context does not wait for what began after it, with the same request", () => {
    const begun = record(operationId("", "gone", 0), { Name: "gone", StartTimestamp: 20 })
    const ended = succeeded("b", 20, { Type: "CONTEXT" })
    const made = assembled({ records: [begun, ended], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void made.wait(made.claim("b", { kind: kinds.context })))
    assert.deepStrictEqual(made.log, ["b"])
    made.parts.delivery.stop()
  })

  it("what is missing contradicts no more once it is called off, and what is missing after that does", () => {
    const made = assembled({ records: [succeeded("gone", 10)], outsideGrace: 60_000 })
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void perform(made, "new"))
    parts.fibers.outside.clear()
    parts.delivery.lose()
    run()
    assert.isUndefined(verdictOf(made))
    assert.deepStrictEqual(made.log, ["began new"])
    assert.isFalse(parts.history.isReplaying)
  })

  it("what is missing contradicts again once it is back", () => {
    const made = assembled({ records: [succeeded("gone", 10)], outsideGrace: 60_000 })
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void perform(made, "new"))
    assert.isUndefined(verdictOf(made))
    parts.fibers.outside.clear()
    run()
    assert.strictEqual(verdictOf(made), "NonDeterministic")
  })
})
