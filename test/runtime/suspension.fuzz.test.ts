/**
 * The identity of operations and the result of an execution depend on nothing but the code: not on how long steps and
 * requests take, not on the order in which outside answers arrive, and not on where invocations are cut off.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { ask, both, Declined, declined, failing, host, turns, type Program } from "./harness.ts"

/** The first seed of this run: SEED, or the time. A failure names the seed that it happened with. */
const firstSeed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${firstSeed}`)

/** SEEDS says how many to try: the more, the longer. */
const seeds = Array.from({ length: Number(process.env["SEEDS"] ?? 30) }, (_, i) => firstSeed + i)

type Random = () => number

/** Numbers from 0 to 1 that are the same for the same seed (a 32-bit xorshift over a mixed seed). */
const randomOf = (seed: number): Random => {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A few turns of the event loop, or now and then many. */
const jitter = (random: Random): Effect.Effect<void> =>
  Effect.suspend(() => turns(Math.floor(random() * (random() < 0.7 ? 4 : 40))))

const settings = { declines: { error: Declined } }

interface Soaked {
  readonly outcome: unknown
  readonly ids: ReadonlyArray<string>
}

/** Runs one execution to its end, completing what it waits for in random order, and cutting off some invocations. */
const soak = (workflow: (random: Random) => Program, seed: number, cutOff: number) =>
  Effect.gen(function* () {
    const random = randomOf(seed)
    const execution = yield* host(() => workflow(random), {
      latency: () => (random() < 0.5 ? 0 : Math.floor(random() * 6))
    })
    for (let turn = 0; !execution.closed; turn++) {
      assert(turn < 300, `seed ${seed}: the execution does not end, it waits for ${execution.waitsFor.join(", ")}`)
      if (!execution.invoked) {
        if (execution.open.length === 0) execution.backOff()
        const chosen = execution.waitsFor.filter(() => random() < 0.4)
        const batch = chosen.length > 0 ? chosen : execution.waitsFor.slice(0, 1)
        for (const name of batch.sort(() => random() - 0.5)) {
          if (execution.waitsFor.includes(name)) execution.complete(name, { value: `answer to ${name}` })
        }
        continue
      }
      const { ended, fiber } = execution.begin()
      if (random() < cutOff) {
        yield* turns(Math.floor(random() * 20))
        fiber.interruptUnsafe()
      }
      const { fibersLeft } = yield* ended
      assert.strictEqual(fibersLeft, 0, `seed ${seed}: fibers left in invocation ${turn}`)
    }
    const soaked: Soaked = {
      outcome: { ...execution.outcome, endTimestamp: 0 },
      // Marks that count how often a step was cut off are left out.
      ids: execution.operations
        .filter(({ Name = "" }) => !Name.startsWith("cut:"))
        .map(({ Id, Name, ParentId, Type }) => `${ParentId ?? "-"}/${Id} ${Type} ${Name}`)
        .sort()
    }
    return soaked
  })

const alwaysTheSame = (promise: string, workflow: (random: Random) => Program, cutOff: number): void =>
  it.live(promise, () =>
    Effect.gen(function* () {
      const all = yield* Effect.forEach(seeds, (seed) => soak(workflow, seed, cutOff), { concurrency: 6 })
      const [first] = all
      assert(first !== undefined)
      assert.nestedPropertyVal(first, "outcome.status", "SUCCEEDED")
      all.forEach((soaked, i) => {
        assert.deepStrictEqual(soaked, first, `seed ${seeds[i]} differs from seed ${seeds[0]}`)
      })
    })
  )

/** Items in namespaces of their own, two at a time, each with steps of the same names around an outside answer. */
const items = (random: Random): Program =>
  Effect.gen(function* () {
    const parts = yield* Effect.forEach(
      [0, 1, 2, 3],
      (i) =>
        Durable.child(
          `item-${i}`,
          Effect.gen(function* () {
            const loaded = yield* Durable.step("load", Effect.as(jitter(random), `loaded ${i}`))
            const answer = yield* ask(`answer-${i}`)
            const again = yield* Durable.step("load", Effect.as(jitter(random), `again ${i}`))
            return [loaded, answer, again]
          }),
          settings.declines
        ),
      { concurrency: 2 }
    )
    const count = yield* Durable.step("count", Effect.succeed(parts.length))
    return [parts, count]
  })

/** Namespaces in namespaces, recorded and flat, with concurrent branches, waits, retries and failures at every depth. */
const nested = (random: Random): Program =>
  Effect.gen(function* () {
    const branch = (i: number) =>
      Effect.gen(function* () {
        yield* Effect.yieldNow
        const before = yield* Durable.step("work", Effect.as(jitter(random), `before ${i}`))
        const [left, right] = yield* Effect.all(
          [
            Durable.child(
              "left",
              Effect.gen(function* () {
                const work = yield* Durable.step("work", Effect.as(jitter(random), `left ${i}`))
                return [work, yield* ask(`left-${i}`)]
              }),
              { flat: true }
            ),
            Durable.child(
              "right",
              Effect.gen(function* () {
                const failed = yield* Effect.flip(
                  Durable.step("work", Effect.andThen(jitter(random), declined), failing)
                )
                yield* Durable.wait("nap", "1 second")
                return failed._tag
              })
            )
          ],
          both
        )
        const exit = yield* Effect.exit(Effect.all([ask(`one-${i}`), ask(`two-${i}`)], both))
        return [before, left, right, exit._tag]
      })
    const first = yield* Effect.forEach([0, 1, 2], (i) => Durable.child(`branch-${i}`, branch(i), settings.declines), {
      concurrency: 2
    })
    const second = yield* Effect.all(
      {
        a: Durable.child("branch-a", branch(10), { flat: true }),
        b: Durable.child("branch-b", branch(11), settings.declines)
      },
      both
    )
    return [first, second]
  })

describe("ids and results", () => {
  alwaysTheSame("do not depend on timing: items two at a time", items, 0)
  alwaysTheSame("do not depend on timing: nested namespaces", nested, 0)
  alwaysTheSame("do not depend on where invocations are cut off: items two at a time", items, 0.3)
  alwaysTheSame("do not depend on where invocations are cut off: nested namespaces", nested, 0.3)
})
