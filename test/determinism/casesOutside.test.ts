/**
 * Work of a workflow that no operation records: it is never cut off without a word, never leaves an execution stranded, and
 * never outlives its invocation.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { everywhere, run, valueOf, type Kit } from "../support/host.ts"
import { timer, turns } from "./outside.ts"
import { together, unhurried } from "./survives.ts"

/** Promises of every kind, of which the process shows some and hides others. */
const promises: Readonly<Record<string, () => Promise<unknown>>> = {
  "a digest": () => crypto.subtle.digest("SHA-256", new Uint8Array(8)),
  "a timer": () => new Promise((resolve) => void setTimeout(resolve, 5)),
  "a microtask": () => Promise.resolve(),
  "a module": () => import("node:zlib"),
  "a request": () => fetch("data:text/plain,hello").then((response) => response.text()),
  "a turn of the event loop": () => new Promise((resolve) => void setImmediate(resolve))
}

describe("a promise in a workflow does not strand the execution", () => {
  for (const [name, promise] of Object.entries(promises)) {
    it.effect(
      `${name}, beside a callback that nobody answers`,
      () =>
        Effect.gen(function* () {
          for (let round = 0; round < 20; round++) {
            const ran = yield* run((kit) =>
              Effect.gen(function* () {
                const unanswered = yield* Durable.callback("unanswered")
                yield* Effect.forkChild(unanswered.await)
                yield* Durable.wait("a minute", "1 minute")
                yield* Effect.promise(promise)
                return yield* kit.step("end")
              })
            )
            assert.strictEqual(ran.outcome, 'completed with "end"', `in round ${round + 1}`)
            assert.deepStrictEqual(ran.log, ["end"])
            assert.strictEqual(ran.fibersLeft, 0)
          }
        }),
      unhurried
    )

    it.effect(
      `${name}, with nothing beside it`,
      () =>
        Effect.gen(function* () {
          for (let round = 0; round < 20; round++) {
            const ran = yield* run((kit) => Effect.andThen(Effect.promise(promise), kit.step("end")))
            assert.strictEqual(ran.outcome, 'completed with "end"', `in round ${round + 1}`)
          }
        }),
      unhurried
    )
  }
})

/** Sends a request beside waits that suspend the execution three times, and stores its answer. */
const requestBesideWaits = (kit: Kit, seen: { began: number; ended: number }) =>
  Effect.all(
    [
      Effect.repeat(Durable.wait("a minute", "1 minute"), { times: 2 }),
      Effect.gen(function* () {
        seen.began++
        yield* timer(10)
        seen.ended++
        yield* kit.step("store")
      })
    ],
    together
  )

describe("a promise in a workflow, beside waits", () => {
  it.effect("is not cut off by a suspension, and is told of", () =>
    Effect.gen(function* () {
      const seen = { began: 0, ended: 0 }
      const ran = yield* run((kit) => Effect.as(requestBesideWaits(kit, seen), "stored"))
      assert.strictEqual(valueOf(ran), "stored")
      assert.deepStrictEqual(ran.log, ["store"])
      assert.strictEqual(seen.ended, seen.began)
      assert.isNotEmpty(ran.warnings)
      assert.match(ran.warnings[0] ?? "", /step/)
    })
  )

  it.effect("is told of once for each place, however often it is met there", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          for (let round = 0; round < 3; round++) yield* turns(1)
          return yield* kit.step("store")
        })
      )
      assert.strictEqual(valueOf(ran), "store")
      assert.strictEqual(ran.warnings.length, 1, ran.warnings.join("\n"))
    })
  )

  it.effect("fails a strict test, which says where the work belongs", () =>
    Effect.gen(function* () {
      const seen = { began: 0, ended: 0 }
      const ran = yield* run((kit) => Effect.as(requestBesideWaits(kit, seen), "stored"), { engine: { strict: true } })
      assert.match(ran.outcome, /^never ended: TestFailure: .*step/s)
    })
  )

  it.effect("is given up after a limit when a wait will wake the execution, with a warning", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) =>
          Effect.gen(function* () {
            yield* Effect.forkChild(Effect.promise(() => new Promise(() => {})))
            yield* Durable.wait("a day", "1 day")
            return yield* kit.step("end")
          }),
        { engine: { outsideLimit: "50 millis" } }
      )
      assert.strictEqual(valueOf(ran), "end")
      assert.strictEqual(ran.fibersLeft, 0)
      assert.isNotEmpty(ran.warnings)
    })
  )
})

describe("what only other fibers can wake keeps nothing alive", () => {
  const idle: Readonly<Record<string, Effect.Effect<unknown>>> = {
    "a fiber that never ends": Effect.never,
    "a callback without an answer": Effect.callback<never>(() => {})
  }
  for (const [name, fiber] of Object.entries(idle)) {
    it.effect(
      `${name}, beside a wait`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) =>
            Effect.gen(function* () {
              yield* Effect.forkChild(fiber)
              yield* Durable.wait("a day", "1 day")
              return yield* kit.step("end")
            })
          )
          assert.strictEqual(valueOf(ran), "end")
          assert.strictEqual(ran.invocations, 2)
          assert.deepStrictEqual(ran.warnings, [])
        }),
      unhurried
    )
  }
})

describe("fibers do not outlive their invocation", () => {
  it.effect(
    "a detached one that waits for promises, over five suspensions",
    () =>
      Effect.gen(function* () {
        let beats = 0
        let stopped = false
        const ran = yield* run(
          () =>
            Effect.gen(function* () {
              yield* Effect.forkDetach(
                Effect.whileLoop({ while: () => !stopped, body: () => turns(1), step: () => void beats++ })
              )
              for (let day = 0; day < 5; day++) yield* Durable.wait("a day", "1 day")
              return "over"
            }),
          { engine: { outsideLimit: "20 millis" } }
        )
        const atTheEnd = beats
        yield* turns(50)
        stopped = true
        assert.strictEqual(valueOf(ran), "over")
        assert.strictEqual(beats, atTheEnd)
        assert.strictEqual(ran.fibersLeft, 0)
      }),
    unhurried
  )

  it.effect("one of the runtime, when its store fails in the same turn in which it is asked", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        () => Effect.all([Durable.wait("an hour", "1 hour"), Durable.wait("two hours", "2 hours")], together),
        { kill: { request: 1, side: "refused" } }
      )
      assert.match(ran.outcome, /^completed/)
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect(
    "a detached one that sleeps",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.forkDetach(Effect.andThen(Effect.sleep("2 days"), kit.step("too late")))
            yield* Durable.wait("a day", "1 day")
            return "over"
          })
        )
        assert.strictEqual(valueOf(ran), "over")
        assert.deepStrictEqual(ran.log, [])
      }),
    unhurried
  )

  it.effect(
    "a child that never ends, and one that cannot be interrupted until its wait is over",
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* Effect.forkChild(Effect.never)
            yield* Effect.forkChild(
              Effect.uninterruptible(Effect.andThen(Durable.wait("region", "2 days"), kit.step("in the region")))
            )
            yield* Durable.wait("a day", "1 day")
            return "over"
          })
        )
        assert.strictEqual(valueOf(ran), "over")
        assert.deepStrictEqual(ran.log, ["in the region"])
      }),
    unhurried
  )
})

describe("Durable.hold around operations", () => {
  const held: Readonly<
    Record<
      string,
      { readonly body: (kit: Kit) => Effect.Effect<unknown, never, Durable.Execution>; readonly invocations: number }
    >
  > = {
    "a wait": { body: () => Durable.wait("a day", "1 day"), invocations: 2 },
    "a step": { body: (kit) => kit.step("step"), invocations: 1 },
    "a step and a wait": {
      body: (kit) => Effect.andThen(kit.step("step"), Durable.wait("a day", "1 day")),
      invocations: 2
    },
    "a request, a wait and a step": {
      body: (kit) => Effect.andThen(turns(3), Effect.andThen(Durable.wait("a day", "1 day"), kit.step("step"))),
      invocations: 2
    }
  }
  for (const [name, { body, invocations }] of Object.entries(held)) {
    it.effect(
      `suspends the execution as it would without: ${name}`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere((kit) => Effect.as(Durable.hold(body(kit)), "over"))
          assert.strictEqual(valueOf(ran), "over")
          assert.strictEqual(ran.invocations, invocations)
        }),
      unhurried
    )
  }
})
