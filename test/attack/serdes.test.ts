/**
 * Values that take turns of the event loop to write and read, and that cannot be written or read now and then: nothing of what
 * a workflow sees depends on either.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { differenceBetween, differenceIn, everywhere, run, valueOf, type Kit, type Program } from "../support/host.ts"

const both = { concurrency: "unbounded" } as const

const turns = (count: number) =>
  Effect.callback<void>((resume) => {
    const next = (left: number): void => {
      if (left <= 0) resume(Effect.void)
      else setImmediate(() => next(left - 1))
    }
    next(count)
  })

/** Writes and reads take turns, more of them for what is quick otherwise; one conversion of all fails in passing. */
const slow = (failing?: number): Layer.Layer<never> => {
  let conversions = 0
  const converted = <A, R>(
    how: Effect.Effect<A, Serdes.SerdesError, R>,
    operation: string
  ): Effect.Effect<A, Serdes.SerdesError, R> =>
    Effect.suspend(() => {
      const number = ++conversions
      return Effect.flatMap(
        turns(operation.includes("quick") ? 7 : number % 3),
        (): Effect.Effect<A, Serdes.SerdesError, R> =>
          number === failing ? Effect.fail(new Serdes.SerdesError({ message: "not now", transient: true })) : how
      )
    })
  return Serdes.layer({
    serialize: (schema, value, info) => converted(Serdes.json.serialize(schema, value, info), info.operation),
    deserialize: (schema, text, info) => converted(Serdes.json.deserialize(schema, text, info), info.operation)
  })
}

const programs: Readonly<Record<string, Program>> = {
  "races of steps": (kit) =>
    Effect.gen(function* () {
      const recorded = yield* Durable.race("race", [kit.step("slow", { takes: "2 seconds" }), kit.step("quick")])
      const plain = yield* Effect.raceFirst(kit.step("other"), kit.step("quick too"))
      yield* kit.tell("the winners", [recorded, plain])
      yield* Durable.wait("a day", "1 day")
      return yield* kit.step("after")
    }),
  "a queue between steps": (kit) =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<string>()
      for (const name of ["a", "quick b", "c", "quick d"]) {
        yield* Effect.forkChild(Effect.flatMap(kit.step(name), (done) => Queue.offer(queue, done)))
      }
      const order = [
        yield* Queue.take(queue),
        yield* Queue.take(queue),
        yield* Queue.take(queue),
        yield* Queue.take(queue)
      ]
      yield* kit.tell("the order", order)
      yield* Durable.wait("a day", "1 day")
      return yield* kit.step("after")
    }),
  "children, batches and a time-out": (kit) =>
    Effect.gen(function* () {
      const found = yield* Effect.all(
        [
          Durable.child("quick child", kit.step("inside")),
          Durable.map("items", [1, 2, 3], (n) => kit.step(n === 2 ? "quick item" : "item"), both).pipe(
            Effect.map(({ values }) => values.join())
          ),
          Effect.orDie(Durable.timeout("time-out", kit.step("quick", { takes: "1 minute" }), "1 hour"))
        ],
        both
      )
      yield* kit.time("all of them")
      yield* Durable.wait("a day", "1 day")
      yield* kit.tell("found", found)
      return yield* kit.step("after")
    }),
  "finalizers and compensation": (kit: Kit) =>
    Effect.gen(function* () {
      yield* Durable.withCompensation("quick part", kit.step("book"), (value) => kit.step(`cancel ${value}`))
      yield* Durable.race("race", [
        Effect.as(
          Durable.onExit(Durable.wait("a day", "1 day"), () => kit.step("tidy")),
          "loser"
        ),
        kit.step("quick")
      ])
      return yield* kit.failing("pay")
    })
}

describe("values that take their time", () => {
  for (const [name, program] of Object.entries(programs)) {
    it.effect(`leave ${name} as they are`, () => everywhere(program, { layer: slow() }))

    it.effect(`that cannot be converted at one time leave ${name} as they are`, () =>
      Effect.gen(function* () {
        const clean = yield* run(program, { layer: slow() })
        for (let failing = 1; failing <= 40; failing++) {
          const ran = yield* run(program, { layer: slow(failing) })
          const difference = differenceIn(ran) ?? differenceBetween(clean, ran)
          assert.strictEqual(difference, undefined, `conversion ${failing} failed`)
        }
      })
    )
  }

  it.effect("are awaited where a callback is read by several fibers", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(
        (kit) =>
          Effect.gen(function* () {
            const callback = yield* Durable.callback("callback", { timeout: "1 hour" })
            const read = Effect.map(Effect.exit(callback.await), ({ _tag }) => _tag)
            const found = yield* Effect.all([read, Effect.andThen(kit.step("quick"), read), read], both)
            yield* kit.step("after")
            return found
          }),
        { layer: slow() }
      )
      assert.deepStrictEqual(valueOf(ran), ["Failure", "Failure", "Failure"])
    })
  )
})
