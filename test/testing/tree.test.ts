/** Trees of executions: what they tell, and what they leave out. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine, Tree } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

class Refused extends Schema.TaggedError<Refused>()("Refused", { reason: Schema.String }) {}

const Callee = DurableFunction.make("callee", { payload: Schema.Int, success: Schema.Int, error: Refused })
const Caller = DurableFunction.make("caller", { payload: Schema.Int, success: Schema.Int })
const Relay = DurableFunction.make("relay", { payload: Schema.Int, success: Schema.Int })

const callee = Callee.implement((number) =>
  number < 0 ? Effect.fail(new Refused({ reason: "too small" })) : Durable.step("double", Effect.succeed(2 * number))
)

const caller = Caller.implement((number) =>
  Effect.gen(function* () {
    const retry = RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 3 })
    const known = yield* Durable.step("ask", Effect.succeed(number), { retry })
    yield* Durable.child("pause", Durable.wait("a minute", "1 minute"))
    return yield* Effect.catchTag(Durable.invoke(Callee, known), "Refused", () => Effect.succeed(0))
  })
)

const relay = Relay.implement((number) => (number === 0 ? Effect.succeed(7) : Durable.continueWith(Relay, number - 1)))

const parts = [caller, callee, relay, TestEngine.failFirst("ask", 1, Effect.die("not yet"))]
const world = TestEngine.layer(parts)

/** Lines without the spaces between columns. */
const columns = (tree: string): ReadonlyArray<string> =>
  tree.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))

describe("Tree.render", () => {
  it.effect("shows operations below their parents, with times and attempts, and what they invoked", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, 21)
      yield* run.result
      assert.deepStrictEqual(columns(yield* Tree.render(run)), [
        "caller | execution | 0.0 s → | 62.0 s | succeeded, 4 invocations",
        "├─ ask | step | 0.0 s → | 2.0 s | succeeded, 2 attempts",
        "├─ pause | context | 2.0 s → | 62.0 s | succeeded",
        "│ └─ a minute | wait | 2.0 s → | 62.0 s | succeeded".replace("│ ", "│ | "),
        "└─ callee | invoke | 62.0 s → | 62.0 s | succeeded",
        " | └─ callee | execution | 62.0 s → | 62.0 s | succeeded",
        " | └─ double | step | 62.0 s → | 62.0 s | succeeded"
      ])
    }).pipe(Effect.provide(world))
  )

  it.effect("shows why something failed, and values where they are asked for", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, -1)
      yield* run.result
      const tree = yield* Tree.render(run)
      assert.match(tree, /callee +invoke .* failed {2}Refused: \{"_tag":"Refused","reason":"too small"\}$/m)
      assert.notInclude(tree, "of -1")
      assert.match(
        yield* Tree.render(run, { payloads: true }),
        /^caller +execution .*succeeded, 4 invocations {2}of -1 {2}= 0$/m
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("hangs the execution that one handed over to below it", () =>
    Effect.gen(function* () {
      const started = yield* DurableClient.start(Relay, 2)
      yield* Effect.repeat(DurableClient.poll(started), { until: (found) => found._tag === "Some" })
      const lines = (yield* Tree.render(started)).split("\n").map((line) => line.replace(/ +execution.*/, ""))
      assert.deepStrictEqual(
        lines.filter((line) => line.endsWith("relay")),
        ["relay", "└─ relay", "   └─ relay"]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("says what is open, and shortens long lists", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, 1)
      yield* TestEngine.sleep("30 seconds")
      assert.match(yield* Tree.render(run), /a minute +wait +2\.0 s → +… {2}waiting/)
      yield* run.stop()
      const stopped = yield* Tree.render(run, { most: 1, noteOf: (_, id) => (id === "" ? undefined : "noted") })
      assert.match(stopped, /^caller +execution .*stopped/)
      assert.match(stopped, /ask +step .*← noted/)
      assert.match(stopped, /^└─ … and 1 more$/m)
    }).pipe(Effect.provide(world))
  )

  it.effect("says why a step is to be tried again, and no longer once it has succeeded", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, 1)
      yield* TestEngine.sleep("1 second")
      const tree = yield* Tree.render(run)
      assert.match(tree, /ask +step .* to be tried again {2}Error: not yet/)
      yield* run.result
      assert.notInclude(yield* Tree.render(run), "not yet")
    }).pipe(
      Effect.provide(
        TestEngine.layer([caller, callee, TestEngine.failFirst("ask", 1, Effect.die(new Error("not yet")))])
      )
    )
  )

  it.effect("draws a history that somebody has", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, 1)
      yield* run.result
      const [first, second] = columns(Tree.render(yield* run.history))
      assert.strictEqual(first, "execution | execution | 0.0 s → | 62.0 s | succeeded, 4 invocations")
      assert.strictEqual(second, "├─ ask | step | 0.0 s → | 2.0 s | succeeded, 2 attempts")
    }).pipe(Effect.provide(world))
  )
})

describe("Tree.text", () => {
  const textOf = (number: number, startTime: number) =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Caller, number)
      yield* run.result
      return Tree.text(yield* run.history)
    }).pipe(Effect.provide(TestEngine.layer(parts, { startTime, seed: startTime })))

  it.effect("is the same for every run that does the same", () =>
    Effect.gen(function* () {
      const text = yield* textOf(21, 1_000)
      assert.deepStrictEqual(text.split("\n"), [
        "execution       execution  succeeded",
        "├─ ask          step       succeeded, 2 attempts",
        "├─ pause        context    succeeded",
        "│  └─ a minute  wait       succeeded",
        "└─ callee       invoke     succeeded"
      ])
      assert.strictEqual(yield* textOf(22, 5_000_000), text)
    })
  )

  it.effect("is another one for a run that does something else", () =>
    Effect.gen(function* () {
      assert.notStrictEqual(yield* textOf(-1, 1_000), yield* textOf(1, 1_000))
    })
  )
})
