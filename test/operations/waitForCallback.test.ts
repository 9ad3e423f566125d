import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableError, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import {
  actions,
  assertSucceeded,
  crashAt,
  deployed,
  errorOf,
  execute,
  failureOf,
  holds,
  twice,
  unchecked,
  valueOf,
  type Outside
} from "./support.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}
class MailDown extends Schema.TaggedError<MailDown>()("MailDown", { server: Schema.String }) {}

const nothing = () => Effect.void

describe("waitForCallback", () => {
  it.effect("creates a callback, tells of it in a step, and ends with the answer, live and on replay", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const { ends, ran } = yield* twice(
        Durable.waitForCallback("approval", (id) => Effect.sync(() => told.push(id)), {
          timeout: "7 days",
          heartbeatTimeout: "1 day"
        }),
        (outside) => outside.succeed("approval", "1 hour", `{"k":1}`)
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(`{"k":1}`), Exit.succeed(`{"k":1}`)])
      const [context, callback, submit] = ran.operations
      assert.deepStrictEqual(told, [callback!.CallbackDetails!.CallbackId])
      assert.deepInclude(context, { Type: "CONTEXT", SubType: "WaitForCallback", Name: "approval" })
      assert.deepInclude(callback, { Type: "CALLBACK", SubType: "Callback", Name: "approval", ParentId: context!.Id })
      assert.deepInclude(submit, { Type: "STEP", SubType: "Step", Name: "submit", ParentId: context!.Id })
      // As AWS's SDKs record it: the text that was sent, as a JSON string.
      assert.strictEqual(context!.ContextDetails?.Result, JSON.stringify(`{"k":1}`))
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [
          ["START approval", "START approval"],
          ["START submit", "SUCCEED submit"],
          ["SUCCEED approval", "START replay"]
        ]
      )
      assert.deepStrictEqual(ran.updates[1]?.CallbackOptions, {
        TimeoutSeconds: 604_800,
        HeartbeatTimeoutSeconds: 86_400
      })
    })
  )

  it.effect("may be called like its own submitter, again and again, and in children", () =>
    Effect.gen(function* () {
      const ask = Durable.waitForCallback("submit", nothing)
      const { ends } = yield* twice(
        Effect.map(Effect.all([ask, ask, Durable.child("inner", ask)]), ([a, b, c]) => [a, b, c].join()),
        (outside) => Effect.forEach(["a", "b", "c"], (answer) => outside.succeed("submit", "1 hour", answer))
      )
      assert.deepStrictEqual(ends, [Exit.succeed("a,b,c"), Exit.succeed("a,b,c")])
    })
  )

  it.effect("takes many answers at once, each by its own", () =>
    Effect.gen(function* () {
      const names = ["a", "b", "c", "d"]
      const { ends } = yield* twice(
        Durable.forEach("people", names, (name) => Durable.waitForCallback(name, nothing), {
          concurrency: "unbounded"
        }),
        (outside) => Effect.forEach(names.toReversed(), (name) => outside.succeed(name, "1 hour", name.toUpperCase()))
      )
      assert.deepStrictEqual(ends, [Exit.succeed(["A", "B", "C", "D"]), Exit.succeed(["A", "B", "C", "D"])])
    })
  )

  it.effect("keeps an answer that comes before the submitter has ended", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        Durable.waitForCallback("approval", () => Effect.sleep("10 minutes")),
        (outside) => outside.succeed("approval", "1 minute", "quick")
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed("quick"), Exit.succeed("quick")])
    })
  )

  it.effect("keeps an answer that comes while the submitter is repeated", () =>
    Effect.gen(function* () {
      let attempts = 0
      const { ends } = yield* twice(
        Durable.waitForCallback(
          "approval",
          () => Effect.suspend(() => (++attempts < 3 ? Effect.die("down") : Effect.void)),
          {
            retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
          }
        ),
        (outside) => outside.succeed("approval", "1 minute", "quick")
      )
      assert.strictEqual(attempts, 3)
      assert.deepStrictEqual(ends, [Exit.succeed("quick"), Exit.succeed("quick")])
    })
  )

  const places = [
    ["START", "approval"],
    ["START", "submit"],
    ["SUCCEED", "submit"],
    ["SUCCEED", "approval"]
  ] as const
  for (const [action, name] of places) {
    for (const when of ["before", "after"] as const) {
      it.effect(`goes on where it was when the process dies ${when} ${action} of ${name}`, () =>
        Effect.gen(function* () {
          const ids = new Set<string>()
          const { ends, ran } = yield* twice(
            Durable.waitForCallback("approval", (id) => Effect.sync(() => ids.add(id))),
            (outside) => outside.succeed("approval", "1 hour", "yes"),
            crashAt(holds(action, name), when)
          )
          assertSucceeded(ran)
          assert.deepStrictEqual(ends, [Exit.succeed("yes"), Exit.succeed("yes")])
          assert.strictEqual(ids.size, 1)
          assert.lengthOf(ran.operations, 4)
        })
      )
    }
  }

  it.effect("that was a child in the history is NonDeterministic, and the other way round", () =>
    Effect.gen(function* () {
      const asChild = Durable.child("approval", Durable.wait("nap", "1 hour"))
      const asCallback = Effect.asVoid(Durable.waitForCallback("approval", nothing, { timeout: "1 hour" }))
      for (const body of [deployed(asChild, asCallback), deployed(asCallback, asChild)]) {
        const ran = yield* execute(body)
        assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
      }
    })
  )

  it.effect("is answered by whoever its submitter told, through the client", () =>
    Effect.gen(function* () {
      const Approval = DurableClient.callback({ success: Schema.Struct({ by: Schema.String }), error: Rejected })
      const Ask = DurableFunction.make("ask", { success: Schema.String, error: Rejected })
      const inbox = Queue.unbounded<string>()
      const ask = (told: Queue.Queue<string>) =>
        Ask.implement(() =>
          Durable.waitForCallback("approval", (id) => Queue.offer(told, id), {
            success: Schema.Struct({ by: Schema.String }),
            error: Rejected
          }).pipe(
            Effect.map(({ by }) => by),
            Effect.catchTags({
              CallbackFailed: Effect.die,
              CallbackTimedOut: Effect.die,
              CallbackSubmitFailed: Effect.die
            })
          )
        )
      const told = yield* inbox
      const program = Effect.gen(function* () {
        const first = yield* TestEngine.start(Ask)
        yield* Approval.succeed(yield* Queue.take(told), { by: "Ada" })
        assert.strictEqual(yield* first.result, "Ada")
        const second = yield* TestEngine.start(Ask)
        yield* Approval.fail(yield* Queue.take(told), new Rejected({ reason: "no" }))
        assert.deepStrictEqual(yield* Effect.flip(second.result), new Rejected({ reason: "no" }))
      })
      yield* Effect.provide(program, TestEngine.layer([ask(told)]))
    })
  )
})

describe("The answer to a waitForCallback", () => {
  const texts: Record<string, string | undefined> = {
    "no text": undefined,
    "an empty text": "",
    "JSON null": "null",
    "text of all planes": "é ✓ 😀 \u0000 \u2028",
    "as much as the service takes": '"'.repeat(262_144)
  }
  for (const [name, text] of Object.entries(texts)) {
    it.effect(`is the text as it was sent: ${name}`, () =>
      Effect.gen(function* () {
        const { ends, ran } = yield* twice(Durable.waitForCallback("approval", nothing), (outside) =>
          outside.succeed("approval", "1 second", text)
        )
        assertSucceeded(ran)
        for (const end of ends) assert.isTrue(Exit.isSuccess(end) && end.value === (text ?? ""))
        assert.lengthOf(ends, 2)
      })
    )
  }

  it.effect("is read by a Schema or a codec that cannot write it", () =>
    Effect.gen(function* () {
      const OneWay = Schema.String.pipe(
        Schema.decodeTo(Schema.Number, {
          decode: SchemaGetter.transform((text) => text.length),
          encode: SchemaGetter.forbidden(() => "nobody writes answers")
        })
      )
      const codec = Serdes.make<number>({
        serialize: () => Effect.fail("nobody writes answers"),
        deserialize: (text) => Effect.delay(Effect.succeed((text ?? "").length - 2), "3 millis")
      })
      for (const ask of [
        Durable.waitForCallback("approval", nothing, { success: OneWay }),
        Durable.waitForCallback("approval", nothing, { successSerdes: codec })
      ]) {
        const { ends } = yield* twice(ask, (outside) => outside.succeed("approval", "1 second", `"four"`))
        assert.deepStrictEqual(ends, [Exit.succeed(4), Exit.succeed(4)])
      }
    })
  )

  it.effect("that cannot be read is SerdesFailed, which names the operation; only for now it is tried again", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.asVoid(Durable.waitForCallback("approval", nothing, { success: Schema.Boolean })),
        { outside: (outside) => outside.succeed("approval", "1 second", "secret-answer") }
      )
      const failure = failureOf(ran)
      assert.strictEqual(failure.errorType, "SerdesFailed")
      assert.match(failure.errorMessage ?? "", /the result of "approval":.*must be JSON/)
      assert.notInclude(failure.errorMessage ?? "", "secret-answer")
      let reads = 0
      const throttled = Serdes.make<number>({
        serialize: () => "",
        deserialize: () =>
          ++reads % 2 === 1
            ? Effect.fail(new Serdes.SerdesError({ message: "throttled", transient: true }))
            : Effect.succeed(7)
      })
      const patient = yield* execute(Durable.waitForCallback("approval", nothing, { successSerdes: throttled }), {
        outside: (outside) => outside.succeed("approval", "1 second", "x")
      })
      assert.strictEqual(valueOf(patient), 7)
    })
  )

  it.effect("is rebuilt where it was too large to be kept twice, and in a child that is rebuilt", () =>
    Effect.gen(function* () {
      const text = '"'.repeat(262_144)
      const ask = Durable.waitForCallback("approval", nothing)
      const { ends, ran } = yield* twice(
        Durable.child(
          "child",
          Effect.map(ask, (answer) => answer + answer)
        ),
        (outside) => outside.succeed("approval", "1 second", text)
      )
      assertSucceeded(ran)
      for (const end of ends) assert.isTrue(Exit.isSuccess(end) && end.value === text + text)
      for (const context of ran.operations.filter(({ Type }) => Type === "CONTEXT")) {
        assert.isTrue(context.ContextDetails?.ReplayChildren)
      }
    })
  )
})

describe("The failures of a waitForCallback", () => {
  it.effect("name the operation as the code does: sent, timed out, without a heartbeat", () =>
    Effect.gen(function* () {
      const ask = (options: Durable.CallbackOptions) =>
        Durable.child("office", Durable.waitForCallback("approval", nothing, options))
      const sent = yield* twice(ask({}), (outside) =>
        outside.fail("approval", "1 second", { ErrorType: "Odd", ErrorMessage: "no" })
      )
      const operation = "office/approval"
      const failed = Exit.fail(new DurableError.CallbackFailed({ operation, errorType: "Odd", errorMessage: "no" }))
      assert.deepStrictEqual(sent.ends, [failed, failed])
      for (const [options, reason] of [
        [{ timeout: "1 hour" }, "timeout"],
        [{ timeout: "1 hour", heartbeatTimeout: "1 minute" }, "heartbeat"]
      ] as const) {
        const { ends } = yield* twice(ask(options))
        const timedOut = Exit.fail(new DurableError.CallbackTimedOut({ operation, reason }))
        assert.deepStrictEqual(ends, [timedOut, timedOut])
      }
    })
  )

  it.effect("at a point in time that has passed record nothing, and tell nobody", () =>
    Effect.gen(function* () {
      let told = 0
      const { ends, ran } = yield* twice(
        Durable.waitForCallback("approval", () => Effect.sync(() => ++told), { timeout: new Date(0) })
      )
      const timedOut = Exit.fail(new DurableError.CallbackTimedOut({ operation: "approval", reason: "timeout" }))
      assert.deepStrictEqual(ends, [timedOut, timedOut])
      assert.strictEqual(told, 0)
      assert.deepStrictEqual(actions(ran.updates), ["START replay"])
    })
  )

  it.effect("are those of the error Schema as themselves, live, on replay and out of a map", () =>
    Effect.gen(function* () {
      const ask = Durable.waitForCallback("approval", nothing, { error: Rejected })
      const reject = (outside: Outside) =>
        outside.fail("approval", "1 second", { ErrorType: "Rejected", ErrorData: `{"_tag":"Rejected","reason":"no"}` })
      const rejected = Exit.fail(new Rejected({ reason: "no" }))
      const { ends } = yield* twice(ask, reject)
      assert.deepStrictEqual(ends, [rejected, rejected])
      const map = yield* twice(
        Effect.map(
          Durable.map("people", [1], () => ask, { error: Rejected }),
          ({ errors }) => errors[0]
        ),
        reject
      )
      assert.deepStrictEqual(map.ends[0], Exit.succeed(new Rejected({ reason: "no" })))
      assert.deepStrictEqual(map.ends[0], map.ends[1])
    })
  )
})

describe("The submitter of a waitForCallback", () => {
  it.effect("is the body of a step: it has its place and any service", () =>
    Effect.gen(function* () {
      class Mail extends Context.Service<Mail, { readonly send: (text: string) => Effect.Effect<void> }>()(
        "test/Mail"
      ) {}
      const sent: Array<string> = []
      const facts: Array<unknown> = []
      const Ask = DurableFunction.make("ask")
      const ask = Ask.implement(() =>
        Durable.waitForCallback(
          "approval",
          (id) =>
            Effect.gen(function* () {
              const { attempt, idempotencyKey, name } = yield* Durable.StepContext
              facts.push([name, attempt, idempotencyKey])
              yield* (yield* Mail).send(id)
            }),
          { timeout: "1 hour" }
        ).pipe(Effect.ignore)
      )
      const mail = Layer.succeed(Mail)({ send: (text) => Effect.sync(() => void sent.push(text)) })
      yield* TestEngine.run(Ask).pipe(Effect.provide(TestEngine.layer([ask]).pipe(Layer.provide(mail))))
      assert.lengthOf(sent, 1)
      assert.lengthOf(facts, 1)
      assert.deepInclude(facts[0], "submit")
    })
  )

  it.effect("is repeated as a step is by default, and its last failure is CallbackSubmitFailed", () =>
    Effect.gen(function* () {
      const at: Array<number> = []
      const { ends, ran } = yield* twice(
        Durable.waitForCallback("approval", () =>
          Effect.andThen(Clock.currentTimeMillis, (now) => {
            at.push(now)
            return Effect.fail(new MailDown({ server: "mx-1" }))
          })
        )
      )
      assertSucceeded(ran)
      assert.lengthOf(at, 6)
      assert.deepStrictEqual(ends[0], ends[1])
      assert.instanceOf(errorOf(ends[0]), DurableError.CallbackSubmitFailed)
      assert.deepInclude(errorOf(ends[0]), { operation: "approval", errorType: "MailDown" })
    })
  )

  it.effect("shows its typed errors to its policy as they are", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      let attempts = 0
      const { ends } = yield* twice(
        Durable.waitForCallback(
          "approval",
          () => Effect.suspend(() => Effect.fail(new MailDown({ server: `mx-${++attempts}` }))),
          {
            retry: RetryPolicy.fixed({
              maxAttempts: 5,
              delay: "1 second",
              while: (error: MailDown) => {
                seen.push(error)
                return error.server !== "mx-3"
              }
            })
          }
        )
      )
      assert.deepStrictEqual(
        seen,
        [1, 2, 3].map((n) => new MailDown({ server: `mx-${n}` }))
      )
      assert.instanceOf(errorOf(ends[0]), DurableError.CallbackSubmitFailed)
    })
  )

  const failures: Record<string, readonly [Effect.Effect<never, unknown>, string, RegExp]> = {
    "a typed error": [Effect.fail(new MailDown({ server: "mx-1" })), "MailDown", /MailDown/],
    "a typed error with a message": [Effect.fail(new RangeError("too far")), "RangeError", /^too far$/],
    "a tagged record": [Effect.fail({ _tag: "Busy", queue: 3 }), "Busy", /"queue":3/],
    "an Error with a tag": [Effect.fail(Object.assign(new Error("full"), { _tag: "Full" })), "Full", /^full$/],
    "a text": [Effect.fail("down"), "Error", /down/],
    "a defect": [Effect.die(new TypeError("x is not a function")), "TypeError", /^x is not a function$/],
    "a defect that is no Error": [Effect.die("down"), "Defect", /^down$/],
    "what it throws": [
      Effect.sync(() => {
        throw new SyntaxError("oops")
      }),
      "SyntaxError",
      /^oops$/
    ]
  }
  for (const [name, [failure, type, message]] of Object.entries(failures)) {
    it.effect(`makes its failure a CallbackSubmitFailed with type and message, live and on replay: ${name}`, () =>
      Effect.gen(function* () {
        const { ends } = yield* twice(Durable.waitForCallback("approval", () => failure, { retry: RetryPolicy.none }))
        const error = errorOf(ends[0])
        if (error._tag !== "CallbackSubmitFailed") return assert.fail(error._tag)
        assert.strictEqual(error.operation, "approval")
        assert.strictEqual(error.errorType, type)
        assert.match(error.errorMessage ?? "", message)
        assert.match(error.message, /submitter of the callback "approval"/)
        assert.deepStrictEqual(ends[0], ends[1])
      })
    )
  }

  it.effect("that throws before it is an effect fails as one that dies", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Durable.waitForCallback(
          "approval",
          (): Effect.Effect<void> => {
            throw new RangeError("at once")
          },
          { retry: RetryPolicy.none }
        )
      )
      assert.deepInclude(errorOf(ends[0]), { errorType: "RangeError", errorMessage: "at once" })
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )

  it.effect("fails the operation although somebody has answered meanwhile: it may not be the one who was meant", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Durable.waitForCallback("approval", () => Effect.andThen(Effect.sleep("1 hour"), Effect.die("down")), {
          retry: RetryPolicy.none
        }),
        (outside) => outside.succeed("approval", "1 minute", "yes")
      )
      assert.instanceOf(errorOf(ends[0]), DurableError.CallbackSubmitFailed)
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )

  it.effect("leaves mistakes what they are: NestedOperation in its body, InvalidName", () =>
    Effect.gen(function* () {
      const nested = yield* execute(
        Effect.asVoid(
          Durable.waitForCallback("approval", () => unchecked(Durable.wait("nap", "1 second")), {
            retry: RetryPolicy.none
          })
        )
      )
      assert.strictEqual(failureOf(nested).errorType, "NestedOperation")
      assert.match(failureOf(nested).errorMessage ?? "", /"approval\/submit".*"nap"/)
      const unnamed = yield* execute(Effect.asVoid(Durable.waitForCallback("", nothing)))
      assert.strictEqual(failureOf(unnamed).errorType, "InvalidName")
    })
  )

  it.effect("gives away the id of the callback to nobody else", () =>
    Effect.gen(function* () {
      const ids: Array<string> = []
      const ran = yield* execute(
        Effect.asVoid(
          Durable.waitForCallback(
            "approval",
            (id) =>
              Effect.andThen(
                Effect.sync(() => ids.push(id)),
                Effect.die("down")
              ),
            {
              retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" })
            }
          )
        )
      )
      const error = errorOf(ran.result)
      assert.instanceOf(error, DurableError.CallbackSubmitFailed)
      const said = [...ran.logs, error.message, JSON.stringify(ran.updates)].join("\n")
      assert.lengthOf(ids, 2)
      assert.notInclude(said, ids[0]!)
    })
  )

  it.effect("is not told again when the process dies after it was", () =>
    Effect.gen(function* () {
      let told = 0
      const { ends } = yield* twice(
        Durable.waitForCallback("approval", () => Effect.sync(() => ++told)),
        (outside) => outside.succeed("approval", "1 hour", "yes"),
        crashAt(holds("SUCCEED", "submit"), "after")
      )
      assert.strictEqual(told, 1)
      assert.deepStrictEqual(ends, [Exit.succeed("yes"), Exit.succeed("yes")])
    })
  )
})

describe("A waitForCallback among other operations", () => {
  it.effect("is let go of by Durable.timeout and by a race, and does not keep the execution", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        Effect.gen(function* () {
          const slow = Durable.waitForCallback("slow", nothing)
          const limited = yield* Effect.flip(Durable.timeout("limited", slow, "1 hour"))
          const raced = yield* Durable.race("raced", [slow, Effect.as(Durable.wait("nap", "1 hour"), "nap")])
          return [limited._tag, raced]
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(["DurableTimeout", "nap"]), Exit.succeed(["DurableTimeout", "nap"])])
    })
  )

  it.effect("ends with its execution: stopped, or out of time", () =>
    Effect.gen(function* () {
      const stopped = yield* execute(Effect.asVoid(Durable.waitForCallback("approval", nothing)), {
        outside: ({ stop }) => Effect.andThen(Effect.sleep("1 hour"), stop)
      })
      assert.strictEqual(failureOf(stopped).status, "STOPPED")
      const late = yield* execute(Effect.asVoid(Durable.waitForCallback("approval", nothing)), {
        engine: { executionTimeout: "1 day" }
      })
      assert.strictEqual(failureOf(late).status, "TIMED_OUT")
    })
  )
})
