/**
 * Policies that take their time, and ask somebody, before they decide.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { everywhere, run, statusesOf, valueOf } from "../support/host.ts"

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}

const real = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise((done) => void setTimeout(done, millis)))

/** Asks for a minute of virtual time, or over the network, whether to go on. */
const asking = (look: Effect.Effect<void>, asked: (attempt: number) => void): RetryPolicy.RetryPolicy =>
  RetryPolicy.make(({ attempt }) =>
    Effect.map(look, () => {
      asked(attempt)
      return attempt < 3 ? { _tag: "Retry", delaySeconds: 60 } : { _tag: "Stop" }
    })
  )

/** Real milliseconds after which a test is given up. */
const unhurried = 120_000

const looks = { "on the clock": Effect.sleep("1 minute"), "over the network": real(3) }

describe("A policy that takes its time", () => {
  for (const [how, look] of Object.entries(looks)) {
    it.effect(
      `${how} decides about the attempts of a step, once each and wherever it is killed`,
      () =>
        Effect.gen(function* () {
          let bodies = 0
          const program = (retry: RetryPolicy.RetryPolicy) =>
            Effect.gen(function* () {
              const body = Effect.suspend(() => (++bodies, Effect.fail(new Busy())))
              const step = Durable.step("ask", body, { error: Busy, retry })
              const other = Durable.wait("other", "30 seconds")
              const [exit] = yield* Effect.all([Effect.exit(step), other], { concurrency: "unbounded" })
              yield* Durable.wait("later", "1 hour")
              return exit._tag
            })
          const asked: Array<number> = []
          const clean = yield* run(() => program(asking(look, (attempt) => void asked.push(attempt))))
          assert.strictEqual(valueOf(clean), "Failure")
          assert.deepStrictEqual(asked, [1, 2, 3])
          assert.strictEqual(bodies, 3)
          assert.deepStrictEqual(clean.warnings, [])
          yield* everywhere(() => program(asking(look, () => {})))
        }),
      unhurried
    )

    it.effect(
      `${how} decides about the attempts of a block, in the order of outcomes`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) =>
            Effect.gen(function* () {
              const order: Array<string> = []
              const block = Effect.andThen(kit.step("work"), Effect.fail(new Busy()))
              const retried = Durable.retry(
                "block",
                block,
                asking(look, () => {}),
                { error: Busy }
              )
              yield* Effect.all(
                [
                  Effect.flatMap(Effect.exit(retried), () => Effect.sync(() => void order.push("block"))),
                  Effect.andThen(
                    Durable.wait("other", "90 seconds"),
                    Effect.sync(() => void order.push("other"))
                  )
                ],
                { concurrency: "unbounded" }
              )
              yield* Durable.wait("later", "1 hour")
              return order
            })
          )
          assert.deepStrictEqual(valueOf(ran), ["other", "block"])
          assert.deepStrictEqual(statusesOf(ran, "back-off"), ["SUCCEEDED", "SUCCEEDED"])
          assert.deepStrictEqual(ran.log, ["work", "work", "work"])
        }),
      unhurried
    )
  }
})
