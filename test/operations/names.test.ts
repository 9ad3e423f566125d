import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { assertSucceeded, execute, failureOf } from "./support.ts"

const Other = DurableFunction.plain("other")

const operations: Record<string, (name: string) => Effect.Effect<unknown, never, Durable.Execution>> = {
  step: (name) => Durable.step(name, Effect.succeed(1)),
  wait: (name) => Durable.wait(name, "1 second"),
  child: (name) => Durable.child(name, Effect.succeed(1)),
  "flat child": (name) => Durable.child(name, Effect.succeed(1), { flat: true }),
  invoke: (name) => Effect.orDie(Durable.invoke(Other, undefined, { name })),
  "invoke with a time-out": (name) => Effect.orDie(Durable.invoke(Other, undefined, { name, timeout: "1 minute" }))
}

const invalid: Record<string, unknown> = {
  "no characters": "",
  "257 characters": "x".repeat(257),
  "a million characters": "x".repeat(1_000_000),
  "an accent": "caf\u00e9",
  "a smiley": "ship 😀",
  "a lone surrogate": "a\ud800",
  "a control character": "a\u0007b",
  "a line break": "a\n",
  "a tab": "a\tb",
  "a delete": "a\u007f",
  "a null character": "a\u0000b",
  "no text at all": undefined,
  "a number": 5
}

describe("The name of an operation", () => {
  for (const [what, name] of Object.entries(invalid)) {
    it.effect(`is InvalidName, and nothing is sent: ${what}`, () =>
      Effect.gen(function* () {
        for (const [kind, operation] of Object.entries(operations)) {
          // An invoke without a name has that of its contract.
          if (name === undefined && kind.startsWith("invoke")) continue
          const ran = yield* execute(operation(cast(name)))
          const failed = failureOf(ran)
          assert.strictEqual(failed.errorType, "InvalidName", kind)
          assert.include(failed.errorMessage, "1 to 256 characters of printable ASCII", kind)
          assert.isBelow(failed.errorMessage?.length ?? 0, 1_000, kind)
          assert.deepStrictEqual(ran.requests, [], kind)
        }
      })
    )
  }

  it.effect("that is invalid is shown with the context around it", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("outer", Durable.step("caf\u00e9", Effect.succeed(1)), { flat: true }))
      const failed = failureOf(ran)
      assert.include(`${failed.errorMessage}${failed.errorData}`, "outer/caf\u00e9")
    })
  )

  it.effect("may have 1 to 256 characters of printable ASCII", () =>
    Effect.gen(function* () {
      const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)).join("")
      for (const name of ["x", " ", printable, "a/b#2", "x".repeat(256)]) {
        const ran = yield* execute(
          Effect.all([
            Durable.step(name, Effect.succeed(1)),
            Durable.wait(`${name.slice(1)}w`, "1 second"),
            Durable.child(`${name.slice(1)}c`, Effect.succeed(1))
          ])
        )
        assertSucceeded(ran)
        assert.strictEqual(ran.operations[0]!.Name, name)
      }
    })
  )
})
