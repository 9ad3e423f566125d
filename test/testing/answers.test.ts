import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { limit: Schema.BigInt }) {}

const Main = DurableFunction.make("main", { success: Schema.Unknown })

/** For what nobody ever answers. */
const impatient = { patience: "300 millis" } as const

type Part = TestEngine.Answer | TestEngine.StepFault

/** Runs a workflow in a world with some answers. */
const started = <E>(
  workflow: Effect.Effect<unknown, E, Durable.Execution>,
  parts: ReadonlyArray<Part>,
  options: TestEngine.Options = {}
) => ({
  run: <A, E2>(
    test: (
      run: TestEngine.TestRun<typeof Main>
    ) => Effect.Effect<A, E2, TestEngine.TestEngine | DurableClient.DurableClient>
  ) =>
    Effect.flatMap(TestEngine.start(Main), test).pipe(
      Effect.provide(
        TestEngine.layer([Main.implement(() => Effect.orDie(workflow)), ...parts], {
          invocationTimeout: Duration.infinity,
          ...options
        })
      )
    )
})

const resultOf = <E>(
  workflow: Effect.Effect<unknown, E, Durable.Execution>,
  parts: ReadonlyArray<Part>,
  options?: TestEngine.Options
) => started(workflow, parts, options).run((run) => run.result)

/** What a test is told about a workflow that goes wrong. */
const failureOf = <E>(
  workflow: Effect.Effect<unknown, E, Durable.Execution>,
  parts: ReadonlyArray<Part>,
  options?: TestEngine.Options
) =>
  Effect.map(Effect.exit(resultOf(workflow, parts, options)), (exit) => {
    const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.instanceOf(defect, TestEngine.TestFailure)
    return defect.message
  })

const awaited = <A, E, R, E2, R2>(
  callback: Effect.Effect<{ readonly await: Effect.Effect<A, E, R> }, E2, R2>
): Effect.Effect<A, E | E2, R | R2> => Effect.flatMap(callback, (opened) => opened.await)

const day = 86_400_000

describe("an answer", () => {
  it.effect("sends a text as it is, and other plain data as JSON", () =>
    Effect.gen(function* () {
      const workflow = Effect.gen(function* () {
        const approval = yield* awaited(
          Durable.callback("approval", { success: Schema.Struct({ by: Schema.String, votes: Schema.Int }) })
        )
        return [
          yield* awaited(Durable.callback("text")),
          yield* awaited(Durable.callback("raw", { success: Schema.Array(Schema.Int) })),
          approval
        ]
      })
      const value = yield* resultOf(workflow, [
        TestEngine.answer("text", Reply.succeed(`"yes"`)),
        TestEngine.answer("raw", Reply.succeed("[1, 2]")),
        TestEngine.answer("approval", Reply.succeed({ by: "Ada", votes: 3 }))
      ])
      assert.deepStrictEqual(value, [`"yes"`, [1, 2], { by: "Ada", votes: 3 }])
    })
  )

  it.effect("is written by the Schema of the callback, if it is given", () =>
    Effect.gen(function* () {
      const options = { success: Schema.Struct({ at: Schema.Date, word: Schema.String }) }
      const at = new Date(day)
      const value = yield* resultOf(
        Effect.map(awaited(Durable.callback("when", options)), ({ at, word }) => `${at.getTime()} ${word}`),
        [TestEngine.answer("when", Reply.succeed({ at, word: "x" }), options)]
      )
      assert.strictEqual(value, `${day} x`)
    })
  )

  it.effect("may be nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* resultOf(awaited(Durable.callback("ping")), [TestEngine.answer("ping", Reply.succeed(undefined))]),
        ""
      )
    })
  )

  it.effect("fails a callback with an error that it declares, or with a raw error object", () =>
    Effect.gen(function* () {
      const declared = { error: Rejected }
      const workflow = Effect.gen(function* () {
        const first = yield* Effect.flip(awaited(Durable.callback("first", declared)))
        const second = yield* Effect.flip(awaited(Durable.callback("second", declared)))
        return [first._tag === "Rejected" ? `${first.limit}` : first._tag, `${second._tag}: ${second.message}`]
      })
      const [first, second] = Object(
        yield* resultOf(workflow, [
          TestEngine.answer("first", Reply.fail(new Rejected({ limit: 7n })), declared),
          TestEngine.answer("second", Reply.fail({ ErrorType: "Odd", ErrorMessage: "how odd" }))
        ])
      )
      assert.strictEqual(first, "7")
      assert.match(second, /^CallbackFailed: .*Odd.*how odd/)
    })
  )

  it.effect("may come after a time, to the second", () =>
    Effect.gen(function* () {
      yield* started(awaited(Durable.callback("approval", { timeout: "7 days" })), [
        TestEngine.answer("approval", Reply.after("2 days", Reply.succeed("yes")))
      ]).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(yield* run.result, "yes")
          yield* TestEngine.expectElapsed(run, "2 days")
        })
      )
    })
  )

  it.effect("is lost when it comes too late, and holds up nobody", () =>
    Effect.gen(function* () {
      const workflow = Effect.map(
        Effect.flip(awaited(Durable.callback("approval", { timeout: "7 days" }))),
        (error) => error._tag
      )
      yield* started(workflow, [TestEngine.answer("approval", Reply.after("8 days", Reply.succeed("yes")))]).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(yield* run.result, "CallbackTimedOut")
          for (let turn = 0; turn < 50; turn++) yield* Effect.promise(() => new Promise(setImmediate))
          const [first] = yield* (yield* TestEngine.start(Main)).history
          const start = (yield* run.history)[0]?.EventTimestamp ?? 0
          assert.strictEqual(first?.EventTimestamp, start + 7 * day)
        })
      )
    })
  )

  it.effect("may be an Effect that sleeps, sends heartbeats and ends with the value", () =>
    Effect.gen(function* () {
      yield* started(awaited(Durable.callback("import", { heartbeatTimeout: "15 minutes" })), [
        TestEngine.answer("import", ({ heartbeat }) =>
          Effect.as(Effect.repeat(Effect.delay(heartbeat, "10 minutes"), { times: 5 }), "imported")
        )
      ]).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(yield* run.result, "imported")
          yield* TestEngine.expectElapsed(run, "1 hour")
        })
      )
    })
  )

  it.effect("lets the heartbeat time-out run when its heartbeats end, and is let go of then", () =>
    Effect.gen(function* () {
      let after = false
      const workflow = Effect.map(
        Effect.flip(awaited(Durable.callback("import", { heartbeatTimeout: "15 minutes" }))),
        (error) => (error._tag === "CallbackTimedOut" ? error.reason : error._tag)
      )
      yield* started(workflow, [
        TestEngine.answer("import", ({ heartbeat }) =>
          Effect.gen(function* () {
            yield* Effect.delay(heartbeat, "10 minutes")
            yield* Effect.sleep("1 hour")
            after = true
            return "imported"
          })
        )
      ]).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(yield* run.result, "heartbeat")
          yield* TestEngine.expectElapsed(run, "25 minutes")
        })
      )
      assert.isFalse(after)
    })
  )

  it.effect("may be an Effect that fails, and uses services of the layer", () =>
    Effect.gen(function* () {
      class Approver extends Context.Service<Approver, { readonly limit: bigint }>()("test/Approver") {}
      const main = Main.implement(() =>
        awaited(Durable.callback("approval", { error: Rejected })).pipe(
          Effect.catchTag("Rejected", ({ limit }) => Effect.succeed(`${limit}`)),
          Effect.orDie
        )
      )
      const answer = TestEngine.answer(
        "approval",
        () => Effect.flatMap(Approver, ({ limit }) => Effect.fail(new Rejected({ limit }))),
        { error: Rejected }
      )
      const layer = Layer.provide(TestEngine.layer([main, answer]), Layer.succeed(Approver, { limit: 9n }))
      assert.strictEqual(yield* Effect.provide(TestEngine.run(Main), layer), "9")
    })
  )

  it.effect("may be a list with a reply for each callback in turn, and says when that is over", () =>
    Effect.gen(function* () {
      const attempt = Effect.match(awaited(Durable.callback("approval")), {
        onSuccess: (text) => text,
        onFailure: (error) => `${error._tag}: ${error.message}`
      })
      const value = yield* resultOf(
        Effect.forEach([1, 2, 3], () => attempt),
        [
          TestEngine.answer("approval", [
            Reply.fail({ ErrorType: "Busy" }),
            Reply.after("1 hour", Reply.succeed("yes"))
          ])
        ]
      )
      const [first, second, third] = Object(value)
      assert.match(first, /^CallbackFailed: .*Busy/)
      assert.strictEqual(second, "yes")
      assert.match(third, /"approval" has 2 replies, and this is callback 3/)
    })
  )

  it.effect("sees which callback it is for", () =>
    Effect.gen(function* () {
      const value = yield* resultOf(
        Effect.forEach(["a", "b"], (name) => awaited(Durable.callback(name))),
        [
          TestEngine.answer(/./, ({ callbackId, executionArn, name, number }) =>
            Reply.succeed([name, number, callbackId.length > 10, executionArn.includes(":function:main")].join(" "))
          )
        ]
      )
      assert.deepStrictEqual(value, ["a 1 true true", "b 2 true true"])
    })
  )

  it.effect("is for a name, a pattern or what a function picks, and the first that fits counts", () =>
    Effect.gen(function* () {
      const value = yield* resultOf(
        Effect.forEach(["import-1", "import-2", "other", "import"], (name) => awaited(Durable.callback(name))),
        [
          TestEngine.answer("import-2", Reply.succeed("by name")),
          TestEngine.answer(/^import-/g, Reply.succeed("by pattern")),
          TestEngine.answer((name) => name.length === 5, Reply.succeed("by function")),
          TestEngine.answer(/./, Reply.succeed("any"))
        ]
      )
      assert.deepStrictEqual(value, ["by pattern", "by name", "by function", "any"])
    })
  )

  it.effect("finds the callback of waitForCallback by the name of the operation, once it is submitted", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const workflow = Durable.waitForCallback(
        "approval",
        () =>
          Effect.andThen(
            Effect.sleep("1 hour"),
            Effect.sync(() => void seen.push("submitted"))
          ),
        { retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "1 minute" }) }
      )
      yield* started(workflow, [
        TestEngine.failFirst("approval/submit", 2, Effect.die("mail is down")),
        TestEngine.answer("approval", () =>
          Effect.sync(() => {
            seen.push("answered")
            return "yes"
          })
        )
      ]).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(yield* run.result, "yes")
          assert.deepStrictEqual(seen, ["submitted", "answered"])
          yield* TestEngine.expectElapsed(run, "62 minutes")
        })
      )
    })
  )

  it.effect("is given once, although the request that opened the callback came several times", () =>
    Effect.gen(function* () {
      let answers = 0
      const workflow = Effect.gen(function* () {
        const opened = yield* Durable.callback("approval")
        yield* Durable.wait("pause", "1 hour")
        yield* Durable.step("more", Effect.void)
        return yield* opened.await
      })
      yield* resultOf(workflow, [
        TestEngine.answer("approval", () =>
          Effect.sync(() => {
            answers++
            return "yes"
          })
        )
      ])
      assert.strictEqual(answers, 1)
    })
  )

  it.effect("never comes when it is never, and the report names the callback", () =>
    Effect.gen(function* () {
      const message = yield* failureOf(
        awaited(Durable.callback("approval")),
        [TestEngine.answer("approval", Reply.never)],
        impatient
      )
      assert.include(message, `the callback "approval" is open, and nothing answers it`)
    })
  )

  it.effect("that does not end is named in the report", () =>
    Effect.gen(function* () {
      const message = yield* failureOf(
        awaited(Durable.callback("approval")),
        [TestEngine.answer("approval", () => Effect.never)],
        impatient
      )
      assert.include(message, `the answer to the callback "approval" is running`)
      assert.notInclude(message, "nobody")
    })
  )

  it.effect("that dies is a test failure", () =>
    Effect.gen(function* () {
      const message = yield* failureOf(awaited(Durable.callback("approval")), [
        TestEngine.answer("approval", () => Effect.die(new RangeError("out of range")))
      ])
      assert.include(message, `The answer to the callback "approval" failed`)
      assert.include(message, "out of range")
    })
  )

  it.effect("that cannot be written is a test failure", () =>
    Effect.gen(function* () {
      const date = yield* failureOf(awaited(Durable.callback("approval")), [
        TestEngine.answer("approval", Reply.succeed({ at: 5n }))
      ])
      assert.match(date, /"approval" cannot be written/)
      const error = yield* failureOf(awaited(Durable.callback("approval")), [
        // @ts-expect-error an error without the Schema of the callback
        TestEngine.answer("approval", Reply.fail(new Rejected({ limit: 1n })))
      ])
      assert.match(error, /"approval" cannot fail with Rejected: give the answer the error Schema/)
      const large = yield* failureOf(awaited(Durable.callback("approval")), [
        TestEngine.answer("approval", Reply.succeed("x".repeat(300_000)))
      ])
      assert.match(large, /"approval" failed.*262144 bytes/s)
    })
  )

  it.effect("counts its callbacks anew in every world", () =>
    Effect.gen(function* () {
      const answer = TestEngine.answer("approval", [Reply.succeed("only")])
      for (let world = 0; world < 2; world++)
        assert.strictEqual(yield* resultOf(awaited(Durable.callback("approval")), [answer]), "only")
    })
  )

  it.effect("comes to workflows that another one has invoked", () =>
    Effect.gen(function* () {
      const Sub = DurableFunction.make("sub", { success: Schema.String })
      const sub = Sub.implement(() => Effect.orDie(awaited(Durable.callback("approval"))))
      const main = Main.implement(() => Effect.orDie(Durable.invoke(Sub)))
      const answer = TestEngine.answer("approval", Reply.succeed("yes"))
      assert.strictEqual(yield* Effect.provide(TestEngine.run(Main), TestEngine.layer([main, sub, answer])), "yes")
    })
  )
})

describe("a callback that a test answers by hand", () => {
  it.effect("is there when it is open, and is completed by its Schema", () =>
    Effect.gen(function* () {
      const options = { success: Schema.Date, timeout: "7 days" } as const
      const workflow = Effect.gen(function* () {
        yield* Durable.wait("before", "1 day")
        return (yield* awaited(Durable.callback("approval", options))).getTime()
      })
      yield* started(workflow, []).run(
        Effect.fnUntraced(function* (run) {
          const approval = yield* run.callback("approval", options)
          yield* approval.succeed(new Date(5))
          assert.strictEqual(yield* run.result, 5)
          yield* TestEngine.expectElapsed(run, "1 day")
        })
      )
    })
  )

  it.effect("may fail, with an error that it declares or a raw one", () =>
    Effect.gen(function* () {
      const workflow = Effect.forEach(["a", "b"], (name) =>
        Effect.map(Effect.flip(awaited(Durable.callback(name, { error: Rejected }))), (error) => error._tag)
      )
      yield* started(workflow, []).run(
        Effect.fnUntraced(function* (run) {
          const first = yield* run.callback("a", { error: Rejected })
          yield* first.fail(new Rejected({ limit: 1n }))
          yield* (yield* run.callback("b")).fail({ ErrorType: "Odd" })
          assert.deepStrictEqual(yield* run.result, ["Rejected", "CallbackFailed"])
        })
      )
    })
  )

  it.effect("is kept open by heartbeats in virtual time", () =>
    Effect.gen(function* () {
      const workflow = Effect.map(
        Effect.flip(awaited(Durable.callback("import", { heartbeatTimeout: "15 minutes" }))),
        (error) => (error._tag === "CallbackTimedOut" ? error.reason : error._tag)
      )
      yield* started(workflow, []).run(
        Effect.fnUntraced(function* (run) {
          const { heartbeat } = yield* run.callback("import")
          for (let beat = 0; beat < 3; beat++) {
            yield* TestEngine.sleep("10 minutes")
            yield* heartbeat
          }
          assert.strictEqual(yield* run.result, "heartbeat")
          yield* TestEngine.expectElapsed(run, "45 minutes")
        })
      )
    })
  )

  it.effect("is the oldest open one, so that callbacks of one name are answered in turn", () =>
    Effect.gen(function* () {
      const workflow = Effect.forEach([1, 2, 3], () => awaited(Durable.callback("round")))
      yield* started(workflow, []).run(
        Effect.fnUntraced(function* (run) {
          for (const text of ["a", "b", "c"]) yield* (yield* run.callback("round")).succeed(text)
          assert.deepStrictEqual(yield* run.result, ["a", "b", "c"])
        })
      )
    })
  )

  it.effect("is closed once it is answered", () =>
    Effect.gen(function* () {
      yield* started(awaited(Durable.callback("approval")), []).run(
        Effect.fnUntraced(function* (run) {
          const approval = yield* run.callback("approval")
          yield* approval.succeed("yes")
          assert.instanceOf(yield* Effect.flip(approval.succeed("no")), DurableClient.CallbackClosed)
          assert.instanceOf(yield* Effect.flip(approval.heartbeat), DurableClient.CallbackClosed)
          assert.strictEqual(yield* run.result, "yes")
        })
      )
    })
  )

  it.effect("may be answered through the client as well", () =>
    Effect.gen(function* () {
      yield* started(awaited(Durable.callback("approval")), []).run(
        Effect.fnUntraced(function* (run) {
          const { callbackId } = yield* run.callback("approval")
          const client = yield* DurableClient.DurableClient
          yield* client.succeedCallback(callbackId, "yes")
          assert.strictEqual(yield* run.result, "yes")
        })
      )
    })
  )

  it.effect("of waitForCallback is there once its submitter is done", () =>
    Effect.gen(function* () {
      let submitted = false
      const workflow = Durable.waitForCallback("approval", () =>
        Effect.andThen(
          Effect.sleep("1 minute"),
          Effect.sync(() => void (submitted = true))
        )
      )
      yield* started(workflow, []).run(
        Effect.fnUntraced(function* (run) {
          const approval = yield* run.callback("approval")
          assert.isTrue(submitted)
          yield* approval.succeed("yes")
          assert.strictEqual(yield* run.result, "yes")
        })
      )
    })
  )

  it.effect("is a test failure when the execution ends without it, or nothing happens any more", () =>
    Effect.gen(function* () {
      const reportOf = <E>(workflow: Effect.Effect<unknown, E, Durable.Execution>) =>
        Effect.map(Effect.exit(started(workflow, [], impatient).run((run) => run.callback("approval"))), (exit) => {
          const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          assert.instanceOf(defect, TestEngine.TestFailure)
          return defect.message
        })
      assert.match(yield* reportOf(Durable.wait("day", "1 day")), /ended, and no callback "approval"/)
      assert.match(
        yield* reportOf(awaited(Durable.callback("other"))),
        /the callback "other" is open, and nothing answers it/
      )
    })
  )
})

describe("the time of a run", () => {
  it.effect("is how long it has taken so far", () =>
    Effect.gen(function* () {
      yield* started(awaited(Durable.callback("approval", { timeout: "1 day" })).pipe(Effect.ignore), []).run(
        Effect.fnUntraced(function* (run) {
          assert.strictEqual(Duration.toMillis(yield* run.elapsed), 0)
          yield* TestEngine.sleep("2 hours")
          assert.strictEqual(Duration.toHours(yield* run.elapsed), 2)
          yield* run.result
          yield* TestEngine.sleep("2 hours")
          assert.strictEqual(Duration.toHours(yield* run.elapsed), 24)
        })
      )
    })
  )
})
