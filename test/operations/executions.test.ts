import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy, Targets } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  actions,
  assertSucceeded,
  crashAt,
  defectOf,
  execute,
  failureOf,
  holds,
  lateClient,
  valueOf,
  type Client
} from "./support.ts"

const Report = DurableFunction.make("report", { payload: Schema.String, success: Schema.String })
const report = Report.implement((month) => Effect.as(Durable.wait("write", "1 hour"), `report of ${month}`))

const unavailable = new DurableClient.ClientUnavailable({ message: "try again" })

/** A client that notes what it is asked to start, and fails so many times before or after it has done so. */
const unreliable = (
  options: { readonly times?: number; readonly error?: DurableClient.ClientError; readonly lost?: boolean } = {}
) => {
  const { error = unavailable, lost = false, times = 0 } = options
  const names: Array<string | undefined> = []
  const change = (client: Client): Partial<Client> => ({
    start: (request) =>
      Effect.suspend(() => {
        names.push(request.executionName)
        if (names.length > times) return client.start(request)
        return lost ? Effect.andThen(client.start(request), Effect.fail(error)) : Effect.fail(error)
      })
  })
  return { names, change }
}

/** The error of an effect that fails. */
const failing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, never, R> =>
  Effect.orDie(Effect.flip(effect))

/** How many executions of a function there are. */
const countOf = (functionName: string) =>
  Effect.flatMap(DurableClient.DurableClient, (client) =>
    Effect.map(client.list(functionName, { maxItems: 1_000 }), ({ items }) => items.length)
  )

/** The same, looked up at the end of a workflow. */
const counting = <A, E>(body: Effect.Effect<A, E, Durable.Execution | DurableClient.DurableClient>) =>
  Effect.flatMap(body, (value) => Effect.map(Effect.orDie(countOf("report")), (executions) => ({ value, executions })))

describe("Durable.start", () => {
  it.effect("starts an execution, does not wait for it, and answers with a reference that can be polled", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const started = yield* Effect.orDie(Durable.start(Report, "2026-11"))
          const early = yield* Effect.orDie(DurableClient.poll(started))
          yield* Durable.wait("rest", "2 hours")
          const late = yield* Effect.orDie(DurableClient.poll(started))
          return { started, early, late }
        }),
        { functions: [report] }
      )
      const { early, late, started } = valueOf(ran)
      assert.strictEqual(started.contract, Report)
      assert.match(started.executionArn, /:function:report:/)
      // The second invocation looks when the report is there.
      assert.deepStrictEqual(early, Option.some("report of 2026-11"))
      assert.deepStrictEqual(late, Option.some("report of 2026-11"))
    })
  )

  it.effect("is one step that records the ARN", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.orDie(Durable.start(Report, "2026-11")), { functions: [report] })
      assert.deepStrictEqual(actions(ran.updates), ["START report", "SUCCEED report"])
      const [step] = ran.operations
      assert.strictEqual(step?.Type, "STEP")
      assert.strictEqual(step?.StepDetails?.Result, JSON.stringify(valueOf(ran).executionArn))
    })
  )

  it.effect("starts once, however often the workflow is replayed", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const first = yield* Effect.orDie(Durable.start(Report, "a"))
        yield* Durable.wait("replay", "1 hour")
        const again = yield* Effect.orDie(Durable.start(Report, "a"))
        yield* Durable.wait("replay", "1 hour")
        return [first.executionArn, again.executionArn]
      })
      const ran = yield* execute(counting(program), { functions: [report] })
      const { executions, value } = valueOf(ran)
      assert.strictEqual(executions, 2)
      assert.notStrictEqual(value[0], value[1])
    })
  )

  for (const when of ["before", "after"] as const) {
    it.effect(`starts once when the process dies ${when} the answer is recorded`, () =>
      Effect.gen(function* () {
        const { change, names } = unreliable()
        const ran = yield* execute(counting(Effect.orDie(Durable.start(Report, "a"))), {
          functions: [report],
          client: change,
          store: crashAt(holds("SUCCEED", "report"), when)
        })
        assert.strictEqual(valueOf(ran).executions, 1)
        assert.lengthOf(names, when === "before" ? 2 : 1)
        assert.lengthOf(new Set(names), 1)
      })
    )
  }

  it.effect("is repeated while the client is unavailable, under the same name, and starts once", () =>
    Effect.gen(function* () {
      for (const lost of [false, true]) {
        const { change, names } = unreliable({ times: 3, lost })
        const ran = yield* execute(counting(Effect.orDie(Durable.start(Report, "a"))), {
          functions: [report],
          client: change
        })
        assert.strictEqual(valueOf(ran).executions, 1)
        assert.lengthOf(names, 4)
        assert.lengthOf(new Set(names), 1)
      }
    })
  )

  it.effect("gives up after six attempts, with the error of the client", () =>
    Effect.gen(function* () {
      const { change, names } = unreliable({ times: Infinity })
      const ran = yield* execute(failing(Durable.start(Report, "a")), { functions: [report], client: change })
      assert.deepStrictEqual(valueOf(ran), unavailable)
      assert.lengthOf(names, 6)
    })
  )

  for (const error of [
    new DurableClient.ClientRefused({ message: "no" }),
    new DurableClient.NotFound({ message: "no such function" }),
    new DurableClient.ExecutionAlreadyStarted({ message: "another payload" })
  ]) {
    it.effect(`is not repeated when the service says ${error._tag}, which arrives as itself, on replays too`, () =>
      Effect.gen(function* () {
        const { change, names } = unreliable({ times: 1, error })
        const seen: Array<unknown> = []
        const ran = yield* execute(
          Effect.gen(function* () {
            seen.push(yield* failing(Durable.start(Report, "a")))
            yield* Durable.wait("replay", "1 hour")
          }).pipe(Effect.orDie),
          { functions: [report], client: change }
        )
        assertSucceeded(ran)
        assert.deepStrictEqual(seen, [error, error])
        assert.lengthOf(names, 1)
      })
    )
  }

  it.effect("takes the name from the options, else from the contract, else one of its own", () =>
    Effect.gen(function* () {
      const Keyed = DurableFunction.make("report", { payload: Schema.String, idempotencyKey: (month) => `of-${month}` })
      const keyed = Keyed.implement(() => Effect.void)
      const { change, names } = unreliable()
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.start(Keyed, "a", { executionName: "mine" })
          yield* Durable.start(Keyed, "a")
          yield* Durable.start(Keyed, "a")
          yield* Durable.start(DurableFunction.make("report", { payload: Schema.String }), "b")
          return yield* countOf("report")
        }).pipe(Effect.orDie),
        { functions: [keyed], client: change }
      )
      assert.strictEqual(valueOf(ran), 3)
      assert.deepStrictEqual(names.slice(0, 3), ["mine", "of-a", "of-a"])
      assert.match(names[3] ?? "", /^[0-9a-f]{32}-[0-9a-f]{16}$/)
    })
  )

  it.effect("finds that a name belongs to an execution with another payload", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Effect.orDie(Durable.start(Report, "a", { executionName: "mine" }))
          return yield* failing(Durable.start(Report, "b", { executionName: "mine" }))
        }),
        { functions: [report] }
      )
      assert.instanceOf(valueOf(ran), DurableClient.ExecutionAlreadyStarted)
    })
  )

  it.effect("refuses what is no name of an execution, without a request", () =>
    Effect.gen(function* () {
      const { change, names } = unreliable()
      for (const executionName of ["", "a b", "x".repeat(65)]) {
        const ran = yield* execute(failing(Durable.start(Report, "a", { executionName })), {
          functions: [report],
          client: change
        })
        assert.instanceOf(valueOf(ran), DurableClient.ClientRefused)
      }
      assert.lengthOf(names, 0)
    })
  )

  it.effect("finds what is wrong with the call before anything is recorded", () =>
    Effect.gen(function* () {
      const wrong: Record<string, Effect.Effect<unknown, unknown, Durable.Execution | DurableClient.DurableClient>> = {
        InvalidTarget: Effect.provide(Durable.start(Report, "a"), Targets.layer({ report: "report" })),
        InvalidTenantId: Durable.start(Report, "a", { tenantId: "é" }),
        PayloadTooLarge: Durable.start(Report, "x".repeat(2_000_000)),
        SerdesFailed: Durable.start(cast<unknown, typeof Report>(Report), cast<number, string>(1))
      }
      for (const [type, start] of Object.entries(wrong)) {
        const ran = yield* execute(Effect.orDie(start), { functions: [report] })
        assert.strictEqual(failureOf(ran).errorType, type)
        assert.deepStrictEqual(ran.updates, [])
        assert.include(failureOf(ran).errorMessage, '"report"')
      }
    })
  )

  it.effect("goes on with a start that is recorded, wherever the function is said to be by then", () =>
    Effect.gen(function* () {
      let invocations = 0
      const start = Effect.suspend(() =>
        Effect.provide(Durable.start(Report, "a"), Targets.layer(++invocations === 1 ? {} : { report: "report" }))
      )
      const ran = yield* execute(Effect.tap(Effect.orDie(start), Durable.wait("replay", "1 hour")), {
        functions: [report]
      })
      assertSucceeded(ran)
      assert.strictEqual(invocations, 2)
    })
  )

  it.effect("sends the address, the payload and the tenant", () =>
    Effect.gen(function* () {
      const requests: Array<DurableClient.StartRequest> = []
      const ran = yield* execute(
        Effect.orDie(
          Effect.provide(
            Durable.start(Report, "a", { tenantId: "tenant-1", name: "monthly" }),
            Targets.layer({ report: "reports:live" })
          )
        ),
        {
          client: () => ({
            start: (request) => {
              requests.push(request)
              return Effect.succeed({ executionArn: "arn:1" })
            }
          })
        }
      )
      assert.strictEqual(valueOf(ran).executionArn, "arn:1")
      assert.deepStrictEqual(
        requests.map(({ functionName, payload, tenantId, type }) => ({ functionName, payload, tenantId, type })),
        [{ functionName: "reports:live", payload: '"a"', tenantId: "tenant-1", type: "Event" }]
      )
      assert.strictEqual(ran.operations[0]?.Name, "monthly")
    })
  )

  it.effect("is refused in the body of a step", () =>
    Effect.gen(function* () {
      const inner = cast<unknown, Effect.Effect<string>>(Durable.start(Report, "a"))
      const ran = yield* execute(Durable.step("in", inner, { retry: RetryPolicy.none }), { functions: [report] })
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
    })
  )
})

describe("Durable.stop", () => {
  const Sleeper = DurableFunction.make("sleeper")
  const sleeper = Sleeper.implement(() => Durable.wait("sleep", "100 days"))

  it.effect("stops an execution with the error that is given", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const started = yield* Durable.start(Sleeper)
          yield* Durable.wait("rest", "1 day")
          yield* Durable.stop(started, { error: { ErrorType: "Superseded", ErrorMessage: "a newer one" } })
          return yield* failing(DurableClient.poll(started))
        }).pipe(Effect.orDie),
        { functions: [sleeper] }
      )
      const error = valueOf(ran)
      assert(error instanceof DurableClient.ExecutionFailed)
      assert.strictEqual(error.status, "STOPPED")
      assert.strictEqual(error.errorType, "Superseded")
      assert.deepStrictEqual(
        ran.operations.map(({ Name, Type }) => `${Type} ${Name}`),
        ["STEP sleeper", "WAIT rest", "STEP stop"]
      )
    })
  )

  it.effect("does nothing to one that has ended, and may be repeated", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const started = yield* Durable.start(Report, "a")
          yield* Durable.wait("rest", "1 day")
          yield* Durable.stop(started)
          yield* Durable.stop(started)
          return yield* DurableClient.poll(started)
        }).pipe(Effect.orDie),
        { functions: [report] }
      )
      assert.deepStrictEqual(valueOf(ran), Option.some("report of a"))
    })
  )

  it.effect("tells of an execution that does not exist, and is not repeated", () =>
    Effect.gen(function* () {
      let calls = 0
      const ran = yield* execute(failing(Durable.stop({ executionArn: arnOf("sleeper", "nobody") })), {
        functions: [sleeper],
        client: (client) => ({
          stop: (...args) => {
            calls++
            return client.stop(...args)
          }
        })
      })
      assert.instanceOf(valueOf(ran), DurableClient.NotFound)
      assert.strictEqual(calls, 1)
    })
  )

  it.effect("is repeated while the client is unavailable", () =>
    Effect.gen(function* () {
      let calls = 0
      const ran = yield* execute(Effect.orDie(Durable.stop({ executionArn: "arn:1" })), {
        client: () => ({ stop: () => (++calls < 3 ? Effect.fail(unavailable) : Effect.succeed(0)) })
      })
      assertSucceeded(ran)
      assert.strictEqual(calls, 3)
    })
  )
})

const arnOf = (functionName: string, execution: string): string =>
  `arn:aws:lambda:us-east-1:123456789012:function:${functionName}:$LATEST/durable-execution/${execution}/run-1`

// --- Handing over ----------------------------------------------------------------------------------------------------

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** Time does not pass for whoever waits for the world. */
const patient = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.provideService(effect, Clock.Clock, Object.assign(Object.create(clock), { sleep: () => turn }))
  )

/** The outcome that a reader of an execution gets, followed over all that it handed over to. */
const outcomeOf = <C extends DurableFunction.AnyDurable>(started: DurableClient.Started<C>) =>
  Effect.flatMap(
    Effect.repeat(Effect.tap(DurableClient.poll(started), turn), { until: Option.isSome }),
    Effect.fromOption
  )

const Count = DurableFunction.make("count", {
  payload: Schema.Struct({ left: Schema.Int, done: Schema.Array(Schema.Int) }),
  success: Schema.Array(Schema.Int)
})
type Counting = typeof Count.payload.Type

/** A world with a function that goes on as itself. */
const rounds = (
  handler: (
    payload: Counting
  ) => Effect.Effect<ReadonlyArray<number>, never, Durable.Execution | DurableClient.DurableClient>,
  options: { readonly client?: (client: Client) => Partial<Client> } = {}
) => {
  const client = lateClient()
  const count = Count.implement((payload) => Effect.provide(handler(payload), client.layer))
  return <A, E>(test: Effect.Effect<A, E, DurableClient.DurableClient | TestEngine.TestEngine>) =>
    Effect.andThen(client.connect(options.client), test).pipe(Effect.provide(TestEngine.layer([count])))
}

describe("Durable.continueWith", () => {
  it.effect("hands over to a fresh execution, whose outcome the readers of the first one get", () =>
    Effect.gen(function* () {
      const inWorld = rounds(({ done, left }) =>
        Effect.gen(function* () {
          yield* Durable.wait("round", "1 day")
          if (left > 0) return yield* Durable.continueWith(Count, { left: left - 1, done: [...done, left] })
          return done
        })
      )
      yield* inWorld(
        Effect.gen(function* () {
          const started = yield* DurableClient.start(Count, { left: 5, done: [] })
          assert.deepStrictEqual(yield* outcomeOf(started), [5, 4, 3, 2, 1])
          assert.strictEqual(yield* countOf("count"), 6)
          const client = yield* DurableClient.DurableClient
          const first = yield* client.get(started.executionArn)
          assert.strictEqual(first.Status, "SUCCEEDED")
          assert.deepStrictEqual(
            yield* patient(DurableClient.run(Count, { left: 3, done: [] }, { executionName: "second" })),
            [3, 2, 1]
          )
        })
      )
    })
  )

  const places: Record<
    string,
    (
      go: Effect.Effect<never, never, Durable.Execution | DurableClient.DurableClient>
    ) => Effect.Effect<unknown, never, Durable.Execution | DurableClient.DurableClient>
  > = {
    "the workflow": (go) => go,
    "a child": (go) => Durable.child("in", Effect.asVoid(Durable.child("deep", go))),
    "a flat child": (go) => Durable.child("in", go, { flat: true }),
    "a branch": (go) => Durable.all("all", [Durable.wait("long", "9 days"), go], { concurrency: "unbounded" }),
    "a raw branch": (go) => Effect.all([Durable.wait("long", "9 days"), go], { concurrency: "unbounded" }),
    "an attempt": (go) => Durable.retry("again", go, RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })),
    "a finalizer": (go) => Effect.ensuring(Durable.step("work", Effect.void), go),
    "a durable finalizer": (go) => Durable.onExit(Effect.die(new Error("boom")), () => go),
    "an uninterruptible block": (go) => Effect.uninterruptible(Effect.andThen(Effect.exit(go), Effect.die("on"))),
    "a forked fiber": (go) => Effect.andThen(Effect.forkChild(go), Durable.wait("long", "9 days")),
    "a handler that catches everything": (go) =>
      Effect.catchCause(Effect.asVoid(go), () => Effect.asVoid(Effect.orDie(Durable.step("swallowed", Effect.void))))
  }
  for (const [place, put] of Object.entries(places)) {
    it.effect(`ends the execution from ${place}`, () =>
      Effect.gen(function* () {
        const inWorld = rounds(({ done, left }) =>
          left === 0
            ? Effect.succeed(done)
            : Effect.as(put(Durable.continueWith(Count, { left: left - 1, done: [...done, left] })), [-1])
        )
        yield* inWorld(
          Effect.gen(function* () {
            const started = yield* DurableClient.start(Count, { left: 2, done: [] })
            assert.deepStrictEqual(yield* outcomeOf(started), [2, 1])
            assert.strictEqual(yield* countOf("count"), 3)
            const events = yield* DurableClient.events(started.executionArn).pipe(
              Stream.map(({ Name }) => Name),
              Stream.runCollect
            )
            assert.notInclude(events, "swallowed")
          })
        )
      })
    )
  }

  it.effect("runs no compensation, and takes none along", () =>
    Effect.gen(function* () {
      const undone: Array<number> = []
      const inWorld = rounds(({ done, left }) =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("book", Durable.step("book", Effect.succeed(left)), (number) =>
            Effect.sync(() => void undone.push(number))
          )
          if (left > 0) return yield* Durable.continueWith(Count, { left: left - 1, done })
          return yield* Effect.die(new Error("boom"))
        })
      )
      yield* inWorld(
        Effect.gen(function* () {
          const exit = yield* Effect.exit(outcomeOf(yield* DurableClient.start(Count, { left: 2, done: [] })))
          assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "boom")
          assert.deepStrictEqual(undone, [0])
        })
      )
    })
  )

  it.effect("lets siblings in flight go, whose outcome is not recorded", () =>
    Effect.gen(function* () {
      const done: Array<string> = []
      const inWorld = rounds(({ left }) =>
        left === 0
          ? Effect.succeed([0])
          : Effect.as(
              Effect.all(
                [
                  Durable.step(
                    "slow",
                    Effect.andThen(
                      Effect.sleep("1 hour"),
                      Effect.sync(() => void done.push("slow"))
                    )
                  ),
                  Effect.andThen(Durable.step("quick", Effect.void), Durable.continueWith(Count, { left: 0, done: [] }))
                ],
                { concurrency: "unbounded" }
              ),
              []
            )
      )
      yield* inWorld(
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* outcomeOf(yield* DurableClient.start(Count, { left: 1, done: [] })), [0])
          assert.deepStrictEqual(done, [])
        })
      )
    })
  )

  it.effect("starts nothing twice when the client fails, or loses its answer", () =>
    Effect.gen(function* () {
      const { change, names } = unreliable({ times: 2, lost: true })
      const inWorld = rounds(
        ({ done, left }) =>
          left > 0 ? Durable.continueWith(Count, { left: left - 1, done }) : Effect.succeed([...done]),
        { client: change }
      )
      yield* inWorld(
        Effect.gen(function* () {
          yield* outcomeOf(yield* DurableClient.start(Count, { left: 1, done: [] }))
          assert.strictEqual(yield* countOf("count"), 2)
          assert.lengthOf(names, 3)
          assert.lengthOf(new Set(names), 1)
        })
      )
    })
  )

  for (const when of ["before", "after"] as const) {
    it.effect(`starts nothing twice when the process dies ${when} the start is recorded`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Effect.asVoid(Durable.continueWith(Report, "a")), {
          functions: [report],
          store: crashAt(holds("SUCCEED", "report"), when)
        })
        assert.strictEqual(ran.exits.length, 0)
        assert.deepStrictEqual(
          ran.operations.map(({ Name, Status }) => `${Name} ${Status}`),
          ["report SUCCEEDED"]
        )
        assert.strictEqual(ran.history.at(-1)?.EventType, "ExecutionSucceeded")
      })
    )
  }

  it.effect("gives the other a name that belongs to this operation alone, although the contract has a key", () =>
    Effect.gen(function* () {
      const Order = DurableFunction.make("order", {
        payload: Schema.Struct({ id: Schema.String, round: Schema.Int }),
        success: Schema.Int,
        idempotencyKey: ({ id }) => id
      })
      const client = lateClient()
      const order = Order.implement(({ id, round }) =>
        Effect.provide(
          round < 3 ? Durable.continueWith(Order, { id, round: round + 1 }) : Effect.succeed(round),
          client.layer
        )
      )
      yield* Effect.gen(function* () {
        yield* client.connect()
        assert.strictEqual(yield* outcomeOf(yield* DurableClient.start(Order, { id: "o-1", round: 0 })), 3)
      }).pipe(Effect.provide(TestEngine.layer([order])))
    })
  )

  it.effect("refuses to hand over to itself", () =>
    Effect.gen(function* () {
      const Same = DurableFunction.make("same")
      const client = lateClient()
      const same = Same.implement(() =>
        Effect.provide(Durable.continueWith(Same, undefined, { executionName: "me" }), client.layer)
      )
      yield* Effect.gen(function* () {
        yield* client.connect()
        const run = yield* TestEngine.start(Same, undefined, { executionName: "me" })
        const error = failureOf({ result: yield* Effect.exit(run.result) })
        assert.strictEqual(error.errorType, "InvalidOptions")
      }).pipe(Effect.provide(TestEngine.layer([same])))
    })
  )

  it.effect("fails as a defect when the other cannot be started", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.asVoid(Durable.continueWith(Report, "a")))
      assert.instanceOf(defectOf(ran.exits[0]), DurableClient.NotFound)
      assert.strictEqual(failureOf(ran).errorType, "NotFound")
    })
  )

  it.effect("is a failure for an invoke, which follows nobody, and says what to do", () =>
    Effect.gen(function* () {
      const client = lateClient()
      const going = DurableFunction.make("going", { success: Schema.String })
      const goes = going.implement(() => Effect.provide(Durable.continueWith(Report, "a"), client.layer))
      const Caller = DurableFunction.make("caller", { success: Schema.String })
      const caller = Caller.implement(() =>
        Durable.invoke(going).pipe(
          Effect.catchTag("InvokeFailed", ({ errorType, message }) => Effect.succeed(`${errorType}: ${message}`))
        )
      )
      const text = yield* Effect.andThen(client.connect(), TestEngine.run(Caller)).pipe(
        Effect.provide(TestEngine.layer([goes, report, caller]))
      )
      assert.match(text, /^ExecutionContinued: .*Durable\.start/)
    })
  )

  it.live("goes on far beyond the limits of one execution, for readers too", () =>
    Effect.gen(function* () {
      const total = 250
      const client = lateClient()
      const Walk = DurableFunction.make("walk", {
        payload: Schema.Struct({ round: Schema.Int, sum: Schema.Int }),
        success: Schema.Int
      })
      const walk = Walk.implement(({ round, sum }) =>
        Effect.gen(function* () {
          const next = yield* Durable.step("add", Effect.succeed(sum + round))
          if (round < total) return yield* Durable.continueWith(Walk, { round: round + 1, sum: next })
          return next
        }).pipe(Effect.provide(client.layer))
      )
      yield* Effect.gen(function* () {
        yield* client.connect()
        assert.strictEqual(yield* patient(DurableClient.run(Walk, { round: 1, sum: 0 })), (total * (total + 1)) / 2)
      }).pipe(Effect.provide(TestEngine.layer([walk])))
    })
  )
})
