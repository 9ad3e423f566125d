/** What a deployed function tells: lines of JSON, and the trace that Lambda says it belongs to. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { LambdaHandler, LambdaLogger } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import process from "node:process"
import { vi } from "vitest"
import { contextOf, Lambda, type LambdaOptions } from "./support.ts"

const Work = DurableFunction.make("work", { success: Schema.Json })
const Callee = DurableFunction.make("callee", { success: Schema.Json, target: "callee:$LATEST" })

const work = Work.implement(() =>
  Effect.gen(function* () {
    yield* Effect.log("begin")
    yield* Durable.step("step", Effect.andThen(Effect.logDebug("quiet"), Effect.logWarning("in\na step", { odd: 1n })))
    yield* Durable.wait("nap", "1 minute")
    yield* Effect.log("end")
    return null
  })
)

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Runs the function to its end, and answers with the lines that it wrote. */
const linesOf = async (
  layer: Layer.Layer<never>,
  context: LambdaOptions["context"] = () => contextOf()
): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => lines.push(String(chunk)) > 0)
  const lambda = new Lambda({ context })
  lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
  await lambda.run("work")
  vi.restoreAllMocks()
  return lines
}

describe("the logs of a handler", () => {
  it.effect("hold no value that throws when it is written, and fail nothing because of it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.map(LambdaLogger.format, (line) => void lines.push(line))])
      const evil = {
        get secret() {
          throw new Error("boom")
        }
      }
      let deep: object = {}
      for (let i = 0; i < 50_000; i++) deep = { deep }
      const logs = Effect.andThen(Effect.log("before", evil), Effect.logError(deep))
      const annotated = Effect.annotateLogs(Effect.log("annotated"), { evil })
      yield* Effect.andThen(logs, annotated).pipe(
        Effect.annotateLogs({ operation: "step", attempt: 1 }),
        Effect.provide(logger)
      )
      const message = "Expected a value that can be written as JSON, found one that throws when it is. Log plain data."
      assert.deepStrictEqual(
        lines.map((line) => ({ ...JSON.parse(line), timestamp: "" })),
        ["INFO", "ERROR", "INFO"].map((level) => ({ operation: "step", attempt: 1, timestamp: "", level, message }))
      )
    })
  )

  it("are lines of JSON with the execution, the request and the operation, written once", async () => {
    let requests = 0
    const context = () => contextOf(60_000, { awsRequestId: `request-${++requests}`, tenantId: "blue" })
    const lines = await linesOf(Layer.empty, context)
    for (const line of lines) assert.match(line, /^\{[^\n]*\}\n$/)
    const records = lines.map((line): Record<string, unknown> => JSON.parse(line))
    assert.deepStrictEqual(
      records.map((record) =>
        Object.fromEntries(
          Object.entries(record).filter(([key]) => !["executionArn", "operationId", "timestamp"].includes(key))
        )
      ),
      [
        { level: "INFO", message: "begin", requestId: "request-1", tenantId: "blue" },
        {
          level: "WARN",
          message: ["in\na step", { odd: "1n" }],
          requestId: "request-1",
          tenantId: "blue",
          operation: "step",
          attempt: 1
        },
        { level: "INFO", message: "end", requestId: "request-2", tenantId: "blue" }
      ]
    )
    for (const { executionArn, timestamp } of records) {
      assert.include(String(executionArn), ":function:work:")
      assert.isFalse(Number.isNaN(Date.parse(String(timestamp))))
    }
  })

  it("begin at the level that the function is configured with", async () => {
    vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "DEBUG")
    const lines = (await linesOf(Layer.empty)).map((line): Record<string, unknown> => JSON.parse(line))
    const isOfLibrary = ({ operationType }: Record<string, unknown>) => operationType !== undefined
    assert.lengthOf(
      lines.filter((line) => !isOfLibrary(line)),
      4
    )
    assert.deepStrictEqual(
      lines.filter(isOfLibrary).map(({ message }) => message),
      [
        '"step" started',
        '"step" began attempt 1',
        '"step" ended as SUCCEEDED',
        '"nap" started',
        '"nap" is suspended',
        '"step" replayed',
        '"nap" ended as SUCCEEDED'
      ]
    )
    vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "WARN")
    assert.lengthOf(await linesOf(Layer.empty), 1)
  })

  it("go to the loggers of the layer instead, or as well if it says so", async () => {
    const seen: Array<unknown> = []
    const mine = Logger.make<unknown, void>(({ message }) => void seen.push(message))
    assert.deepStrictEqual(await linesOf(Logger.layer([mine])), [])
    assert.deepStrictEqual(seen.flat(), ["begin", "in\na step", { odd: 1n }, "end"])
    assert.lengthOf(await linesOf(Logger.layer([mine], { mergeWithExisting: true })), 3)
    assert.lengthOf(await linesOf(Logger.layer([mine, LambdaLogger.json])), 3)
    assert.lengthOf(seen, 9)
  })
})

describe("the trace of an invocation", () => {
  const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:0"
  const calling = Work.implement(() => Effect.orDie(Durable.invoke(Callee, undefined)))

  /** The trace headers that a function hands on, and the spans that it makes. */
  const traced = async (context: LambdaOptions["context"], layer: Layer.Layer<never> = Layer.empty) => {
    const lambda = new Lambda(context === undefined ? {} : { context })
    lambda.deploy("work", LambdaHandler.make(calling, { layer, checkpoints: lambda.checkpoints }))
    lambda.deploy(
      "callee",
      LambdaHandler.make(
        Callee.implement(() => Effect.succeed(null)),
        { layer: Layer.empty, checkpoints: lambda.checkpoints }
      )
    )
    await lambda.run("work")
    return lambda.requests.flatMap(({ Updates }) =>
      Updates.flatMap(({ ChainedInvokeOptions }) => ChainedInvokeOptions?.XAmznTraceId ?? [])
    )
  }

  const spans: Array<Tracer.NativeSpan> = []
  const tracing = Layer.succeed(
    Tracer.Tracer,
    Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
  )

  it("is handed on to the functions that it invokes, from the environment or the context", async () => {
    assert.deepStrictEqual(await traced(() => contextOf()), [])
    vi.stubEnv("_X_AMZN_TRACE_ID", header)
    const handedOn = ["Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"]
    assert.deepStrictEqual(await traced(() => contextOf()), handedOn)
    const own = { xRayTraceId: "Root=1-00000001-000000000000000000000002" }
    assert.deepStrictEqual(await traced(() => contextOf(60_000, own)), [
      "Root=1-00000001-000000000000000000000002;Sampled=1"
    ])
  })

  it.each(["", "Root=1-5759e988;Parent=53995c3f42cd8ad8", "Root=2-5759e988-bd862e3fe1be46a994272793", "Self=1"])(
    "is none when the header is %j",
    async (text) => {
      vi.stubEnv("_X_AMZN_TRACE_ID", text)
      assert.deepStrictEqual(await traced(() => contextOf()), [])
    }
  )

  it("is that of its spans, and the callee's parent is the span of the operation", async () => {
    vi.stubEnv("_X_AMZN_TRACE_ID", header)
    spans.length = 0
    const [handedOn] = await traced(() => contextOf(), tracing)
    assert.deepStrictEqual(new Set(spans.map(({ traceId }) => traceId)), new Set(["5759e988bd862e3fe1be46a994272793"]))
    const operation = spans.find(({ name }) => name === "callee")
    assert.strictEqual(handedOn, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${operation?.spanId};Sampled=0`)
  })

  it("follows from the execution when Lambda names none", async () => {
    spans.length = 0
    const [handedOn] = await traced(() => contextOf(), tracing)
    const traceId = spans[0]?.traceId ?? ""
    assert.match(traceId, /^[0-9a-f]{32}$/)
    assert.isTrue(handedOn?.startsWith(`Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=`))
    assert.isTrue(handedOn?.endsWith(";Sampled=1"))
  })
})
