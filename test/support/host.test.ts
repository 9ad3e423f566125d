/**
 * The host itself: what it lets pass, and what it finds. Its programs use nothing but sequential operations.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Context from "effect/Context"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import {
  atEveryRequest,
  differenceBetween,
  differenceIn,
  everywhere,
  hoursAt,
  minutesAt,
  run,
  statusesOf,
  valueOf,
  type Program
} from "./host.ts"

/** Two steps, a wait between them, a look at the clock and a number. */
const order: Program = (kit) =>
  Effect.gen(function* () {
    yield* kit.step("charge", { takes: "5 seconds" })
    yield* Durable.wait("two hours", "2 hours")
    yield* kit.time("the wait")
    yield* kit.chance("the wait")
    return yield* kit.step("ship", { value: "shipped" })
  })

/** What everywhere says of a program. */
const complaintOf = (program: Program) =>
  Effect.map(Effect.exit(everywhere(program)), (exit) =>
    Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "no complaint"
  )

describe("a run", () => {
  it.effect("is seen as a person would see it", () =>
    Effect.gen(function* () {
      const ran = yield* run(order)
      assert.strictEqual(ran.outcome, 'completed with "shipped"')
      assert.strictEqual(valueOf(ran), "shipped")
      assert.deepStrictEqual(ran.log, ["charge", "ship"])
      assert.deepStrictEqual(
        ran.operations.map(({ path, status, type }) => `${path} ${type} ${status}`),
        ["charge STEP SUCCEEDED", "two hours WAIT SUCCEEDED", "ship STEP SUCCEEDED"]
      )
      assert.deepStrictEqual(statusesOf(ran, "ship"), ["SUCCEEDED"])
      assert.strictEqual(ran.invocations, 2)
      assert.strictEqual(minutesAt(ran, "the wait"), 120)
      assert.strictEqual(hoursAt(ran, "the wait"), 2)
      assert.strictEqual(Math.floor(Duration.toMinutes(ran.elapsed)), 120)
      assert.include(ran.requests.join(), "SUCCEED charge")
      assert.strictEqual(differenceIn(ran), undefined)
    })
  )

  it.effect("that is killed repeats what was not acknowledged, and nothing else", () =>
    Effect.gen(function* () {
      const clean = yield* run(order)
      const request = clean.requests.findIndex((held) => held.includes("SUCCEED charge")) + 1
      const before = yield* run(order, { kill: { request, side: "before" } })
      assert.deepStrictEqual(before.log, ["charge", "charge", "ship"])
      assert.strictEqual(before.invocations, clean.invocations + 1)
      const after = yield* run(order, { kill: { request, side: "after" } })
      assert.deepStrictEqual(after.log, ["charge", "ship"])
      assert.strictEqual(after.invocations, clean.invocations + 1)
      const lost = yield* run(order, { kill: { request, side: "lost" } })
      assert.deepStrictEqual(lost.log, ["charge", "ship"])
      assert.strictEqual(lost.invocations, clean.invocations)
      assert.strictEqual(lost.requests.length, clean.requests.length + 1)
      for (const ran of [before, after, lost]) assert.strictEqual(differenceBetween(clean, ran), undefined)
    })
  )

  it.effect("that never ends is told of as such", () =>
    Effect.gen(function* () {
      const ran = yield* run(() => Effect.flatMap(Durable.callback("nobody"), ({ await: answer }) => answer), {
        engine: { patience: "100 millis" }
      })
      assert.match(ran.outcome, /^never ended: TestFailure: .*nobody/s)
    })
  )
})

describe("a program is held against itself everywhere, and what differs is told", () => {
  it.effect("where it is told to be killed, given what the requests held", () =>
    Effect.gen(function* () {
      const invocations: Array<number> = []
      const clean = yield* atEveryRequest(order, (ran) => void invocations.push(ran.invocations), {
        kills: (requests) => [
          { request: requests.findIndex((held) => held.includes("SUCCEED charge")) + 1, side: "after" }
        ]
      })
      assert.deepStrictEqual(invocations, [clean.invocations, clean.invocations + 1])
    })
  )

  it.effect("nothing", () => Effect.asVoid(everywhere(order)))

  it.effect("an outcome", () => {
    let runs = 0
    return Effect.map(
      complaintOf((kit) => Effect.map(Effect.andThen(kit.step("only"), Durable.wait("a", "1 hour")), () => ++runs)),
      (complaint) =>
        assert.match(complaint, /Killed at request 1 .*: the outcome differs: expected completed with \d+, found/)
    )
  })

  it.effect("what was done to the world", () => {
    let bodies = 0
    const step = Durable.step(
      "twice",
      Effect.sync(() => ++bodies)
    )
    return Effect.map(
      complaintOf((kit) =>
        Effect.andThen(step, Effect.andThen(Durable.step("say", kit.log(`said ${bodies}`)), Effect.succeed("over")))
      ),
      (complaint) => assert.match(complaint, /what was done to the world differs: expected said \d+, found said \d+/)
    )
  })

  it.effect("what one replay saw and another did not", () => {
    let looks = 0
    return Effect.map(
      complaintOf((kit) =>
        Effect.andThen(
          Effect.suspend(() => kit.tell("the look", ++looks)),
          Durable.wait("a", "1 hour")
        )
      ),
      (complaint) => assert.match(complaint, /Without a kill: replays disagree on the look: 1, then 2/)
    )
  })

  it.effect("an operation", () => {
    let runs = 0
    return Effect.map(
      complaintOf(() => Effect.suspend(() => Durable.child(`child ${++runs}`, Effect.void))),
      (complaint) =>
        assert.match(complaint, /the operations differ: expected child \d+ CONTEXT SUCCEEDED, found child \d+/)
    )
  })

  it.effect("a body that ran although its outcome was acknowledged", () =>
    Effect.gen(function* () {
      // The body of a step that is over is run once more by hand, with the context that it had.
      let over: Option.Option<Durable.StepContext["Service"]> = Option.none()
      const complaint = yield* complaintOf((kit) =>
        Effect.gen(function* () {
          yield* Durable.step(
            "over",
            Effect.asVoid(Effect.tap(Durable.StepContext, (step) => Effect.sync(() => (over = Option.some(step)))))
          )
          const again = kit.log("over")
          yield* Option.match(over, {
            onNone: () => again,
            onSome: (step) => Effect.provideService(again, Durable.StepContext, step)
          })
        })
      )
      assert.match(complaint, /attempt 1 of "over" ran although its outcome was acknowledged/)
    })
  )

  it.effect("a fiber that is left behind", () =>
    Effect.gen(function* () {
      const ran = yield* run(() =>
        // Nobody knows of this fiber: it is started beside the workflow, and only counted.
        Effect.map(Metric.FiberRuntimeMetrics, (metrics) => {
          Effect.runForkWith(Context.make(Metric.FiberRuntimeMetrics, metrics))(Effect.never)
        })
      )
      assert.strictEqual(differenceIn(ran), "1 fibers are alive after the end")
    })
  )
})
