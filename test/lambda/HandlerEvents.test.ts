/** What a handler takes and what it answers: events in every form that the service and its stand-ins send. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { contextOf, Lambda, rejectionOf, type LambdaOptions } from "./support.ts"

const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String })
const greet = Greet.implement(
  Effect.fnUntraced(function* (name) {
    const salutation = yield* Durable.step("salutation", Effect.succeed("Hello"))
    yield* Durable.wait("think", "1 day")
    return yield* Durable.step("greeting", Effect.succeed(`${salutation} ${name}`))
  })
)

const deployed = (options: LambdaOptions = {}): Lambda => {
  const lambda = new Lambda(options)
  return lambda.deploy("greet", LambdaHandler.make(greet, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
}

/** Rewrites every time in an event, which is in milliseconds on the wire. */
const withTimes =
  (convert: (millis: number) => unknown) =>
  (event: object): unknown => {
    const rewrite = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(rewrite)
      if (typeof value !== "object" || value === null) return value
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          key.endsWith("Timestamp") && typeof inner === "number" ? convert(inner) : rewrite(inner)
        ])
      )
    }
    return rewrite(event)
  }

describe("a handler", () => {
  it.each([
    ["milliseconds", (millis: number) => millis],
    ["ISO text", (millis: number) => new Date(millis).toISOString()],
    [
      "text as AWS prints it",
      (millis: number) => new Date(millis).toISOString().replace("T", " ").replace("Z", "000+00:00")
    ],
    ["dates", (millis: number) => new Date(millis)]
  ])("reads times that are %s", async (_, convert) => {
    for (const client of [false, true]) {
      const lambda = deployed({ client, event: withTimes(convert) })
      const outcome = await lambda.run("greet", "Ada")
      assert.deepInclude(outcome, { status: "SUCCEEDED", result: `"Hello Ada"` })
      assert.deepStrictEqual(
        lambda.invocations.map(({ answer }) => answer?.Status),
        ["PENDING", "SUCCEEDED"]
      )
    }
  })

  it("reads the pages of state that did not fit the event, through the layer and through the client", async () => {
    for (const client of [false, true]) {
      const lambda = deployed({ client, pageItems: 1 })
      assert.deepInclude(await lambda.run("greet", "Ada"), { status: "SUCCEEDED", result: `"Hello Ada"` })
    }
  })

  it("ignores fields that it does not know", async () => {
    const lambda = deployed({
      event: (event) => Object.assign(event, { Tomorrow: { nested: [1] }, __proto__: null, toString: null })
    })
    assert.deepInclude(await lambda.run("greet", "Ada"), { status: "SUCCEEDED" })
  })

  it("answers with JSON of Status and what belongs to it, and nothing else", async () => {
    const lambda = deployed()
    await lambda.run("greet", "Ada")
    assert.deepStrictEqual(
      lambda.invocations.map(({ answer }) => answer),
      [{ Status: "PENDING" }, { Status: "SUCCEEDED", Result: `"Hello Ada"` }]
    )
    const failing = deployed()
    assert.deepInclude(await failing.run("greet", { not: "text" }), { status: "FAILED" })
    const [{ answer } = { answer: undefined }] = failing.invocations
    assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : undefined, "InvalidPayload")
  })

  it("leaves out the start of a step that has succeeded before the start could leave, if it is told to", async () => {
    const Charge = DurableFunction.make("charge", { success: Schema.Int })
    let attempts = 0
    const charge = Charge.implement(() =>
      Effect.gen(function* () {
        const failsOnce = Effect.suspend(() => (attempts++ === 0 ? Effect.die("not yet") : Effect.succeed(2)))
        const one = yield* Durable.step("short", Effect.succeed(1))
        const two = yield* Durable.step("fails once", failsOnce, {
          retry: RetryPolicy.fixed({ maxAttempts: 2, delay: 0 })
        })
        return one + two + (yield* Durable.step("at most once", Effect.succeed(3), { semantics: "at-most-once" }))
      })
    )
    const sent = async (options: { readonly omitStart?: boolean }) => {
      attempts = 0
      const lambda = new Lambda()
      const { checkpoints } = lambda
      lambda.deploy("charge", LambdaHandler.make(charge, { layer: Layer.empty, checkpoints, ...options }))
      assert.deepInclude(await lambda.run("charge"), { status: "SUCCEEDED", result: "6" })
      return lambda.requests.flatMap(({ Updates }) => Updates.map(({ Action, Name }) => `${Name} ${Action}`))
    }
    const all = await sent({})
    assert.deepStrictEqual(
      all.filter((update) => update.startsWith("short")),
      ["short START", "short SUCCEED"]
    )
    const left = await sent({ omitStart: true })
    assert.deepStrictEqual(
      left.filter((update) => update.startsWith("short")),
      ["short SUCCEED"]
    )
    assert.includeMembers(left, ["fails once START", "fails once RETRY", "at most once START", "at most once SUCCEED"])
  })

  it("keeps a payload apart from an absent one", async () => {
    const Echo = DurableFunction.make("echo", {
      payload: Schema.UndefinedOr(Schema.NullOr(Schema.String)),
      success: Schema.String
    })
    const lambda = new Lambda()
    const echo = Echo.implement((payload) => Effect.succeed(String(payload)))
    lambda.deploy("echo", LambdaHandler.make(echo, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("echo"), { result: `"undefined"` })
    assert.deepInclude(await lambda.run("echo", null), { result: `"null"` })
    assert.deepInclude(await lambda.run("echo", ""), { result: `""` })
    assert.deepInclude(await lambda.run("echo", "𝔘\u0000\ud83d\ude00"), {
      result: JSON.stringify("𝔘\u0000\ud83d\ude00")
    })
  })

  it.each([
    ["nothing", undefined],
    ["null", "null"],
    ["an empty object, as the console and AWS's runner send it", "{}"],
    ["an event of a scheduler", '{"version":"0","detail-type":"Scheduled Event"}'],
    ["an empty text", '""'],
    ["no text at all", ""],
    ["what is no JSON", "{{"]
  ])("ignores the payload of a function that takes none: %s", async (_, payload) => {
    const seen: Array<unknown> = []
    const Nightly = DurableFunction.make("nightly", { success: Schema.String })
    const nightly = Nightly.implement((given) => Effect.sync(() => `ran ${seen.push(given)}`))
    const lambda = new Lambda({
      event: (event) => {
        const [execution] = Object(event).InitialExecutionState.Operations
        execution.ExecutionDetails = payload === undefined ? {} : { InputPayload: payload }
        return event
      }
    })
    lambda.deploy("nightly", LambdaHandler.make(nightly, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("nightly"), { status: "SUCCEEDED", result: `"ran 1"` })
    assert.deepStrictEqual(seen, [undefined])
  })

  it("reads the payload of a function that takes none where it has a Serdes for it", async () => {
    const Decoded = DurableFunction.make("decoded", {
      payloadSerdes: Serdes.make<void>({
        serialize: () => "",
        deserialize: (text) => assert.strictEqual(text, `"sent"`)
      })
    })
    const lambda = new Lambda()
    const decoded = Decoded.implement(() => Effect.void)
    lambda.deploy("decoded", LambdaHandler.make(decoded, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("decoded", "sent"), { status: "SUCCEEDED" })
    assert.deepInclude(await lambda.run("decoded", "other"), { status: "FAILED" })
  })

  it.each([
    ["without a context", () => undefined],
    ["with a context that has nothing but the time", () => ({ ...contextOf(), functionName: "" })],
    ["with endless time", () => contextOf(Infinity)]
  ])("runs %s", async (_, context) => {
    assert.deepInclude(await deployed({ context }).run("greet", "Ada"), { status: "SUCCEEDED" })
  })

  it.each<readonly [string, () => object]>([
    ["an empty object", () => ({})],
    ["a context without the time left", () => ({ awsRequestId: "1" })],
    ["a time left that is no number", () => ({ getRemainingTimeInMillis: () => Number.NaN })]
  ])("runs when a test calls it with %s for a context", async (_, context) => {
    const lambda = deployed({ context: () => cast(context()) })
    assert.deepInclude(await lambda.run("greet", "Ada"), { status: "SUCCEEDED" })
  })
})

describe("a handler that is invoked as an ordinary function", () => {
  const handler = LambdaHandler.make(greet, { layer: Layer.empty, checkpoints: new Lambda().checkpoints })

  it.each<readonly [string, unknown, string]>([
    ["a payload", { name: "Ada" }, "an object without DurableExecutionArn and CheckpointToken"],
    ["text", "Ada", "a string"],
    ["null", null, "null"],
    ["nothing", undefined, "nothing"],
    ["a list", [], "an array"],
    ["an empty token", { DurableExecutionArn: "arn", CheckpointToken: "" }, "an object without CheckpointToken"]
  ])("rejects %s, and says what to change", async (_, event, found) => {
    const error = await rejectionOf(handler(event, contextOf()))
    assert.instanceOf(error, Error)
    assert.strictEqual(error.name, "NotDurable")
    assert.include(error.message, `the event is ${found}`)
    assert.include(error.message, "DurableConfig")
    assert.include(error.message, "a version, an alias or $LATEST")
    assert.notInclude(error.message, "Ada")
  })

  it.each<readonly [string, object, string]>([
    ["no state", {}, "InitialExecutionState"],
    [
      "operations that are none",
      { InitialExecutionState: { Operations: [{ Id: 7 }] } },
      "InitialExecutionState.Operations[0]"
    ]
  ])("rejects an event with %s, and says where it is malformed", async (_, fields, path) => {
    const secret = "a-token-that-is-secret"
    const event = { DurableExecutionArn: "arn", CheckpointToken: secret, ...fields }
    const error = await rejectionOf(handler(event, contextOf()))
    assert.instanceOf(error, Error)
    assert.strictEqual(error.name, "MalformedEvent")
    assert.include(error.message, path)
    assert.notInclude(error.message, secret)
  })

  it("never throws itself, whatever the event does", async () => {
    const thrower = new Proxy(
      {},
      {
        get: () => {
          throw new Error("hands off")
        },
        has: () => {
          throw new Error("hands off")
        }
      }
    )
    const getter = {
      get durableExecutionClient(): unknown {
        throw new Error("hands off")
      }
    }
    for (const event of [thrower, getter, Symbol("event"), () => {}, 1n]) {
      const answer = handler(event)
      assert.instanceOf(answer, Promise)
      assert.instanceOf(await rejectionOf(answer), Error)
    }
  })
})
