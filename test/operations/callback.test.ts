import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, Serdes } from "effect-durable"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/execution/Identity.ts"
import {
  actions,
  assertSucceeded,
  besidePromise,
  crashAt,
  deployed,
  errorOf,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  twice as liveAndReplayed,
  unchecked,
  valueOf,
  type Outside,
  type Ran
} from "./support.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}

const Answer = Schema.Struct({ yes: Schema.Boolean, at: Schema.Date })

/** A duration that the compiler would not take. */
const unsafeDuration = (value: unknown): never => cast(value)

/** Creates a callback and waits for it. */
const asked = <A, E, R, Created>(
  callback: Effect.Effect<Durable.Callback<A, E, R>, Created, Durable.Execution>
): Effect.Effect<A, E | Created | DurableError.CallbackFailed | DurableError.CallbackTimedOut, R | Durable.Execution> =>
  Effect.flatMap(callback, (opened) => opened.await)

/** How an operation ends, once for each time that it came to its end. */
const twice = <A, E>(
  operation: Effect.Effect<A, E, Durable.Execution>,
  outside: (outside: Outside) => Effect.Effect<unknown, unknown>
) => Effect.map(liveAndReplayed(operation, outside), ({ everyEnd, ran }) => ({ ends: everyEnd, ran }))

const secondsBetween = (ran: Ran<unknown, unknown>, from: string, to: string): number => {
  const at = (type: string): number => ran.history.find((event) => event.EventType === type)!.EventTimestamp
  return (at(to) - at(from)) / 1_000
}

describe("A callback", () => {
  it.effect("gives out the id of the service, and ends with what was sent, live and on replay", () =>
    Effect.gen(function* () {
      const ids: Array<string> = []
      const { ends, ran } = yield* twice(
        Effect.gen(function* () {
          const approval = yield* Durable.callback("approval")
          ids.push(approval.callbackId)
          return yield* approval.await
        }),
        (outside) => outside.succeed("approval", "1 hour", "yes")
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed("yes"), Exit.succeed("yes")])
      const [operation] = ran.operations
      assert.deepStrictEqual(new Set(ids), new Set([operation!.CallbackDetails!.CallbackId]))
      assert.lengthOf(ids, 3)
      assert.strictEqual(operation!.Type, "CALLBACK")
      assert.strictEqual(operation!.SubType, "Callback")
      assert.deepStrictEqual(actions(ran.updates), ["START approval", "START replay"])
      assert.strictEqual(secondsBetween(ran, "ExecutionStarted", "CallbackSucceeded"), 3_600)
      assert.strictEqual(ran.invocations, 3)
    })
  )

  it.effect("that nobody awaits leaves the execution to end without it", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.asVoid(Durable.callback("ignored")))
      assertSucceeded(ran)
      assert.strictEqual(ran.operations[0]!.Status, "STARTED")
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("tells everybody who waits for it, in whatever fiber and as often as asked", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        Effect.gen(function* () {
          const { await: answer } = yield* Durable.callback("approval")
          const both = yield* Effect.all([answer, answer], { concurrency: "unbounded" })
          return [...both, yield* answer]
        }),
        (outside) => outside.succeed("approval", "1 hour", "yes")
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(["yes", "yes", "yes"]), Exit.succeed(["yes", "yes", "yes"])])
    })
  )

  it.effect("numbers itself in a loop", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Effect.forEach([1, 2, 3], () => asked(Durable.callback("page"))),
        (outside) => Effect.forEach([1, 2, 3], (page) => outside.succeed("page", "1 hour", `page ${page}`))
      )
      assert.deepStrictEqual(ends[1], Exit.succeed(["page 1", "page 2", "page 3"]))
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )

  it.effect("under one name in two fibers numbers itself, whichever is answered first", () =>
    Effect.gen(function* () {
      const ids = new Set<string>()
      const approval = Effect.flatMap(Durable.callback("approval"), (opened) => {
        ids.add(opened.callbackId)
        return opened.await
      })
      const { ends, ran } = yield* twice(Effect.all([approval, approval], { concurrency: "unbounded" }), ({ client }) =>
        Effect.gen(function* () {
          yield* Effect.sleep("1 hour")
          for (const id of Array.from(ids).toReversed()) {
            yield* client.succeedCallback(id, id)
            yield* Effect.sleep("1 hour")
          }
        })
      )
      assertSucceeded(ran)
      const recorded = ran.operations.flatMap(({ CallbackDetails }) => CallbackDetails?.CallbackId ?? [])
      assert.lengthOf(recorded, 2)
      assert.deepStrictEqual(Array.from(ids), recorded)
      assert.deepStrictEqual(
        ends.map((end) => (Exit.isSuccess(end) ? [...end.value] : end)),
        [recorded, recorded]
      )
    })
  )

  it.effect("under one name in two fibers is NameInUse when one of them comes after a promise", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.asVoid(besidePromise(asked(Durable.callback("approval")), asked(Durable.callback("approval"))))
      )
      assert.strictEqual(failureOf(ran).errorType, "NameInUse")
    })
  )

  it.effect("is NestedOperation in the body of a step, to create as well as to await", () =>
    Effect.gen(function* () {
      for (const body of [
        Durable.step("step", unchecked(Durable.callback("inner"))),
        Effect.flatMap(Durable.callback("outer"), (outer) => Durable.step("step", unchecked(outer.await)))
      ]) {
        const failure = failureOf(yield* execute(Effect.asVoid(body)))
        assert.strictEqual(failure.errorType, "NestedOperation")
        assert.match(failure.errorMessage ?? "", /"step".*"(inner|outer)"/)
      }
    })
  )

  it.effect("is over before anybody waits, during an unrelated wait and in the same invocation", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        Effect.gen(function* () {
          const early = yield* Durable.callback("early")
          const meanwhile = yield* Durable.callback("meanwhile")
          yield* Durable.step("long", Effect.sleep("1 minute"))
          yield* Durable.wait("unrelated", "1 hour")
          return [yield* meanwhile.await, yield* early.await]
        }),
        (outside) =>
          Effect.andThen(outside.succeed("early", "30 seconds", "a"), outside.succeed("meanwhile", "30 minutes", "b"))
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(["b", "a"]), Exit.succeed(["b", "a"])])
    })
  )

  it.effect("is noticed by an invocation that a sibling keeps alive", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.all([asked(Durable.callback("approval")), Durable.step("long", Effect.sleep("10 minutes"))], {
          concurrency: "unbounded"
        }).pipe(Effect.map(([answer]) => answer)),
        { outside: (outside) => outside.succeed("approval", "2 minutes", "yes") }
      )
      assert.strictEqual(valueOf(ran), "yes")
      assert.strictEqual(ran.invocations, 1)
      assert.isBelow(secondsBetween(ran, "CallbackSucceeded", "StepSucceeded"), 10 * 60)
    })
  )

  it.effect("is not found over by those who come late: whoever completes it again is told", () =>
    Effect.gen(function* () {
      let second: unknown
      const ran = yield* execute(Effect.andThen(asked(Durable.callback("approval")), Durable.wait("later", "1 hour")), {
        outside: ({ callback, client }) =>
          Effect.gen(function* () {
            const id = yield* callback("approval")
            yield* client.succeedCallback(id, "yes")
            second = yield* Effect.flip(client.failCallback(id, { ErrorMessage: "no" }))
          })
      })
      assertSucceeded(ran)
      assert.propertyVal(second, "_tag", "CallbackClosed")
      assert.strictEqual(ran.operations[0]!.CallbackDetails?.Result, "yes")
    })
  )

  const crashes = [
    ["before its START is recorded", crashAt(holds("START", "approval"), "before")],
    ["when only the answer to its START is lost", crashAt(holds("START", "approval"), "after")],
    ["before the step after it", crashAt(holds("SUCCEED", "after"), "before")],
    ["after the step after it", crashAt(holds("SUCCEED", "after"), "after")]
  ] as const
  for (const [when, store] of crashes) {
    it.effect(`is one callback with one id although the process dies: ${when}`, () =>
      Effect.gen(function* () {
        const seen = new Set<string>()
        const ran = yield* execute(
          Effect.gen(function* () {
            const approval = yield* Durable.callback("approval")
            seen.add(approval.callbackId)
            const answer = yield* approval.await
            yield* Durable.step("after", Effect.succeed(1))
            return answer
          }),
          { store, outside: (outside) => outside.succeed("approval", "1 hour", "yes") }
        )
        assert.strictEqual(valueOf(ran), "yes")
        assert.strictEqual(seen.size, 1)
        assert.lengthOf(
          ran.operations.filter((operation) => operation.Type === "CALLBACK"),
          1
        )
      })
    )
  }

  it.effect("that failed, and that nobody handles, ends the execution with the message of the sender", () =>
    Effect.gen(function* () {
      const sent = { ErrorType: "RejectedError", ErrorMessage: "not approved", ErrorData: "7" }
      const wait = Effect.flatMap(Durable.callback("approval"), (callback) => callback.await)
      for (const body of [wait, Durable.child("block", wait)]) {
        const ran = yield* execute(body, { outside: ({ fail }) => fail("approval", "1 minute", sent) })
        const error = errorOf(ran.result)
        assert.instanceOf(error, DurableError.CallbackFailed)
        assert.deepStrictEqual(
          [error.errorType, error.errorMessage, error.errorData],
          ["RejectedError", "not approved", "7"]
        )
        const ended = ran.history.find((event) => event.EventType === "ExecutionFailed")
        const told = ended?.EventType === "ExecutionFailed" ? ended.ExecutionFailedDetails.Error.Payload : undefined
        assert.strictEqual(told?.ErrorType, "CallbackFailed")
        assert.strictEqual(told?.ErrorMessage, "not approved")
      }
    })
  )

  it.effect("that failed without a message ends the execution with one of ours", () =>
    Effect.gen(function* () {
      const wait = Effect.flatMap(Durable.callback("approval"), (callback) => callback.await)
      const ran = yield* execute(wait, { outside: ({ fail }) => fail("approval", "1 minute", {}) })
      const ended = ran.history.find((event) => event.EventType === "ExecutionFailed")
      const told = ended?.EventType === "ExecutionFailed" ? ended.ExecutionFailedDetails.Error.Payload : undefined
      assert.include(told?.ErrorMessage, "was completed with a failure")
    })
  )

  it.effect("without an id ends the execution as StoreRejected, which says what was expected", () =>
    Effect.gen(function* () {
      const { answer, requests } = yield* invokeOnce(Effect.asVoid(Durable.callback("approval")))
      assert.lengthOf(requests, 1)
      if (answer?.Status !== "FAILED") return assert.fail("it did not fail")
      assert.strictEqual(answer.Error?.ErrorType, "StoreRejected")
      assert.match(answer.Error?.ErrorMessage ?? "", /Expected an id for the callback "approval".*found none.*Check/)
    })
  )

  it.effect("that was a wait in the history is NonDeterministic", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(Effect.asVoid(Durable.wait("approval", "1 hour")), Effect.asVoid(asked(Durable.callback("approval"))))
      )
      const failure = failureOf(ran)
      assert.strictEqual(failure.errorType, "NonDeterministic")
      assert.match(failure.errorMessage ?? "", /WAIT.*"approval".*CALLBACK/)
    })
  )

  it.effect("with an outcome that the code no longer asks for is NonDeterministic", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Effect.andThen(Durable.callback("approval"), Durable.wait("later", "1 hour")),
          Durable.wait("later", "1 hour")
        ),
        { outside: (outside) => outside.succeed("approval", "1 minute") }
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
    })
  )

  it.effect("is left where it is when the execution is stopped or has no time left", () =>
    Effect.gen(function* () {
      const stopped = yield* execute(Effect.asVoid(asked(Durable.callback("approval"))), {
        outside: ({ stop }) => Effect.andThen(Effect.sleep("1 hour"), stop)
      })
      assert.strictEqual(failureOf(stopped).status, "STOPPED")
      const late = yield* execute(Effect.asVoid(asked(Durable.callback("approval"))), {
        engine: { executionTimeout: "1 day" }
      })
      assert.strictEqual(failureOf(late).status, "TIMED_OUT")
    })
  )
})

describe("The answer to a callback", () => {
  const texts: Record<string, string | undefined> = {
    "plain text": "yes",
    "no text": undefined,
    "an empty text": "",
    "text that looks like JSON": ` {"k": 1} `,
    "JSON null": "null",
    "text of all planes": "é ✓ 😀 \u0000 \u2028 \u{10FFFF}",
    "as much as the service takes": '"'.repeat(262_144)
  }
  for (const [name, text] of Object.entries(texts)) {
    it.effect(`is the text as it was sent: ${name}`, () =>
      Effect.gen(function* () {
        const { ends } = yield* twice(asked(Durable.callback("approval")), (outside) =>
          outside.succeed("approval", "1 second", text)
        )
        assert.isTrue(ends[0] !== undefined && Exit.isSuccess(ends[0]) && ends[0].value === (text ?? ""))
        assert.deepStrictEqual(ends[0], ends[1])
      })
    )
  }

  it.effect("is what the Schema reads from its JSON", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(asked(Durable.callback("approval", { success: Answer })), (outside) =>
        outside.succeed("approval", "1 second", `{"yes":true,"at":"2026-01-02T00:00:00.000Z","more":1}`)
      )
      const answer = { yes: true, at: new Date("2026-01-02T00:00:00.000Z") }
      assert.deepStrictEqual(ends, [Exit.succeed(answer), Exit.succeed(answer)])
    })
  )

  it.effect("may be nothing where the Schema takes nothing", () =>
    Effect.gen(function* () {
      for (const [success, value] of [
        [Schema.Void, undefined],
        [Schema.NullOr(Schema.Int), null]
      ] as const) {
        const { ends } = yield* twice(asked(Durable.callback("approval", { success })), (outside) =>
          outside.succeed("approval", "1 second")
        )
        assert.deepStrictEqual(ends, [Exit.succeed(value), Exit.succeed(value)])
      }
    })
  )

  const unreadable: Record<string, string | undefined> = {
    "no JSON": "secret-answer",
    "other JSON": `{"yes":"secret-answer","at":"2026-01-02T00:00:00.000Z"}`,
    nothing: undefined
  }
  for (const [name, text] of Object.entries(unreadable)) {
    it.effect(
      `that the Schema does not read is SerdesFailed, which names the callback and quotes nothing: ${name}`,
      () =>
        Effect.gen(function* () {
          const ran = yield* execute(Effect.asVoid(asked(Durable.callback("approval", { success: Answer }))), {
            outside: (outside) => outside.succeed("approval", "1 second", text)
          })
          const failure = failureOf(ran)
          assert.strictEqual(failure.errorType, "SerdesFailed")
          assert.match(failure.errorMessage ?? "", /"approval".*must be JSON/s)
          assert.notInclude(failure.errorMessage ?? "", "secret-answer")
        })
    )
  }

  it.effect("is read by a codec, which may take its time", () =>
    Effect.gen(function* () {
      const codec = Serdes.make<number>({
        serialize: () => Effect.die("nobody writes it"),
        deserialize: (text) => Effect.delay(Effect.succeed((text ?? "").length), "5 millis")
      })
      const { ends, ran } = yield* twice(asked(Durable.callback("approval", { successSerdes: codec })), (outside) =>
        outside.succeed("approval", "1 second", "four")
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(4), Exit.succeed(4)])
    })
  )

  it.effect("that the codec does not read is SerdesFailed, and only for now is tried again in another invocation", () =>
    Effect.gen(function* () {
      const failing = Serdes.make<number>({
        serialize: () => "",
        deserialize: () => Effect.fail(new Error("not my format"))
      })
      const ran = yield* execute(Effect.asVoid(asked(Durable.callback("approval", { successSerdes: failing }))), {
        outside: (outside) => outside.succeed("approval", "1 second", "secret-answer")
      })
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.match(failureOf(ran).errorMessage ?? "", /"approval".*not my format/)
      let reads = 0
      const throttled = Serdes.make<number>({
        serialize: () => "",
        deserialize: () =>
          ++reads < 3
            ? Effect.fail(new Serdes.SerdesError({ message: "throttled", transient: true }))
            : Effect.succeed(7)
      })
      const patient = yield* execute(asked(Durable.callback("approval", { successSerdes: throttled })), {
        outside: (outside) => outside.succeed("approval", "1 second", "x")
      })
      assert.strictEqual(valueOf(patient), 7)
      assert.strictEqual(reads, 3)
    })
  )

  it.effect("is read as JSON whatever the format of the execution is", () =>
    Effect.gen(function* () {
      const hex: Serdes.Format = {
        serialize: (schema, value, info) =>
          Effect.map(Serdes.json.serialize(schema, value, info), (text) =>
            text === undefined ? undefined : Buffer.from(text).toString("hex")
          ),
        deserialize: (schema, text, info) =>
          Serdes.json.deserialize(schema, text === undefined ? undefined : Buffer.from(text, "hex").toString(), info)
      }
      for (const operation of [
        asked(Durable.callback("approval", { success: Answer, error: Rejected })),
        Durable.waitForCallback("approval", () => Effect.void, { success: Answer, error: Rejected })
      ]) {
        const hidden = Effect.provideService(operation, Serdes.Serdes, hex)
        const { ends } = yield* twice(hidden, (outside) =>
          outside.succeed("approval", "1 second", `{"yes":true,"at":"2026-01-02T00:00:00.000Z"}`)
        )
        assert.deepStrictEqual(ends[0], Exit.succeed({ yes: true, at: new Date("2026-01-02T00:00:00.000Z") }))
        assert.deepStrictEqual(ends[0], ends[1])
        const failed = yield* twice(hidden, (outside) =>
          outside.fail("approval", "1 second", {
            ErrorType: "Rejected",
            ErrorData: `{"_tag":"Rejected","reason":"no"}`
          })
        )
        assert.deepStrictEqual(failed.ends[0], Exit.fail(new Rejected({ reason: "no" })))
        assert.deepStrictEqual(failed.ends[0], failed.ends[1])
      }
    })
  )
})

describe("The failure of a callback", () => {
  it.effect("is CallbackFailed with what was sent, live and on replay", () =>
    Effect.gen(function* () {
      const sent = {
        ErrorType: "OutOfPaper",
        ErrorMessage: "no paper",
        ErrorData: "tray 2",
        StackTrace: ["at printer"]
      }
      const { ends } = yield* twice(asked(Durable.callback("print")), (outside) =>
        outside.fail("print", "1 second", sent)
      )
      const expected = new DurableError.CallbackFailed({
        operation: "print",
        errorType: "OutOfPaper",
        errorMessage: "no paper",
        errorData: "tray 2",
        stackTrace: ["at printer"]
      })
      assert.deepStrictEqual(ends, [Exit.fail(expected), Exit.fail(expected)])
      assert.match(expected.message, /"print".*OutOfPaper: no paper/)
    })
  )

  it.effect("may say nothing at all", () =>
    Effect.gen(function* () {
      for (const sent of [undefined, {}]) {
        const { ends } = yield* twice(asked(Durable.callback("print", { error: Rejected })), (outside) =>
          outside.fail("print", "1 second", sent)
        )
        assert.deepStrictEqual(ends[0], Exit.fail(new DurableError.CallbackFailed({ operation: "print" })))
        assert.deepStrictEqual(ends[0], ends[1])
      }
    })
  )

  it.effect("arrives as itself when the error Schema reads its data", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(asked(Durable.callback("print", { error: Rejected })), (outside) =>
        outside.fail("print", "1 second", { ErrorData: `{"_tag":"Rejected","reason":"no"}` })
      )
      assert.deepStrictEqual(ends, [
        Exit.fail(new Rejected({ reason: "no" })),
        Exit.fail(new Rejected({ reason: "no" }))
      ])
    })
  )

  for (const data of [`{"_tag":"Other"}`, "not JSON", "", `{"_tag":"Rejected"}`]) {
    it.effect(`is CallbackFailed when the error Schema does not read its data: ${data || "empty"}`, () =>
      Effect.gen(function* () {
        const { ends } = yield* twice(asked(Durable.callback("print", { error: Rejected })), (outside) =>
          outside.fail("print", "1 second", { ErrorType: "Rejected", ErrorData: data })
        )
        const expected = { operation: "print", errorType: "Rejected", errorData: data }
        assert.deepStrictEqual(ends[0], Exit.fail(new DurableError.CallbackFailed(expected)))
        assert.deepStrictEqual(ends[0], ends[1])
      })
    )
  }

  it.effect("crosses a child, a map and the execution as itself", () =>
    Effect.gen(function* () {
      const failing = asked(Durable.callback("print"))
      const fail = (outside: Outside) =>
        outside.fail("print", "1 second", { ErrorType: "OutOfPaper", ErrorMessage: "no paper" })
      const child = yield* twice(Durable.child("office", failing), fail)
      for (const end of child.ends) {
        const error = errorOf(end)
        assert.instanceOf(error, DurableError.CallbackFailed)
        assert.strictEqual(error.operation, "office/print")
      }
      const map = yield* twice(
        Effect.map(
          Durable.map("offices", [1], () => failing),
          (result) => result.errors
        ),
        fail
      )
      for (const end of map.ends) {
        if (Exit.isFailure(end)) return assert.fail("the map failed")
        assert.instanceOf(end.value[0], DurableError.CallbackFailed)
      }
      const execution = yield* execute(Effect.asVoid(failing), { outside: fail })
      const error = errorOf(execution.result)
      assert.instanceOf(error, DurableError.CallbackFailed)
      assert.strictEqual(error.errorMessage, "no paper")
    })
  )

  it.effect("that is as large as the service takes is still CallbackFailed behind a child", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(Durable.child("office", asked(Durable.callback("print"))), (outside) =>
        outside.fail("print", "1 second", { ErrorType: "Big", ErrorMessage: "m", ErrorData: '"'.repeat(16_000) })
      )
      for (const end of ends) assert.instanceOf(errorOf(end), DurableError.CallbackFailed)
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )
})

describe("The time-out of a callback", () => {
  it.effect("passes after as many seconds as it has, rounded up", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        asked(Durable.callback("approval", { timeout: "90100 millis" })),
        () => Effect.void
      )
      const expected = new DurableError.CallbackTimedOut({ operation: "approval", reason: "timeout" })
      assert.deepStrictEqual(ends, [Exit.fail(expected), Exit.fail(expected)])
      assert.deepStrictEqual(ran.updates[0]?.CallbackOptions, { TimeoutSeconds: 91 })
      assert.strictEqual(secondsBetween(ran, "CallbackStarted", "CallbackTimedOut"), 91)
    })
  )

  it.effect("of the heartbeat starts anew with each of them", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        asked(Durable.callback("work", { timeout: "1 day", heartbeatTimeout: "1 minute" })),
        (outside) => Effect.andThen(outside.heartbeat("work", "50 seconds"), outside.heartbeat("work", "50 seconds"))
      )
      const expected = new DurableError.CallbackTimedOut({ operation: "work", reason: "heartbeat" })
      assert.deepStrictEqual(ends, [Exit.fail(expected), Exit.fail(expected)])
      assert.strictEqual(secondsBetween(ran, "CallbackStarted", "CallbackTimedOut"), 160)
    })
  )

  it.effect("is not put off by heartbeats", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        asked(Durable.callback("work", { timeout: "2 minutes", heartbeatTimeout: "1 minute" })),
        (outside) => Effect.forEach([1, 2], () => outside.heartbeat("work", "50 seconds"))
      )
      assert.deepStrictEqual(
        ends[0],
        Exit.fail(new DurableError.CallbackTimedOut({ operation: "work", reason: "timeout" }))
      )
    })
  )

  it.effect("leaves nothing to those who come after it", () =>
    Effect.gen(function* () {
      let late: unknown
      const ran = yield* execute(
        Effect.andThen(
          Effect.exit(asked(Durable.callback("approval", { timeout: "1 minute" }))),
          Durable.wait("later", "1 hour")
        ),
        {
          outside: ({ callback, client }) =>
            Effect.gen(function* () {
              const id = yield* callback("approval")
              yield* Effect.sleep("2 minutes")
              late = yield* Effect.flip(client.succeedCallback(id, "yes"))
            })
        }
      )
      assertSucceeded(ran)
      assert.propertyVal(late, "_tag", "CallbackClosed")
    })
  )

  it.effect("that passes during an unrelated wait is told to who awaits afterwards", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Effect.gen(function* () {
          const { await: answer } = yield* Durable.callback("approval", { timeout: "1 minute" })
          yield* Durable.wait("unrelated", "1 hour")
          return yield* answer
        }),
        () => Effect.void
      )
      assert.instanceOf(errorOf(ends[0]), DurableError.CallbackTimedOut)
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )

  it.effect("may be a point in time: a Date or a DateTime", () =>
    Effect.gen(function* () {
      const noon = new Date(Date.UTC(2026, 0, 1, 12, 0, 0, 500))
      for (const timeout of [
        noon,
        DateTime.fromDateUnsafe(noon),
        DateTime.makeZonedUnsafe(noon, { timeZone: "Asia/Tokyo" })
      ]) {
        const { ends, ran } = yield* twice(asked(Durable.callback("approval", { timeout })), () => Effect.void)
        assert.instanceOf(errorOf(ends[0]), DurableError.CallbackTimedOut)
        assert.deepStrictEqual(ran.updates[0]?.CallbackOptions, { TimeoutSeconds: 43_201 })
      }
    })
  )

  it.effect("at a point in time that has passed fails without a callback, on every replay", () =>
    Effect.gen(function* () {
      const { ends, ran } = yield* twice(
        asked(Durable.callback("approval", { timeout: new Date(Date.UTC(2026, 0, 1)) })),
        () => Effect.void
      )
      const expected = new DurableError.CallbackTimedOut({ operation: "approval", reason: "timeout" })
      assert.deepStrictEqual(ends, [Exit.fail(expected), Exit.fail(expected)])
      assert.deepStrictEqual(actions(ran.updates), ["START replay"])
    })
  )

  it.effect("at a point in time that passed after the callback was recorded leaves the callback as it is", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Effect.gen(function* () {
          const deadline = new Date(Date.UTC(2026, 0, 1, 1))
          const { await: answer } = yield* Durable.callback("approval", { timeout: deadline })
          yield* Durable.wait("long", "2 hours")
          return yield* answer
        }),
        (outside) => outside.succeed("approval", "1 minute", "yes")
      )
      assert.deepStrictEqual(ends, [Exit.succeed("yes"), Exit.succeed("yes")])
    })
  )

  const durations: Record<string, Durable.CallbackOptions> = {
    zero: { timeout: 0 },
    negative: { timeout: "-1 hours" },
    "less than a second": { timeout: "999 millis" },
    infinite: { timeout: "Infinity" },
    "no number": { timeout: Number.NaN },
    "no date": { timeout: new Date(Number.NaN) },
    "more than 366 days": { timeout: "367 days" },
    "a date in more than 366 days": { timeout: new Date(Date.UTC(2027, 5, 1)) },
    "a zero heartbeat": { heartbeatTimeout: 0 },
    "an infinite heartbeat": { heartbeatTimeout: "Infinity" },
    "a heartbeat at a point in time": { heartbeatTimeout: unsafeDuration(new Date()) },
    "no duration": { timeout: unsafeDuration("soon") }
  }
  for (const [name, options] of Object.entries(durations)) {
    it.effect(`is InvalidDuration before anything is recorded when it is ${name}`, () =>
      Effect.gen(function* () {
        for (const operation of [
          asked(Durable.callback("approval", options)),
          Durable.waitForCallback("approval", () => Effect.void, options)
        ]) {
          const ran = yield* execute(Effect.asVoid(operation))
          const failure = failureOf(ran)
          assert.strictEqual(failure.errorType, "InvalidDuration")
          assert.match(failure.errorMessage ?? "", /^Expected .*"approval".*, found .+\. (Write|For|Use) /)
          assert.lengthOf(ran.updates, 0)
        }
      })
    )
  }
})

describe("A callback among other operations", () => {
  it.effect("goes on in a child, in branches and in the items of a map", () =>
    Effect.gen(function* () {
      const answer = (name: string) => asked(Durable.callback(name))
      const { ends, ran } = yield* twice(
        Effect.gen(function* () {
          const inner = yield* Durable.child("child", answer("a"))
          const both = yield* Durable.parallel("both", [answer("b"), answer("c")])
          const items = yield* Durable.map("items", ["d", "e"], answer)
          return [inner, ...both.values, ...items.values]
        }),
        (outside) =>
          Effect.forEach(["a", "c", "b", "e", "d"], (name) => outside.succeed(name, "1 hour", name.toUpperCase()))
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ends, [Exit.succeed(["A", "B", "C", "D", "E"]), Exit.succeed(["A", "B", "C", "D", "E"])])
    })
  )

  const order = [
    { first: "callback", callbackAt: 1, waitAt: 2, winner: "answered" },
    { first: "wait", callbackAt: 2, waitAt: 1, winner: "late" }
  ]
  for (const { callbackAt, first, waitAt, winner } of order) {
    for (const where of ["inside", "outside"]) {
      for (const callbackFirst of [true, false]) {
        it.effect(
          `${where} of a race with a wait wins or loses by what was recorded first: the ${first} (${callbackFirst ? "and it is listed first" : "and it is listed last"})`,
          () =>
            Effect.gen(function* () {
              // Both are over before any invocation could record the winner.
              const race = operationId("", "first", 0)
              const branches = callbackFirst ? ["callback", "wait"] : ["wait", "callback"]
              const inBranch = (name: string) => operationId(operationId(race, "", branches.indexOf(name)), name, 0)
              const event = eventOf([
                { Id: race, Type: "CONTEXT", SubType: "RunInChildContext", Status: "STARTED" },
                { Id: inBranch("wait"), ParentId: race, Type: "WAIT", SubType: "Wait", EndTimestamp: waitAt },
                {
                  ...(where === "inside"
                    ? { Id: inBranch("callback"), ParentId: race }
                    : { Id: operationId("", "callback", 0) }),
                  Type: "CALLBACK",
                  SubType: "Callback",
                  EndTimestamp: callbackAt,
                  CallbackDetails: { CallbackId: "id-1", Result: "answered" }
                }
              ])
              const create = Durable.callback("callback")
              let won: string | undefined
              const { updates } = yield* invokeOnce(
                Effect.gen(function* () {
                  const answer = where === "inside" ? asked(create) : (yield* create).await
                  const late = Effect.as(Durable.wait("wait", "1 hour"), "late")
                  won = yield* Durable.race("first", callbackFirst ? [answer, late] : [late, answer])
                }),
                { event }
              )
              assert.strictEqual(won, winner)
              assert.strictEqual(updates[0]?.Payload, JSON.stringify(winner))
            })
        )
      }
    }
  }

  it.effect("does not count as the time of a branch in which it is only created", () =>
    Effect.gen(function* () {
      const race = operationId("", "first", 0)
      const inBranch = (index: number, name: string) => ({
        Id: operationId(operationId(race, "", index), name, 0),
        ParentId: race
      })
      const event = eventOf([
        { Id: race, Type: "CONTEXT", SubType: "RunInChildContext", Status: "STARTED" },
        {
          ...inBranch(0, "unused"),
          Type: "CALLBACK",
          SubType: "Callback",
          EndTimestamp: 3,
          CallbackDetails: { CallbackId: "id-1" }
        },
        { ...inBranch(0, "short"), Type: "WAIT", SubType: "Wait", EndTimestamp: 1 },
        { ...inBranch(1, "long"), Type: "WAIT", SubType: "Wait", EndTimestamp: 2 }
      ])
      let won: string | undefined
      yield* invokeOnce(
        Effect.gen(function* () {
          won = yield* Durable.race("first", [
            Effect.as(Effect.andThen(Durable.callback("unused"), Durable.wait("short", "1 hour")), "short"),
            Effect.as(Durable.wait("long", "2 hours"), "long")
          ])
        }),
        { event }
      )
      assert.strictEqual(won, "short")
    })
  )

  it.effect("has a time-out by Durable.timeout, whether it is answered in time or not", () =>
    Effect.gen(function* () {
      const limited = Effect.gen(function* () {
        const { await: answer } = yield* Durable.callback("approval")
        return yield* Durable.timeout("patience", answer, "1 hour").pipe(
          Effect.catchTag("DurableTimeout", () => Effect.succeed("too late"))
        )
      })
      const answered = yield* twice(limited, (outside) => outside.succeed("approval", "30 minutes", "yes"))
      assert.deepStrictEqual(answered.ends, [Exit.succeed("yes"), Exit.succeed("yes")])
      const late = yield* twice(limited, () => Effect.void)
      assert.deepStrictEqual(late.ends, [Exit.succeed("too late"), Exit.succeed("too late")])
    })
  )

  it.effect("does not keep a child from being rebuilt that it was created in and never awaited", () =>
    Effect.gen(function* () {
      const large = "x".repeat(300_000)
      const { ends, ran } = yield* twice(
        Durable.child(
          "child",
          Effect.gen(function* () {
            const forgotten = yield* Durable.callback("forgotten")
            const asked = yield* Durable.callback("asked")
            const half = yield* Durable.step("half", Effect.succeed(large.slice(150_000)))
            return (yield* asked.await) + half + half + forgotten.callbackId.length
          })
        ),
        (outside) => outside.succeed("asked", "1 hour", "yes")
      )
      assertSucceeded(ran)
      assert.isTrue(ends[0] !== undefined && Exit.isSuccess(ends[0]) && ends[0].value.startsWith("yesx"))
      assert.deepStrictEqual(ends[0], ends[1])
      assert.isTrue(ran.operations.find(({ Name }) => Name === "child")?.ContextDetails?.ReplayChildren)
    })
  )

  it.effect("that is completed after its child ended does not change what the child is rebuilt to", () =>
    Effect.gen(function* () {
      const large = "x".repeat(300_000)
      const { ends, ran } = yield* twice(
        Durable.child(
          "child",
          Effect.gen(function* () {
            const approval = yield* Durable.callback("approval")
            const half = yield* Durable.step("half", Effect.succeed(large.slice(150_000)))
            const how = yield* Durable.race("how", [approval.await, Effect.as(Durable.wait("limit", "1 hour"), "late")])
            return how + half + half
          })
        ),
        (outside) => outside.succeed("approval", 3_600_500, "yes")
      )
      assertSucceeded(ran)
      assert.isTrue(ends[0] !== undefined && Exit.isSuccess(ends[0]) && ends[0].value.startsWith("late"))
      assert.deepStrictEqual(ends[0], ends[1])
    })
  )

  it.effect("is ContextEnded to who awaits it after its child has ended", () =>
    Effect.gen(function* () {
      let leaked: Durable.Callback<string> | undefined
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.child(
            "child",
            Effect.asVoid(Effect.tap(Durable.callback("approval"), (opened) => Effect.sync(() => (leaked = opened))))
          )
          return yield* leaked!.await
        })
      )
      assert.strictEqual(failureOf(ran).errorType, "ContextEnded")
    })
  )

  it.effect("may be awaited by a fiber that was forked, and by a child that it was not created in", () =>
    Effect.gen(function* () {
      const { ends } = yield* twice(
        Effect.gen(function* () {
          const { await: answer } = yield* Durable.callback("approval")
          const fiber = yield* Effect.forkChild(answer)
          const inner = yield* Durable.child("child", answer)
          return [yield* Fiber.join(fiber), inner]
        }),
        (outside) => outside.succeed("approval", "1 hour", "yes")
      )
      assert.deepStrictEqual(ends, [Exit.succeed(["yes", "yes"]), Exit.succeed(["yes", "yes"])])
    })
  )

  it.effect("is found with its outcome by an invocation that knows it from its first page on", () =>
    Effect.gen(function* () {
      const { answer } = yield* invokeOnce(
        Effect.gen(function* () {
          const { await: sent } = yield* Durable.callback("approval")
          assert.strictEqual(yield* sent, "yes")
        }),
        {
          event: eventOf([
            {
              Id: operationId("", "approval", 0),
              Type: "CALLBACK",
              SubType: "Callback",
              Name: "approval",
              CallbackDetails: { CallbackId: "id-1", Result: "yes" }
            }
          ])
        }
      )
      assert.strictEqual(answer?.Status, "SUCCEEDED")
    })
  )
})

describe("Nobody but its owner", () => {
  it.effect("learns the id or the answer of a callback from messages and logs", () =>
    Effect.gen(function* () {
      const ids: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const approval = yield* Durable.callback("approval", { success: Schema.Int })
          ids.push(approval.callbackId)
          yield* Effect.exit(
            Durable.child("other", asked(Durable.callback("other", { error: Rejected })), { error: Rejected })
          )
          yield* approval.await
        }),
        {
          outside: (outside) =>
            Effect.andThen(
              outside.fail("other", "1 second", { ErrorType: "Odd", ErrorData: "secret-answer" }),
              outside.succeed("approval", "1 second", `"secret-answer"`)
            )
        }
      )
      const said = [...ran.logs, failureOf(ran).message, failureOf(ran).errorMessage].join("\n")
      assert.notInclude(said, "secret-answer")
      for (const id of ids) assert.notInclude(said, id)
    })
  )
})
