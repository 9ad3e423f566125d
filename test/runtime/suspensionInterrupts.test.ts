/**
 * Interruptions by the program, losers, fibers that outlive their block, and typed errors: each an ordinary outcome of the
 * code, and never mixed up with a suspension.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import {
  ask,
  both,
  Declined,
  declined,
  errorOf,
  failing,
  host,
  type Note,
  Outside,
  slowly,
  turns,
  valueOf
} from "./harness.ts"
import { assertPending } from "./suspends.ts"

describe("an interruption by the program", () => {
  it.live("ends the execution when the workflow interrupts itself", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.interrupt)
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("ends the execution also while something else waits", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.all([ask("answer"), Effect.interrupt], both))
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("ends the execution that joins a fiber which was interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(ask("answer"), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          return yield* Fiber.join(fiber)
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("fails a child, and is the child's failure on replay as well", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(Durable.child("child", Effect.interrupt))
          yield* ask("answer")
          return exit._tag === "Failure" ? exit.cause.reasons.map((reason) => reason._tag) : exit._tag
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["FAIL child"])
      assert.strictEqual(
        execution.operations.find((operation) => operation.Name === "child")?.ContextDetails?.Error?.ErrorType,
        "Interrupted"
      )
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["Die"])
    })
  )

  it.live("fails an attempt of a step, which its policy sees and may repeat", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const policy: RetryPolicy.RetryPolicy = RetryPolicy.make(({ attempt, failure }) => {
        seen.push(failure._tag)
        return Effect.succeed(attempt < 2 ? { _tag: "Retry", delaySeconds: 1 } : { _tag: "Stop" })
      })
      const execution = yield* host(() => Durable.step("step", Effect.interrupt, { retry: policy }))
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["RETRY step"])
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Interrupted")
      assert.deepStrictEqual(seen, ["Interrupted", "Interrupted"])
    })
  )

  it.live("records no outcome of a step whose fiber it interrupts, and the workflow goes on", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.step("cut", Effect.never), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          yield* Durable.step("after", note("after"))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED after"])
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
      assert.deepStrictEqual(execution.log, ["after"])
    })
  )

  it.live("records nothing for a policy that never saw the interruption of a fiber", () =>
    Effect.gen(function* () {
      let asked = 0
      const policy: RetryPolicy.RetryPolicy = RetryPolicy.make(() => {
        asked++
        return Effect.succeed({ _tag: "Stop" })
      })
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.step("cut", Effect.never, { retry: policy }), {
            startImmediately: true
          })
          yield* Fiber.interrupt(fiber)
          return "end"
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "end")
      assert.strictEqual(asked, 0)
      assert.deepStrictEqual(only.recorded, [])
    })
  )

  it.live("is handled inside a step like any other outcome of its body", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Durable.step(
          "step",
          Effect.catchCause(Effect.interrupt, () => Effect.succeed("handled"))
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "handled")
    })
  )
})

describe("losers", () => {
  it.live("a step that loses a race is interrupted, and its result is dropped", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.raceFirst(
          Durable.step("fast", slowly(note, "fast")),
          Durable.step(
            "slow",
            Effect.onInterrupt(Effect.never, () => note("interrupted"))
          )
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "fast")
      assert.deepStrictEqual(only.recorded, ["SUCCEED fast"])
      assert.deepStrictEqual(execution.log, ["fast", "interrupted"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("an invoke that loses against its time-out is not waited for", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Durable.invoke(Outside, undefined, { name: "slow", timeout: "1 second" }).pipe(
          Effect.catchTag("InvokeTimedOut", () => Durable.step("instead", note("instead")))
        )
      )
      assertPending(yield* execution.turn())
      execution.complete("timeout")
      const ended = yield* execution.turn()
      assert.strictEqual(valueOf(ended.answer), "instead")
      assert.strictEqual(ended.fibersLeft, 0)
      assert.isTrue(execution.closed)
    })
  )

  it.live("a fiber that is never joined is let go when the workflow ends", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(ask("forgotten"), { startImmediately: true })
          yield* Effect.forkDetach(Durable.step("endless", Effect.never), { startImmediately: true })
          return yield* Durable.step("step", note("done"))
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "done")
      assert.deepStrictEqual(only.recorded, ["SUCCEED step"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

describe("fibers that outlive their child", () => {
  it.live("record nothing of a step that ends later, and the execution goes on", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const child = yield* Durable.child(
            "child",
            Effect.as(Effect.forkChild(Durable.step("late", slowly(note, "late")), { startImmediately: true }), "early")
          )
          yield* Durable.step("after", Effect.as(turns(20), child))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED child", "SUCCEED after"])
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
    })
  )

  it.live("record nothing of a step that they begin later, and do not hold a suspension", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Durable.child(
            "child",
            Effect.asVoid(Effect.forkChild(Effect.andThen(turns(3), Durable.step("late", note("late")))))
          )
          yield* Durable.hold(turns(10))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED child"])
      assert.deepStrictEqual(execution.log, [])
      assert.strictEqual(suspended.fibersLeft, 0)
    })
  )

  for (const [when, block] of [
    ["begins", (note: Note) => Effect.andThen(turns(3), Durable.step("late", note("late")))],
    ["ends", (note: Note) => Durable.step("late", slowly(note, "late"))]
  ] as const) {
    it.live(`are told so in a step that ${when} later, and with them whoever joins them`, () =>
      Effect.gen(function* () {
        const execution = yield* host((note) =>
          Effect.gen(function* () {
            const forked: Array<Fiber.Fiber<string>> = []
            const fork = Effect.forkDetach(block(note), { startImmediately: true })
            yield* Durable.child(
              "child",
              Effect.andThen(fork, (fiber) => Effect.sync(() => void forked.push(fiber)))
            )
            return yield* Fiber.joinAll(forked)
          })
        )
        const only = yield* execution.turn()
        assert.strictEqual(errorOf(only.answer).type, "ContextEnded")
        assert.include(errorOf(only.answer).message, `"child/late"`)
        assert.deepStrictEqual(only.recorded, ["SUCCEED child"])
        assert.strictEqual(only.fibersLeft, 0)
      })
    )
  }

  it.live("go on when the child is only a namespace", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fork = Effect.forkDetach(Effect.andThen(turns(3), Durable.step("late", note("late"))))
          const late = yield* Effect.flatMap(Durable.child("child", fork, { flat: true }), Fiber.join)
          return [late, yield* ask("answer")]
        })
      )
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["late", "answer"])
      assert.deepStrictEqual(execution.log, ["late"])
    })
  )
})

describe("forks that are never joined", () => {
  it.live("may have recorded what the next invocation does not reach any more", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(Effect.andThen(turns(3), Durable.step("late", note("late"))))
          yield* Durable.step("slow", Effect.as(turns(20), "slow"))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED late", "SUCCEED slow"])
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
    })
  )

  it.live("may wait for something that the workflow does not wait for", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(Effect.andThen(ask("forgotten"), Durable.step("late", note("late"))))
          return yield* ask("answer")
        })
      )
      assertPending(yield* execution.turn())
      execution.complete("forgotten")
      const again = yield* execution.turn()
      assertPending(again)
      assert.deepStrictEqual(again.recorded, ["SUCCEED late"])
      execution.complete("answer")
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
    })
  )
})

describe("typed errors after a suspension", () => {
  it.live("arrive as themselves, with their fields", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        ask("answer").pipe(Effect.catchTag("Declined", (error) => Effect.succeed(`declined: ${error.code}`)))
      )
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const ended = yield* execution.turn()
      assert.strictEqual(valueOf(ended.answer), "declined: limit")
      assert.strictEqual(ended.fibersLeft, 0)
    })
  )

  it.live("arrive through a child that was suspended, again on every replay", () =>
    Effect.gen(function* () {
      const caught: Array<boolean> = []
      const execution = yield* host(() =>
        Durable.child("child", ask("answer"), { error: Declined }).pipe(
          Effect.catch((error) =>
            Effect.andThen(
              Effect.sync(() => caught.push(error instanceof Declined)),
              ask("second")
            )
          )
        )
      )
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "second")
      assert.deepStrictEqual(caught, [true, true])
    })
  )

  it.live("end the execution when nobody handles them", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.all([ask("answer"), ask("other")], both))
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const ended = yield* execution.turn()
      assert.strictEqual(errorOf(ended.answer).type, "Declined")
      assert.strictEqual(ended.fibersLeft, 0)
    })
  )
})

describe("a failure beside a suspension", () => {
  it.live("that comes after a grace period of another invocation is still the outcome", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all([ask("answer"), Effect.andThen(ask("gate"), Durable.step("bad", declined, failing))], both)
      )
      assertPending(yield* execution.turn())
      execution.complete("gate")
      const ended = yield* execution.turn()
      assert.strictEqual(errorOf(ended.answer).type, "Declined")
      yield* turns(3)
      assert.isTrue(execution.closed)
    })
  )
})

describe("a fiber that a block forked and waits for", () => {
  const blocks = {
    "a child": (block: Program) => Durable.child("child", block),
    "a child in a child": (block: Program) => Durable.child("outer", Durable.child("child", block)),
    "a branch": (block: Program) => Effect.asVoid(Durable.all("all", [block, Effect.void], both)),
    "an item": (block: Program) => Effect.asVoid(Durable.map("map", [1, 2], () => block)),
    "an attempt": (block: Program) => Durable.retry("retry", block, RetryPolicy.none)
  }
  const waits = {
    "a wait": Durable.wait("wait", "1 hour"),
    "a callback": Effect.ignore(ask("answer")),
    "a call with a limit": Effect.ignore(Durable.invoke(Outside, undefined, { timeout: "1 hour" })),
    "a race": Effect.asVoid(Durable.race("race", [Durable.wait("left", "1 hour"), Durable.wait("right", "1 hour")])),
    "a sleep": Effect.sleep("1 hour"),
    "the next attempt": Durable.step("step", Effect.die("boom"), { retry: RetryPolicy.fixed({ delay: "1 hour" }) })
  }
  type Program = Effect.Effect<void, never, Durable.Execution>

  for (const [where, around] of Object.entries(blocks)) {
    for (const [what, wait] of Object.entries(waits)) {
      const forks = (ends: Array<string>): Program =>
        around(
          Effect.gen(function* () {
            const told = Effect.onExit(wait, (exit) => Effect.sync(() => void ends.push(kindOfEnd(exit))))
            const fiber = yield* Effect.forkChild(told, { startImmediately: true })
            yield* Effect.raceFirst(Fiber.join(fiber), Durable.wait("other", "2 hours"))
          })
        )

      it.live(`is interrupted by a suspension that finds it at ${what} in ${where}`, () =>
        Effect.gen(function* () {
          const ends: Array<string> = []
          const execution = yield* host(() => Effect.as(forks(ends), "over"))
          const suspended = yield* execution.turn()
          assertPending(suspended)
          assert.isNotEmpty(ends)
          assert.deepStrictEqual(new Set(ends), new Set(["interrupted"]))
        })
      )

      it.live(`is interrupted by a limit that finds it at ${what} in ${where}`, () =>
        Effect.gen(function* () {
          const ends: Array<string> = []
          const execution = yield* host(() =>
            Effect.timeoutOrElse(Effect.as(forks(ends), "over"), {
              duration: "20 millis",
              orElse: () => Effect.succeed("late")
            })
          )
          const only = yield* execution.turn()
          assert.strictEqual(only.answer?.Status, "SUCCEEDED")
          assert.isNotEmpty(ends)
          assert.deepStrictEqual(new Set(ends), new Set(["interrupted"]))
        })
      )
    }
  }

  const kindOfEnd = (exit: Exit.Exit<unknown, unknown>): string => {
    if (Exit.isSuccess(exit)) return "succeeded"
    return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : Cause.pretty(exit.cause)
  }
})
