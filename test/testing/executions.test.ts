/** Functions of a test world that have to do with other executions, through the client that the world gives them. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What steps do here takes as long as it likes. */
const unlimited = { invocationTimeout: Duration.infinity }

class Broken extends Schema.TaggedError<Broken>()("Broken", { round: Schema.Int }) {}

const Main = DurableFunction.make("main", { success: Schema.String })
const Nap = DurableFunction.make("nap", { payload: Schema.Int, success: Schema.String })
const nap = Nap.implement((hours) => Effect.as(Durable.wait("sleep", hours * 3_600_000), `slept ${hours} h`))

const Rounds = DurableFunction.make("rounds", { payload: Schema.Int, success: Schema.Int, error: Broken })
/** Goes on as another execution until the last round, which fails if it is the thirteenth. */
const rounds = Rounds.implement(
  Effect.fnUntraced(function* (round) {
    yield* Durable.wait("round", "1 hour")
    if (round > 0 && round !== 10) return yield* Effect.orDie(Durable.continueWith(Rounds, round - 1))
    if (round === 10) return yield* new Broken({ round })
    return 42
  })
)

describe("a workflow of a test world", () => {
  it.effect("starts another execution, which goes on by itself", () =>
    Effect.gen(function* () {
      const main = Main.implement(() =>
        Effect.orDie(Effect.map(Durable.start(Nap, 2), ({ executionArn }) => executionArn))
      )
      yield* Effect.gen(function* () {
        const executionArn = yield* TestEngine.run(Main)
        assert.isTrue(Option.isNone(yield* DurableClient.poll({ contract: Nap, executionArn })))
        yield* TestEngine.sleep("2 hours")
        for (let turn = 0; turn < 50; turn++) yield* Effect.promise(() => new Promise(setImmediate))
        assert.deepStrictEqual(yield* DurableClient.poll({ contract: Nap, executionArn }), Option.some("slept 2 h"))
      }).pipe(Effect.provide(TestEngine.layer([main, nap], unlimited)))
    })
  )

  it.effect("stops another execution in the middle of its wait", () =>
    Effect.gen(function* () {
      const main = Main.implement(() =>
        Effect.gen(function* () {
          const started = yield* Durable.start(Nap, 8, { executionName: "nap-1" })
          yield* Durable.wait("a while", "3 hours")
          yield* Durable.stop(started)
          return started.executionArn
        }).pipe(Effect.orDie)
      )
      yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Main)
        const executionArn = yield* run.result
        yield* TestEngine.expectElapsed(run, "3 hours")
        yield* TestEngine.expectElapsed({ executionArn }, "3 hours")
        const error = yield* Effect.flip(DurableClient.poll({ contract: Nap, executionArn }))
        assert.instanceOf(error, DurableClient.ExecutionFailed)
        assert.strictEqual(error.status, "STOPPED")
      }).pipe(Effect.provide(TestEngine.layer([main, nap], unlimited)))
    })
  )

  it.effect("may wait in a step for an execution that waits itself, in no real time", () =>
    Effect.gen(function* () {
      const main = Main.implement(() =>
        Effect.orDie(
          Durable.step(
            "run",
            Effect.orDie(
              Effect.map(Effect.all([DurableClient.run(Nap, 3), DurableClient.run(Nap, 2)], { concurrency: 2 }), String)
            )
          )
        )
      )
      yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Main)
        assert.strictEqual(yield* run.result, "slept 3 h,slept 2 h")
        yield* TestEngine.expectElapsed(run, "3 hours")
      }).pipe(Effect.provide(TestEngine.layer([main, nap], unlimited)))
    })
  )

  it.effect("gets the client of its own world, also in stubs and answers", () =>
    Effect.gen(function* () {
      const Plain = DurableFunction.plain("plain", { success: Schema.String })
      const status = Effect.flatMap(DurableClient.DurableClient, (client) =>
        Effect.map(client.list("main", { qualifier: "$LATEST" }), ({ items }) => `${items.length} ${items[0]?.Status}`)
      )
      const main = Main.implement(() =>
        Effect.gen(function* () {
          const opened = yield* Durable.callback("status")
          return [yield* Durable.invoke(Plain), yield* opened.await].join(", ")
        }).pipe(Effect.orDie)
      )
      const world = TestEngine.layer([
        main,
        TestEngine.stub(Plain, () => Effect.orDie(status)),
        TestEngine.answer("status", () => Effect.orDie(status))
      ])
      assert.strictEqual(yield* Effect.provide(TestEngine.run(Main), world), "1 RUNNING, 1 RUNNING")
    })
  )
})

describe("an execution that hands over to another", () => {
  it.effect("has the result of the last one, for a test and for the client", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Rounds, 3)
      assert.strictEqual(yield* run.result, 42)
      assert.strictEqual(yield* run.status, "SUCCEEDED")
      // Everything but the result is about the first execution.
      yield* TestEngine.expectElapsed(run, "1 hour")
      assert.strictEqual((yield* run.operations({ type: "WAIT" })).length, 1)
      const started = { contract: Rounds, executionArn: run.executionArn }
      assert.deepStrictEqual(yield* DurableClient.poll(started), Option.some(42))
      assert.strictEqual(yield* DurableClient.run(Rounds, 2), 42)
    }).pipe(Effect.provide(TestEngine.layer([rounds])))
  )

  it.effect("fails with the error of the last one", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Rounds, 12)
      const errors = [yield* Effect.flip(run.result), yield* Effect.flip(DurableClient.run(Rounds, 11))]
      for (const error of errors) assert.deepStrictEqual(error, new Broken({ round: 10 }))
    }).pipe(Effect.provide(TestEngine.layer([rounds])))
  )

  it.effect("tells a test what the last one waits for", () =>
    Effect.gen(function* () {
      const stuck = Rounds.implement(
        Effect.fnUntraced(function* (round) {
          if (round === 0) yield* Effect.orDie(Effect.flatMap(Durable.callback("never"), (opened) => opened.await))
          return yield* Durable.continueWith(Rounds, round - 1)
        })
      )
      const exit = yield* Effect.exit(
        Effect.provide(TestEngine.run(Rounds, 1), TestEngine.layer([stuck], { patience: "200 millis" }))
      )
      assert.include(JSON.stringify(exit), `the callback \\"never\\" is open`)
    })
  )
})
