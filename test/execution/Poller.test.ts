import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Door } from "../../src/execution/Claim.ts"
import { History } from "../../src/execution/History.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import { Poller } from "../../src/execution/Poller.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { claimHost, claimOf, idle, ManualClock, record } from "./support.ts"

const root = Namespace.root("arn", 0)

/** A poller on a clock of its own, and when it polled. */
const make = ({ isHeld = false, latest = Infinity } = {}) => {
  const clock = new ManualClock()
  const polls: Array<number> = []
  const poller = new Poller({
    now: () => clock.now,
    after: (millis, action) =>
      void Effect.runFork(Effect.andThen(clock.sleep(Duration.millis(millis)), Effect.sync(action))),
    latest,
    poll: () => {
      polls.push(clock.now)
      poller.arm(isHeld)
    }
  })
  return { clock, poller, polls }
}

const doorOf = (told: Partial<Operation>): Door => {
  const claim = claimOf(root, "a", { host: claimHost() })
  claim.enter(new History([record(claim.id, told)], new Set()).claim(claim))
  return {
    at: Number.NaN,
    rank: 0,
    index: 0,
    order: 0,
    since: 0,
    claim,
    namespace: root,
    fiber: idle,
    path: "a",
    isFinal: false,
    keyOf: () => undefined,
    outcome: () => Effect.void,
    resume: () => {},
    isGone: false,
    leave: undefined
  }
}

describe("The service is asked for news", () => {
  it("when an operation is due, and then less and less often", () => {
    const { clock, poller, polls } = make()
    poller.watch(doorOf({ Type: "WAIT", WaitDetails: { ScheduledEndTimestamp: 5_000 } }))
    poller.arm(false)
    clock.pass(20_000)
    assert.deepStrictEqual(polls, [5_000, 6_000, 8_000, 11_000, 15_000, 20_000])
  })

  it("when the next attempt of a step is due", () => {
    const { clock, poller, polls } = make()
    poller.watch(doorOf({ Status: "PENDING", StepDetails: { NextAttemptTimestamp: 3_000 } }))
    poller.arm(false)
    clock.pass(3_500)
    assert.deepStrictEqual(polls, [3_000])
  })

  it("after a second, two, and so on up to ten, where nobody knows when an operation is due", () => {
    const { clock, poller, polls } = make()
    poller.watch(doorOf({ Type: "CALLBACK" }))
    poller.arm(false)
    clock.pass(80_000)
    const gaps = polls.map((at, i) => (at - (polls[i - 1] ?? 0)) / 1_000)
    assert.deepStrictEqual(gaps.slice(0, 3), [1, 1, 2])
    assert.isTrue(gaps.every((gap, i) => gap >= (gaps[i - 1] ?? 0) && gap <= 10))
    assert.strictEqual(gaps.at(-1), 10)
  })

  it("for none that nobody waits for any more", () => {
    const { clock, poller, polls } = make()
    const door = doorOf({ Type: "CALLBACK" })
    poller.watch(door)
    poller.arm(false)
    clock.pass(1_500)
    poller.forget(door)
    clock.pass(60_000)
    assert.isAtMost(polls.length, 2)
  })

  it("soon, and then less and less often, while it holds back an outcome", () => {
    const { clock, poller, polls } = make({ isHeld: true })
    poller.watch(doorOf({ Type: "WAIT", WaitDetails: { ScheduledEndTimestamp: 60_000 } }))
    poller.arm(true)
    clock.pass(50_000)
    const gaps = polls.map((at, i) => at - (polls[i - 1] ?? 0))
    assert.deepStrictEqual(gaps, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
  })

  it("not when the answer would come too late for the invocation", () => {
    const { clock, poller, polls } = make({ latest: 4_000 })
    poller.watch(doorOf({ Type: "WAIT", WaitDetails: { ScheduledEndTimestamp: 5_000 } }))
    poller.arm(false)
    clock.pass(60_000)
    assert.deepStrictEqual(polls, [])
  })
})
