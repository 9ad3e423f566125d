/**
 * Many branches at once: a thousand of them, ten at a time, which wait, fail and are retried.
 *
 * SEEDS says for how many seeds; each of them runs the same branches at other times.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import { host, valueOf, type Program } from "../runtime/harness.ts"
import { Declined, decline, gauge, linesOf } from "../operations/batches.ts"
import { execute, valueOf as valueIn } from "../operations/support.ts"

const seeds = Number(process.env["SEEDS"] ?? 1)
const count = 1_000

/** The times of a seed: small numbers that look random. */
const secondsOf = (seed: number) => (n: number) => 1 + (((n * 2_654_435_761 + seed * 40_503) >>> 7) % 20)

const retried = { error: Declined, retry: RetryPolicy.fixed<Declined>({ maxAttempts: 3, delay: "2 seconds" }) }

/** Of ten branches one fails, one needs three attempts, two wait, and one runs two side by side. */
const branch = (n: number, seconds: (n: number) => number): Effect.Effect<number, Declined, Durable.Execution> => {
  const work = Durable.step("work", Effect.succeed(n))
  switch (n % 10) {
    case 1:
      return Durable.step("work", decline(`${n}`), { error: Declined, retry: RetryPolicy.none })
    case 3:
      return Durable.step(
        "work",
        Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < 3 ? decline() : Effect.succeed(n))),
        retried
      )
    case 5:
    case 6:
      return Effect.andThen(Durable.wait("nap", seconds(n) * 1_000), work)
    default:
      return work
  }
}

const batch = (seconds: (n: number) => number, meter = gauge()) =>
  Durable.map(
    "thousand",
    Array.from({ length: count }, (_, n) => n),
    (n) => meter.around(branch(n, seconds)),
    { error: Declined, concurrency: 10, policy: CompletionPolicy.allCompleted }
  )

const expected = [
  "ALL_COMPLETED",
  ...Array.from({ length: count }, (_, n) => (n % 10 === 1 ? `${n} FAILED ${n}` : `${n} SUCCEEDED ${n}`))
]

describe("A thousand branches, ten at a time", () => {
  it.effect(
    "have the same outcomes and the same ids, whatever the times",
    () =>
      Effect.gen(function* () {
        const first = new Set<string>()
        for (let seed = 1; seed <= seeds; seed++) {
          const meter = gauge()
          const ran = yield* execute(batch(secondsOf(seed), meter))
          assert.deepStrictEqual(linesOf(valueIn(ran)), expected, `seed ${seed}`)
          assert.strictEqual(meter.most, 10)
          const ids = ran.operations.map(({ Id }) => Id).toSorted()
          assert.strictEqual(new Set(ids).size, ids.length)
          if (first.size === 0) for (const id of ids) first.add(id)
          assert.deepStrictEqual(ids, [...first].toSorted(), `seed ${seed}`)
        }
      }),
    600_000 + seeds * 20_000
  )

  it.live("leave no fiber behind at any suspension", () =>
    Effect.gen(function* () {
      const program = (): Program =>
        Effect.map(batch(secondsOf(7)), ({ failureCount, successCount }) => [successCount, failureCount])
      const execution = yield* host(program)
      let invocations = 0
      while (!execution.closed) {
        if (invocations++ > 0 && !execution.invoked) {
          const due = execution.open.map(
            ({ StepDetails, WaitDetails }) =>
              WaitDetails?.ScheduledEndTimestamp ?? StepDetails?.NextAttemptTimestamp ?? 0
          )
          execution.skipTo(Math.min(...due))
        }
        const turn = yield* execution.turn()
        assert.strictEqual(turn.fibersLeft, 0)
        if (turn.answer?.Status === "SUCCEEDED") assert.deepStrictEqual(valueOf(turn.answer), [900, 100])
      }
    })
  )
})
