import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as FastCheck from "fast-check"
import { elapsed, places, type Look } from "./places.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

/** A workflow in the small. Times are minutes. */
type Program =
  | { readonly _tag: "step" | "wait" | "sleep"; readonly minutes: number }
  | { readonly _tag: "flaky" }
  | { readonly _tag: "child" | "flat"; readonly body: Program }
  | { readonly _tag: "sequence" | "all"; readonly parts: ReadonlyArray<Program> }

const minutes = FastCheck.integer({ min: 1, max: 50 })

const { program: programs } = FastCheck.letrec<{ program: Program }>((tie) => ({
  program: FastCheck.oneof(
    { depthSize: "small", withCrossShrink: true },
    FastCheck.record({ _tag: FastCheck.constantFrom("step", "wait", "sleep"), minutes }),
    FastCheck.record({ _tag: FastCheck.constant("flaky") }),
    FastCheck.record({ _tag: FastCheck.constantFrom("child", "flat"), body: tie("program") }),
    FastCheck.record({
      _tag: FastCheck.constantFrom("sequence", "all"),
      parts: FastCheck.array(tie("program"), { minLength: 1, maxLength: 3 })
    })
  )
}))

const interpret = (
  program: Program,
  name: string,
  look: Look<unknown>
): Effect.Effect<unknown, never, Durable.Execution> => {
  const inner = (): Effect.Effect<unknown, never, Durable.Execution> => {
    switch (program._tag) {
      case "step":
        return Durable.step(name, Effect.sleep(`${program.minutes} minutes`))
      case "wait":
        return Durable.wait(name, `${program.minutes} minutes`)
      case "sleep":
        return Effect.sleep(`${program.minutes} minutes`)
      case "flaky":
        return Durable.step(
          name,
          Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt === 1 ? Effect.die("no") : Effect.void)),
          { retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "7 minutes" }) }
        )
      case "child":
        return Durable.child(name, Effect.asVoid(interpret(program.body, `${name}c`, look)))
      case "flat":
        return Durable.child(name, interpret(program.body, `${name}f`, look), { flat: true })
      default:
        return Effect.forEach(program.parts, (part, index) => interpret(part, `${name}.${index}`, look), {
          concurrency: program._tag === "all" ? "unbounded" : 1
        })
    }
  }
  return Effect.andThen(
    look(`before ${name}`),
    Effect.tap(Effect.suspend(inner), () => look(`after ${name}`))
  )
}

describe("Every replay of any workflow", () => {
  it.effect("sees the same times and the same random numbers, and no time goes back", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(programs, (program) =>
          Effect.gen(function* () {
            const read = Effect.map(Effect.all([elapsed, Random.next]), (both) => both.join())
            const seen = yield* places(read, (look) =>
              Effect.andThen(interpret(program, "p", look), Durable.wait("end", "1 hour"))
            )
            for (const [place, before] of Object.entries(seen)) {
              if (!place.startsWith("before ")) continue
              const after = seen[place.replace("before", "after")] ?? ""
              assert.isAtLeast(Number.parseFloat(after), Number.parseFloat(before))
            }
            assert.strictEqual(
              new Set(Object.values(seen).map((text) => text.split(",")[1])).size,
              Object.keys(seen).length
            )
          }).pipe(Effect.runPromise)
        ),
        { numRuns: 150, seed }
      )
    )
  )
})
