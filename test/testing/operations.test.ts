/** One operation of an execution, for a test that looks at it. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

class Declined extends Schema.TaggedError<Declined>()("Declined", { at: Schema.Date }) {}

const at = new Date(86_400_000)
const Charge = DurableFunction.plain("charge", { payload: Schema.Int, success: Schema.Date, error: Declined })
const Main = DurableFunction.make("main")
const stamped = { success: Schema.Date, error: Declined, retry: RetryPolicy.none } as const
const secret = Serdes.make<number>({
  serialize: (value) => `${value} in secret`,
  deserialize: (text) => Number.parseInt(text ?? "", 10)
})

const main = Main.implement(() =>
  Effect.gen(function* () {
    yield* Durable.invoke(Charge, 1)
    yield* Effect.ignore(Durable.invoke(Charge, 2, { name: "second" }))
    yield* Effect.ignore(Durable.invoke(Charge, 3, { name: "third" }))
    yield* Durable.forEach("batch", [1, 2], (n) =>
      Effect.asVoid(Durable.step("stamp", Effect.succeed(new Date(n)), stamped))
    )
    yield* Effect.ignore(Durable.step("declined", Effect.fail(new Declined({ at })), stamped))
    yield* Durable.step("plain", Effect.succeed({ n: 7 }))
    yield* Durable.step("secret", Effect.succeed(8), { successSerdes: secret })
    yield* Effect.ignore(
      Durable.timeout("timed", Durable.callback("open").pipe(Effect.flatMap((one) => one.await)), "1 hour")
    )
  }).pipe(Effect.orDie)
)

const charge = TestEngine.stub(Charge, [
  Reply.succeed(at),
  Reply.fail(new Declined({ at })),
  Reply.fail({ ErrorType: "Bank", ErrorMessage: "closed" })
])

const looking = <A>(look: (run: TestEngine.TestRun<typeof Main>) => Effect.Effect<A>) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    yield* run.result
    return yield* look(run)
  }).pipe(Effect.provide(TestEngine.layer([main, charge])))

describe("an operation of a run", () => {
  it.effect("has the value that its contract, step or codec says", () =>
    Effect.gen(function* () {
      const found = yield* looking((run) =>
        Effect.all([
          run.operation("charge", Charge),
          run.operation("stamp", stamped),
          run.operation("plain"),
          run.operation("secret", { successSerdes: secret })
        ])
      )
      assert.deepStrictEqual(
        found.map(({ exit }) => exit),
        [Exit.succeed(at), Exit.succeed(new Date(1)), Exit.succeed({ n: 7 }), Exit.succeed(8)]
      )
      assert.strictEqual(found[0].record.Type, "CHAINED_INVOKE")
    })
  )

  it.effect("has the error that is declared, or else the raw one", () =>
    Effect.gen(function* () {
      const found = yield* looking((run) =>
        Effect.all([
          run.operation("second", Charge),
          run.operation("declined", stamped),
          run.operation("third", Charge)
        ])
      )
      const declined = new Declined({ at })
      assert.deepStrictEqual(
        found.map(({ exit }) => exit),
        [Exit.fail(declined), Exit.fail(declined), Exit.fail({ ErrorType: "Bank", ErrorMessage: "closed" })]
      )
    })
  )

  it.effect("is the first of its name, another occurrence, or the one at a path", () =>
    Effect.gen(function* () {
      const found = yield* looking((run) =>
        Effect.all([run.operation("stamp", stamped), run.operation("stamp", stamped, 2), run.operation("timed/open")])
      )
      assert.notStrictEqual(found[0].path, found[1].path)
      assert.deepStrictEqual(found[1].exit, Exit.succeed(new Date(2)))
      assert.strictEqual(found[2].path, "timed/open")
    })
  )

  it.effect("has no end while it is open", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Main)
      yield* run.callback("open")
      assert.isUndefined((yield* run.operation("open")).exit)
    }).pipe(Effect.provide(TestEngine.layer([main, charge])))
  )

  it.effect("fails the test when there is none, or when it does not fit", () =>
    Effect.gen(function* () {
      const told = yield* looking((run) => {
        const failureOf = (look: Effect.Effect<unknown>) =>
          Effect.map(Effect.exit(look), (exit) => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined))
        return Effect.all([
          failureOf(run.operation("stanp")),
          failureOf(run.operation("plain", {}, 2)),
          failureOf(run.operation("plain", stamped))
        ])
      })
      for (const failure of told) assert.instanceOf(failure, TestEngine.TestFailure)
      assert.match(String(told[0]), /no operation "stanp" so far. Expected one of "charge", "second", "third", "batch"/)
      assert.match(String(told[1]), /no occurrence 2 of the operation "plain" so far/)
      assert.match(String(told[2]), /The result of "plain" does not fit/)
    })
  )
})
