import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { catchDefectEager, exitOf, interruptChildren } from "../../src/internal/effect.ts"

describe("An effect is its exit already", () => {
  it("when it was made as one, or computed eagerly from one", () => {
    assert.deepStrictEqual(exitOf(Effect.succeed(1)), Exit.succeed(1))
    assert.deepStrictEqual(exitOf(Effect.fail("no")), Exit.fail("no"))
    assert.deepStrictEqual(exitOf(Effect.mapEager(Effect.succeed(1), (n) => n + 1)), Exit.succeed(2))
    assert.deepStrictEqual(exitOf(Effect.flatMapEager(Effect.succeed(1), (n) => Effect.fail(n))), Exit.fail(1))
    assert.deepStrictEqual(exitOf(Effect.catchEager(Effect.fail(1), (n) => Effect.succeed(n + 1))), Exit.succeed(2))
  })

  it("when a Schema without services encodes or decodes", () => {
    const codec = Schema.Struct({ at: Schema.FiniteFromString })
    assert.isDefined(exitOf(Schema.encodeEffect(codec)({ at: 5 })))
    assert.isDefined(exitOf(Schema.decodeUnknownEffect(codec)({ at: "5" })))
  })

  it("and not when it has to run", () => {
    for (const effect of [Effect.sync(() => 1), Effect.yieldNow, Effect.map(Effect.succeed(1), (n) => n)]) {
      assert.isUndefined(exitOf(effect))
    }
  })
})

describe("A defect that is caught", () => {
  const caught = (effect: Effect.Effect<unknown, unknown>) =>
    catchDefectEager(effect, (defect) => Effect.succeed(`caught ${String(defect)}`))

  it("at once where there is an exit at once", () => {
    assert.deepStrictEqual(exitOf(caught(Effect.die("boom"))), Exit.succeed("caught boom"))
    assert.deepStrictEqual(exitOf(caught(Effect.succeed(1))), Exit.succeed(1))
    assert.deepStrictEqual(exitOf(caught(Effect.fail("no"))), Exit.fail("no"))
  })

  it.effect("and else when it comes", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* caught(Effect.suspend(() => Effect.die("boom"))), "caught boom")
    })
  )
})

describe("The children of a fiber", () => {
  it.effect("are interrupted and have ended before it goes on, and no others", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const tells = (name: string) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void ended.push(name)))
      const parent = Effect.gen(function* () {
        yield* interruptChildren
        yield* Effect.forkChild(tells("child"), { startImmediately: true })
        const other = yield* Effect.forkDetach(tells("other"), { startImmediately: true })
        yield* interruptChildren
        return { ended: ended.slice(), other: other.pollUnsafe() }
      })
      const fiber = yield* Effect.forkChild(parent)
      assert.deepStrictEqual(yield* Fiber.join(fiber), { ended: ["child"], other: undefined })
    })
  )
})
