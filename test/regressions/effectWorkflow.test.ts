/**
 * What goes wrong in Effect's own workflow engine, which suspends by interrupting itself: each a program that got a bogus
 * value, ran its compensation while it merely waited, lost a wake-up or hung.
 *
 * "effect/workflow" is what version 4.1.0 does, seen in its own in-memory engine. A number is an issue of Effect-TS/effect,
 * unless a repository stands before it. Time is virtual: that of a test clock that nobody moves, or of the test engine.
 *
 * | Hazard | Test, or why there is none |
 * | --- | --- |
 * | a suspension is swallowed by `exit`, `catchCause`, `sandbox` and `retry`, `race`, `timeout`, `Stream`, queues | "effect/workflow: …" in *a suspension is no failure* |
 * | compensations, releases and handlers of parents run because of a wait; the defect of a finalizer becomes the outcome | "effect/workflow: …" in *finalizers* |
 * | the place of a wait decides whether siblings start; one that sleeps is cut off | "effect/workflow: …" in *siblings* (a sleep is durable) |
 * | names are keys, and nothing checks them | "effect/workflow: …" in *names* |
 * | #6318, #8238, #8312, #8070: a wake-up is lost at the edge of a suspension | by number |
 * | #8130: a counter that an interruption leaves too high | by number |
 * | #8229: a sibling that wakes its own run from a finalizer | by number |
 * | #7176, #6190, #2612, cluster#48: races, and their replay | by number |
 * | #5684: a suspension counts as a failed attempt | by number |
 * | #7464, #7485, #5577: a shutdown is recorded as an outcome, or as a suspension | by number |
 * | effect-smol#2075, effect-smol#2077: a failure is lost beside a suspension; one branch suspends its parent | by number |
 * | #5470: a synchronous throw escapes | by number |
 * | #7000: scopes leak at suspensions | by number |
 * | #7183, #7351: an interruption is lost | by number |
 * | #7332, #7350: one engine sees what the other does not | by number |
 * | #2424: a defect that cannot be encoded | by number |
 * | #7016: a timer of a fraction of a millisecond | by number |
 * | #6241: an operation loses its parent | by number |
 * | effect-smol#1987, TeXRA#12081, #5266: readable ids, attempt numbers that survive a restart, a hook for suspensions | by number |
 * | #6783: the trace is lost over persistence | by number |
 * | tsgo#478: a static rule against side effects in a workflow body | none: a type cannot see them; that a step holds no operation is one, and is tested in *names* |
 * | signals, queries, updates | none: the service has callbacks only |
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Lambda } from "../lambda/support.ts"
import { everySight } from "../operations/batches.ts"
import {
  assertSucceeded,
  crashAt,
  defectOf,
  execute,
  failureOf,
  holds,
  valueOf as endOf
} from "../operations/support.ts"
import {
  ask,
  both,
  Declined,
  declined,
  errorOf,
  failing,
  host,
  turns,
  valueOf,
  type Chooser,
  type Note,
  type Program
} from "../runtime/harness.ts"
import { assertPending, suspendsAndEnds, type Suspends } from "../runtime/suspends.ts"
import { observe, only } from "../telemetry/support.ts"
import { invocationsEnded } from "./support.ts"

/** Completes one operation at a time, so that there is a replay for each. */
const oneByOne: Chooser = (open) => open.slice(0, 1)

const askBoth = Effect.all([ask("A"), ask("B")], both)

/** How to record a child whose body asks. */
const declaredAsk = { error: failing.error }

/** The body of a step that is not done at once, although no time passes. */
const slowly = (note: Note, text: string): Effect.Effect<string> => Effect.andThen(turns(5), note(text))

const suspends = (promise: string, expected: Suspends): void => it.effect(promise, () => suspendsAndEnds(expected))

/** Lets virtual time pass until an effect has ended. */
const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let i = 0; i < 200 && fiber.pollUnsafe() === undefined; i++) {
      yield* turns(5)
      yield* TestClock.adjust("100 millis")
    }
    return yield* Fiber.join(fiber)
  })

describe("a suspension is no failure", () => {
  suspends("effect/workflow: two waits under Effect.exit complete with their values, and what follows runs once", {
    program: (note) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(askBoth)
        yield* Durable.step("after", note("after"))
        return Exit.isSuccess(exit) ? exit.value : exit._tag
      }),
    waitsFor: ["A", "B"],
    choose: oneByOne,
    ends: ["A", "B"],
    log: ["after"]
  })

  for (const [what, wait, more] of [
    ["all", Effect.asVoid(askBoth), []],
    ["race", Effect.asVoid(Effect.race(ask("A"), ask("B"))), []],
    ["timeoutOption", Effect.asVoid(Effect.timeoutOption(askBoth, 60_000)), ["sleep 60s"]]
  ] as const) {
    it.effect(`effect/workflow: catchCause around ${what} of waits recovers from nothing`, () =>
      Effect.gen(function* () {
        const execution = yield* host((note) =>
          Effect.catchCause(wait, () => Effect.asVoid(Durable.step("recovered", note("recovered"))))
        )
        const suspended = yield* execution.turn()
        assertPending(suspended)
        assert.deepStrictEqual(execution.waitsFor, ["A", "B", ...more])
        assert.strictEqual(suspended.fibersLeft, 0)
        const { answer } = yield* execution.drive()
        assert.strictEqual(valueOf(answer), undefined)
        assert.deepStrictEqual(execution.log, [])
      })
    )
  }

  it.effect("effect/workflow: a retry of everything round a wait does not use up its attempts", () =>
    Effect.gen(function* () {
      let attempts = 0
      const execution = yield* host(() =>
        Effect.retry(
          Effect.suspend(() => {
            attempts++
            return Effect.sandbox(Effect.all([ask("A"), Durable.child("B", ask("B"), declaredAsk)], both))
          }),
          { times: 5 }
        )
      )
      const { answer, turns } = yield* execution.drive(oneByOne)
      assert.deepStrictEqual(valueOf(answer), ["A", "B"])
      assert.strictEqual(attempts, turns.length)
    })
  )

  suspends("effect/workflow: a Stream of waits ends with their values, and its handlers see nothing", {
    program: (note) =>
      Stream.make("A", "B").pipe(
        Stream.mapEffect((name) => ask(name), both),
        Stream.catchCause(() => Stream.fromEffect(note("recovered"))),
        Stream.runCollect
      ),
    waitsFor: ["A", "B"],
    choose: oneByOne,
    ends: ["A", "B"]
  })

  suspends("effect/workflow: a consumer of a queue waits for what a suspended producer brings", {
    program: () =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<string>()
        const producer = Effect.flatMap(ask("A"), (answer) => Queue.offer(queue, answer))
        const [taken] = yield* Effect.all([Queue.take(queue), Effect.exit(producer)], both)
        return taken
      }),
    waitsFor: ["A"],
    ends: "A"
  })

  suspends("effect/workflow: a sleep does not win a race because the other branch is suspended", {
    program: () => Effect.race(ask("A"), Effect.as(Effect.sleep("20 seconds"), "slept")),
    waitsFor: ["A", "sleep 20s"],
    ends: "A"
  })

  it.effect("effect/workflow: a time-out round a wait is durable, as it stands and as Durable.timeout", () =>
    Effect.gen(function* () {
      const nap = Durable.wait("nap", "1 hour")
      for (const limited of [
        Effect.exit(Effect.timeout(nap, "20 seconds")),
        Effect.exit(Durable.timeout("limit", nap, "20 seconds"))
      ]) {
        const { ran, seen } = yield* everySight(Effect.map(limited, String))
        assert.lengthOf(seen, 2)
        for (const exit of seen) assert.include(exit, "Timeout")
        assert.deepStrictEqual(invocationsEnded(ran.history), [0, 20, 21])
      }
    })
  )

  it.effect("effect/workflow: a child that is suspended is not recorded as failed, nor as anything else", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(
            Durable.child(
              "child",
              Effect.all([ask("A"), Effect.exit(ask("B"))], both).pipe(Effect.as("done")),
              declaredAsk
            )
          )
          yield* Durable.step("after", note(exit._tag))
          return exit._tag
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, [])
      const { answer } = yield* execution.drive(oneByOne)
      assert.strictEqual(valueOf(answer), "Success")
    })
  )
})

describe("finalizers", () => {
  suspends("effect/workflow: a refund in onError does not run while two branches merely wait", {
    program: (note) => Effect.onError(askBoth, () => Durable.step("refund", note("refund"))),
    waitsFor: ["A", "B"],
    choose: oneByOne,
    ends: ["A", "B"]
  })

  it.effect("effect/workflow: a refund in onError runs once when it is really a failure", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.onError(askBoth, () => Effect.orDie(Durable.step("refund", note("refund"))))
      )
      assertPending(yield* execution.turn())
      execution.complete("B", { error: { code: "out of stock" } })
      const { answer } = yield* execution.drive(oneByOne)
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["refund"])
    })
  )

  suspends("effect/workflow: a release with a step runs at the real end, and only there", {
    program: (note) =>
      Effect.acquireUseRelease(
        Durable.step("acquire", note("acquire")),
        () => askBoth,
        () => Durable.step("release", note("release"))
      ),
    waitsFor: ["A", "B"],
    noted: ["acquire"],
    recorded: ["SUCCEED acquire"],
    choose: oneByOne,
    ends: ["A", "B"],
    log: ["acquire", "release"]
  })

  it.effect("effect/workflow: an ensuring that dies round a wait does not end the execution", () =>
    Effect.gen(function* () {
      let dies = true
      const execution = yield* host(() =>
        Effect.ensuring(
          ask("A"),
          Effect.suspend(() => (dies ? Effect.die("boom") : Effect.void))
        )
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.unwound, ["boom"])
      dies = false
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "A")
    })
  )

  it.effect(
    "effect/workflow: a release that waits after a genuine failure suspends, goes on there, and then fails",
    () =>
      Effect.gen(function* () {
        const execution = yield* host((note) =>
          Effect.acquireUseRelease(
            Durable.step("acquire", note("acquire")),
            () => declined,
            () => Effect.andThen(Effect.orDie(ask("A")), note("released"))
          )
        )
        assertPending(yield* execution.turn())
        assert.deepStrictEqual(execution.log, ["acquire"])
        const { answer } = yield* execution.drive()
        assert.strictEqual(errorOf(answer).type, "Declined")
        assert.deepStrictEqual(execution.log, ["acquire", "released"])
      })
  )

  it.effect("effect/workflow: an uninterruptible loop over a wait does not hang the invocation", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.uninterruptible(Effect.forever(Effect.exit(ask("A")))))
      const suspended = yield* whileTimePasses(execution.turn())
      assertPending(suspended)
      assert.deepStrictEqual(execution.waitsFor, ["A"])
      assert.strictEqual(suspended.fibersLeft, 1)
    })
  )
})

describe("siblings", () => {
  for (const [where, order] of [
    ["after", (a: Branch, b: Branch) => [a, b]],
    ["before", (a: Branch, b: Branch) => [b, a]]
  ] as const) {
    it.effect(`effect/workflow: a slow step that stands ${where} a wait runs at once`, () =>
      Effect.gen(function* () {
        const execution = yield* host((note) =>
          Effect.asVoid(Effect.all(order(ask("A"), Durable.step("slow", slowly(note, "slow"))), both))
        )
        const suspended = yield* execution.turn()
        assertPending(suspended)
        assert.deepStrictEqual(suspended.recorded, ["SUCCEED slow"])
        yield* execution.drive()
        assert.deepStrictEqual(execution.log, ["slow"])
      })
    )
  }

  for (const [what, sleep, ended] of [
    ["a nap", Effect.sleep("30 millis"), [0.03, 3_600]],
    ["a sleep", Effect.sleep("30 seconds"), [0, 30, 3_600]],
    // What is held runs again on the replay.
    ["a nap in a hold", Durable.hold(Effect.sleep("30 millis")), [0.03, 3_600.03]]
  ] as const) {
    it.effect(`effect/workflow: a branch that begins with ${what} is not cut off by a wait beside it`, () =>
      Effect.gen(function* () {
        const late = Effect.andThen(sleep, Durable.step("late", Effect.succeed("late")))
        const ran = yield* execute(Effect.all([Durable.wait("nap", "1 hour"), late], both))
        assert.strictEqual(endOf(ran)[1], "late")
        assert.deepStrictEqual(invocationsEnded(ran.history), ended)
      })
    )
  }
})

type Branch = Effect.Effect<string, unknown, Durable.Execution>

describe("names", () => {
  it.effect("effect/workflow: a name used three times in a row gives three operations, live and on replay", () =>
    Effect.gen(function* () {
      let calls = 0
      const charge = Durable.step(
        "charge",
        Effect.sync(() => ++calls)
      )
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const out: Array<number> = []
          for (let i = 0; i < 3; i++) out.push(yield* charge)
          yield* ask("A")
          return out
        })
      )
      const { answer, turns } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), [1, 2, 3])
      assert.strictEqual(calls, 3)
      assert.strictEqual(turns.length, 2)
    })
  )

  it.effect(
    "effect/workflow: a name used by concurrent branches after a promise is refused at once, with the cure",
    () =>
      Effect.gen(function* () {
        const promised = Effect.promise(() => Promise.resolve())
        const execution = yield* host(() =>
          Effect.forEach([1, 2, 3], (i) => Effect.andThen(promised, Durable.step("charge", Effect.succeed(i))), both)
        )
        const { answer } = yield* execution.turn()
        assert.strictEqual(errorOf(answer).type, "NameInUse")
        assert.include(errorOf(answer).message, "Durable.forEach")
      })
  )

  for (const [how, each] of [
    ["Effect.forEach", (step: (i: number) => Charge) => Effect.forEach([1, 2, 3], step, both)],
    ["Durable.forEach", (step: (i: number) => Charge) => Durable.forEach("items", [1, 2, 3], step, both)],
    [
      "a flat child for each",
      (step: (i: number) => Charge) =>
        Effect.forEach([1, 2, 3], (i) => Durable.child(`item-${i}`, step(i), { flat: true }), both)
    ]
  ] as const) {
    it.effect(`effect/workflow: concurrent branches with one name keep their values on replay: ${how}`, () =>
      Effect.gen(function* () {
        let calls = 0
        // The last branch is the first to be done.
        const charge = (i: number) =>
          Durable.step(
            "charge",
            Effect.andThen(
              turns(12 - 4 * i),
              Effect.sync(() => ++calls && i)
            )
          )
        const execution = yield* host(() => each(charge).pipe(Effect.tap(() => ask("A"))))
        const { answer } = yield* execution.drive()
        assert.deepStrictEqual(valueOf(answer), [1, 2, 3])
        assert.strictEqual(calls, 3)
      })
    )
  }

  it.effect(
    "effect/workflow: Effect.retry round a failing step runs it again each time, and never again on replay",
    () =>
      Effect.gen(function* () {
        let calls = 0
        const attempt = Effect.andThen(
          Effect.sync(() => ++calls),
          declined
        )
        const execution = yield* host(() =>
          Durable.step("try", attempt, failing).pipe(
            Effect.retry({ times: 2 }),
            Effect.exit,
            Effect.tap(() => ask("A")),
            Effect.map((exit) => exit._tag)
          )
        )
        const { answer } = yield* execution.drive()
        assert.strictEqual(valueOf(answer), "Failure")
        assert.strictEqual(calls, 3)
      })
  )

  it.effect(
    "effect/workflow: a step whose body waits is refused by the compiler, and by the run, and does not repeat",
    () =>
      Effect.gen(function* () {
        let effects = 0
        const body = Effect.andThen(
          Effect.sync(() => ++effects),
          Durable.wait("inner", "1 second")
        )
        const execution = yield* host(() =>
          // @ts-expect-error a step cannot hold durable operations
          Durable.step("outer", body, { retry: RetryPolicy.none })
        )
        const { answer } = yield* execution.turn()
        assert.strictEqual(errorOf(answer).type, "NestedOperation")
        assert.include(errorOf(answer).message, `"outer"`)
        assert.include(errorOf(answer).message, `"inner"`)
        assert.strictEqual(effects, 1)
      })
  )
})

type Charge = Effect.Effect<number, never, Durable.Execution>

describe("wake-ups", () => {
  /** Answers from outside come so many turns of the event loop after the invocation has begun. */
  const moments = Array.from({ length: 40 }, (_, turn) => turn)

  for (const [issue, what, program, names] of [
    [
      "effect#8238",
      "an answer",
      (note: Note): Program => Effect.tap(ask("A"), (a) => Durable.step("after", note(a))),
      ["A"]
    ],
    [
      "effect#8312",
      "two answers",
      (note: Note): Program => Effect.tap(askBoth, ([a, b]) => Durable.step("after", note(a + b))),
      ["A", "B"]
    ]
  ] as const) {
    it.effect(`${issue}: ${what} at any moment of a suspension wakes the execution`, () =>
      Effect.gen(function* () {
        for (const moment of moments) {
          const execution = yield* host(program)
          const { ended } = execution.begin()
          for (const name of names) {
            yield* turns(moment)
            if (execution.waitsFor.includes(name)) execution.complete(name)
          }
          yield* ended
          while (!execution.closed) {
            for (const name of execution.waitsFor) execution.complete(name)
            assert.isTrue(execution.invoked, `${moment} turns: nobody wakes the execution`)
            yield* execution.turn()
          }
          assert.deepStrictEqual(execution.log, [names.join("")], `${moment} turns`)
        }
      })
    )
  }

  it.effect("effect#6318, effect#8070: an answer that comes while the run is unwound wakes the execution", () =>
    Effect.gen(function* () {
      let early = true
      const execution = yield* host((note) =>
        Effect.ensuring(
          Effect.tap(ask("A"), (answer) => Durable.step("after", note(answer))),
          Effect.suspend(() => {
            if (early) execution.complete("A")
            early = false
            return turns(5)
          })
        )
      )
      assertPending(yield* execution.turn())
      assert.isTrue(execution.invoked)
      yield* execution.turn()
      assert.isTrue(execution.closed)
      assert.deepStrictEqual(execution.log, ["A"])
    })
  )

  it.effect(
    "effect#8229: a sibling that completes a wait of its own run from its finalizer does not wait for itself",
    () =>
      Effect.gen(function* () {
        let complete: (callbackId: string) => Effect.Effect<void> = () => Effect.die("nobody is there")
        const Work = DurableFunction.make("work", { success: Schema.String })
        const work = Work.implement(() =>
          Effect.gen(function* () {
            const opened = yield* Durable.callback("answer")
            const sibling = Effect.ensuring(
              Durable.step("quick", Effect.void),
              Effect.suspend(() => complete(opened.callbackId))
            )
            const [answer] = yield* Effect.all([opened.await, sibling], both)
            return answer
          })
        )
        const result = Effect.gen(function* () {
          const client = yield* DurableClient.DurableClient
          complete = (callbackId) => Effect.ignore(client.succeedCallback(callbackId, "from inside"))
          return yield* TestEngine.run(Work)
        })
        assert.strictEqual(yield* Effect.provide(result, TestEngine.layer([work])), "from inside")
      })
  )

  it.effect("effect#8130: an interruption at any place where a fiber may yield leaves nothing counted", () =>
    Effect.gen(function* () {
      for (let operations = 3; operations <= 40; operations++) {
        const interrupted = (effect: Program) =>
          Effect.flatMap(Effect.forkChild(effect, { startImmediately: true }), Fiber.interrupt)
        const execution = yield* host(() =>
          Effect.gen(function* () {
            yield* interrupted(Durable.step("step", Effect.forever(Effect.sync(() => {}))))
            yield* interrupted(ask("wait"))
            yield* interrupted(Durable.hold(Effect.never))
            yield* interrupted(Durable.child("child", ask("inner"), declaredAsk))
            return yield* ask("A")
          }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, operations))
        )
        const suspended = yield* execution.turn()
        assert.deepStrictEqual(suspended.answer, { Status: "PENDING" }, `${operations} operations before a yield`)
        assert.deepStrictEqual(suspended.parts.delivery.describe(), [], `${operations} operations before a yield`)
        assert.strictEqual(suspended.fibersLeft, 0, `${operations} operations before a yield`)
      }
    })
  )
})

describe("races", () => {
  it.effect("effect#7176, effect#6190: a step that is done wins a race against a wait, which is not waited for", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.race(ask("A"), Durable.step("quick", slowly(note, "quick"))).pipe(
          Effect.tap((won) => Durable.step("after", note(`after ${won}`)))
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "quick")
      assert.deepStrictEqual(execution.waitsFor, ["A"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.effect("effect#2612: the winner of a race is the same on every replay, when the loser is done as well", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const winner = yield* Durable.race("race", [
            Effect.as(Durable.wait("tortoise", "1 minute"), "tortoise"),
            Effect.as(Durable.wait("hare", "2 seconds"), "hare")
          ])
          seen.push(winner)
          yield* Durable.wait("first", "1 day")
          yield* Durable.wait("second", "1 day")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, ["hare", "hare", "hare", "hare"])
    })
  )

  it.effect("effect#2612: who sees the winner of a race before it is recorded sees the same one after a crash", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const race = Durable.race("race", [
        Durable.step("a", Effect.succeed("a")),
        Durable.step("b", Effect.succeed("b"))
      ])
      const see = (winner: string) =>
        Durable.step(
          "see",
          Effect.sync(() => void seen.push(winner))
        )
      const ran = yield* execute(Effect.tap(race, see), { store: crashAt(holds("SUCCEED", "race"), "before") })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
      assert.deepStrictEqual(seen, ["a", "a"])
      assert.strictEqual(ran.operations.find(({ Name }) => Name === "race")?.ContextDetails?.Result, `"a"`)
    })
  )

  for (const [first, second] of [
    ["A", "B"],
    ["B", "A"]
  ] as const) {
    it.effect(`cluster#48: the order in which two waits were completed decides their race, ${first} first`, () =>
      Effect.gen(function* () {
        let isEarly = true
        // The longer way through the history does not make a branch come second.
        const far = (name: string) =>
          Effect.andThen(
            Effect.forEach([1, 2, 3], (n) => Durable.step(`${name}-${n}`, Effect.succeed(n))),
            ask(name)
          )
        const execution = yield* host(() =>
          Effect.ensuring(
            Durable.raceFirst("race", [first === "A" ? far("A") : ask("A"), first === "B" ? far("B") : ask("B")], {
              error: Declined
            }),
            // The next invocation begins when both are completed.
            Effect.sync(() => {
              if (!isEarly) return
              isEarly = false
              execution.complete(first)
              execution.skipTo(10_000)
              execution.complete(second)
            })
          )
        )
        assertPending(yield* execution.turn())
        const ended = yield* execution.turn()
        assert.strictEqual(valueOf(ended.answer), first)
      })
    )
  }
})

describe("what a suspension is not", () => {
  it.effect("effect#5684: a suspension is no failed attempt of the block that is retried", () =>
    Effect.gen(function* () {
      let attempts = 0
      const block = Effect.gen(function* () {
        attempts++
        for (const name of ["one", "two", "three"]) yield* Durable.wait(name, "1 hour")
        return "rested"
      })
      const ran = yield* execute(
        Durable.retry("block", block, RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" }))
      )
      assert.strictEqual(endOf(ran), "rested")
      assert.strictEqual(attempts, ran.invocations)
      assert.deepStrictEqual(
        ran.operations.flatMap(({ Name, Type }) => (Type === "WAIT" ? [Name] : [])),
        ["one", "two", "three"]
      )
    })
  )

  for (const [issue, what, program] of [
    ["effect#7464, effect#7485", "a step", (note: Note): Program => Durable.step("work", slowly(note, "work"))],
    [
      "effect#5577",
      "a step beside a wait",
      (note: Note): Program => Effect.all([ask("A"), Durable.step("work", slowly(note, "work"))], both)
    ]
  ] as const) {
    it.effect(`${issue}: a shutdown during ${what} is no outcome: the invocation is repeated`, () =>
      Effect.gen(function* () {
        let cutOff = 0
        for (let moment = 0; moment < 12; moment++) {
          const execution = yield* host(program)
          const { ended, fiber } = execution.begin()
          yield* turns(moment)
          fiber.interruptUnsafe()
          const cut = yield* ended
          if (cut.answer === undefined) {
            cutOff++
            assert.isFalse(execution.closed)
          }
          execution.backOff()
          if (!execution.closed) yield* execution.drive()
          assert.strictEqual(execution.outcome?.status, "SUCCEEDED", `after ${moment} turns`)
        }
        assert.isAbove(cutOff, 3)
      })
    )
  }

  it.effect("effect-smol#2075: a typed failure beside waits is the outcome, and no interruption is", () =>
    Effect.gen(function* () {
      const bad = Durable.step("bad", Effect.andThen(turns(3), declined), failing)
      const execution = yield* host(() => Effect.all([ask("A"), bad, ask("B")], both))
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Declined")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.effect("effect-smol#2077: a branch that is suspended does not suspend its parent, whose siblings go on", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.all(
          [
            Durable.child("waits", ask("A"), declaredAsk),
            Durable.child(
              "works",
              Effect.gen(function* () {
                yield* Durable.step("one", slowly(note, "one"))
                yield* Durable.step("two", slowly(note, "two"))
                return "worked"
              })
            )
          ],
          both
        )
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED one", "SUCCEED two", "SUCCEED works"])
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["A", "worked"])
    })
  )

  it.effect("effect#5470: a workflow, or the body of a step, that throws synchronously fails with what it threw", () =>
    Effect.gen(function* () {
      const thrown = (): never => {
        throw new RangeError("out of range")
      }
      for (const program of [thrown, () => Durable.step("bad", Effect.sync(thrown), { retry: RetryPolicy.none })]) {
        const only = yield* (yield* host(program)).turn()
        assert.deepStrictEqual(errorOf(only.answer), { type: "RangeError", message: "out of range" })
        assert.strictEqual(only.fibersLeft, 0)
      }
    })
  )

  it.effect("effect#7000: the scopes of suspended runs are closed, each once", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.acquireRelease(note("open"), () => note("close"))
            for (const name of ["A", "B", "C"]) yield* ask(name)
          })
        )
      )
      const { turns } = yield* execution.drive()
      assert.deepStrictEqual(
        execution.log,
        turns.flatMap(() => ["open", "close"])
      )
      assert.lengthOf(turns, 4)
      for (const turn of turns) assert.strictEqual(turn.fibersLeft, 0)
    })
  )
})

describe("interruptions", () => {
  it.effect("effect#7183: an execution that was stopped stays stopped when a step fails after that", () =>
    Effect.gen(function* () {
      const Work = DurableFunction.make("work")
      const begun = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      let failed = false
      const slow = Effect.gen(function* () {
        yield* Deferred.succeed(begun, undefined)
        yield* Deferred.await(stopped)
        failed = true
        return yield* Effect.die("too late")
      })
      const work = Work.implement(() => Durable.step("slow", slow, { retry: RetryPolicy.none }))
      yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Work)
        yield* Deferred.await(begun)
        yield* run.stop({ ErrorType: "Operator", ErrorMessage: "enough" })
        yield* Deferred.succeed(stopped, undefined)
        yield* turns(50)
        assert.isTrue(failed)
        const end = failureOf({ result: yield* Effect.exit(run.result) })
        assert.deepInclude(end, { status: "STOPPED", errorType: "Operator" })
      }).pipe(Effect.provide(TestEngine.layer([work])))
    })
  )

  it.effect("effect#7351: a child that interrupted itself has done so on every replay", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(Durable.child("child", Effect.interrupt))
          seen.push(String(defectOf(exit)))
          yield* ask("A")
          yield* ask("B")
        })
      )
      yield* execution.drive()
      assert.lengthOf(seen, 3)
      assert.lengthOf(new Set(seen), 1)
      assert.include(seen[0], "Interrupted")
    })
  )

  it("effect#7332, effect#7350: a deployed handler records what the test engine does", async () => {
    const Work = DurableFunction.make("work", { success: Schema.Array(Schema.String) })
    const work = Work.implement(() =>
      Effect.gen(function* () {
        const loser = yield* Effect.forkChild(Durable.wait("loser", "365 days"), { startImmediately: true })
        const child = yield* Effect.exit(Durable.child("child", Effect.interrupt))
        yield* Fiber.interrupt(loser)
        const step = yield* Effect.exit(Durable.step("step", Effect.interrupt, { retry: RetryPolicy.none }))
        yield* Durable.wait("nap", "1 hour")
        return [child, step].map((exit) => String(defectOf(exit)))
      })
    )
    const brief = (operations: ReadonlyArray<{ readonly Id: string; readonly Status: string }>) =>
      operations.map(({ Id, Status }) => `${Id} ${Status}`)
    const tested = await Effect.runPromise(
      Effect.gen(function* () {
        const run = yield* TestEngine.start(Work)
        return { result: yield* run.result, operations: brief(yield* run.operations()) }
      }).pipe(Effect.provide(TestEngine.layer([work])))
    )
    const lambda = new Lambda()
    lambda.deploy("work", LambdaHandler.make(work, { layer: Layer.empty, checkpoints: lambda.checkpoints }))
    const executionArn = lambda.start("work")
    await lambda.settle()
    const outcome = lambda.outcome(executionArn)
    assert.strictEqual(outcome.status === "SUCCEEDED" ? outcome.result : outcome.status, JSON.stringify(tested.result))
    assert.deepStrictEqual(brief(lambda.operations(executionArn)), tested.operations)
    assert.lengthOf(tested.operations, 4)
  })
})

describe("records", () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic
  const hostile: Record<string, unknown> = {
    "a cycle": cyclic,
    "a bigint": 10n,
    "a function": () => 1,
    "a symbol": Symbol("defect"),
    nothing: undefined,
    "an object that throws when it is looked at": new Proxy(
      {},
      {
        get: () => {
          throw new Error("hands off")
        }
      }
    )
  }
  for (const [what, defect] of Object.entries(hostile)) {
    it.effect(`effect#2424: a defect that cannot be encoded ends the execution, and is told: ${what}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Durable.child("child", Durable.step("step", Effect.die(defect), { retry: RetryPolicy.none }))
        )
        const { errorMessage = "", errorType } = failureOf(ran)
        assert.strictEqual(errorType, "Defect")
        assert.notStrictEqual(errorMessage, "")
        assert.strictEqual(ran.invocations, 1)
      })
    )
  }

  it.effect("effect#7016: a wait of a fraction of a millisecond more than a second ends, after two", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.wait("nap", 1_000.0001))
      assertSucceeded(ran)
      assert.deepStrictEqual(invocationsEnded(ran.history), [0, 2])
    })
  )

  it.effect("effect#6783: all invocations of an execution tell one trace", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Durable.child(
          "parent",
          Effect.gen(function* () {
            yield* Durable.step("early", Effect.void)
            yield* Durable.wait("nap", "1 hour")
            yield* Durable.step("late", Effect.void)
          })
        )
      )
      assert.strictEqual(observed.invocations, 2)
      assert.lengthOf(new Set(observed.spans.map(({ traceId }) => traceId)), 1)
      const parent = only(observed, "parent").spanId
      for (const name of ["early", "nap", "late"]) assert.strictEqual(only(observed, name).parent, parent)
    })
  )

  it.effect("effect#6241: operations keep their parent, in forks and in children without a record", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.child(
          "parent",
          Effect.gen(function* () {
            const fork = yield* Effect.forkChild(
              Durable.child("flat", Durable.step("step", Effect.void), { flat: true })
            )
            yield* Fiber.join(fork)
            yield* Durable.wait("nap", "1 hour")
            yield* Durable.step("late", Effect.void)
          })
        )
      )
      assertSucceeded(ran)
      const [parent, ...children] = ran.operations
      assert.deepStrictEqual(
        children.map(({ Name, ParentId }) => [Name, ParentId]),
        ["step", "nap", "late"].map((name) => [name, parent?.Id])
      )
    })
  )
})

describe("what people asked for", () => {
  it.effect("effect-smol#1987: an execution has the name that its contract, or whoever starts it, gives it", () =>
    Effect.gen(function* () {
      const Order = DurableFunction.make("order", {
        payload: Schema.Struct({ id: Schema.String }),
        success: Schema.String,
        idempotencyKey: ({ id }) => `order-${id}`
      })
      const order = Order.implement(() => Effect.map(Durable.execution, ({ executionName }) => executionName))
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* TestEngine.run(Order, { id: "7" }), "order-7")
        assert.strictEqual(yield* TestEngine.run(Order, { id: "8" }, { executionName: "by-hand" }), "by-hand")
      }).pipe(Effect.provide(TestEngine.layer([order])))
    })
  )

  it.effect("TeXRA#12081: the number and the key of an attempt survive the crash of its invocation", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const keys = new Set<string>()
      const flaky = Effect.gen(function* () {
        const { attempt, idempotencyKey } = yield* Durable.StepContext
        seen.push(attempt)
        keys.add(idempotencyKey)
        if (attempt === 1) return yield* Effect.die("flaky")
        // Long enough for the service to learn that the attempt has begun.
        yield* Effect.sleep("1 second")
      })
      const retry = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })
      const ran = yield* execute(Durable.step("flaky", flaky, { retry }), {
        store: crashAt(holds("SUCCEED", "flaky"), "before")
      })
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [1, 2, 2])
      assert.strictEqual(keys.size, 1)
    })
  )

  suspends("effect#5266: a finalizer can tell a suspension from the end", {
    program: (note) =>
      Effect.ensuring(
        ask("A"),
        Effect.flatMap(Durable.isSuspending, (pause) => note(pause ? "to be continued" : "over"))
      ),
    waitsFor: ["A"],
    noted: ["to be continued"],
    ends: "A",
    log: ["to be continued", "over"]
  })
})
