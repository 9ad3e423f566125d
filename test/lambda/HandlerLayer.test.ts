/** What a handler keeps from one invocation to the next, and what each invocation has of its own. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableError, DurableFunction } from "effect-durable"
import { LambdaContext, LambdaHandler } from "effect-durable/lambda"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import { contextOf, Lambda, rejectionOf } from "./support.ts"

const Work = DurableFunction.make("work", { success: Schema.Json })

class Connection extends Context.Service<Connection, { readonly id: number }>()("test/Connection") {}

/** A layer that notes when it is built and released. */
const counted = (
  log: Array<string>,
  build: (id: number) => Effect.Effect<void, Schema.Json | Error> = () => Effect.void
) => {
  let builds = 0
  return Layer.effect(
    Connection,
    Effect.gen(function* () {
      const id = ++builds
      log.push(`build ${id}`)
      yield* Effect.addFinalizer(() => Effect.sync(() => void log.push(`release ${id}`)))
      yield* build(id)
      return { id }
    })
  )
}

const work = Work.implement(() =>
  Durable.step(
    "id",
    Effect.map(Connection, ({ id }) => id)
  )
)

describe("the layer of a handler", () => {
  it("is built by the first invocation, and shared by all of them", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    lambda.deploy("work", LambdaHandler.make(work, { layer: counted(log), checkpoints: lambda.checkpoints }))
    assert.deepStrictEqual(log, [])
    for (let run = 0; run < 3; run++) assert.deepInclude(await lambda.run("work"), { result: "1" })
    assert.deepStrictEqual(log, ["build 1"])
  })

  it("is built once by invocations that come at the same time", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const layer = counted(log, () => Effect.sleep(20))
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    for (let run = 0; run < 10; run++) lambda.start("work")
    await lambda.settle()
    assert.deepStrictEqual(log, ["build 1"])
    assert.lengthOf(
      lambda.invocations.filter(({ answer }) => answer?.Status === "SUCCEEDED"),
      10
    )
  })

  it("fails the invocation when it cannot be built, releases what it had, and is tried again by the next one", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const layer = counted(log, (id) => (id < 3 ? Effect.fail(new Error(`No connection ${id}.`)) : Effect.void))
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED", result: "3" })
    assert.deepStrictEqual(log, ["build 1", "release 1", "build 2", "release 2", "build 3"])
    assert.deepStrictEqual(
      lambda.invocations.map(({ error }) => (error instanceof Error ? error.message : error)),
      ["No connection 1.", "No connection 2.", undefined]
    )
  })

  const from = (config: Config.Config<unknown>, env: Record<string, string> = {}) =>
    Layer.effect(Connection, Effect.as(config, { id: 1 })).pipe(
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )
  const misconfigured: Record<string, readonly [config: Config.Config<unknown>, named: string]> = {
    "lacks a variable": [Config.String("ORDERS_URL"), `"ORDERS_URL"`],
    "has a variable that is none": [Config.Port("ORDERS_PORT"), `"ORDERS_PORT"`],
    "has a nested variable that is none": [Config.nested(Config.Port("PORT"), "ORDERS"), `"ORDERS_PORT"`]
  }
  for (const [name, [config, named]] of Object.entries(misconfigured)) {
    it(`ends the execution when its configuration ${name}: a typo is not tried for a week`, async () => {
      const lambda = new Lambda()
      const layer = from(config, { ORDERS_PORT: "hunter2" })
      lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
      const outcome = await lambda.run("work")
      assert.strictEqual(outcome.status, "FAILED")
      const error = outcome.status === "FAILED" ? outcome.error : undefined
      assert.strictEqual(error?.ErrorType, "InvalidConfiguration")
      assert.include(error?.ErrorMessage, `expected ${named} in the configuration of the function`)
      assert.notInclude(JSON.stringify(error), "hunter2")
      assert.lengthOf(lambda.invocations, 1)
    })

    it(`fails only the invocation when its configuration ${name}, where the execution is to wait for another version`, async () => {
      const lambda = new Lambda()
      const broken = { layer: from(config), checkpoints: lambda.checkpoints, onNonDeterminism: "retry" } as const
      lambda.deploy("work", LambdaHandler.make(work, broken))
      const { error } = await lambda.first("work")
      assert.instanceOf(error, DurableError.InvocationFailed)
      assert.strictEqual(error.reason, "configuration")
      assert.include(error.message, named)
      lambda.deploy("work", LambdaHandler.make(work, { layer: counted([]), checkpoints: lambda.checkpoints }))
      await lambda.settle()
      assert.strictEqual(lambda.invocations.at(-1)?.answer?.Status, "SUCCEEDED")
    })
  }

  it("fails only the invocation when the source of its configuration cannot be read, also where that is a defect", async () => {
    const lambda = new Lambda()
    let reads = 0
    const source = ConfigProvider.make(() =>
      ++reads < 3
        ? Effect.fail(new ConfigProvider.SourceError({ message: "busy" }))
        : Effect.succeed(ConfigProvider.makeValue("url"))
    )
    const layer = Layer.effect(Connection, Effect.as(Effect.orDie(Config.String("URL")), { id: 1 })).pipe(
      Layer.provide(ConfigProvider.layer(source))
    )
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED" })
    assert.deepStrictEqual(
      lambda.invocations.map(({ error }) => (error instanceof DurableError.InvocationFailed ? error.reason : error)),
      ["configuration", "configuration", undefined]
    )
  })

  it("fails all invocations that wait for one failing build, which is tried once", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const layer = counted(log, (id) =>
      Effect.andThen(Effect.sleep(20), id === 1 ? Effect.fail(new Error("Not yet.")) : Effect.void)
    )
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    for (let run = 0; run < 5; run++) lambda.start("work")
    await lambda.settle()
    assert.deepStrictEqual(log, ["build 1", "release 1", "build 2"])
    assert.lengthOf(
      lambda.invocations.filter(({ error }) => error instanceof Error),
      5
    )
  })

  it("may die while it is built: the defect is what the invocation rejects with", async () => {
    const lambda = new Lambda()
    const layer = Layer.effect(Connection, Effect.die(new TypeError("Cannot read the configuration.")))
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    const { error } = await lambda.first("work")
    assert.instanceOf(error, TypeError)
    assert.strictEqual(error.message, "Cannot read the configuration.")
  })

  it.each<readonly [string, Schema.Json]>([
    ["text", "no configuration"],
    ["a plain record", { reason: "no configuration" }],
    ["nothing at all", null]
  ])("rejects with an Error also when it fails with %s", async (_, failure) => {
    const lambda = new Lambda()
    const layer = counted([], () => Effect.fail(failure))
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    const { error } = await lambda.first("work")
    assert.instanceOf(error, Error)
    assert.include(error.message, failure === null ? "null" : "no configuration")
  })

  it("is not built for an event that is none", async () => {
    const log: Array<string> = []
    const handler = LambdaHandler.make(work, { layer: counted(log), checkpoints: new Lambda().checkpoints })
    await rejectionOf(handler({ name: "Ada" }, contextOf()))
    assert.deepStrictEqual(log, [])
  })

  it("belongs to one handler: two handlers of one layer have a sandbox each", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const layer = counted(log)
    lambda.deploy("work", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    lambda.deploy("play", LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: "1" })
    assert.deepInclude(await lambda.run("play"), { result: "2" })
  })
})

describe("handlers with one memo map", () => {
  it("share the layers that they have in common, and a runtime of Effect shares them too", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const shared = { layer: counted(log), checkpoints: lambda.checkpoints, memoMap: Layer.makeMemoMapUnsafe() }
    lambda.deploy("work", LambdaHandler.make(work, shared))
    lambda.deploy("play", LambdaHandler.make(work, shared))
    assert.deepInclude(await lambda.run("work"), { result: "1" })
    assert.deepInclude(await lambda.run("play"), { result: "1" })
    const runtime = ManagedRuntime.make(shared.layer, { memoMap: shared.memoMap })
    assert.deepStrictEqual(await runtime.runPromise(Connection), { id: 1 })
    await runtime.dispose()
    assert.deepStrictEqual(log, ["build 1"])
  })

  it("share the layer of their checkpoints", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const checkpoints = Layer.merge(
      lambda.checkpoints,
      Layer.effectDiscard(Effect.sync(() => void log.push("checkpoints")))
    )
    const shared = { layer: counted([]), checkpoints, memoMap: Layer.makeMemoMapUnsafe() }
    lambda.deploy("work", LambdaHandler.make(work, shared))
    lambda.deploy("play", LambdaHandler.make(work, shared))
    await lambda.run("work")
    await lambda.run("play")
    assert.deepStrictEqual(log, ["checkpoints"])
  })

  it("keep layers to themselves that only one of them has", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const shared = { checkpoints: lambda.checkpoints, memoMap: Layer.makeMemoMapUnsafe() }
    lambda.deploy("work", LambdaHandler.make(work, { ...shared, layer: counted(log) }))
    lambda.deploy("play", LambdaHandler.make(work, { ...shared, layer: counted(log) }))
    await lambda.run("work")
    await lambda.run("play")
    assert.deepStrictEqual(log, ["build 1", "build 1"])
  })

  it("do not share a build that failed: the next invocation of either tries again", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const layer = counted(log, (id) => (id === 1 ? Effect.fail(new Error("Not yet.")) : Effect.void))
    const shared = { layer, checkpoints: lambda.checkpoints, memoMap: Layer.makeMemoMapUnsafe() }
    lambda.deploy("work", LambdaHandler.make(work, shared))
    lambda.deploy("play", LambdaHandler.make(work, shared))
    assert.instanceOf((await lambda.first("work")).error, Error)
    assert.deepInclude(await lambda.run("play"), { result: "2" })
    assert.deepStrictEqual(log, ["build 1", "release 1", "build 2"])
  })
})

describe("a handler that is disposed", () => {
  const event = { DurableExecutionArn: "arn", CheckpointToken: "token", InitialExecutionState: { Operations: [] } }

  const reasonOf = (error: unknown): string => {
    assert.instanceOf(error, DurableError.InvocationFailed)
    return error.reason
  }

  it("releases the layer and the checkpoints, once, however often it is told", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const checkpoints = Layer.merge(
      lambda.checkpoints,
      Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => void log.push("release checkpoints"))))
    )
    const handler = LambdaHandler.make(work, { layer: counted(log), checkpoints })
    lambda.deploy("work", handler)
    await lambda.run("work")
    await Promise.all([handler.dispose(), handler.dispose()])
    await handler.dispose()
    assert.sameMembers(log, ["build 1", "release 1", "release checkpoints"])
  })

  it("takes no invocation any more, says so, and builds nothing for it", async () => {
    const log: Array<string> = []
    const handler = LambdaHandler.make(work, { layer: counted(log), checkpoints: new Lambda().checkpoints })
    const disposed = handler.dispose()
    const error = await rejectionOf(handler(event))
    assert.strictEqual(reasonOf(error), "disposed")
    assert.include(String(error), `The handler of "work" was disposed`)
    await disposed
    assert.strictEqual(reasonOf(await rejectionOf(handler(event))), "disposed")
    assert.deepStrictEqual(log, [])
  })

  it("interrupts what runs, and releases the layer after the finalizers of that", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const started = Deferred.makeUnsafe<void>()
    const endless = Work.implement(() =>
      Durable.step(
        "endless",
        Effect.andThen(Connection, Deferred.succeed(started, undefined)).pipe(
          Effect.andThen(Effect.never),
          Effect.ensuring(Effect.sync(() => void log.push("finalize")))
        )
      )
    )
    const handler = LambdaHandler.make(endless, { layer: counted(log), checkpoints: lambda.checkpoints })
    lambda.deploy("work", handler)
    const invocation = lambda.first("work")
    await Effect.runPromise(Deferred.await(started))
    await handler.dispose()
    const { error } = await invocation
    assert.strictEqual(reasonOf(error), "interrupted")
    assert.include(String(error), "The handler was disposed while the invocation was running.")
    assert.deepStrictEqual(log, ["build 1", "finalize", "release 1"])
  })

  it("waits for a layer that is being built, and releases it", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const [begun, ready] = [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()]
    const layer = counted(log, () => Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(ready)))
    const handler = LambdaHandler.make(work, { layer, checkpoints: lambda.checkpoints })
    lambda.deploy("work", handler)
    const invocation = lambda.first("work")
    await Effect.runPromise(Deferred.await(begun))
    const disposed = handler.dispose()
    Deferred.doneUnsafe(ready, Effect.void)
    await disposed
    assert.strictEqual(reasonOf((await invocation).error), "interrupted")
    assert.deepStrictEqual(log, ["build 1", "release 1"])
  })

  it("rejects with the defect of a finalizer, when all else is released", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const gone = new Error("The connection is gone.")
    const handler = LambdaHandler.make(work, {
      layer: Layer.merge(counted(log), Layer.effectDiscard(Effect.addFinalizer(() => Effect.die(gone)))),
      checkpoints: lambda.checkpoints
    })
    lambda.deploy("work", handler)
    await lambda.run("work")
    assert.strictEqual(await rejectionOf(handler.dispose()), gone)
    assert.strictEqual(await rejectionOf(handler.dispose()), gone)
    assert.deepStrictEqual(log, ["build 1", "release 1"])
  })

  it("leaves a layer that it shares to the handlers that still have it", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const shared = { layer: counted(log), checkpoints: lambda.checkpoints, memoMap: Layer.makeMemoMapUnsafe() }
    const [first, second] = [LambdaHandler.make(work, shared), LambdaHandler.make(work, shared)]
    lambda.deploy("work", first)
    lambda.deploy("play", second)
    await lambda.run("work")
    await lambda.run("play")
    await first.dispose()
    assert.deepInclude(await lambda.run("play"), { result: "1" })
    assert.deepStrictEqual(log, ["build 1"])
    await second.dispose()
    assert.deepStrictEqual(log, ["build 1", "release 1"])
  })
})

describe("the checkpoints of a handler", () => {
  const broken = (log: Array<string>) =>
    Layer.effect(
      CheckpointStore.CheckpointStore,
      Effect.sync(() => log.push("built")).pipe(Effect.andThen(Effect.fail(new Error("There are no credentials."))))
    )

  it("are never built while a client comes with the event", async () => {
    const log: Array<string> = []
    const lambda = new Lambda({ client: true })
    lambda.deploy("work", LambdaHandler.make(work, { layer: counted([]), checkpoints: broken(log) }))
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED" })
    assert.deepStrictEqual(log, [])
    assert.isAbove(lambda.requests.length, 0)
  })

  it("are used when the client on the event is null", async () => {
    const lambda = new Lambda({ event: (event) => Object.assign(event, { durableExecutionClient: null }) })
    lambda.deploy("work", LambdaHandler.make(work, { layer: counted([]), checkpoints: lambda.checkpoints }))
    assert.deepInclude((await lambda.first("work")).answer, { Status: "SUCCEEDED" })
  })

  it("fail the invocation when they cannot be built, and are tried again", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    const handler = LambdaHandler.make(work, { layer: counted([]), checkpoints: broken(log) })
    lambda.deploy("work", handler)
    const { error } = await lambda.first("work")
    assert.instanceOf(error, Error)
    assert.strictEqual(error.message, "There are no credentials.")
    lambda.pass()
    await lambda.invoke()
    assert.deepStrictEqual(log, ["built", "built"])
  })

  it("are chosen anew by every invocation: with a client, without, and with a client again", async () => {
    let turn = 0
    const lambda = new Lambda({
      event: (event) => (++turn % 2 === 1 ? Object.assign(event, { durableExecutionClient: lambda.client }) : event)
    })
    const nap = Work.implement(() =>
      Effect.gen(function* () {
        yield* Durable.wait("one", "1 minute")
        yield* Durable.wait("two", "1 minute")
        return "rested"
      })
    )
    lambda.deploy("work", LambdaHandler.make(nap, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: `"rested"` })
    assert.strictEqual(turn, 3)
  })
})

describe("an invocation", () => {
  it("has a Scope of its own, which closes when it ends, suspended or not", async () => {
    const log: Array<string> = []
    const lambda = new Lambda()
    let invocation = 0
    const scoped = Work.implement(() =>
      Effect.gen(function* () {
        const id = ++invocation
        yield* Effect.addFinalizer(() => Effect.sync(() => void log.push(`finalize ${id}`)))
        log.push(`acquire ${id}`)
        yield* Durable.wait("nap", "1 minute")
        return null
      })
    )
    lambda.deploy("work", LambdaHandler.make(scoped, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { status: "SUCCEEDED" })
    assert.deepStrictEqual(log, ["acquire 1", "finalize 1", "acquire 2", "finalize 2"])
  })

  it("gives its Lambda context to the workflow and to the bodies of its steps", async () => {
    let id = 0
    const lambda = new Lambda({
      context: () => contextOf(60_000, { awsRequestId: `request-${++id}`, tenantId: "blue" })
    })
    const curious = Work.implement(() =>
      Effect.gen(function* () {
        const { awsRequestId: recorded, tenantId } = yield* Durable.step("ask", aboutRequest)
        yield* Durable.wait("nap", "1 minute")
        const { awsRequestId, getRemainingTimeInMillis } = yield* LambdaContext.LambdaContext
        return { recorded, tenantId, seen: awsRequestId, hasTime: getRemainingTimeInMillis() > 0 }
      })
    )
    const aboutRequest = Effect.map(LambdaContext.LambdaContext, ({ awsRequestId, tenantId = "none" }) => ({
      awsRequestId,
      tenantId
    }))
    lambda.deploy("work", LambdaHandler.make(curious, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    const { status, ...outcome } = await lambda.run("work")
    assert.strictEqual(status, "SUCCEEDED")
    assert.deepStrictEqual(JSON.parse("result" in outcome ? (outcome.result ?? "") : ""), {
      recorded: "request-1",
      tenantId: "blue",
      seen: "request-2",
      hasTime: true
    })
  })

  it("has a context that knows no limits when it is called without one", async () => {
    const lambda = new Lambda({ context: () => undefined })
    const curious = Work.implement(() =>
      Effect.map(LambdaContext.LambdaContext, ({ awsRequestId, functionVersion, getRemainingTimeInMillis }) => [
        awsRequestId,
        functionVersion,
        getRemainingTimeInMillis() > 1e9
      ])
    )
    lambda.deploy("work", LambdaHandler.make(curious, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: `["","$LATEST",true]` })
  })

  it("fills in what a test leaves out of a context, and keeps the rest as it is", async () => {
    /** Whose members are not its own. */
    class Clock {
      getRemainingTimeInMillis(): number {
        return 60_000
      }
    }
    const lambda = new Lambda({ context: () => Object.assign(new Clock(), { functionName: "mine" }) })
    const curious = Work.implement(() =>
      Effect.map(
        LambdaContext.LambdaContext,
        ({ functionName, functionVersion, getRemainingTimeInMillis }) =>
          `${functionName} ${functionVersion} ${getRemainingTimeInMillis()}`
      )
    )
    lambda.deploy("work", LambdaHandler.make(curious, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    assert.deepInclude(await lambda.run("work"), { result: `"mine $LATEST 60000"` })
  })
})

describe("LambdaHandler.make", () => {
  const make = cast<typeof LambdaHandler.make, (...args: ReadonlyArray<unknown>) => unknown>(LambdaHandler.make)
  const implementation = Work.implement(() => Effect.succeed(1))
  const wrong = [
    ["nothing", [], "undefined as the implementation"],
    ["a function", [() => Effect.void, { layer: Layer.empty }], "a function as the implementation"],
    ["a contract", [Work, { layer: Layer.empty }], "an object as the implementation"],
    ["no options", [implementation], "undefined as the layer"],
    ["no layer", [implementation, {}], "undefined as the layer"],
    ["a layer that is none", [implementation, { layer: 5 }], "a number as the layer"]
  ] as const
  for (const [name, args, found] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => make(...args),
        `Expected LambdaHandler.make(implementation, { layer }), found ${found}. Pass what implement returns, and a Layer.`
      )
    })
  }
})
