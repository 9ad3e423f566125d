import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  actions,
  assertSucceeded,
  crashAt,
  defectOf,
  execute,
  failureOf,
  holds,
  unchecked,
  valueOf
} from "./support.ts"

describe("Durable.uuid", () => {
  it.effect("is the same on every replay and another at every use and in every context", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<string>> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const found = [
            yield* Durable.uuid,
            yield* Durable.uuid,
            yield* Durable.child("flat", Durable.uuid, { flat: true }),
            yield* Durable.child("flat", Durable.uuid, { flat: true }),
            yield* Durable.child("recorded", Durable.uuid)
          ]
          seen.push(found)
          yield* Durable.wait("a", "1 hour")
          yield* Durable.wait("b", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 3)
      assert.deepStrictEqual(seen[1], seen[0])
      assert.deepStrictEqual(seen[2], seen[0])
      assert.lengthOf(new Set(seen[0]), 5)
      for (const uuid of seen[0]!) {
        assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-3[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
    })
  )

  it.effect("is another in every execution", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      const Make = DurableFunction.make("make")
      const make = Make.implement(() =>
        Effect.gen(function* () {
          seen.add(yield* Durable.uuid)
        })
      )
      yield* Effect.gen(function* () {
        for (let i = 0; i < 20; i++) yield* TestEngine.run(Make)
      }).pipe(Effect.provide(TestEngine.layer([make])))
      assert.lengthOf(seen, 20)
    })
  )

  it.effect("records nothing", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.uuid)
      assert.deepStrictEqual(ran.requests, [])
    })
  )

  it.effect("is drawn in the order of outcomes where fibers draw side by side", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<string>> = []
      const drawn = (hours: number) => Effect.andThen(Durable.wait(`wait-${hours}`, hours * 3_600_000), Durable.uuid)
      const ran = yield* execute(
        Effect.gen(function* () {
          const first = yield* Durable.uuid
          const [second, third, fourth] = yield* Effect.all([drawn(2), drawn(1), Durable.uuid], {
            concurrency: "unbounded"
          })
          seen.push([first, fourth, third, second])
          yield* Durable.wait("replay", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 2)
      assert.deepStrictEqual(seen[1], seen[0])
      const row: Array<string> = []
      yield* execute(
        Effect.gen(function* () {
          for (let i = 0; i < 4; i++) row.push(yield* Durable.uuid)
        })
      )
      assert.deepStrictEqual(seen[0], row)
    })
  )

  it.effect("is refused in the body of a step, where its place would depend on attempts", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("make", unchecked(Durable.uuid), { retry: RetryPolicy.none }))
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
    })
  )
})

describe("Durable.hold", () => {
  it.effect("keeps the invocation alive while work outside of a step goes on", () =>
    Effect.gen(function* () {
      let done = 0
      const held = Durable.hold(
        Effect.andThen(
          Effect.sleep("30 seconds"),
          Effect.sync(() => ++done)
        )
      )
      const ran = yield* execute(
        Effect.all([Durable.wait("cool-off", "10 seconds"), held], { concurrency: "unbounded" })
      )
      assertSucceeded(ran)
      assert.strictEqual(done, 1)
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("records nothing and runs again on every replay", () =>
    Effect.gen(function* () {
      let runs = 0
      const held = Durable.hold(Effect.sync(() => ++runs))
      const ran = yield* execute(Effect.tap(held, Durable.wait("replay", "1 second")))
      assert.strictEqual(valueOf(ran), 2)
      assert.deepStrictEqual(actions(ran.updates), ["START replay"])
    })
  )

  it.effect("hands values, errors and defects through", () =>
    Effect.gen(function* () {
      const value = { a: 1 }
      assert.strictEqual(valueOf(yield* execute(Durable.hold(Effect.succeed(value)))), value)
      assert.strictEqual(valueOf(yield* execute(Effect.flip(Durable.hold(Effect.fail("no"))))), "no")
      assert.strictEqual(defectOf((yield* execute(Durable.hold(Effect.die("broken")))).exits[0]), "broken")
    })
  )

  it.effect("asks for its operations again after a crash, although the block around it needs nothing more", () =>
    Effect.gen(function* () {
      const inner = Durable.step("inner", Effect.sleep("1 hour"))
      const block = Effect.gen(function* () {
        yield* Effect.forkChild(Durable.hold(Effect.andThen(Effect.sleep("5 millis"), inner)))
        yield* Durable.step("outer", Effect.sleep("50 millis"))
      })
      // The start of "inner" leaves with the success of "outer", which ends the block.
      const crash = crashAt(holds("SUCCEED", "block"), "before")
      const ran = yield* execute(Durable.child("block", block), { store: crash })
      assertSucceeded(ran)
      assert.include(actions(ran.updates), "START inner")
    })
  )

  it.effect("may hold durable operations", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.hold(Durable.step("inner", Effect.succeed(1))))
      assert.strictEqual(valueOf(ran), 1)
    })
  )
})

describe("Durable.onExit", () => {
  it.effect("runs its finalizer at the real end, and not at a suspension", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const ran = yield* execute(
        Durable.onExit(Effect.andThen(Durable.wait("a", "1 hour"), Durable.wait("b", "1 hour")), (exit) =>
          Effect.sync(() => void ends.push(exit._tag))
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 3)
      assert.deepStrictEqual(ends, ["Success"])
    })
  )

  it.effect("may hold durable operations, which may suspend", () =>
    Effect.gen(function* () {
      let returned = 0
      const ran = yield* execute(
        Durable.onExit(Durable.wait("rental", "2 days"), () =>
          Effect.andThen(
            Durable.wait("inspection", "1 hour"),
            Durable.step(
              "return-car",
              Effect.sync(() => void returned++)
            )
          )
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(returned, 1)
      assert.deepStrictEqual(actions(ran.updates), [
        "START rental",
        "START inspection",
        "START return-car",
        "SUCCEED return-car"
      ])
    })
  )

  it.effect("sees how the effect ended, and keeps that outcome", () =>
    Effect.gen(function* () {
      const seen: Array<Exit.Exit<unknown, unknown>> = []
      const note = <A, E>(exit: Exit.Exit<A, E>) => Effect.sync(() => void seen.push(exit))
      yield* execute(Durable.onExit(Effect.succeed(1), note))
      yield* execute(Effect.exit(Durable.onExit(Effect.fail("no"), note)))
      yield* execute(Durable.onExit(Effect.die("broken"), note))
      assert.deepStrictEqual(seen, [Exit.succeed(1), Exit.fail("no"), Exit.die("broken")])
    })
  )

  it.effect("fails with the error of its finalizer", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.exit(Durable.onExit(Effect.succeed(1), () => Effect.fail("unreturned"))))
      assert.deepStrictEqual(valueOf(ran), Exit.fail("unreturned"))
    })
  )
})

describe("Durable.execution", () => {
  it.effect("names the execution, the same in children and at every replay", () =>
    Effect.gen(function* () {
      const seen: Array<Durable.ExecutionInfo> = []
      const look = Effect.flatMap(Durable.execution, (facts) => Effect.sync(() => void seen.push(facts)))
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* look
          yield* Durable.child("in", look)
          yield* Durable.child("flat", look, { flat: true })
          yield* Durable.wait("replay", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 5)
      for (const facts of seen) assert.deepStrictEqual(facts, seen[0])
      assert.strictEqual(seen[0]?.executionName, "execution-1")
      assert.match(seen[0]?.executionArn ?? "", /:function:work:.*\/execution-1\//)
    })
  )
})

/** Notes at every point of every invocation whether it is a replay. */
const replaying = () => {
  const seen: Array<string> = []
  const at = (point: string) =>
    Effect.flatMap(Durable.isReplaying, (again) => Effect.sync(() => void (again && seen.push(point))))
  return { seen, at }
}

describe("Durable.isReplaying", () => {
  it.effect("is true up to the last operation that was recorded, in each of three invocations", () =>
    Effect.gen(function* () {
      const { at, seen } = replaying()
      const invocations: Array<ReadonlyArray<string>> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          if (seen.length > 0) invocations.push(seen.splice(0))
          yield* at("begin")
          yield* Durable.step("a", Effect.void)
          yield* at("after a")
          yield* Durable.wait("b", "1 hour")
          yield* at("after b")
          yield* Durable.step("c", Effect.void)
          yield* at("after c")
          yield* Durable.wait("d", "1 hour")
          yield* at("after d")
          invocations.push(seen.splice(0))
        }).pipe(Effect.onInterrupt(() => Effect.sync(() => void invocations.push(seen.splice(0)))))
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(invocations, [[], ["begin", "after a"], ["begin", "after a", "after b", "after c"]])
    })
  )

  it.effect("is known for each context by itself: in a child that is entered again, and one that is new", () =>
    Effect.gen(function* () {
      const { at, seen } = replaying()
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.child(
            "old",
            Effect.gen(function* () {
              yield* at("old: begin")
              yield* Durable.wait("in", "1 hour")
              yield* at("old: after")
            })
          )
          yield* at("between")
          yield* Durable.child("new", at("new"))
          yield* at("end")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, ["old: begin"])
    })
  )

  it.effect("is true everywhere in a child that is only rebuilt", () =>
    Effect.gen(function* () {
      const { at, seen } = replaying()
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.child(
            "large",
            Effect.gen(function* () {
              yield* at("begin")
              yield* Durable.step("make", Effect.void)
              yield* at("end")
              return "x".repeat(300_000)
            })
          )
          yield* Durable.wait("replay", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, ["begin", "end"])
    })
  )

  it.effect("is false in an execution that never replays", () =>
    Effect.gen(function* () {
      const { at, seen } = replaying()
      assertSucceeded(yield* execute(Effect.andThen(at("a"), Effect.andThen(Durable.step("b", Effect.void), at("b")))))
      assert.deepStrictEqual(seen, [])
    })
  )
})

describe("Durable.isSuspending", () => {
  it.effect("tells a finalizer whether the execution goes on or this is the end", () =>
    Effect.gen(function* () {
      const seen: Array<boolean> = []
      const look = Effect.flatMap(Durable.isSuspending, (is) => Effect.sync(() => void seen.push(is)))
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* look
          yield* Durable.wait("a", "1 hour")
          yield* Durable.child("in", Effect.ensuring(Durable.wait("b", "1 hour"), look))
        }).pipe(Effect.ensuring(look))
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [false, true, false, true, true, false, false, false])
    })
  )

  it.effect("is false for an interruption of the program's own", () =>
    Effect.gen(function* () {
      const seen: Array<boolean> = []
      const look = Effect.flatMap(Durable.isSuspending, (is) => Effect.sync(() => void seen.push(is)))
      yield* execute(Effect.ensuring(Effect.andThen(Durable.step("a", Effect.void), Effect.interrupt), look))
      assert.deepStrictEqual(seen, [false])
    })
  )
})
