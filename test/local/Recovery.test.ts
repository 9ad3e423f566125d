/**
 * An engine that ends, and another one that begins on the same database: what was open goes on, what was over is still known.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { ask, folder, type Json, played, type Played, returned, Stage } from "./support.ts"

const event = { "x-amz-invocation-type": "Event" }

const start = (url: string, name: string, functionName = "orders:$LATEST") =>
  Effect.map(
    ask(url, {
      method: "POST",
      path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
      headers: { ...event, "x-amz-durable-execution-name": name },
      body: "{}"
    }),
    ({ headers }) => String(headers["x-amz-durable-execution-arn"])
  )

const checkpoint = (url: string, call: Played, ...updates: ReadonlyArray<Json>) =>
  Effect.map(
    ask(url, {
      method: "POST",
      path: `/2025-12-01/durable-executions/${encodeURIComponent(call.event.DurableExecutionArn)}/checkpoint`,
      body: JSON.stringify({ CheckpointToken: call.event.CheckpointToken, Updates: updates })
    }),
    ({ json }) => json
  )

const get = (url: string, arn: string) =>
  Effect.map(ask(url, { path: `/2025-12-01/durable-executions/${encodeURIComponent(arn)}` }), ({ json }) => json)

const history = (url: string, arn: string): Effect.Effect<ReadonlyArray<Json>> =>
  Effect.map(
    ask(url, { path: `/2025-12-01/durable-executions/${encodeURIComponent(arn)}/history` }),
    ({ json }) => json.Events
  )

/** Waits until the engine has heard that an invocation ended. */
const heardOf = (url: string, call: Played): Effect.Effect<void> =>
  Effect.flatMap(history(url, call.event.DurableExecutionArn), (events) =>
    events.at(-1).EventType === "InvocationCompleted" ? Effect.void : heardOf(url, call)
  )

const wait = (Id: string, WaitSeconds: number) => ({ Id, Type: "WAIT", Action: "START", WaitOptions: { WaitSeconds } })

const pending = returned({ Status: "PENDING" })

/** One engine after the other on one database. */
const twice = <A, B>(
  first: (engine: Effect.Success<ReturnType<typeof played>>) => Effect.Effect<A, never, Scope.Scope>,
  second: (engine: Effect.Success<ReturnType<typeof played>>, found: A) => Effect.Effect<B, never, Scope.Scope>
) =>
  Effect.gen(function* () {
    const database = join(yield* folder, "local.db")
    const scope = yield* Scope.make()
    const found = yield* Effect.flatMap(played({ database }), first).pipe(Scope.provide(scope))
    yield* Scope.close(scope, Exit.void)
    return yield* Effect.flatMap(played({ database }), (engine) => second(engine, found))
  })

describe("An engine that starts again", () => {
  it.effect("repeats what was in flight, which has crashed", () =>
    twice(
      ({ stage, url }) =>
        Effect.gen(function* () {
          const arn = yield* start(url, "one")
          const call = yield* stage.next
          yield* checkpoint(url, call, { Id: "s1", Type: "STEP", Action: "SUCCEED", Payload: "1" })
          return { arn, call }
        }),
      ({ resumed, stage, url }, { arn, call }) =>
        Effect.gen(function* () {
          assert.strictEqual(resumed, 1)
          const stale = yield* checkpoint(url, call)
          assert.strictEqual(stale.message, "Invalid checkpoint token")
          yield* TestClock.adjust("1 second")
          const again = yield* stage.next
          assert.strictEqual(again.event.DurableExecutionArn, arn)
          assert.strictEqual(again.event.InitialExecutionState.Operations[1].StepDetails.Result, "1")
          yield* again.end(returned({ Status: "SUCCEEDED", Result: "2" }))
          assert.strictEqual((yield* get(url, arn)).Status, "SUCCEEDED")
          const events = yield* history(url, arn)
          assert.deepStrictEqual(
            events.map(({ EventType }) => EventType),
            ["ExecutionStarted", "StepSucceeded", "InvocationCompleted", "InvocationCompleted", "ExecutionSucceeded"]
          )
          const { Error, RequestId } = events[2].InvocationCompletedDetails
          assert.strictEqual(Error.Payload.ErrorType, "Runtime.ExitError")
          assert.strictEqual(RequestId, call.requestId)
        })
    )
  )

  it.effect("lets happen what fell due meanwhile, in the order in which it did", () =>
    twice(
      ({ stage, url }) =>
        Effect.gen(function* () {
          for (const [name, seconds] of [
            ["late", 30],
            ["early", 10],
            ["future", 500]
          ] as const) {
            yield* start(url, name)
            const call = yield* stage.next
            yield* checkpoint(url, call, wait("w", seconds))
            yield* call.end(pending)
            yield* heardOf(url, call)
          }
        }),
      ({ resumed, stage, url }) =>
        Effect.gen(function* () {
          assert.strictEqual(resumed, 3)
          yield* TestClock.adjust("60 seconds")
          const names = []
          for (let index = 0; index < 2; index++) {
            const { event: found } = yield* stage.next
            names.push(found.InitialExecutionState.Operations[0].Name)
          }
          assert.deepStrictEqual(names, ["early", "late"])
          const { json } = yield* ask(url, { path: "/2025-12-01/functions/orders/durable-executions?Statuses=RUNNING" })
          assert.lengthOf(json.DurableExecutions, 3)
        })
    )
  )

  it.effect("takes what is sent to a callback that the engine before it has given", () =>
    twice(
      ({ stage, url }) =>
        Effect.gen(function* () {
          yield* start(url, "one")
          const call = yield* stage.next
          const answer = yield* checkpoint(url, call, { Id: "c", Type: "CALLBACK", Action: "START" })
          yield* call.end(pending)
          yield* heardOf(url, call)
          return String(answer.NewExecutionState.Operations[0].CallbackDetails.CallbackId)
        }),
      ({ stage, url }, callbackId) =>
        Effect.gen(function* () {
          const path = `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbackId)}/succeed`
          assert.strictEqual((yield* ask(url, { method: "POST", path, body: "yes" })).status, 200)
          const { event: found } = yield* stage.next
          assert.strictEqual(found.InitialExecutionState.Operations[1].CallbackDetails.Result, "yes")
        })
    )
  )

  it.effect("fails a plain target that was running, because one is run only once", () =>
    twice(
      ({ stage, url }) =>
        Effect.gen(function* () {
          const arn = yield* start(url, "one")
          const call = yield* stage.next
          const update = {
            Id: "i",
            Type: "CHAINED_INVOKE",
            Action: "START",
            ChainedInvokeOptions: { FunctionName: "email" }
          }
          yield* checkpoint(url, call, update)
          yield* call.end(pending)
          assert.strictEqual((yield* stage.next).functionName, "email")
          return arn
        }),
      ({ stage }) =>
        Effect.gen(function* () {
          const { event: found } = yield* stage.next
          const [, invoke] = found.InitialExecutionState.Operations
          assert.strictEqual(invoke.Status, "FAILED")
          assert.strictEqual(invoke.ChainedInvokeDetails.Error.ErrorType, "Runtime.ExitError")
        })
    )
  )

  it.effect("knows what was over, and its name", () =>
    twice(
      ({ machine, stage, url }) =>
        Effect.gen(function* () {
          const arn = yield* start(url, "one")
          yield* (yield* stage.next).end(returned({ Status: "SUCCEEDED", Result: "7" }))
          assert.strictEqual((yield* machine.ended(arn))?.status, "SUCCEEDED")
          assert.deepStrictEqual(machine.inMemory(), [])
          return arn
        }),
      ({ resumed, url }, arn) =>
        Effect.gen(function* () {
          assert.strictEqual(resumed, 0)
          assert.strictEqual(yield* start(url, "one"), arn)
          assert.strictEqual((yield* get(url, arn)).Result, "7")
        })
    )
  )
})

describe("An engine", () => {
  it.effect("ends when its database cannot be written any more, and says so to whoever asks", () =>
    Effect.gen(function* () {
      const { machine, url } = yield* played({ maxDatabaseBytes: 150_000 })
      const large = JSON.stringify("x".repeat(200_000))
      const answer = yield* ask(url, {
        method: "POST",
        path: "/2015-03-31/functions/orders%3A%24LATEST/invocations",
        headers: event,
        body: large
      })
      assert.strictEqual(answer.status, 500)
      assert.strictEqual(answer.headers["x-amzn-errortype"], "ServiceException")
      assert.match(answer.json.Message, /cannot grow: the disk is full/)
      const error = yield* Effect.flip(Deferred.await(machine.failed))
      assert.strictEqual(error.reason, "full")
      assert.strictEqual((yield* ask(url, { path: "/2025-12-01/functions/orders/durable-executions" })).status, 500)
    })
  )

  it.effect("does not let those wait for ever who wait for an execution when its database fails", () =>
    Effect.gen(function* () {
      const { machine, stage, url } = yield* played({ maxDatabaseBytes: 150_000 })
      const arn = yield* start(url, "one")
      const call = yield* stage.next
      const waiting = yield* Effect.forkChild(Effect.exit(machine.ended(arn)), { startImmediately: true })
      yield* checkpoint(url, call, {
        Id: "s1",
        Type: "STEP",
        Action: "SUCCEED",
        Payload: JSON.stringify("x".repeat(200_000))
      })
      const exit = yield* Fiber.join(waiting)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.match(String(exit), /cannot grow: the disk is full/)
    })
  )

  it.effect("counts a call that it cannot make as one that has crashed", () =>
    Effect.gen(function* () {
      const stage = new Stage()
      const functions = { ...stage.functions, run: () => Effect.die(new Error("no sockets left")) }
      const { url } = yield* played({ functions: () => Effect.succeed(functions) })
      const arn = yield* start(url, "one")
      const [, completed] = yield* history(url, arn)
      assert.strictEqual(completed.InvocationCompletedDetails.Error.Payload.ErrorMessage, "no sockets left")
      const { json } = yield* ask(url, { method: "POST", path: "/2015-03-31/functions/email/invocations" })
      assert.strictEqual(json.errorMessage, "no sockets left")
    })
  )

  it.effect("gives no more calls to functions that are being stopped", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const note = (line: string) => Effect.sync(() => void log.push(line))
      const { functions } = new Stage()
      const begun = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const { url } = yield* played({
        functions: () =>
          Effect.map(Effect.scope, (own) => ({
            ...functions,
            // As a process does, which starts with the first call.
            run: () =>
              Scope.addFinalizer(own, note("the process is stopped")).pipe(
                Effect.andThen(Deferred.succeed(begun, undefined)),
                Effect.andThen(Effect.never),
                Effect.onInterrupt(() => note("the call is over"))
              )
          }))
      }).pipe(Scope.provide(scope))
      yield* start(url, "one")
      yield* Deferred.await(begun)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["the call is over", "the process is stopped"])
    })
  )

  it.effect("lets waits take as long as they should when the clock of the machine is set back", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played()
      yield* TestClock.adjust("10 hours")
      yield* start(url, "before")
      yield* (yield* stage.next).end(returned({ Status: "SUCCEEDED" }))
      yield* TestClock.setTime(Duration.toMillis("1 hour"))
      const arn = yield* start(url, "after")
      const call = yield* stage.next
      yield* checkpoint(url, call, wait("w", 5))
      yield* call.end(pending)
      yield* heardOf(url, call)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* stage.next).event.DurableExecutionArn, arn)
    })
  )

  it.effect("forgets what is older than it keeps it", () =>
    Effect.gen(function* () {
      const { machine, stage, url } = yield* played({ engine: { retentionDays: 1 } })
      const arn = yield* start(url, "one")
      yield* (yield* stage.next).end(returned({ Status: "SUCCEEDED" }))
      yield* machine.ended(arn)
      yield* TestClock.adjust("23 hours")
      assert.strictEqual((yield* get(url, arn)).Status, "SUCCEEDED")
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(
        (yield* ask(url, { path: `/2025-12-01/durable-executions/${encodeURIComponent(arn)}` })).status,
        404
      )
      assert.notStrictEqual(yield* start(url, "one"), arn)
    })
  )
})
