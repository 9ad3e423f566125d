/**
 * Control flow that meets a suspension: whatever a workflow does around its waits, an invocation that only waits answers
 * PENDING, records nothing that only a real end may record, leaves no fiber behind, and the execution still ends as if it
 * had never been suspended.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import {
  ask,
  both,
  Declined,
  declined,
  errorOf,
  failing,
  host,
  slowly,
  turns,
  type Chooser,
  type Note,
  type Program
} from "./harness.ts"
import { suspends } from "./suspends.ts"

const waitsOnly: Chooser = (open) => open.filter(({ Type }) => Type === "WAIT")

const askBoth = Effect.all([ask("one"), ask("two")], both)

describe("handlers around a wait", () => {
  suspends("does not give a suspension to Effect.exit", {
    program: (note) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(ask("answer"))
        yield* Durable.step("after", note("after"))
        return exit._tag
      }),
    waitsFor: ["answer"],
    ends: "Success",
    log: ["after"]
  })

  suspends("does not give the suspension of two branches to Effect.exit", {
    program: (note) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(askBoth)
        yield* Durable.step("after", note("after"))
        return Exit.isSuccess(exit) ? exit.value : "a bogus failure"
      }),
    waitsFor: ["one", "two"],
    ends: ["one", "two"],
    log: ["after"]
  })

  suspends("does not give a suspension to catchCause", {
    program: (note) => Effect.catchCause(ask("answer"), () => Durable.step("recovered", note("recovered"))),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("does not give the suspension of two branches to catchCause", {
    program: (note) => Effect.catchCause(askBoth, () => Durable.step("recovered", note("recovered"))),
    waitsFor: ["one", "two"],
    ends: ["one", "two"]
  })

  suspends("does not give the suspension of a race to catchCause", {
    program: (note) =>
      Effect.catchCause(Effect.race(ask("one"), ask("two")), () => Durable.step("recovered", note("recovered"))),
    waitsFor: ["one", "two"],
    ends: "two",
    choose: (open) => open.filter((operation) => operation.Name === "two")
  })

  suspends("does not give a suspension to a retry of every cause", {
    program: (note) =>
      askBoth.pipe(
        Effect.tapCause(() => note("attempt failed")),
        Effect.sandbox,
        Effect.retry({ times: 2 })
      ),
    waitsFor: ["one", "two"],
    ends: ["one", "two"]
  })
})

describe("time-outs of Effect around a wait", () => {
  const raced = (note: Note): Program =>
    Effect.race(ask("answer"), Effect.as(Effect.sleep("10 seconds"), "timer")).pipe(
      Effect.tap((won) => note(`won: ${won}`))
    )

  suspends("lets an answer win that comes before the time is over", {
    program: raced,
    waitsFor: ["answer", "sleep 10s"],
    ends: "answer",
    log: ["won: answer"]
  })

  suspends("lets the time win that is over before the answer comes", {
    program: raced,
    waitsFor: ["answer", "sleep 10s"],
    choose: waitsOnly,
    ends: "timer",
    log: ["won: timer"]
  })

  suspends("does not strike because of a suspension", {
    program: (note) =>
      ask("answer").pipe(
        Effect.timeout("10 seconds"),
        Effect.tapError(() => note("timed out"))
      ),
    waitsFor: ["answer", "sleep 10s"],
    ends: "answer"
  })

  const patient = (note: Note): Program =>
    ask("answer").pipe(
      Effect.timeoutOption("10 seconds"),
      Effect.map(Option.getOrElse(() => "timed out")),
      Effect.catchCause(() => Durable.step("recovered", note("recovered")))
    )

  suspends("is not seen by handlers that catch everything", {
    program: patient,
    waitsFor: ["answer", "sleep 10s"],
    ends: "answer"
  })

  suspends("strikes when its time is over", {
    program: patient,
    waitsFor: ["answer", "sleep 10s"],
    choose: waitsOnly,
    ends: "timed out"
  })
})

describe("waits that cannot be interrupted", () => {
  suspends("lets go of an uninterruptible wait", {
    program: () => Effect.uninterruptible(ask("answer")),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("lets uninterruptible code go on after its wait, but not record anything", {
    program: (note) =>
      Effect.uninterruptible(
        Effect.exit(ask("answer")).pipe(
          Effect.tap(() => note("goes on")),
          Effect.andThen(Durable.step("after", note("after")))
        )
      ),
    waitsFor: ["answer"],
    noted: ["goes on"],
    ends: "after",
    log: ["goes on", "goes on", "after"]
  })

  suspends("lets go of an uninterruptible race of waits", {
    program: () => Effect.uninterruptible(Effect.race(ask("one"), ask("two"))),
    waitsFor: ["one", "two"],
    ends: "one",
    choose: (open) => open.filter((operation) => operation.Name === "one")
  })

  suspends("gives up an uninterruptible loop of waits after the grace period", {
    program: () => Effect.uninterruptible(Effect.forever(Effect.exit(ask("answer")))),
    waitsFor: ["answer"],
    abandoned: true,
    options: { grace: 30 }
  })
})

describe("fibers that a workflow forks", () => {
  suspends("lets go of a forked child that waits", {
    program: () => Effect.flatMap(Effect.forkChild(ask("answer")), Fiber.join),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("lets go of a detached fiber that waits", {
    program: () => Effect.flatMap(Effect.forkDetach(ask("answer")), Fiber.join),
    waitsFor: ["answer"],
    ends: "answer"
  })

  suspends("gives no suspension to a handler in a detached fiber whose branches wait", {
    program: (note) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(Effect.tap(Effect.exit(askBoth), ({ _tag }) => note(_tag)))
        const answer = yield* ask("answer")
        yield* Fiber.join(fiber)
        return answer
      }),
    waitsFor: ["answer", "one", "two"],
    ends: "answer",
    log: ["Success"]
  })

  suspends("gives no suspension to such a handler in a child, either", {
    program: (note) =>
      Durable.child(
        "child",
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.tap(Effect.exit(askBoth), ({ _tag }) => note(_tag)))
          const answer = yield* ask("answer")
          yield* Fiber.join(fiber)
          return answer
        }),
        { error: Declined }
      ),
    waitsFor: ["answer", "one", "two"],
    ends: "answer",
    log: ["Success"]
  })

  suspends("lets go of a consumer that waits for a producer that waits", {
    program: (note) =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<string>()
        yield* Effect.all(
          [
            Effect.flatMap(ask("answer"), (answer) => Queue.offer(queue, answer)),
            Effect.flatMap(Queue.take(queue), (taken) => note(`took ${taken}`))
          ],
          both
        )
      }),
    waitsFor: ["answer"],
    ends: undefined,
    log: ["took answer"]
  })

  suspends("does not let a heartbeat in the background hold a suspension for ever", {
    program: () => Effect.andThen(Effect.forkChild(Effect.forever(Effect.sleep(5))), ask("answer")),
    waitsFor: ["answer"],
    ends: "answer",
    options: { outsideLimit: 20 }
  })

  suspends("lets go of a stream that waits in several places", {
    program: () =>
      Stream.range(1, 3).pipe(
        Stream.mapEffect((i) => ask(`answer-${i}`), { concurrency: 2 }),
        Stream.runCollect
      ),
    waitsFor: ["answer-1", "answer-2"],
    ends: ["answer-1", "answer-2", "answer-3"]
  })

  suspends("lets branches hand values to each other before it suspends", {
    program: (note) =>
      Effect.gen(function* () {
        const hand = yield* Deferred.make<string>()
        yield* Effect.all(
          [
            Durable.step("produce", slowly(note, "produce")).pipe(Effect.andThen(Deferred.succeed(hand, "it"))),
            Effect.flatMap(Deferred.await(hand), (value) => Durable.step("consume", note(`consume ${value}`))),
            ask("answer")
          ],
          both
        )
      }),
    waitsFor: ["answer"],
    noted: ["produce", "consume it"],
    recorded: ["SUCCEED produce", "SUCCEED consume"],
    ends: undefined,
    log: ["produce", "consume it"]
  })
})

describe("siblings of a wait", () => {
  suspends("waits for a step that is running", {
    program: (note) => Effect.all([ask("answer"), Durable.step("slow", slowly(note, "slow"))], both),
    waitsFor: ["answer"],
    noted: ["slow"],
    recorded: ["SUCCEED slow"],
    ends: ["answer", "slow"],
    log: ["slow"]
  })

  suspends("starts the branches that stand after the wait, too", {
    program: (note) =>
      Effect.all([ask("answer"), Durable.step("slow", slowly(note, "slow")), Durable.step("fast", note("fast"))], both),
    waitsFor: ["answer"],
    noted: ["fast", "slow"],
    recorded: ["SUCCEED fast", "SUCCEED slow"],
    ends: ["answer", "slow", "fast"],
    log: ["fast", "slow"]
  })

  suspends("goes on with what follows a step, as long as it is durable", {
    program: (note) =>
      Effect.all(
        [
          ask("answer"),
          Durable.step("first", slowly(note, "first")).pipe(
            Effect.andThen(Durable.step("second", slowly(note, "second"))),
            Effect.andThen(ask("more"))
          )
        ],
        both
      ),
    waitsFor: ["answer", "more"],
    noted: ["first", "second"],
    recorded: ["SUCCEED first", "SUCCEED second"],
    ends: ["answer", "more"],
    log: ["first", "second"]
  })

  it.live("ends at once when a branch fails while another waits", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all([ask("answer"), Durable.step("bad", Effect.andThen(turns(3), declined), failing)], both)
      )
      const { answer, fibersLeft, recorded } = yield* execution.turn()
      assert.strictEqual(errorOf(answer).type, "Declined")
      assert.deepStrictEqual(recorded, ["FAIL bad"])
      assert.strictEqual(fibersLeft, 0)
    })
  )
})
