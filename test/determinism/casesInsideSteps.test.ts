/**
 * Inside the body of a step there are no operations, in none of its fibers, with whatever services: it is told at once, nothing
 * is recorded, and no attempt is repeated.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { run, statusesOf, type Kit } from "../support/host.ts"
import { together } from "./survives.ts"

type Inner = Effect.Effect<unknown, never, Durable.Execution>

const operations: Readonly<Record<string, Inner>> = {
  "a step": Durable.step("inner", Effect.void),
  "a wait": Durable.wait("inner", "1 second"),
  "a callback": Durable.callback("inner"),
  "a child": Durable.child("inner", Effect.void),
  "a flat child": Durable.child("inner", Durable.wait("inner", "1 second"), { flat: true }),
  "a batch": Durable.forEach("inner", [1], (n) => Effect.succeed(n)),
  "a race": Durable.race("inner", [Effect.succeed(1)]),
  "a hold with an operation": Durable.hold(Durable.wait("inner", "1 second")),
  "a part to be undone": Durable.withCompensation("part", Durable.wait("inner", "1 second"), () => Effect.void),
  "a patch": Durable.patched("inner"),
  "a UUID": Durable.uuid
}

/** Runs something in the body of a step that was handed the services of the workflow. */
const inStep = (kit: Kit, body: (services: Context.Context<Durable.Execution>) => Effect.Effect<unknown>) =>
  Effect.flatMap(Effect.context<Durable.Execution>(), (services) =>
    Durable.step("outer", Effect.andThen(kit.log("outer"), Effect.asVoid(body(services))))
  )

/** The fibers of a body in which an operation may be asked for. */
const fibers: Readonly<Record<string, (inner: Effect.Effect<unknown>) => Effect.Effect<unknown>>> = {
  "in its own fiber": (inner) => inner,
  "in a fork": (inner) => Effect.flatMap(Effect.forkChild(inner), Fiber.join),
  "in a fork that is detached": (inner) => Effect.flatMap(Effect.forkDetach(inner), Fiber.join),
  "in branches": (inner) => Effect.all([inner, Effect.void], together),
  "in a race": (inner) => Effect.raceFirst(inner, Effect.never),
  "within a limit": (inner) => Effect.orDie(Effect.timeout(inner, "1 minute"))
}

describe("an operation in the body of a step is told of at once", () => {
  for (const [operation, inner] of Object.entries(operations)) {
    for (const [where, within] of Object.entries(fibers)) {
      it.effect(`${operation}, ${where}`, () =>
        Effect.gen(function* () {
          const ran = yield* run(
            (kit) =>
              Effect.gen(function* () {
                yield* inStep(kit, (services) => within(Effect.provideContext(inner, services)))
                yield* Durable.wait("afterwards", "1 second")
              }),
            { engine: { patience: "1 second" } }
          )
          assert.match(ran.outcome, /^failed as NestedOperation: /)
          assert.deepStrictEqual(ran.log, ["outer"])
          assert.deepStrictEqual(statusesOf(ran, "inner"), [])
          assert.deepStrictEqual(statusesOf(ran, "afterwards"), [])
          assert.notInclude(ran.requests.join(), "RETRY")
          assert.strictEqual(Duration.toMillis(ran.elapsed), 0)
        })
      )
    }
  }

  it.effect("although the fiber that asks for it is left behind by the step", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* inStep(kit, (services) =>
            Effect.forkDetach(
              Effect.andThen(Effect.yieldNow, Durable.step("inner", kit.log("inner"))).pipe(
                Effect.provideContext(services)
              )
            )
          )
          yield* Durable.wait("afterwards", "1 hour")
        })
      )
      assert.deepStrictEqual(ran.log, ["outer"])
      assert.deepStrictEqual(statusesOf(ran, "inner"), [])
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )
})
