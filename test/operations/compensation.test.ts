import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, CompletionPolicy, Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import { contextNames } from "./blocks.ts"
import {
  actions,
  assertSucceeded,
  besidePromise,
  crashAt,
  deployed,
  errorOf,
  execute,
  failureOf,
  invokeOnce,
  unchecked,
  valueOf,
  type Ran
} from "./support.ts"

const both = { concurrency: "unbounded" } as const
const boom = Effect.die(new Error("boom"))

/** What happened, in order, with every effect noted where it is really done. */
const notes = () => {
  const log: Array<string> = []
  const note = (text: string) => Effect.sync(() => void log.push(text))
  const step = (name: string, text = name) => Durable.step(name, note(text))
  /** Books something, which is undone by a step. */
  const book = (name: string) =>
    Durable.withCompensation(name, Durable.step("book", Effect.as(note(`book ${name}`), `${name}-1`)), (booked) =>
      Durable.step("cancel", note(`cancel ${booked}`))
    )
  const undone = () => log.filter((line) => line.startsWith("cancel")).map((line) => line.slice("cancel ".length))
  return { log, note, step, book, undone }
}

const compensations = (ran: Ran<unknown, unknown>) =>
  contextNames(ran).filter((name) => name?.startsWith("compensate:"))

describe("Durable.withCompensation", () => {
  it.effect("undoes what was done when the execution fails, the last first, and then fails as it would have", () =>
    Effect.gen(function* () {
      const { book, log } = notes()
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* book("flight")
          yield* Durable.wait("think", "1 hour")
          yield* book("hotel")
          yield* Durable.wait("think", "1 hour")
          return yield* boom
        })
      )
      assert.deepStrictEqual(log, ["book flight", "book hotel", "cancel hotel-1", "cancel flight-1"])
      assert.strictEqual(failureOf(ran).errorMessage, "boom")
    })
  )

  it.effect("gives what was done back, and runs no undo when the execution succeeds", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const ran = yield* execute(book("flight"))
      assert.strictEqual(valueOf(ran), "flight-1")
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("costs nothing besides its operations, and one context for each undo", () =>
    Effect.gen(function* () {
      const { book } = notes()
      const ran = yield* execute(Effect.andThen(book("flight"), boom))
      assert.deepStrictEqual(actions(ran.updates), [
        "START book",
        "SUCCEED book",
        "START compensate:flight",
        "START cancel",
        "SUCCEED cancel",
        "SUCCEED compensate:flight"
      ])
      const context = ran.operations.find((operation) => operation.Name === "compensate:flight")
      assert.strictEqual(context?.SubType, "RunInChildContext")
      assert.isUndefined(context?.ParentId)
      assert.isFalse(context?.ContextDetails?.ReplayChildren)
    })
  )

  it.effect("does not undo what failed", () =>
    Effect.gen(function* () {
      const { undone, note } = notes()
      const failing = Durable.withCompensation("flight", boom, () => Durable.step("cancel", note("cancel flight")))
      yield* execute(failing)
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("runs for a typed error, a defect, and a workflow that interrupts itself", () =>
    Effect.gen(function* () {
      for (const end of [
        Effect.fail(new DurableError.DurableTimeout({ operation: "x" })),
        Effect.die("a text"),
        Effect.interrupt,
        Durable.child("in", Effect.interrupt),
        Durable.child("in", boom)
      ]) {
        const { book, undone } = notes()
        const ran = yield* execute(Effect.andThen(book("flight"), end))
        assert.isTrue(Exit.isFailure(ran.result))
        assert.deepStrictEqual(undone(), ["flight-1"])
      }
    })
  )

  it.effect("does not run for an error that is caught", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const caught = Effect.exit(Durable.child("trip", Effect.andThen(book("flight"), boom)))
      assertSucceeded(yield* execute(Effect.andThen(caught, Durable.wait("replay", "1 hour"))))
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("runs when the execution fails after an error that was caught", () =>
    Effect.gen(function* () {
      const { book, log, undone } = notes()
      const caught = Effect.exit(Durable.child("trip", Effect.andThen(book("flight"), boom)))
      yield* execute(Effect.andThen(caught, Effect.andThen(Durable.wait("replay", "1 hour"), boom)))
      assert.deepStrictEqual(undone(), ["flight-1"])
      assert.lengthOf(log, 2)
    })
  )

  const mistakes: Record<string, Effect.Effect<unknown, never, Durable.Execution>> = {
    InvalidName: Durable.wait("", "1 hour"),
    Stuck: Effect.never,
    NameInUse: besidePromise(Durable.wait("a", 1_000), Durable.wait("a", 1_000)),
    InvalidDuration: Durable.wait("never", "367 days"),
    PayloadTooLarge: Durable.step("large", Effect.succeed("x".repeat(300_000)), { retry: RetryPolicy.none }),
    SerdesFailed: Durable.step("text", unchecked(Effect.succeed(new Map())), { retry: RetryPolicy.none })
  }
  for (const [type, mistake] of Object.entries(mistakes)) {
    for (const [where, wrap] of [
      ["the workflow", (effect: typeof mistake) => effect],
      ["a child", (effect: typeof mistake) => Durable.child("in", Effect.asVoid(effect))]
    ] as const) {
      it.effect(`does not run for a mistake such as ${type} in ${where}`, () =>
        Effect.gen(function* () {
          const { book, undone } = notes()
          const ran = yield* execute(Effect.andThen(book("flight"), wrap(mistake)))
          assert.strictEqual(failureOf(ran).errorType, type)
          assert.deepStrictEqual(undone(), [])
          assert.deepStrictEqual(compensations(ran), [])
        })
      )
    }
  }

  it.effect("does not run for a contradiction between code and history", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const before = Effect.andThen(book("flight"), Durable.wait("then", "1 hour"))
      const after = Effect.andThen(book("flight"), Durable.step("then", Effect.void))
      assert.strictEqual(failureOf(yield* execute(deployed(before, after))).errorType, "NonDeterministic")
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("does not run at a limit of the service, nor for a store that fails, is stale or refuses", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const program = Effect.andThen(book("flight"), Effect.asVoid(Durable.step("charge", Effect.void)))
      const limited = yield* invokeOnce(program, { run: { maxOperations: 2 } })
      assert.strictEqual(limited.answer?.Status === "FAILED" && limited.answer.Error?.ErrorType, "LimitExceeded")
      for (const error of [
        new CheckpointStore.StaleCheckpointToken({ message: "stale" }),
        new CheckpointStore.StoreRefused({ message: "no" })
      ]) {
        let requests = 0
        const { answer, failure } = yield* invokeOnce(program, {
          store: {
            checkpoint: () =>
              ++requests === 1
                ? Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations: [] } })
                : Effect.fail(error)
          }
        })
        assert.strictEqual(
          answer?.Status === "FAILED" ? answer.Error?.ErrorType : failure?.reason,
          error._tag === "StoreRefused" ? "StoreRejected" : "stale-token"
        )
      }
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("does not run when the execution is stopped from outside, or times out", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const Trip = DurableFunction.make("trip")
      const trip = Trip.implement(() => Effect.andThen(book("flight"), Durable.wait("rest", "10 days")))
      const statuses = yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Trip)
        const exit = yield* Effect.exit(run.result)
        return [yield* run.status, Exit.isFailure(exit)]
      }).pipe(Effect.provide(TestEngine.layer([trip], { executionTimeout: "1 day" })))
      assert.deepStrictEqual(statuses, ["TIMED_OUT", true])
      assert.deepStrictEqual(undone(), [])
    })
  )

  it.effect("does not run when an invocation is cut off at its deadline", () =>
    Effect.gen(function* () {
      const { book, undone, note } = notes()
      let runs = 0
      const slow = Durable.step(
        "slow",
        Effect.suspend(() => (++runs === 1 ? Effect.sleep("1 hour") : note("slow")))
      )
      const ran = yield* execute(Effect.andThen(book("flight"), slow), { engine: { invocationTimeout: "1 minute" } })
      assertSucceeded(ran)
      assert.deepStrictEqual(undone(), [])
    })
  )
})

describe("the order of the undos", () => {
  it.effect("is the reverse of when things were recorded, whatever order the branches stand in", () =>
    Effect.gen(function* () {
      const { book, log, undone } = notes()
      const branch = (name: string, hours: number) =>
        Effect.andThen(Durable.wait("first", `${hours} hours`), Effect.asVoid(book(name)))
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.all("trip", [branch("a", 2), branch("b", 3), branch("c", 1)], both)
          yield* Durable.wait("replay", "1 hour")
          return yield* boom
        })
      )
      assert.strictEqual(failureOf(ran).errorMessage, "boom")
      assert.deepStrictEqual(log.slice(0, 3), ["book c", "book a", "book b"])
      assert.deepStrictEqual(undone(), ["b-1", "a-1", "c-1"])
    })
  )

  it.effect("does not count what goes on beside the workflow after something was done", () =>
    Effect.gen(function* () {
      const { book, step, undone } = notes()
      const aside = Effect.andThen(Durable.wait("aside", "1 hour"), step("later"))
      const first = Durable.withCompensation(
        "first",
        Effect.andThen(Effect.forkDetach(aside), Durable.step("book", Effect.succeed("first-1"))),
        (booked) => step("cancel", `cancel ${booked}`)
      )
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* first
          yield* book("second")
          yield* Durable.wait("replay", "2 hours")
          return yield* boom
        })
      )
      assert.strictEqual(failureOf(ran).errorMessage, "boom")
      assert.deepStrictEqual(undone(), ["second-1", "first-1"])
    })
  )

  it.effect("is the reverse of the program for things that were recorded at the same time, or not at all", () =>
    Effect.gen(function* () {
      const { book, note, undone } = notes()
      const plain = (name: string) =>
        Durable.withCompensation(name, Effect.void, () => Durable.step("cancel", note(`cancel ${name}`)))
      yield* execute(
        Effect.gen(function* () {
          yield* plain("zero")
          yield* book("one")
          yield* plain("two")
          yield* book("three")
          yield* Durable.wait("replay", "1 hour")
          yield* plain("four")
          yield* book("five")
          return yield* boom
        })
      )
      assert.deepStrictEqual(undone(), ["five-1", "four", "three-1", "two", "one-1", "zero"])
    })
  )

  it.effect("counts the end of a child that was done, live as on a replay", () =>
    Effect.gen(function* () {
      for (const replay of [false, true]) {
        const { book, note, undone } = notes()
        // The end of the child is not acknowledged before something else is recorded.
        const order = Durable.withCompensation(
          "order",
          Durable.child("order", Effect.andThen(Durable.step("a", Effect.void), Durable.wait("ship", "1 hour"))),
          () => Durable.step("cancel", note("cancel order"))
        )
        const early = Effect.andThen(Durable.wait("early", "30 minutes"), Effect.asVoid(book("early")))
        const program = Effect.gen(function* () {
          yield* Effect.all([order, early], both)
          if (replay) yield* Durable.wait("replay", "1 hour")
          return yield* boom
        })
        yield* execute(program)
        assert.deepStrictEqual(undone(), ["order", "early-1"])
      }
    })
  )

  it.effect("stays the same when an undo suspends and another would come first by the records of the replay", () =>
    Effect.gen(function* () {
      const { note, log } = notes()
      const slowly = (name: string) =>
        Durable.withCompensation(name, Durable.child(name, Durable.step("do", Effect.void)), () =>
          Effect.gen(function* () {
            yield* Durable.step("begin", note(`begin ${name}`))
            yield* Durable.wait("cool-off", "1 hour")
            yield* Durable.step("end", note(`end ${name}`))
          })
        )
      const names = ["a", "b", "c", "d"]
      const all = Durable.all(
        "all",
        names.map((name) => Effect.asVoid(slowly(name))),
        { ...both, flat: true }
      )
      yield* execute(Effect.andThen(all, boom))
      assert.lengthOf(log, 8)
      for (let i = 0; i < 8; i += 2) assert.strictEqual(log[i]?.slice(6), log[i + 1]?.slice(4))
    })
  )

  it.effect("is that of the invocation in which the undoing began, whatever is deployed later", () =>
    Effect.gen(function* () {
      const { note, log } = notes()
      const doing = (name: string, seconds: number) =>
        Durable.withCompensation(name, Durable.wait(name, seconds * 1_000), () =>
          Effect.gen(function* () {
            yield* Durable.step("begin", note(`begin ${name}`))
            yield* Durable.wait("cool-off", "1 hour")
            yield* Durable.step("end", note(`end ${name}`))
          })
        )
      yield* execute(Effect.andThen(Effect.all([doing("a", 1), doing("b", 2), doing("c", 3)], both), boom))
      assert.deepStrictEqual(log, ["begin c", "end c", "begin b", "end b", "begin a", "end a"])
    })
  )
})

describe("an undo", () => {
  it.effect("may suspend, retry and invoke, and is done once", () =>
    Effect.gen(function* () {
      const Refund = DurableFunction.plain("refund", { payload: Schema.String, success: Schema.String })
      const Pay = DurableFunction.make("pay")
      let attempts = 0
      const refunds: Array<string> = []
      const pay = Pay.implement(() =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("charge", Durable.step("charge", Effect.succeed("charge-1")), (charge) =>
            Effect.gen(function* () {
              yield* Durable.wait("cool-off", "1 day")
              yield* Durable.step(
                "look",
                Effect.suspend(() => (++attempts < 3 ? Effect.die(new Error("not yet")) : Effect.void))
              )
              yield* Durable.invoke(Refund, charge)
            })
          )
          return yield* boom
        })
      )
      const refund = TestEngine.stub(Refund, (charge) => Effect.sync(() => (refunds.push(charge), "done")))
      const exit = yield* Effect.exit(TestEngine.run(Pay)).pipe(Effect.provide(TestEngine.layer([pay, refund])))
      assert.strictEqual(cast<unknown, TestEngine.ExecutionFailed>(errorOf(exit)).errorMessage, "boom")
      assert.deepStrictEqual(refunds, ["charge-1"])
      assert.strictEqual(attempts, 3)
    })
  )

  it.effect("sees the recorded value and the failure, at every replay alike", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [number, string]> = []
      let draws = 0
      const draw = Durable.withCompensation(
        "draw",
        Durable.step(
          "draw",
          Effect.sync(() => ++draws)
        ),
        (value, cause) =>
          Effect.sync(() => void seen.push([value, Cause.pretty(cause).split("\n")[0]!])).pipe(
            Effect.andThen(Durable.wait("a", "1 hour"))
          )
      )
      yield* execute(Effect.andThen(draw, Effect.andThen(Durable.wait("replay", "1 hour"), boom)))
      assert.deepStrictEqual(seen, [
        [1, "Error: boom"],
        [1, "Error: boom"]
      ])
    })
  )

  it.effect("that fails keeps no other from running, and the failure tells of both", () =>
    Effect.gen(function* () {
      const { book, note, undone } = notes()
      const stuck = Durable.withCompensation("car", Durable.step("book", Effect.void), () =>
        Effect.andThen(
          Durable.step("try", note("try")),
          Durable.step("cancel", Effect.die(new Error("no such car")), { retry: RetryPolicy.none })
        )
      )
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* book("flight")
          yield* stuck
          yield* book("hotel")
          return yield* boom
        })
      )
      assert.deepStrictEqual(undone(), ["hotel-1", "flight-1"])
      assert.strictEqual(
        failureOf(ran).errorMessage,
        'boom The compensation failed as well, so it is still done: "car" (Error: no such car).'
      )
      assert.strictEqual(
        ran.operations.find((operation) => operation.Name === "compensate:car")?.ContextDetails?.Error?.ErrorMessage,
        "no such car"
      )
    })
  )

  it.effect("that fails leaves the declared error what it is for whoever reads it", () =>
    Effect.gen(function* () {
      class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
      const Pay = DurableFunction.make("pay", { error: Declined })
      const pay = Pay.implement(() =>
        Effect.andThen(
          Durable.withCompensation("charge", Effect.void, () => Effect.fail(new Declined({ code: "twice" }))),
          Effect.fail(new Declined({ code: "first" }))
        )
      )
      yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Pay)
        assert.deepStrictEqual(yield* Effect.flip(run.result), new Declined({ code: "first" }))
        const last = (yield* run.history).at(-1)
        const error = last?.EventType === "ExecutionFailed" ? last.ExecutionFailedDetails.Error?.Payload : undefined
        assert.strictEqual(error?.ErrorType, "Declined")
        assert.include(error?.ErrorMessage, '"charge" (Declined')
        assert.deepStrictEqual(JSON.parse(error?.ErrorData ?? ""), { _tag: "Declined", code: "first" })
      }).pipe(Effect.provide(TestEngine.layer([pay])))
    })
  )

  it.effect("that interrupts itself, throws or makes a mistake has failed, and the others run", () =>
    Effect.gen(function* () {
      for (const undo of [
        () => Effect.interrupt,
        (): Effect.Effect<void> => {
          throw new Error("thrown")
        },
        () => Durable.wait("", "1 hour"),
        () => Effect.fail("typed")
      ]) {
        const { book, undone } = notes()
        const ran = yield* execute(
          Effect.gen(function* () {
            yield* book("flight")
            yield* Durable.withCompensation("car", Effect.void, undo)
            return yield* boom
          })
        )
        assert.deepStrictEqual(undone(), ["flight-1"])
        assert.include(failureOf(ran).errorMessage, 'it is still done: "car" (')
      }
    })
  )

  it.effect("finds the services of what it undoes, and a scope of its own", () =>
    Effect.gen(function* () {
      class Desk extends Context.Service<Desk, string>()("Desk") {}
      const log: Array<string> = []
      const note = (text: string) => Effect.sync(() => void log.push(text))
      const undo = Effect.gen(function* () {
        const desk = yield* Desk
        yield* Effect.acquireRelease(note(`open ${desk}`), () => note("close"))
        yield* Durable.step("cancel", note("cancel"))
      })
      const booked = Durable.withCompensation("flight", Effect.void, () => undo).pipe(
        Effect.provideService(Desk, "desk 4")
      )
      const Trip = DurableFunction.make("trip")
      const trip = Trip.implement(() => Effect.andThen(booked, boom))
      yield* Effect.exit(TestEngine.run(Trip)).pipe(Effect.provide(TestEngine.layer([trip])))
      assert.deepStrictEqual(log, ["open desk 4", "cancel", "close"])
    })
  )

  it.effect("runs after the finalizers of the workflow", () =>
    Effect.gen(function* () {
      const { book, log, note, step } = notes()
      const Trip = DurableFunction.make("trip")
      const trip = Trip.implement(() =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => note("scope"))
          yield* book("flight")
          return yield* Durable.onExit(boom, () => step("returned"))
        })
      )
      yield* Effect.exit(TestEngine.run(Trip)).pipe(Effect.provide(TestEngine.layer([trip])))
      assert.deepStrictEqual(log, ["book flight", "returned", "scope", "cancel flight-1"])
    })
  )

  it.effect("reads the time that the workflow had reached", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const now = Effect.flatMap(Clock.currentTimeMillis, (time) => Effect.sync(() => void times.push(time)))
      yield* execute(
        Effect.gen(function* () {
          yield* Durable.withCompensation("flight", Effect.void, () => Effect.andThen(now, Durable.wait("a", "1 hour")))
          yield* Durable.wait("rental", "1 day")
          yield* now
          return yield* boom
        })
      )
      assert.lengthOf(times, 4)
      assert.lengthOf(new Set(times), 1)
    })
  )

  it.effect("is not disturbed by what the workflow left running", () =>
    Effect.gen(function* () {
      const { book, log, step } = notes()
      yield* execute(
        Effect.gen(function* () {
          yield* book("flight")
          yield* Effect.forkChild(Effect.forever(Effect.andThen(Durable.wait("tick", "1 minute"), step("tick"))))
          yield* Durable.wait("work", "90 seconds")
          yield* Durable.withCompensation("car", Effect.void, () => Durable.wait("cool-off", "1 hour"))
          return yield* boom
        })
      )
      assert.deepStrictEqual(log, ["book flight", "tick", "cancel flight-1"])
    })
  )

  it.effect(
    "undoes what a fiber did that the workflow never joined, before and after a suspension of the undoing",
    () =>
      Effect.gen(function* () {
        const { book, log, note } = notes()
        const slowly = Durable.withCompensation("slow", Durable.wait("slow", "2 hours"), () =>
          Effect.andThen(Durable.wait("cool-off", "1 hour"), Durable.step("cancel", note("cancel slow")))
        )
        const ran = yield* execute(
          Effect.gen(function* () {
            yield* Effect.forkChild(Effect.andThen(Durable.step("before", Effect.void), book("left")))
            yield* slowly
            return yield* boom
          })
        )
        assert.deepStrictEqual(log, ["book left", "cancel slow", "cancel left-1"])
        assert.strictEqual(failureOf(ran).errorMessage, "boom")
      })
  )

  it.effect("is done once wherever the process dies", () =>
    Effect.gen(function* () {
      const program = () => {
        const { book, log, note } = notes()
        const slow = Durable.withCompensation(
          "slow",
          Durable.child("order", Durable.step("order", note("order"))),
          () =>
            Effect.gen(function* () {
              yield* Durable.step("cancel", note("cancel slow"))
              yield* Durable.wait("cool-off", "1 hour")
              yield* Durable.step("report", note("report"))
            })
        )
        const body = Effect.gen(function* () {
          yield* book("flight")
          yield* Durable.child("inner", Effect.asVoid(Effect.all([slow, book("hotel")], both)))
          yield* Durable.wait("replay", "1 hour")
          return yield* boom
        })
        return { body, log }
      }
      const first = program()
      const { requests } = yield* execute(first.body)
      for (let at = 0; at < requests.length; at++) {
        for (const when of ["before", "after"] as const) {
          let seen = 0
          const { body, log } = program()
          const ran = yield* execute(body, { store: crashAt(() => seen++ === at, when) })
          assert.strictEqual(failureOf(ran).errorMessage, "boom")
          const recorded = ran.operations.filter(({ Name, Status }) => Name === "cancel" && Status === "SUCCEEDED")
          assert.lengthOf(recorded, 3)
          assert.lengthOf(compensations(ran), 3)
          // The body of a step may run twice when its process dies; its record is one.
          assert.deepStrictEqual([...new Set(log)].sort(), [...new Set(first.log)].sort())
        }
      }
    })
  )
})

describe("what was done inside of", () => {
  /** Runs a program that books in some block, replays it, and fails; each booking is made and cancelled once. */
  const undoes = (
    what: string,
    block: (
      book: (name: string) => Effect.Effect<string, never, Durable.Execution>
    ) => Effect.Effect<unknown, never, Durable.Execution>,
    expected: ReadonlyArray<string>
  ) =>
    it.effect(`${what} is undone once, on replays too, and nothing in it is done again`, () =>
      Effect.gen(function* () {
        for (const replays of [0, 2]) {
          const { book, log, undone } = notes()
          const ran = yield* execute(
            Effect.gen(function* () {
              yield* block(book)
              for (let i = 0; i < replays; i++) yield* Durable.wait("replay", "1 hour")
              return yield* boom
            })
          )
          assert.strictEqual(failureOf(ran).errorMessage, "boom")
          assert.deepStrictEqual(
            undone(),
            expected.map((name) => `${name}-1`)
          )
          assert.deepStrictEqual(
            log.filter((line) => line.startsWith("book")).sort(),
            expected.map((name) => `book ${name}`).sort()
          )
        }
      })
    )

  undoes("a child", (book) => Durable.child("trip", Effect.andThen(book("a"), book("b"))), ["b", "a"])
  undoes(
    "nested children",
    (book) => Durable.child("outer", Effect.andThen(book("a"), Durable.child("inner", book("b")))),
    ["b", "a"]
  )
  undoes(
    "a flat child",
    (book) => Durable.child("trip", Effect.asVoid(Effect.andThen(book("a"), book("b"))), { flat: true }),
    ["b", "a"]
  )
  undoes(
    "a failed child whose error is caught",
    (book) => Effect.exit(Durable.child("trip", Effect.andThen(book("a"), boom))),
    ["a"]
  )
  undoes(
    "a child with a result that is too large to keep",
    (book) =>
      Durable.child(
        "trip",
        Effect.map(book("a"), (value) => value.repeat(200_000))
      ),
    ["a"]
  )
  for (const flat of [false, true]) {
    const kind = flat ? "flat " : ""
    undoes(
      `${kind}items of a map`,
      (book) => Durable.map("trip", ["a", "b"], (name) => book(name), { concurrency: 1, flat }),
      ["b", "a"]
    )
    undoes(
      `${kind}branches of a parallel, one of which fails`,
      (book) =>
        Durable.parallel("trip", [book("a"), Effect.andThen(book("b"), Effect.as(boom, ""))], {
          concurrency: 1,
          flat
        }),
      ["b", "a"]
    )
    undoes(
      `${kind}items whose batch is too large to keep`,
      (book) =>
        Durable.map("trip", ["a", "b"], (name) => Effect.map(book(name), (value) => value.repeat(60_000)), {
          concurrency: 1,
          flat
        }),
      ["b", "a"]
    )
  }
  undoes("a retry", (book) => Durable.retry("trip", Effect.asVoid(book("a")), RetryPolicy.none), ["a"])
  undoes(
    "a block with a time-out",
    (book) =>
      Durable.timeout("trip", Effect.andThen(book("a"), Durable.wait("b", "1 hour")), "2 hours").pipe(Effect.orDie),
    ["a"]
  )
  undoes(
    "a block whose time has run out",
    (book) => Effect.exit(Durable.timeout("trip", Effect.andThen(book("a"), Durable.wait("b", "3 hours")), "2 hours")),
    ["a"]
  )
  undoes(
    "a branch that lost its race",
    (book) =>
      Durable.race("fast", [
        Effect.andThen(Durable.wait("win", "1 hour"), Effect.succeed("won")),
        Effect.tap(book("a"), Durable.wait("lose", "2 hours"))
      ]),
    ["a"]
  )
  undoes(
    "a child that was cut off with the branch that lost its race",
    (book) =>
      Durable.race("fast", [
        Durable.wait("win", "1 hour"),
        Durable.child("slow", Effect.andThen(book("a"), Durable.wait("lose", "2 hours")))
      ]),
    ["a"]
  )
  undoes(
    "a retry that was cut off between two attempts",
    (book) =>
      Effect.exit(
        Durable.timeout(
          "fast",
          Durable.retry(
            "again",
            Effect.andThen(book("a"), boom),
            RetryPolicy.fixed({ maxAttempts: 9, delay: "2 hours" })
          ),
          "1 hour"
        )
      ),
    ["a"]
  )
  undoes(
    "an item that a policy left behind",
    (book) =>
      Durable.parallel(
        "fast",
        [
          Effect.andThen(Durable.wait("win", "1 hour"), Effect.succeed("won")),
          Effect.tap(book("a"), Durable.wait("lose", "2 hours"))
        ],
        { policy: CompletionPolicy.firstSuccessful }
      ),
    ["a"]
  )
  undoes(
    "another compensation",
    (book) => Durable.withCompensation("outer", Effect.andThen(book("a"), book("b")), () => Effect.void),
    ["b", "a"]
  )
})

describe("a context in which something may have to be undone", () => {
  it.effect("gives the value that was recorded, although it runs again", () =>
    Effect.gen(function* () {
      let runs = 0
      const seen: Array<number> = []
      const { book } = notes()
      const ran = yield* execute(
        Effect.gen(function* () {
          const block = Effect.andThen(
            book("flight"),
            Effect.sync(() => ++runs)
          )
          seen.push(yield* Durable.child("trip", block))
          yield* Durable.wait("replay", "1 hour")
          yield* Durable.wait("replay", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.strictEqual(runs, 3)
      assert.deepStrictEqual(seen, [1, 1, 1])
      const [child] = ran.operations
      assert.strictEqual(child?.ContextDetails?.Result, "1")
      assert.isTrue(child?.ContextDetails?.ReplayChildren)
    })
  )

  it.effect("that holds nothing to undo is answered from its record alone", () =>
    Effect.gen(function* () {
      let runs = 0
      const block = Effect.sync(() => ++runs)
      const ran = yield* execute(Effect.tap(Durable.child("plain", block), Durable.wait("replay", "1 hour")))
      assert.strictEqual(runs, 1)
      assert.isFalse(ran.operations[0]?.ContextDetails?.ReplayChildren)
    })
  )
})

describe("the names of compensations", () => {
  it.effect("may be used in loops and by every branch, and are made to fit as labels of the undos", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const long = "x".repeat(250)
      const ran = yield* execute(
        Effect.gen(function* () {
          for (let i = 0; i < 3; i++) yield* book("seat")
          yield* book(long)
          return yield* boom
        })
      )
      assert.lengthOf(undone(), 4)
      assert.deepStrictEqual(compensations(ran), [
        `compensate:${"x".repeat(245)}`,
        "compensate:seat",
        "compensate:seat",
        "compensate:seat"
      ])
    })
  )

  it.effect("are those of operations: counted in whatever fiber, no one's after a promise, and never bad ones", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      yield* execute(Effect.andThen(Effect.all([book("a"), book("a")], both), boom))
      assert.deepStrictEqual(undone(), ["a-1", "a-1"])
      const unordered = yield* execute(besidePromise(book("a"), book("a")))
      assert.strictEqual(failureOf(unordered).errorType, "NameInUse")
      assert.strictEqual(failureOf(yield* execute(book("é"))).errorType, "InvalidName")
    })
  )

  it.effect("belong to workflows, not to the bodies of steps", () =>
    Effect.gen(function* () {
      const { book } = notes()
      const ran = yield* execute(Durable.step("in", cast<unknown, Effect.Effect<string>>(book("a"))))
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
    })
  )
})

describe("compensation within limits", () => {
  it.effect("tells what it could not undo because the execution holds no more operations", () =>
    Effect.gen(function* () {
      const { book } = notes()
      const { answer } = yield* invokeOnce(
        Effect.gen(function* () {
          yield* book("a")
          yield* book("b")
          return yield* boom
        }),
        { run: { maxOperations: 5 } }
      )
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.include(error?.ErrorMessage, '"a" (LimitExceeded')
      assert.notInclude(error?.ErrorMessage, '"b" (')
    })
  )

  it.effect("keeps the failure within what the service accepts, however many undos fail", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          for (let i = 0; i < 100; i++) {
            yield* Durable.withCompensation("x", Effect.void, () => Effect.die(new Error("no ".repeat(1_000))))
          }
          return yield* boom
        })
      )
      assert.match(failureOf(ran).errorMessage ?? "", /^boom The compensation failed as well/)
      assert.lengthOf(compensations(ran), 100)
    })
  )

  it.effect("ends the invocation, and nothing else, when the store fails meanwhile", () =>
    Effect.gen(function* () {
      const { book, undone } = notes()
      const ran = yield* execute(Effect.andThen(book("flight"), boom), {
        store: crashAt((request) => request.Updates.some((update) => update.Name === "cancel"), "before")
      })
      assert.strictEqual(failureOf(ran).errorMessage, "boom")
      assert.deepStrictEqual(undone(), ["flight-1", "flight-1"])
    })
  )
})
