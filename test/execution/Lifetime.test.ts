import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { InvocationFailed, NonDeterministic } from "../../src/DurableError.ts"
import { Lifetime, suspended, type Verdict } from "../../src/execution/Lifetime.ts"

const aborted: Verdict = { _tag: "Aborted", error: new InvocationFailed({ reason: "deadline", message: "late" }) }
const condemned: Verdict = {
  _tag: "Condemned",
  mistake: new NonDeterministic({ operation: "a", message: "changed" })
}

describe("A lifetime", () => {
  it.effect("ends with the first verdict, and never opens again", () =>
    Effect.gen(function* () {
      const lifetime = new Lifetime()
      assert.isTrue(lifetime.isOpen)
      lifetime.end(suspended)
      lifetime.end(aborted)
      lifetime.finish(Exit.succeed("late"))
      assert.isFalse(lifetime.isOpen)
      assert.strictEqual(lifetime.verdict, suspended)
      assert.strictEqual(yield* lifetime.ended, suspended)
      assert.strictEqual(yield* lifetime.judged, suspended)
      lifetime.over()
      assert.isFalse(lifetime.isOpen)
    })
  )

  it.effect("ends with the workflow, and may be judged after that", () =>
    Effect.gen(function* () {
      const lifetime = new Lifetime()
      lifetime.finish(Exit.succeed("done"))
      assert.isFalse(lifetime.isOpen)
      assert.isUndefined(lifetime.verdict)
      lifetime.end(aborted)
      assert.deepStrictEqual(yield* lifetime.ended, { _tag: "Ended", exit: Exit.succeed("done") })
      assert.strictEqual(yield* lifetime.judged, aborted)
    })
  )

  it("lets what is queued be sent unless it has failed or lost the execution", () => {
    const may = (verdict: Verdict | undefined): boolean => {
      const lifetime = new Lifetime()
      if (verdict !== undefined) lifetime.end(verdict)
      return lifetime.mayRecord
    }
    assert.deepStrictEqual([undefined, suspended, aborted, condemned].map(may), [true, true, false, false])
  })

  it.effect("has operations do nothing once it is closed, whatever code does about it", () =>
    Effect.gen(function* () {
      const lifetime = new Lifetime()
      lifetime.end(suspended)
      const ran: Array<string> = []
      const stubborn = Effect.suspend(() => lifetime.inert).pipe(
        Effect.catchCause(() => Effect.sync(() => void ran.push("caught"))),
        Effect.andThen(Effect.sync(() => void ran.push("went on")))
      )
      const exit = yield* Effect.flatMap(Effect.forkChild(stubborn), Fiber.await)
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(ran, [])
    })
  )

  it.effect("does not let code attempt operations for ever, nor after it is over", () =>
    Effect.gen(function* () {
      const lifetime = new Lifetime()
      lifetime.end(suspended)
      let attempts = 0
      const fiber = Effect.runFork(
        Effect.uninterruptible(
          Effect.forever(
            Effect.exit(
              Effect.suspend(() => {
                attempts++
                return lifetime.inert
              })
            )
          )
        )
      )
      for (let turn = 0; turn < 50; turn++) yield* Effect.yieldNow
      assert.isUndefined(fiber.pollUnsafe())
      assert.isAtMost(attempts, 1_001)
      const later = new Lifetime()
      later.end(suspended)
      later.over()
      assert.isUndefined(Effect.runFork(later.inert).pollUnsafe())
    })
  )
})
