/**
 * Finalizers and a suspension: those of Effect run whenever an invocation ends, and may then do local work only; those of
 * `Durable.onExit`, and every durable operation in a finalizer, run when the code really ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ask, both, declined, errorOf, failing, host, slowly, turns, valueOf } from "./harness.ts"
import { assertPending, suspends } from "./suspends.ts"

/** A wait in a finalizer, which may not fail with a typed error. */
const confirm = Effect.orDie(ask("confirm"))

const askBoth = Effect.all([ask("one"), ask("two")], both)

describe("Effect's finalizers at a suspension", () => {
  suspends("runs the local part of a release, and the durable part only at the end", {
    program: (note) =>
      Effect.acquireUseRelease(
        Durable.step("acquire", note("acquire")),
        () => ask("answer"),
        () => Effect.andThen(note("local release"), Durable.step("release", note("release")))
      ),
    waitsFor: ["answer"],
    noted: ["acquire", "local release"],
    recorded: ["SUCCEED acquire"],
    ends: "answer",
    log: ["acquire", "local release", "local release", "release"]
  })

  suspends("releases nothing at the suspension of two branches, and once at the end", {
    program: (note) =>
      Effect.acquireUseRelease(
        Durable.step("acquire", note("acquire")),
        () => askBoth,
        () => Durable.step("release", note("release"))
      ),
    waitsFor: ["one", "two"],
    noted: ["acquire"],
    recorded: ["SUCCEED acquire"],
    ends: ["one", "two"],
    log: ["acquire", "release"],
    choose: (open) => open.slice(0, 1)
  })

  suspends("neither uses nor releases what is still being acquired", {
    program: (note) =>
      Effect.acquireUseRelease(
        ask("answer"),
        (answer) => note(`use ${answer}`),
        () => note("release")
      ),
    waitsFor: ["answer"],
    ends: "use answer",
    log: ["use answer", "release"]
  })

  suspends("does not run a durable ensuring", {
    program: (note) => Effect.ensuring(ask("answer"), Durable.step("clean-up", note("clean-up"))),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["clean-up"]
  })

  suspends("does not run a durable onError", {
    program: (note) => Effect.onError(ask("answer"), () => Durable.step("undo", note("undo"))),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("does not run a durable onError of a parent whose two branches wait", {
    program: (note) => Effect.onError(askBoth, () => Durable.step("refund", note("refund"))),
    waitsFor: ["one", "two"],
    ends: ["one", "two"],
    choose: (open) => open.slice(0, 1)
  })

  suspends("does not run a durable onInterrupt", {
    program: (note) =>
      Effect.all([ask("one"), Effect.onInterrupt(ask("two"), () => Durable.step("undo", note("undo")))], both),
    waitsFor: ["one", "two"],
    ends: ["one", "two"]
  })

  suspends("does not run a durable finalizer of a scope", {
    program: (note) =>
      Effect.scoped(
        Effect.andThen(
          Effect.addFinalizer(() => Durable.step("close", note("close"))),
          ask("answer")
        )
      ),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["close"]
  })

  suspends("closes nested scopes from the inside out, each time", {
    program: (note) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => note("outer"))
          return yield* Effect.scoped(
            Effect.gen(function* () {
              yield* Effect.addFinalizer(() => note("inner"))
              return yield* ask("answer")
            })
          )
        })
      ),
    waitsFor: ["answer"],
    noted: ["inner", "outer"],
    ends: "answer",
    log: ["inner", "outer", "inner", "outer"]
  })

  for (const [what, finalizer, told, type] of [
    ["defect", Effect.die("boom"), "boom", "Defect"],
    ["failure", declined, "Declined", "Declined"]
  ] as const) {
    it.live(`does not take the ${what} of a finalizer for the outcome, and tells of it`, () =>
      Effect.gen(function* () {
        const execution = yield* host(() => Effect.onExit(ask("answer"), () => finalizer))
        const suspended = yield* execution.turn()
        assertPending(suspended)
        assert.strictEqual(suspended.fibersLeft, 0)
        assert.lengthOf(execution.warnings, 1)
        assert.include(execution.warnings[0], told)
        execution.complete("answer")
        assert.strictEqual(errorOf((yield* execution.turn()).answer).type, type)
        assert.lengthOf(execution.warnings, 1)
      })
    )
  }

  it.live("are not blamed for what another branch failed with before", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all(
          [Effect.uninterruptible(ask("answer")), Effect.andThen(Effect.yieldNow, Effect.die(new Error("older")))],
          both
        )
      )
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.warnings, [])
    })
  )

  it.live("are not blamed for what the branch was failing with that they clean up after", () =>
    Effect.gen(function* () {
      const failing = Effect.onExit(Effect.die(new Error("older")), () => ask("answer"))
      const execution = yield* host(() => Effect.all([failing, ask("other")], both))
      assertPending(yield* execution.turn())
      assert.deepStrictEqual(execution.warnings, [])
    })
  )

  suspends("gives up a finalizer that never ends after the grace period", {
    program: () => Effect.ensuring(ask("answer"), Effect.never),
    waitsFor: ["answer"],
    abandoned: true,
    options: { grace: 30 }
  })

  suspends("waits for a finalizer within the grace period", {
    program: (note) => Effect.ensuring(ask("answer"), slowly(note, "closed")),
    waitsFor: ["answer"],
    noted: ["closed"],
    ends: "answer",
    log: ["closed", "closed"]
  })

  it.live("lets a finalizer that outlasts its grace period record nothing in the next invocation either", () =>
    Effect.gen(function* () {
      const late = Promise.withResolvers<void>()
      const execution = yield* host(
        (note) =>
          Effect.ensuring(
            ask("answer"),
            Effect.andThen(
              Effect.promise(() => late.promise),
              Effect.andThen(note("outlived"), Durable.step("late", note("late")))
            )
          ),
        { grace: 10 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      execution.complete("answer")
      const next = execution.begin({ grace: 10 })
      late.resolve()
      const ended = yield* next.ended
      assert.strictEqual(valueOf(ended.answer), "answer")
      assert.deepStrictEqual(execution.log, ["outlived", "outlived", "late"])
      assert.deepStrictEqual(ended.recorded, ["SUCCEED late"])
    })
  )
})

describe("finalizers with durable operations at a real end", () => {
  it.live("may wait for somebody outside after a genuine failure", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.acquireUseRelease(
          Durable.step("acquire", note("acquire")),
          () => Durable.step("use", declined, failing),
          () => Effect.andThen(confirm, Durable.step("released", note("released")))
        )
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(execution.waitsFor, ["confirm"])
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED acquire", "FAIL use"])
      const { answer, turns } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["acquire", "released"])
      assert.strictEqual(turns.at(-1)?.fibersLeft, 0)
    })
  )

  it.live("may wait in an onError without anybody around it", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.onError(Durable.step("use", declined, failing), () =>
          Effect.andThen(confirm, Durable.step("undone", note("undone")))
        )
      )
      assertPending(yield* execution.turn())
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["undone"])
    })
  )

  it.live("may wait in a scope that closes", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.andThen(confirm, note("closed")))
            return yield* ask("answer")
          })
        )
      )
      const { answer, turns } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
      assert.deepStrictEqual(execution.log, ["closed"])
      assert.strictEqual(turns.length, 3)
    })
  )
})

describe("Durable.onExit", () => {
  suspends("does not run at a suspension, and runs once at the end", {
    program: (note) => Durable.onExit(ask("answer"), () => note("ended")),
    waitsFor: ["answer"],
    ends: "answer",
    log: ["ended"]
  })

  suspends("does not run at the suspensions of branches, however many there are", {
    program: (note) =>
      Effect.gen(function* () {
        const answers = yield* Durable.onExit(askBoth, (exit) => Durable.step("ended", note(`ended ${exit._tag}`)))
        yield* ask("three")
        return answers
      }),
    waitsFor: ["one", "two"],
    ends: ["one", "two"],
    log: ["ended Success"],
    choose: (open) => open.slice(0, 1)
  })

  it.live("may suspend inside, and goes on there in the next invocation", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Durable.onExit(Durable.step("use", declined, failing), () =>
          Durable.step("begin", note("begin")).pipe(
            Effect.andThen(ask("confirm")),
            Effect.andThen((answer) => Durable.step("finish", note(`finish ${answer}`)))
          )
        )
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["FAIL use", "SUCCEED begin"])
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["begin", "finish confirm"])
    })
  )

  it.live("runs once over many replays, for a success, a failure and a defect", () =>
    Effect.gen(function* () {
      for (const [end, status] of [
        [Effect.succeed("fine"), "SUCCEEDED"],
        [declined, "FAILED"],
        [Effect.die(new Error("boom")), "FAILED"]
      ] as const) {
        const execution = yield* host((note) =>
          Durable.onExit(ask("one").pipe(Effect.andThen(ask("two")), Effect.andThen(end)), (exit) =>
            Durable.step("ended", note(Exit.isSuccess(exit) ? "success" : (exit.cause.reasons[0]?._tag ?? "nothing")))
          )
        )
        const { answer, turns } = yield* execution.drive()
        assert.strictEqual(answer.Status, status)
        assert.strictEqual(turns.length, 3)
        assert.strictEqual(execution.log.length, 1)
      }
    })
  )

  it.live("runs inside out when several are nested", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        ask("answer").pipe(
          (self) => Durable.onExit(self, () => Durable.step("inner", note("inner"))),
          (self) => Durable.onExit(self, () => Durable.wait("between", "1 second")),
          (self) => Durable.onExit(self, () => Durable.step("outer", note("outer")))
        )
      )
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
      assert.deepStrictEqual(execution.log, ["inner", "outer"])
    })
  )

  it.live("fails with the error of its finalizer when that fails", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Durable.onExit(ask("answer"), () => declined))
      assertPending(yield* execution.turn())
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Declined")
    })
  )

  it.live("runs in a branch that the failure of another interrupts", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.all(
          [
            Durable.onExit(ask("answer"), () => Durable.step("given-up", note("given up"))),
            Durable.step("bad", Effect.andThen(turns(3), declined), failing)
          ],
          both
        )
      )
      const { answer, fibersLeft } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(execution.log, ["given up"])
      assert.strictEqual(fibersLeft, 0)
    })
  )
})
