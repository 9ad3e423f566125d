/** What a handler makes of trouble with the service, of mistakes in the workflow, and of the options about them. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Lambda, type Failure, type LambdaOptions } from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const Work = DurableFunction.make("work", { success: Schema.Json, error: Declined })

type Body = Effect.Effect<Schema.Json, Declined | DurableError.OperationError, Durable.Execution>
type Options = Partial<LambdaHandler.Options<never, never>>

const deployed = (
  body: Body,
  { options = {}, ...lambdaOptions }: LambdaOptions & { readonly options?: Options } = {}
) => {
  const lambda = new Lambda(lambdaOptions)
  const work = Work.implement(() => body)
  return lambda.deploy(
    "work",
    LambdaHandler.make(work, { layer: Layer.empty, checkpoints: lambda.checkpoints, ...options })
  )
}

const two = Effect.andThen(Durable.step("one", Effect.succeed(1)), Durable.step("two", Effect.succeed(2)))

/** Both ways in which a handler reaches the service. */
const doors = [
  ["the layer", false],
  ["the client on the event", true]
] as const

const failureOf = (error: unknown): DurableError.InvocationFailed => {
  assert.instanceOf(error, DurableError.InvocationFailed)
  assert.instanceOf(error, Error)
  assert.strictEqual(error.name, "InvocationFailed")
  assert.isNotEmpty(error.message)
  return error
}

describe.each(doors)("a handler that reaches the service through %s", (_, client) => {
  it("rejects when its token is stale, and sends nothing more", async () => {
    const lambda = deployed(two, {
      client,
      fault: (_, count) =>
        count === 2
          ? { status: 400, name: "InvalidParameterValueException", message: "Invalid checkpoint token" }
          : undefined
    })
    const { error } = await lambda.first("work")
    assert.strictEqual(failureOf(error).reason, "stale-token")
    assert.lengthOf(lambda.requests, 2)
  })

  it("rejects when the execution is stopped meanwhile", async () => {
    const lambda: Lambda = deployed(
      Durable.step(
        "stop",
        Effect.sync(() => (lambda.stop(arn), null))
      ),
      { client }
    )
    const arn = lambda.start("work")
    const [invocation] = await lambda.invoke()
    assert.strictEqual(failureOf(invocation?.error).reason, "stale-token")
  })

  it.each<readonly [string, Failure]>([
    ["a request that is refused", { status: 400, name: "InvalidParameterValueException", message: "Too many updates" }],
    ["missing permissions", { status: 403, name: "AccessDeniedException", message: "not authorized" }],
    ["a key that cannot be used", { status: 502, name: "KMSDisabledException", message: "The key is disabled" }]
  ])("answers FAILED after %s, and says so", async (_, failure) => {
    const lambda = deployed(two, { client, fault: (_, count) => (count === 2 ? failure : undefined) })
    const { answer, error } = await lambda.first("work")
    assert.isUndefined(error)
    assert.strictEqual(answer?.Status, "FAILED")
    const recorded = answer?.Status === "FAILED" ? answer.Error : undefined
    assert.strictEqual(recorded?.ErrorType, "StoreRejected")
    assert.include(recorded?.ErrorMessage, failure.message)
  })

  it("repeats a request that may pass, with the same ClientToken", async () => {
    const throttled: Failure = { status: 429, name: "TooManyRequestsException", message: "Rate exceeded" }
    const lambda = deployed(two, { client, fault: (_, count) => (count === 2 ? throttled : undefined) })
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED", result: "2" })
    assert.lengthOf(lambda.invocations, 1)
    assert.strictEqual(lambda.requests[1]?.ClientToken, lambda.requests[2]?.ClientToken)
  })
})

describe("what a handler answers or rejects with", () => {
  it("is FAILED with the declared error of the workflow", async () => {
    const outcome = await deployed(Effect.fail(new Declined({ code: "expired" }))).run("work")
    assert.strictEqual(outcome.status, "FAILED")
    assert.deepInclude("error" in outcome ? outcome.error : {}, {
      ErrorType: "Declined",
      ErrorData: `{"_tag":"Declined","code":"expired"}`
    })
  })

  it.each<readonly [string, unknown, string]>([
    ["an Error", new TypeError("x is not a function"), "x is not a function"],
    ["text", "out of paper", "out of paper"],
    ["nothing", undefined, "undefined"]
  ])("is FAILED when the workflow dies of %s", async (_, defect, message) => {
    const outcome = await deployed(Effect.die(defect)).run("work")
    assert.strictEqual(outcome.status, "FAILED")
    assert.include(JSON.stringify(outcome), message)
  })

  it("is FAILED when the workflow throws before it is an Effect", async () => {
    const lambda = new Lambda()
    const work = Work.implement((): Body => {
      throw new RangeError("too early")
    })
    lambda.deploy("work", LambdaHandler.make(work, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    const outcome = await lambda.run("work")
    assert.include(JSON.stringify(outcome), "too early")
    assert.strictEqual(outcome.status, "FAILED")
  })

  it("is FAILED when the workflow interrupts itself, which is no end of the sandbox", async () => {
    const outcome = await deployed(Effect.interrupt).run("work")
    assert.deepInclude("error" in outcome ? outcome.error : {}, { ErrorType: "Interrupted" })
  })
})

describe("the options of a handler", () => {
  /** A workflow whose code changes between its first and its second invocation. */
  const changing = (): Body => {
    let invocations = 0
    return Effect.suspend(() => {
      const first = ++invocations === 1
      const changed = first ? Durable.step("it", Effect.succeed(1)) : Durable.child("it", Effect.succeed(1))
      return Effect.andThen(changed, Effect.as(Durable.wait("nap", "1 hour"), null))
    })
  }

  it("end the execution when code and history contradict each other", async () => {
    const outcome = await deployed(changing()).run("work")
    assert.deepInclude("error" in outcome ? outcome.error : {}, { ErrorType: "NonDeterministic" })
  })

  it("or let the service repeat the invocation, with onNonDeterminism", async () => {
    const lambda = deployed(changing(), { options: { onNonDeterminism: "retry" } })
    await lambda.first("work")
    lambda.pass()
    const [second] = await lambda.invoke()
    const failure = failureOf(second?.error)
    assert.strictEqual(failure.reason, "non-deterministic")
    assert.include(failure.message, "it")
  })

  it("limit what a step may record, with maxPayload", async () => {
    const large = Durable.step("large", Effect.succeed("x".repeat(100)), { retry: RetryPolicy.none })
    assert.deepInclude(await deployed(large).run("work"), { status: "SUCCEEDED" })
    assert.deepInclude(await deployed(large, { options: { maxPayload: 102 } }).run("work"), { status: "SUCCEEDED" })
    const outcome = await deployed(large, { options: { maxPayload: 101 } }).run("work")
    assert.deepInclude("error" in outcome ? outcome.error : {}, { ErrorType: "PayloadTooLarge" })
  })

  it("limit how many operations an execution may have, itself included, with maxOperations", async () => {
    const three = Effect.forEach(["a", "b", "c"], (name) => Durable.step(name, Effect.succeed(name)))
    assert.deepInclude(await deployed(three, { options: { maxOperations: 4 } }).run("work"), { status: "SUCCEEDED" })
    const lambda = deployed(three, { options: { maxOperations: 3 } })
    const outcome = await lambda.run("work")
    const error = "error" in outcome ? outcome.error : undefined
    assert.strictEqual(error?.ErrorType, "LimitExceeded")
    assert.include(error?.ErrorMessage, `Expected at most 3 operations in one execution`)
    assert.include(error?.ErrorMessage, `"c" would be one more. The option maxOperations of the handler sets`)
    assert.isFalse(lambda.updates.some(({ Name }) => Name === "c"))
  })

  it.each([0, -1, 2.5, Number.NaN, Infinity])(
    "refuse a maxOperations of %s when the handler is made",
    (maxOperations) => {
      assert.throws(
        () => deployed(two, { options: { maxOperations } }),
        `Expected the option maxOperations of LambdaHandler.make to be a whole number of at least 1, found ${maxOperations}.`
      )
    }
  )

  it("wait for plain asynchronous work before a suspension, no longer than the outsideLimit", async () => {
    const finished: Array<string> = []
    const body = (work: () => Promise<void>): Body =>
      Effect.gen(function* () {
        yield* Effect.forkChild(Effect.map(Effect.promise(work), () => finished.push("plain work")))
        yield* Durable.wait("nap", "1 hour")
        return null
      })
    const lambda = deployed(body(() => new Promise((resolve) => void setTimeout(resolve, 100))))
    assert.deepInclude((await lambda.first("work")).answer, { Status: "PENDING" })
    assert.deepStrictEqual(finished, ["plain work"])
    const hasty = deployed(
      body(() => new Promise(() => {})),
      { options: { outsideLimit: "10 millis" } }
    )
    assert.deepInclude((await hasty.first("work")).answer, { Status: "PENDING" })
    assert.deepStrictEqual(finished, ["plain work"])
  })

  it("take services that the runtime itself uses from the layer", async () => {
    const lambda = new Lambda()
    const clock = Layer.effect(
      Clock.Clock,
      Effect.map(Clock.Clock, (real) => {
        const shifted = Object.create(real)
        return Object.assign(shifted, { currentTimeMillis: Effect.succeed(7), currentTimeMillisUnsafe: () => 7 })
      })
    )
    const work = Work.implement(() => Durable.step("now", Clock.currentTimeMillis))
    lambda.deploy("work", LambdaHandler.make(work, { layer: clock, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: "7" })
  })
})

describe("one handler", () => {
  const Count = DurableFunction.make("count", { payload: Schema.Int, success: Schema.Json })
  class Tally extends Context.Service<Tally, { readonly seen: Set<number> }>()("test/Tally") {}

  it("serves fifty executions at once, each with its own steps, waits and result", async () => {
    const tally = new Set<number>()
    let [running, most] = [0, 0]
    const busy = Effect.acquireUseRelease(
      Effect.sync(() => (most = Math.max(most, ++running))),
      () => Effect.sleep(20),
      () => Effect.sync(() => running--)
    )
    const count = Count.implement(
      Effect.fnUntraced(function* (number) {
        const { seen } = yield* Tally
        const double = yield* Durable.step(
          "double",
          Effect.andThen(
            busy,
            Effect.sync(() => (seen.add(number), number * 2))
          )
        )
        if (number % 3 === 0) yield* Durable.wait("nap", "1 hour")
        const names = yield* Durable.child(
          "more",
          Durable.step(
            "name",
            Effect.map(Durable.StepContext, ({ executionName }) => executionName)
          )
        )
        if (number % 7 === 0) return yield* Effect.die(new Error(`unlucky ${number}`))
        return { number, double, names }
      })
    )
    for (const client of [false, true]) {
      const lambda = new Lambda({ client })
      lambda.deploy(
        "count",
        LambdaHandler.make(count, { layer: Layer.succeed(Tally, { seen: tally }), checkpoints: lambda.checkpoints })
      )
      const arns = Array.from({ length: 50 }, (_, number) => lambda.start("count", number))
      await lambda.settle()
      for (const [number, arn] of arns.entries()) {
        const outcome = lambda.outcome(arn)
        if (number % 7 === 0) assert.include(JSON.stringify(outcome), `unlucky ${number}`)
        else {
          const name = arn.split("/").at(-2)
          assert.deepStrictEqual("result" in outcome ? JSON.parse(outcome.result ?? "") : outcome, {
            number,
            double: number * 2,
            names: name
          })
        }
        assert.lengthOf(lambda.operations(arn), number % 3 === 0 ? 4 : 3)
      }
    }
    assert.strictEqual(tally.size, 50)
    assert.isAbove(most, 10)
  })

  it("keeps a failing execution from disturbing the others", async () => {
    const lambda = new Lambda({
      fault: ({ DurableExecutionArn }) =>
        DurableExecutionArn === victim ? { status: 400, message: "Invalid checkpoint token" } : undefined
    })
    const count = Count.implement((number) => Durable.step("slow", Effect.delay(Effect.succeed(number), 10)))
    lambda.deploy("count", LambdaHandler.make(count, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    const arns = [0, 1, 2, 3].map((number) => lambda.start("count", number))
    const victim = arns[2]
    const ended = await lambda.invoke()
    assert.deepStrictEqual(
      ended.map(({ answer }) => answer?.Status),
      ["SUCCEEDED", "SUCCEEDED", undefined, "SUCCEEDED"]
    )
  })
})
