import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { DurableError } from "../../src/index.ts"
import { suspended } from "../../src/execution/Lifetime.ts"
import { assembled, nextTurn, verdictOf, waitFor } from "./support.ts"

describe("What was let go of", () => {
  it("is interrupted at its doors and in its attempts, and is over at once where it has no durable finalizer", async () => {
    const made = assembled()
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    const attempt = Effect.runFork(Effect.never)
    run(() => {
      waitFor(made, "outside")
      const inside = claim("inside", { namespace: child })
      wait(inside)
      parts.delivery.run(
        inside,
        () => attempt,
        () => void log.push("counted")
      )
      parts.delivery.letGo([child], [], () => void log.push(`let go: ${child.standing}`))
    })
    assert.deepStrictEqual(log, ["c/inside Interrupt", "let go: closed"])
    assert.isDefined(attempt.pollUnsafe())
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("is over when its durable finalizers have ended, which wait at doors of their own", () => {
    const made = assembled({ records: [] })
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    const leave = child.addFinalizer()
    run(() => {
      waitFor(made, "outside")
      wait(claim("undo", { namespace: child }), { isFinal: true })
      parts.delivery.letGo([child], [], () => void log.push(`let go: ${child.standing}`))
    })
    assert.deepStrictEqual(log, [])
    assert.strictEqual(child.standing, "abandoned")
    leave()
    assert.deepStrictEqual(log, ["c/undo Die", "let go: closed"])
  })

  it("is told so at its doors when it is closed", () => {
    const made = assembled()
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    run(() => {
      waitFor(made, "outside")
      wait(claim("late", { namespace: child }))
      parts.delivery.close(child)
    })
    assert.deepStrictEqual(log, ["c/late Die"])
  })
})

describe("When the invocation ends", () => {
  it("everything that waits or runs is interrupted", () => {
    const made = assembled()
    const { claim, log, parts, run } = made
    const attempt = Effect.runFork(Effect.never)
    run(() => {
      waitFor(made, "a")
      parts.delivery.run(
        claim("busy"),
        () => attempt,
        () => void log.push("counted")
      )
    })
    const [waiting] = [Effect.runFork(Effect.never)]
    made.wait(claim("b"), { fiber: waiting })
    parts.lifetime.end(suspended)
    const fibers = parts.delivery.stop()
    assert.includeMembers([...fibers], [attempt, waiting])
    assert.deepStrictEqual(log, ["a Interrupt", "b Interrupt"])
    assert.isTrue([attempt, waiting].every((fiber) => fiber.pollUnsafe() !== undefined))
    assert.strictEqual(parts.delivery.doors.size, 0)
    assert.isUndefined(Fiber.getCurrent())
  })
})

describe("An operation that cannot be recorded", () => {
  const mistake = new DurableError.LimitExceeded({ operation: "a", limit: 1, message: "too many" })
  const refused = (): never => {
    throw mistake
  }

  it("gives its fiber the mistake in the place of an outcome", () => {
    const made = assembled()
    made.run(() => made.parts.delivery.record(waitFor(made, "a")[0]!, refused))
    assert.deepStrictEqual(made.log, ["a Die"])
    assert.notStrictEqual(verdictOf(made), "LimitExceeded")
  })

  it("fails the execution where nobody waits for it", () => {
    const made = assembled()
    made.run(() => made.parts.delivery.record(made.claim("a"), refused))
    assert.strictEqual(verdictOf(made), "LimitExceeded")
  })
})
