import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as FastCheck from "fast-check"
import { Strand } from "../../src/runtime/Strand.ts"
import { elapsed, places, type Look } from "./places.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("A strand", () => {
  it("never goes back in time", () => {
    const strand = new Strand(1_000, "seed")
    strand.advanceTo(500)
    assert.strictEqual(strand.now, 1_000)
    strand.pass(250)
    strand.advanceTo(1_200)
    assert.strictEqual(strand.now, 1_250)
    strand.advanceTo(2_000)
    assert.strictEqual(strand.now, 2_000)
  })

  it("gives what it forks its time and numbers of its own, and keeps its numbers", () => {
    const numbersOf = ({ random }: Strand) => [random.nextDoubleUnsafe(), random.nextIntUnsafe()]
    const [strand, alone] = [new Strand(1, "seed"), new Strand(1, "seed")]
    const [first, second] = [strand.fork(), strand.fork()]
    strand.advanceTo(5)
    assert.deepStrictEqual([first.now, second.now, strand.fork().now], [1, 1, 5])
    const all = [strand, first, second, first.fork()].map(numbersOf)
    assert.deepStrictEqual(all[0], numbersOf(alone))
    assert.strictEqual(new Set(all.flat()).size, 8)
  })

  // Computed by another implementation of sfc32. Other numbers here are other numbers in the executions that are under way.
  it("draws these numbers for ever", () => {
    const { random } = new Strand(0, "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/e/r\0")
    const drawn = [random.nextDoubleUnsafe(), random.nextDoubleUnsafe(), random.nextIntUnsafe()]
    assert.deepStrictEqual(drawn, [0.0912685801808466, 0.7979659317593202, -4552007884327193])
  })

  it("draws fractions that are spread evenly", () => {
    const buckets = Array.from({ length: 16 }, () => 0)
    for (let i = 0; i < 100; i++) {
      const { random } = new Strand(0, `${seed} ${i}`)
      for (let n = 0; n < 160; n++) {
        const fraction = random.nextDoubleUnsafe()
        assert.isTrue(fraction >= 0 && fraction < 1)
        buckets[Math.floor(fraction * 16)]!++
        assert.isTrue(Number.isSafeInteger(random.nextIntUnsafe()))
      }
    }
    for (const count of buckets) assert.closeTo(count, 1_000, 160)
  })
})

/** A workflow in the small. Times are minutes. */
type Program =
  | { readonly _tag: "step" | "wait" | "hold"; readonly minutes: number }
  | { readonly _tag: "flaky" }
  | { readonly _tag: "child" | "flat"; readonly body: Program }
  | { readonly _tag: "sequence" | "all"; readonly parts: ReadonlyArray<Program> }

const minutes = FastCheck.integer({ min: 1, max: 50 })

const { program: programs } = FastCheck.letrec<{ program: Program }>((tie) => ({
  program: FastCheck.oneof(
    { depthSize: "small", withCrossShrink: true },
    FastCheck.record({ _tag: FastCheck.constantFrom("step", "wait", "hold"), minutes }),
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
      case "hold":
        return Durable.hold(Effect.sleep(`${program.minutes} minutes`))
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
  it.effect(
    "sees the same times and the same random numbers, and no time goes back",
    () =>
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
      ),
    60_000
  )
})
