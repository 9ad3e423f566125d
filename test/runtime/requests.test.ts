import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { assertSucceeded, execute } from "../operations/support.ts"

const counted = (n: number): ReadonlyArray<string> => Array.from({ length: n }, (_, i) => `op-${i}`)

describe("Checkpoints of an execution", () => {
  it.effect("of 1,000 parallel steps are coalesced into ten requests at the most", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.forEach(counted(1_000), (name) => Durable.step(name, Effect.void), {
          concurrency: "unbounded",
          discard: true
        })
      )
      assertSucceeded(ran)
      assert.isAtMost(ran.requests.length, 10)
      assert.lengthOf(ran.operations, 1_000)
    })
  )

  it.effect("hold parents before their children, wherever a batch is cut", () =>
    Effect.gen(function* () {
      const nest = (name: string, depth: number): Effect.Effect<void, never, Durable.Execution> =>
        depth === 0 ? Durable.step("leaf", Effect.void) : Durable.child(name, nest(name, depth - 1))
      const ran = yield* execute(
        Effect.forEach(counted(90), (name) => nest(name, 5), { concurrency: "unbounded", discard: true })
      )
      assertSucceeded(ran)
      assert.isAbove(ran.requests.length, 2)
      const started = new Set<string>()
      for (const { Action, Id, ParentId } of ran.updates) {
        if (ParentId !== undefined) assert.isTrue(started.has(ParentId))
        if (Action === "START") started.add(Id)
      }
    })
  )

  it.effect("never name an operation twice but for its start and one more update", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.forEach(
          counted(20),
          (name) =>
            Durable.child(
              name,
              Durable.step(
                "flaky",
                Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < 3 ? Effect.die("again") : Effect.void))
              )
            ),
          { concurrency: "unbounded", discard: true }
        )
      )
      assertSucceeded(ran)
      for (const { Updates } of ran.requests) {
        const seen = new Map<string, Array<string>>()
        for (const { Action, Id } of Updates) seen.set(Id, [...(seen.get(Id) ?? []), Action])
        for (const actions of seen.values()) {
          assert.isAtMost(actions.length, 2)
          if (actions.length === 2) assert.strictEqual(actions[0], "START")
        }
      }
    })
  )

  it.effect("are all acknowledged before the execution is suspended", () =>
    Effect.gen(function* () {
      let open = 0
      const ran = yield* execute(
        Effect.all(
          [
            Durable.wait("nap", "1 second"),
            Effect.andThen(Durable.child("a", Durable.step("inner", Effect.void)), Durable.child("b", Effect.void))
          ],
          { concurrency: "unbounded" }
        ),
        {
          store: (store) => ({
            checkpoint: (request) =>
              Effect.ensuring(
                Effect.andThen(
                  Effect.sync(() => open++),
                  Effect.andThen(Effect.sleep("70 millis"), store.checkpoint(request))
                ),
                Effect.sync(() => open--)
              )
          })
        }
      )
      assertSucceeded(ran)
      assert.strictEqual(open, 0)
      const firstEnd = ran.history.findIndex((event) => event.EventType === "InvocationCompleted")
      const before = ran.history.slice(0, firstEnd).map((event) => `${event.EventType} ${event.Name}`)
      assert.include(before, "ContextSucceeded a")
      assert.include(before, "ContextSucceeded b")
    })
  )
})
