/** Operations that were renamed where something hides it: work outside of steps, and code that waits for ever. */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { run, type Program } from "../support/host.ts"

const never = Effect.promise(() => new Promise<void>(() => {}))

const aWhile = Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, 200)))

const options = { engine: { outsideLimit: "20 millis" } } as const

describe("A step that was renamed beside work outside of steps", () => {
  const renamed =
    (outside: Effect.Effect<void, never, Durable.Execution>): Program =>
    (kit) =>
      Effect.gen(function* () {
        const isOld = kit.invocation === 1
        yield* Effect.forkChild(outside)
        yield* kit.step(isOld ? "charge" : "charge card")
        yield* Durable.wait(isOld ? "an hour" : "one hour", "1 hour")
        return yield* kit.step("after")
      })

  for (const [name, outside] of Object.entries({
    "a promise": never,
    "a hold": Durable.hold(aWhile),
    "a local effect": Durable.local(aWhile)
  })) {
    it.effect(`is told before it is done again: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* run(renamed(outside), options)
        const told = ran.warnings.filter((text) => text.startsWith("The history holds"))
        assert.isNotEmpty(told, ran.outcome)
        assert.include(told[0], 'STEP "charge"')
        assert.include(told[0], 'the code asks for STEP "charge card"')
      })
    )
  }
})

describe("An operation that was removed", () => {
  it.effect("is found where the code waits for ever instead", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.andThen(kit.step("a"), kit.invocation === 1 ? Durable.wait("an hour", "1 hour") : Effect.never)
      )
      assert.match(
        ran.outcome,
        /^failed as NonDeterministic: The history holds .*"an hour".* waits forever without asking for it/
      )
    })
  )
})
