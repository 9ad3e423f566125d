import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as TestClock from "effect/testing/TestClock"
import {
  actions,
  assertSucceeded,
  besidePromise,
  crashAt,
  deployed,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf
} from "./support.ts"

const both = { concurrency: "unbounded" } as const
const replay = Durable.wait("replay", "1 hour")

/** Asks, and notes the answer of every invocation. */
const asking = (id = "change") => {
  const answers: Array<boolean> = []
  const ask = Effect.tap(Durable.patched(id), (applies) => Effect.sync(() => void answers.push(applies)))
  return { answers, ask }
}

describe("Durable.patched", () => {
  it.effect("is true for an execution that begins with the change, at every replay, and costs one step", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const ran = yield* execute(Effect.andThen(ask, Effect.andThen(replay, replay)))
      assertSucceeded(ran)
      assert.deepStrictEqual(answers, [true, true, true])
      assert.deepStrictEqual(actions(ran.updates), [
        "START patch:change",
        "SUCCEED patch:change",
        "START replay",
        "START replay"
      ])
    })
  )

  it.effect("is false for an execution that was under way, at every replay, and records nothing", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const before = Effect.gen(function* () {
        yield* Durable.step("charge", Effect.void)
        yield* replay
      })
      const after = Effect.gen(function* () {
        if (yield* ask) yield* Durable.step("check", Effect.void)
        yield* Durable.step("charge", Effect.void)
        yield* replay
        yield* replay
        yield* replay
      })
      const ran = yield* execute(deployed(before, after))
      assertSucceeded(ran)
      assert.deepStrictEqual(answers, [false, false, false])
      assert.notInclude(
        ran.operations.map((operation) => operation.Name),
        "check"
      )
    })
  )

  it.effect("is true for an execution that was under way and had not come that far", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const ran = yield* execute(
        deployed(
          Effect.andThen(replay, Durable.step("charge", Effect.void)),
          Effect.gen(function* () {
            yield* replay
            if (yield* ask) yield* Durable.step("check", Effect.void)
            yield* Durable.step("charge", Effect.void)
            yield* replay
          })
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(answers, [true, true])
      assert.include(
        ran.operations.map((operation) => operation.Name),
        "check"
      )
    })
  )

  it.effect("is false where the old code waits", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      assertSucceeded(yield* execute(deployed(replay, Effect.andThen(ask, Effect.andThen(replay, replay)))))
      assert.deepStrictEqual(answers, [false, false])
    })
  )

  it.effect("holds for the whole context, however often it is asked and whatever has happened since", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const loop = Effect.gen(function* () {
        for (let i = 0; i < 3; i++) {
          yield* ask
          yield* replay
        }
      })
      assertSucceeded(yield* execute(deployed(replay, loop)))
      assert.isFalse(answers.includes(true))
      answers.length = 0
      const fresh = yield* execute(loop)
      assert.isFalse(answers.includes(false))
      assert.lengthOf(
        fresh.operations.filter((operation) => operation.Type === "STEP"),
        1
      )
    })
  )

  it.effect("is answered for each change and each context by itself", () =>
    Effect.gen(function* () {
      const first = asking("first")
      const second = asking("second")
      const inner = asking("first")
      const before = Effect.gen(function* () {
        yield* first.ask
        yield* Durable.child("old", replay)
      })
      const after = Effect.gen(function* () {
        yield* first.ask
        yield* second.ask
        yield* Durable.child("old", Effect.andThen(inner.ask, replay))
        yield* Durable.child("new", Effect.asVoid(inner.ask))
        yield* replay
      })
      assertSucceeded(yield* execute(deployed(before, after)))
      assert.deepStrictEqual(first.answers, [true, true, true])
      assert.deepStrictEqual(second.answers, [false, false])
      // The child that was under way, the one that is new, and neither of them again.
      assert.deepStrictEqual(inner.answers, [false, true])
    })
  )

  it.effect("leaves behind a mark that later code passes over, in the workflow and in children", () =>
    Effect.gen(function* () {
      const before = Effect.gen(function* () {
        yield* Durable.patched("change")
        yield* Durable.child("in", Effect.andThen(Durable.patched("change"), replay))
        yield* replay
      })
      const after = Effect.gen(function* () {
        yield* Durable.child("in", replay)
        yield* replay
      })
      const ran = yield* execute(deployed(before, after))
      assertSucceeded(ran)
      assert.deepStrictEqual(
        ran.logs.filter((line) => line.startsWith("Warn")),
        []
      )
    })
  )

  it.effect("is answered at a replay after a short sleep that ended before it, as in the first run", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const note = (line: string) => Effect.sync(() => void order.push(line))
      const body = Effect.all(
        [Effect.andThen(Effect.sleep(200), note("slept")), Effect.andThen(Durable.patched("change"), note("patched"))],
        both
      )
      const first = yield* execute(Durable.patched("change"))
      const marks = first.operations.filter(({ Name }) => Name === "patch:change")
      const event = eventOf(marks.map((mark) => ({ ...mark, StartTimestamp: 500, EndTimestamp: 500 })))
      const running = yield* Effect.forkChild(invokeOnce(body, { event }), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      assert.deepStrictEqual(order, ["slept", "patched"])
    })
  )

  it.effect("does not count marks of other changes as a replay", () =>
    Effect.gen(function* () {
      const ask = asking("second")
      const before = Effect.andThen(Durable.patched("first"), Durable.step("a", Effect.void))
      const crash = crashAt(holds("SUCCEED", "a"), "before")
      const after = Effect.gen(function* () {
        yield* ask.ask
        yield* Durable.patched("first")
        yield* Durable.step("a", Effect.void)
      })
      assertSucceeded(yield* execute(deployed(before, after), { store: crash }))
      assert.deepStrictEqual(ask.answers, [true])
    })
  )

  it.effect("answers all fibers of a context alike, and each branch by itself", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking("a")
      const late = Effect.andThen(Durable.wait("late", "1 hour"), ask)
      const ran = yield* execute(Effect.asVoid(Effect.all([ask, ask, late], both)))
      assertSucceeded(ran)
      assert.deepStrictEqual(answers, [true, true, true, true, true])
      assert.lengthOf(
        ran.operations.filter((operation) => operation.Name === "patch:a"),
        1
      )
      const unordered = yield* execute(Effect.asVoid(besidePromise(ask, ask)))
      assert.strictEqual(failureOf(unordered).errorType, "NameInUse")
      const apart = yield* execute(
        Durable.all("apart", [Durable.patched("a"), Durable.patched("a")], { ...both, flat: true })
      )
      assert.deepStrictEqual(valueOf(apart), [true, true])
    })
  )

  it.effect("is true in a new execution although other fibers have further to replay", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const steps = Effect.gen(function* () {
        for (let i = 0; i < 20; i++) yield* Durable.step("work", Effect.void)
        yield* Durable.wait("long", "2 hours")
        yield* Durable.wait("longer", "2 hours")
      })
      const late = Effect.gen(function* () {
        yield* Durable.wait("late", "1 hour")
        yield* ask
        yield* Durable.wait("on", "2 hours")
      })
      for (const run of [
        Effect.asVoid(Effect.all([late, steps], both)),
        Effect.asVoid(Durable.all("flat", [late, steps], { ...both, flat: true })),
        Effect.asVoid(Effect.all([steps, late], both))
      ]) {
        answers.length = 0
        assertSucceeded(yield* execute(run))
        assert.isNotEmpty(answers)
        assert.isFalse(answers.includes(false))
      }
    })
  )

  it.effect("is false in a fiber that was under way, although others have nothing left to replay", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const other = Effect.andThen(Durable.wait("other", "1 hour"), Durable.wait("another", "5 hours"))
      const old = Effect.andThen(Durable.wait("old", "1 hour"), Durable.wait("older", "1 hour"))
      const changed = Effect.gen(function* () {
        yield* ask
        yield* Durable.wait("old", "1 hour")
        yield* Durable.wait("older", "1 hour")
      })
      const ran = yield* execute(
        deployed(Effect.asVoid(Effect.all([other, old], both)), Effect.asVoid(Effect.all([other, changed], both)))
      )
      assertSucceeded(ran)
      assert.isFalse(answers.includes(true))
    })
  )

  for (const kind of ["with", "without"] as const) {
    it.effect(`answers as it did where a child is rebuilt that was recorded ${kind} it`, () =>
      Effect.gen(function* () {
        const { answers, ask } = asking()
        const large = Durable.step("make", Effect.succeed("x".repeat(200_000))).pipe(Effect.map((text) => text + text))
        const asked = Effect.andThen(ask, large)
        const after = Effect.andThen(Durable.child("large", asked), Effect.andThen(replay, replay))
        const before = Effect.andThen(Durable.child("large", large), replay)
        assertSucceeded(yield* execute(kind === "with" ? after : deployed(before, after)))
        assert.lengthOf(answers, kind === "with" ? 3 : 2)
        assert.lengthOf(new Set(answers), 1)
        assert.strictEqual(answers[0], kind === "with")
      })
    )
  }

  it.effect("belongs to the attempt of a retry", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      let runs = 0
      const block = Effect.andThen(
        ask,
        Durable.step(
          "work",
          Effect.suspend(() => (++runs < 3 ? Effect.die(new Error("no")) : Effect.void)),
          { retry: RetryPolicy.none }
        )
      )
      const ran = yield* execute(
        Durable.retry("block", block, RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" }))
      )
      assertSucceeded(ran)
      assert.isFalse(answers.includes(false))
      assert.lengthOf(
        ran.operations.filter((operation) => operation.Name === "patch:change"),
        3
      )
    })
  )

  for (const when of ["before", "after"] as const) {
    it.effect(`answers the same when the process dies ${when} the mark is acknowledged`, () =>
      Effect.gen(function* () {
        const { answers, ask } = asking()
        const ran = yield* execute(Effect.andThen(ask, replay), {
          store: crashAt(holds("SUCCEED", "patch:change"), when)
        })
        assertSucceeded(ran)
        assert.deepStrictEqual(answers, [true, true])
        assert.lengthOf(
          ran.operations.filter((operation) => operation.Name === "patch:change"),
          1
        )
      })
    )
  }

  it.effect("takes a mark that was only started for one", () =>
    Effect.gen(function* () {
      const { answers, ask } = asking()
      const fresh = yield* invokeOnce(Effect.asVoid(ask))
      const [mark] = fresh.updates
      assert(mark !== undefined)
      const event = eventOf([{ Id: mark.Id, Type: "STEP", SubType: "Step", Name: "patch:change", Status: "STARTED" }])
      const { answer } = yield* invokeOnce(Effect.asVoid(ask), { event })
      assert.strictEqual(answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(answers, [true, true])
    })
  )

  it.effect("refuses names that are none, or too long with its prefix", () =>
    Effect.gen(function* () {
      for (const id of ["", "é", "x".repeat(251), cast<undefined, string>(undefined)]) {
        const ran = yield* execute(Effect.asVoid(Durable.patched(id)))
        assert.strictEqual(failureOf(ran).errorType, "InvalidName")
      }
      assertSucceeded(yield* execute(Effect.asVoid(Durable.patched("x".repeat(250)))))
    })
  )

  it.effect("is refused in the body of a step", () =>
    Effect.gen(function* () {
      const inner = cast<unknown, Effect.Effect<boolean>>(Durable.patched("a"))
      const ran = yield* execute(Durable.step("in", inner, { retry: RetryPolicy.none }))
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
    })
  )

  it.effect("counts its mark among the operations of the execution", () =>
    Effect.gen(function* () {
      const { answer } = yield* invokeOnce(Effect.asVoid(Durable.patched("a")), { run: { maxOperations: 1 } })
      assert.strictEqual(answer?.Status === "FAILED" && answer.Error?.ErrorType, "LimitExceeded")
    })
  )
})
