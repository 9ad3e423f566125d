/** The spans of executions: what is told, when, under which ids, and what is not told. */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { md5 } from "../../src/internal/md5.ts"
import { Callee, callee, named, observe, only, type Observed } from "./support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.String }) {}

const Pay = DurableFunction.plain("pay", { success: Schema.String })
const functions = [TestEngine.stub(Pay, () => Effect.succeed("paid"))]

/** Three invocations: up to the wait, up to the invoke, and to the end. */
const threeInvocations = Effect.gen(function* () {
  yield* Durable.step("first", Effect.void)
  yield* Durable.child(
    "shipping",
    Effect.gen(function* () {
      yield* Durable.step("label", Effect.void)
      yield* Durable.wait("pick-up", "1 hour")
      yield* Durable.step("hand-over", Effect.void)
    })
  )
  yield* Effect.orDie(Durable.invoke(Pay, undefined))
  yield* Durable.step("last", Effect.void)
})

const twice = RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 2, jitter: "none" })

const secondTimeLucky = Effect.flatMap(Durable.StepContext, ({ attempt }) =>
  attempt === 1 ? Effect.fail(new Refused({ code: "no" })) : Effect.void
)

const operations = ["first", "label", "pick-up", "hand-over", "shipping", "pay", "last"]

/** Whom each operation belongs to, by name. */
const tree = (observed: Observed): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    operations.map((name) => {
      const { parent } = only(observed, name)
      return [name, observed.spans.find((span) => span.spanId === parent)?.name]
    })
  )

const expectedTree = {
  first: "Workflow",
  label: "shipping",
  "pick-up": "shipping",
  "hand-over": "shipping",
  shipping: "Workflow",
  pay: "Workflow",
  last: "Workflow"
}

describe("the spans of an execution of three invocations", () => {
  it.effect("tell every operation once, with its type and status", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions })
      assert.strictEqual(observed.invocations, 3)
      for (const operation of observed.operations) {
        assert.deepInclude(only(observed, operation.Name ?? "").attributes, {
          "durable.execution.arn": observed.executionArn,
          "durable.operation.id": operation.Id,
          "durable.operation.type": operation.Type,
          "durable.operation.name": operation.Name,
          "durable.operation.subtype": operation.SubType,
          "durable.operation.status": "SUCCEEDED"
        })
      }
      assert.lengthOf(observed.operations, operations.length)
      // Besides those: the workflow, three invocations and four attempts.
      assert.lengthOf(observed.spans, operations.length + 8)
    })
  )

  it.effect("are one trace with one root, in which each operation belongs to the one around it", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions })
      assert.lengthOf(new Set(observed.spans.map(({ traceId }) => traceId)), 1)
      const ids = new Set(observed.spans.map(({ spanId }) => spanId))
      assert.strictEqual(ids.size, observed.spans.length)
      assert.deepStrictEqual(
        observed.spans.filter(({ parent }) => parent === undefined || !ids.has(parent)).map(({ name }) => name),
        ["Workflow"]
      )
      assert.deepStrictEqual(tree(observed), expectedTree)
      for (const { parent } of named(observed, "Invocation")) {
        assert.strictEqual(parent, only(observed, "Workflow").spanId)
      }
    })
  )

  it.effect("have ids that follow from the execution alone", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions })
      const { executionArn } = observed
      const seconds = Math.floor((observed.history[0]?.EventTimestamp ?? 0) / 1_000)
      assert.strictEqual(
        only(observed, "first").traceId,
        seconds.toString(16).padStart(8, "0") + md5(executionArn).slice(0, 24)
      )
      assert.strictEqual(only(observed, "Workflow").spanId, md5(`workflow:${executionArn}`).slice(0, 16))
      for (const { Id, Name } of observed.operations) {
        assert.strictEqual(only(observed, Name ?? "").spanId, md5(`${executionArn}:${Id}`).slice(0, 16))
      }
    })
  )

  it.effect("last as long as what they tell of", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions })
      const hour = 3_600_000
      const lengthOf = (name: string) => only(observed, name).end - only(observed, name).start
      assert.deepStrictEqual(["Workflow", "shipping", "pick-up", "label"].map(lengthOf), [hour, hour, hour, 0])
      const [first, second] = named(observed, "Invocation")
      assert.deepStrictEqual([first?.start, first?.end], [only(observed, "pick-up").start, only(observed, "first").end])
      assert.strictEqual(second?.start, only(observed, "pick-up").end)
    })
  )

  it.effect("link an operation to the invocation that saw it end, and an attempt to its own", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions })
      const [first, second, third] = named(observed, "Invocation")
      const linked = (names: ReadonlyArray<string>) => [
        ...new Set(names.map((name) => String(only(observed, name).links)))
      ]
      assert.deepStrictEqual(linked(["first", "label", "first attempt 1"]), [first?.spanId])
      assert.deepStrictEqual(linked(["pick-up", "hand-over", "shipping"]), [second?.spanId])
      assert.deepStrictEqual(linked(["pay", "last", "last attempt 1"]), [third?.spanId])
      assert.deepStrictEqual(
        [first, second, third].map((span) => [
          span?.status,
          span?.attributes["durable.invocation.status"],
          span?.attributes["durable.invocation.first"],
          span?.links
        ]),
        [
          ["ok", "PENDING", true, []],
          ["ok", "PENDING", false, []],
          ["ok", "SUCCEEDED", false, []]
        ]
      )
    })
  )

  it.effect("are one trace also for an SDK without the id generator, whose operations have ids of their own", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions, ids: false })
      assert.lengthOf(new Set(observed.spans.map(({ traceId }) => traceId)), 1)
      assert.notStrictEqual(only(observed, "Workflow").spanId, md5(`workflow:${observed.executionArn}`).slice(0, 16))
      // What goes on in another invocation is told by both, neither as a success nor as an error.
      assert.deepStrictEqual(
        named(observed, "shipping").map(({ attributes, status }) => [status, attributes["durable.operation.status"]]),
        [
          ["unset", "STARTED"],
          ["ok", "SUCCEEDED"]
        ]
      )
      const [before, after] = named(observed, "shipping")
      assert.strictEqual(only(observed, "label").parent, before?.spanId)
      assert.strictEqual(only(observed, "hand-over").parent, after?.spanId)
    })
  )

  it.effect("have the same ids with Effect's own exporter, which needs no generator", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const answer: typeof globalThis.fetch = async (_, init) => {
        bodies.push(await new Response(init?.body ?? null).text())
        return new Response("{}")
      }
      const tracing = OtlpTracer.layer({ url: "http://collector/v1/traces", resource: { serviceName: "test" } }).pipe(
        Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]),
        Layer.provide(Layer.succeed(FetchHttpClient.Fetch, answer)),
        Layer.catchCause(() => Layer.empty)
      )
      const { executionArn, operations: recorded } = yield* observe(threeInvocations, { functions, tracing })
      const told = bodies.join("")
      for (const { Id } of recorded) assert.include(told, md5(`${executionArn}:${Id}`).slice(0, 16))
      assert.include(told, `"spanId":"${md5(`workflow:${executionArn}`).slice(0, 16)}"`)
    })
  )
})

describe("the spans of what goes wrong", () => {
  it.effect("tell each attempt of a step over two invocations, and the step once", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.orDie(Durable.step("charge", secondTimeLucky, { error: Refused, retry: twice }))
      )
      const [first, second] = [1, 2].map((number) => only(observed, `charge attempt ${number}`))
      assert.deepStrictEqual(
        [first, second].map((span) => [span?.status, span?.attributes["durable.attempt.outcome"]]),
        [
          ["error", "FAILED"],
          ["ok", "SUCCEEDED"]
        ]
      )
      assert.strictEqual(first?.attributes["error.type"], "Refused")
      const step = only(observed, "charge")
      assert.deepStrictEqual([first?.parent, second?.parent], [step.spanId, step.spanId])
      assert.deepStrictEqual([step.status, step.attributes["durable.attempt.number"]], ["ok", 2])
      assert.strictEqual(step.end - step.start, 2_000)
    })
  )

  it.effect("are errors of a type, for the step, the invocation and the workflow that failed", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.orDie(
          Durable.step("charge", Effect.fail(new Refused({ code: "no" })), { error: Refused, retry: RetryPolicy.none })
        )
      )
      for (const name of ["charge", "charge attempt 1"]) {
        const { attributes, message, status } = only(observed, name)
        assert.deepStrictEqual([status, message, attributes["error.type"]], ["error", "Refused", "Refused"])
      }
      assert.deepInclude(only(observed, "Invocation").attributes, { "durable.invocation.status": "FAILED" })
      assert.deepInclude(only(observed, "Workflow").attributes, { "durable.execution.status": "FAILED" })
      assert.deepStrictEqual(
        ["Invocation", "Workflow"].map((name) => only(observed, name).status),
        ["error", "error"]
      )
    })
  )

  it.effect("know no error in an invocation that is suspended inside of a span of the user", () =>
    Effect.gen(function* () {
      const observed = yield* observe(Effect.withSpan(Durable.wait("nap", "1 hour"), "mine"))
      assert.deepStrictEqual(
        observed.spans.filter(({ status }) => status === "error"),
        []
      )
      assert.deepStrictEqual(
        named(observed, "mine").map(({ status }) => status),
        ["unset", "ok"]
      )
      assert.deepStrictEqual(
        named(observed, "mine").map(({ parent }) => parent),
        named(observed, "Invocation").map(({ spanId }) => spanId)
      )
    })
  )
})

describe("spans of the user", () => {
  it.effect("in a step belong to its attempt, and in a child to the child, across invocations", () =>
    Effect.gen(function* () {
      const body = Effect.andThen(Effect.annotateCurrentSpan("mark", 1), Effect.withSpan(Effect.void, "request"))
      const observed = yield* observe(
        Durable.child(
          "child",
          Effect.gen(function* () {
            yield* Durable.step("fetch", body)
            yield* Durable.wait("nap", "1 hour")
            yield* Effect.withSpan(Effect.void, "after")
          })
        )
      )
      const attempt = only(observed, "fetch attempt 1")
      assert.strictEqual(only(observed, "request").parent, attempt.spanId)
      assert.strictEqual(attempt.attributes["mark"], 1)
      assert.strictEqual(only(observed, "after").parent, only(observed, "child").spanId)
    })
  )
})

describe("the spans of a function that is invoked", () => {
  it.effect("are in the trace of the one that invokes it", () =>
    Effect.gen(function* () {
      const observed = yield* observe(Effect.orDie(Durable.invoke(Callee, undefined)), { functions: [callee] })
      assert.lengthOf(named(observed, "Workflow"), 2)
      assert.lengthOf(named(observed, "work of the callee"), 1)
      assert.lengthOf(new Set(observed.spans.map(({ traceId }) => traceId)), 1)
      const [header] = observed.requests.flatMap(({ Updates }) =>
        Updates.flatMap(({ ChainedInvokeOptions }) => ChainedInvokeOptions?.XAmznTraceId ?? [])
      )
      const { spanId, traceId } = only(observed, "callee")
      assert.strictEqual(header, `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`)
    })
  )
})

describe("an operation that never ends", () => {
  it.effect("is told at the end of the execution, neither as a success nor as an error", () =>
    Effect.gen(function* () {
      const observed = yield* observe(Effect.orDie(Durable.invoke(Callee, undefined, { timeout: "1 hour" })), {
        functions: [callee]
      })
      const { attributes, status } = only(observed, "timeout")
      assert.deepStrictEqual([status, attributes["durable.operation.status"]], ["unset", "STARTED"])
    })
  )
})

describe("no spans", () => {
  it.effect("are made where tracing is switched off", () =>
    Effect.gen(function* () {
      const observed = yield* observe(threeInvocations, { functions }).pipe(
        Effect.provideService(References.TracerEnabled, false)
      )
      assert.deepStrictEqual(observed.spans, [])
    })
  )
})

describe("the spans of a batch", () => {
  const rows = (flat: boolean) =>
    Durable.map(
      "rows",
      ["good", "bad"],
      (row) =>
        row === "good"
          ? Effect.andThen(Durable.wait("nap", "1 hour"), Durable.step("store", Effect.void))
          : Durable.step("check", Effect.fail(new Refused({ code: "no" })), {
              error: Refused,
              retry: RetryPolicy.none
            }),
      { error: Refused, policy: CompletionPolicy.allCompleted, flat, itemName: (row) => row }
    ).pipe(Effect.asVoid)

  it.effect("belong to it, and say that it ended well though an item failed", () =>
    Effect.gen(function* () {
      const observed = yield* observe(rows(false))
      const [row, good, bad] = ["rows", "good", "bad"].map((name) => only(observed, name))
      assert.deepStrictEqual([row?.status, good?.status, bad?.status], ["ok", "ok", "error"])
      assert.deepStrictEqual([good?.parent, bad?.parent], [row?.spanId, row?.spanId])
      assert.deepStrictEqual(
        ["nap", "store", "check"].map((name) => only(observed, name).parent),
        [good?.spanId, good?.spanId, bad?.spanId]
      )
      assert.strictEqual(bad?.attributes["durable.operation.subtype"], "MapIteration")
    })
  )

  it.effect("belong to the batch itself where items have no records", () =>
    Effect.gen(function* () {
      const observed = yield* observe(rows(true))
      assert.deepStrictEqual(
        new Set(["nap", "store", "check"].map((name) => only(observed, name).parent)),
        new Set([only(observed, "rows").spanId])
      )
    })
  )
})
