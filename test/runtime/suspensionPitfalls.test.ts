/**
 * What goes wrong in engines that suspend by interrupting themselves, or that abandon their code: each a program that got a
 * bogus value, ran its compensation while it merely waited, lost a wake-up or hung, and has to do the right thing here.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ask, both, declined, errorOf, failing, host, slowly, valueOf, type Chooser } from "./harness.ts"
import { assertPending, suspends } from "./suspends.ts"

/** Completes one operation at a time, so that there is a replay for each. */
const oneByOne: Chooser = (open) => open.slice(0, 1)

const askBoth = Effect.all([ask("A"), ask("B")], both)

describe("a suspension is no failure", () => {
  suspends("two waits under Effect.exit complete with their values, and what follows runs once", {
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

  for (const [what, wait] of [
    ["all", Effect.asVoid(askBoth)],
    ["race", Effect.asVoid(Effect.race(ask("A"), ask("B")))],
    ["timeoutOption", Effect.asVoid(Effect.timeoutOption(askBoth, 60_000))]
  ] as const) {
    it.live(`catchCause around ${what} of waits recovers from nothing`, () =>
      Effect.gen(function* () {
        const execution = yield* host((note) =>
          Effect.catchCause(wait, () => Effect.asVoid(Durable.step("recovered", note("recovered"))))
        )
        const suspended = yield* execution.turn()
        assertPending(suspended)
        assert.deepStrictEqual(execution.waitsFor, ["A", "B"])
        assert.strictEqual(suspended.fibersLeft, 0)
        const { answer } = yield* execution.drive()
        assert.strictEqual(valueOf(answer), undefined)
        assert.deepStrictEqual(execution.log, [])
      })
    )
  }

  suspends("a refund in onError does not run while two branches merely wait", {
    program: (note) => Effect.onError(askBoth, () => Durable.step("refund", note("refund"))),
    waitsFor: ["A", "B"],
    choose: oneByOne,
    ends: ["A", "B"]
  })

  it.live("a refund in onError runs once when it is really a failure", () =>
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

  suspends("a release with a step runs at the real end, and only there", {
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

  it.live("a dying ensuring around a wait does not end the execution", () =>
    Effect.gen(function* () {
      let dies = true
      const execution = yield* host(() =>
        Effect.ensuring(
          ask("A"),
          Effect.suspend(() => (dies ? Effect.die("boom") : Effect.void))
        )
      )
      assertPending(yield* execution.turn())
      dies = false
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "A")
    })
  )

  it.live("a release that waits after a genuine failure suspends, goes on there, and then fails", () =>
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

  suspends("an uninterruptible loop over a wait does not hang the invocation", {
    program: () => Effect.uninterruptible(Effect.forever(Effect.exit(ask("A")))),
    waitsFor: ["A"],
    abandoned: true,
    options: { grace: 20 }
  })

  it.live("a retry of everything round a wait does not use up its attempts", () =>
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

  it.live("a child that is suspended is not recorded as failed, nor as anything else", () =>
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

  it.live("a typed failure beside waits is the outcome, and no interruption is", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all([ask("A"), Durable.step("bad", Effect.delay(declined, 3), failing), ask("B")], both).pipe(
          Effect.sandbox,
          Effect.catch((cause) => Effect.succeed(cause.reasons.map((reason) => reason._tag)))
        )
      )
      const only = yield* execution.turn()
      assert.include(JSON.stringify(valueOf(only.answer)), "Fail")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

describe("the place of a wait decides nothing", () => {
  for (const [where, order] of [
    ["after", (a: Branch, b: Branch) => [a, b]],
    ["before", (a: Branch, b: Branch) => [b, a]]
  ] as const) {
    it.live(`a slow step that stands ${where} a wait runs at once`, () =>
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

  it.live("a branch that sleeps first is cut off and reported, and Durable.hold keeps it", () =>
    Effect.gen(function* () {
      const program = (
        hold: <A>(effect: Effect.Effect<A>) => Effect.Effect<A, never, Durable.Execution>,
        millis: number
      ) =>
        host((note) =>
          Effect.all([ask("A"), Effect.andThen(hold(Effect.sleep(millis)), Durable.step("late", note("late")))], both)
        )
      const bare = yield* program((effect) => effect, 10_000)
      const cut = yield* bare.turn()
      assert.deepStrictEqual(cut.recorded, [])
      assert.deepStrictEqual(cut.run.cuts.sleeps, [10_000])
      const held = yield* program(Durable.hold, 10)
      const kept = yield* held.turn()
      assert.deepStrictEqual(kept.recorded, ["SUCCEED late"])
      assert.deepStrictEqual(kept.run.cuts.sleeps, [])
    })
  )

  it.live("a step that wins a race against a wait ends it, and the loser is not waited for", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.race(Durable.step("quick", slowly(note, "quick")), ask("A")).pipe(
          Effect.tap((won) => Durable.step("after", note(`after ${won}`)))
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "quick")
      assert.deepStrictEqual(execution.waitsFor, ["A"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

type Branch = Effect.Effect<string, unknown, Durable.Execution>

/** How to record a child whose body asks. */
const declaredAsk = { error: failing.error }

describe("names", () => {
  it.live("a name used three times in a row gives three operations, live and on replay", () =>
    Effect.gen(function* () {
      let calls = 0
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const out: Array<number> = []
          for (let i = 0; i < 3; i++)
            out.push(
              yield* Durable.step(
                "charge",
                Effect.sync(() => ++calls)
              )
            )
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

  it.live("a name used by concurrent branches is refused on the first run, with the cure", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.forEach([1, 2, 3], (i) => Durable.step("charge", Effect.succeed(i)), both)
      )
      const { answer } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "NameInUse")
      assert.include(errorOf(answer).message, "Durable.forEach")
    })
  )

  it.live("branches with namespaces of their own keep their values on replay", () =>
    Effect.gen(function* () {
      let calls = 0
      const execution = yield* host(() =>
        Effect.forEach(
          [1, 2, 3],
          (i) =>
            Durable.child(
              `item-${i}`,
              Durable.step(
                "charge",
                Effect.delay(
                  Effect.sync(() => ++calls && i),
                  4 - i
                )
              ),
              {
                flat: true
              }
            ),
          both
        ).pipe(Effect.tap(() => ask("A")))
      )
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), [1, 2, 3])
      assert.strictEqual(calls, 3)
    })
  )

  it.live("Effect.retry round a failing step runs it again each time, and never again on replay", () =>
    Effect.gen(function* () {
      let calls = 0
      const execution = yield* host(() =>
        Durable.step(
          "try",
          Effect.andThen(
            Effect.sync(() => ++calls),
            declined
          ),
          failing
        ).pipe(
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

  it.live("a step whose body waits is refused by the compiler, and by the run, before its side effect repeats", () =>
    Effect.gen(function* () {
      let effects = 0
      const execution = yield* host(() =>
        Durable.step(
          "outer",
          // @ts-expect-error a step cannot hold durable operations
          Effect.andThen(
            Effect.sync(() => ++effects),
            Durable.wait("inner", "1 second")
          ),
          { retry: RetryPolicy.none }
        )
      )
      const { answer } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "NestedOperation")
      assert.include(errorOf(answer).message, `"outer"`)
      assert.include(errorOf(answer).message, `"inner"`)
      assert.strictEqual(effects, 1)
    })
  )
})

describe("compensation and suspension", () => {
  suspends("something that may have to be undone, and then a wait", {
    program: (note) =>
      Effect.gen(function* () {
        const booked = yield* Durable.withCompensation("book", Durable.step("book", note("book")), () => note("undo"))
        yield* ask("answer")
        return booked
      }),
    waitsFor: ["answer"],
    noted: ["book"],
    recorded: ["SUCCEED book"],
    ends: "book",
    log: ["book"]
  })

  it.live("what was done is undone once, the last first, and only by a real failure, across suspensions", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) => {
        const book = (name: string) =>
          Durable.withCompensation(name, Durable.step(name, note(name)), (booked) =>
            Effect.andThen(ask(`confirm ${name}`), Durable.step("undo", note(`undo ${booked}`)))
          )
        return Effect.gen(function* () {
          yield* book("hotel")
          yield* ask("approval")
          yield* book("car")
          yield* ask("payment")
        })
      })
      assertPending(yield* execution.turn())
      execution.complete("approval")
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.log, ["hotel", "car"])
      execution.complete("payment", { error: { code: "declined" } })
      const undoing = yield* execution.turn()
      assertPending(undoing)
      assert.strictEqual(undoing.fibersLeft, 0)
      assert.deepStrictEqual(execution.waitsFor, ["confirm car"])
      execution.complete("confirm car")
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.waitsFor, ["confirm hotel"])
      execution.complete("confirm hotel")
      const { answer, fibersLeft } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.strictEqual(fibersLeft, 0)
      assert.deepStrictEqual(execution.log, ["hotel", "car", "undo car", "undo hotel"])
    })
  )
})
