/**
 * Work that no operation records, attacked with what the host has besides promises and timers of the usual kind, beside durable
 * work and without it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { setTimeout as timeoutOfNode } from "node:timers"
import { setTimeout as promiseOfNode } from "node:timers/promises"
import { everywhere, run, statusesOf, valueOf, type Options } from "../support/host.ts"

const both = { concurrency: "unbounded" } as const
const short: Omit<Options, "kill"> = { engine: { outsideLimit: "1 second", patience: "4 seconds" } }

/** What libraries give that build a request and send it when somebody asks for its answer. */
class Thenable implements PromiseLike<string> {
  readonly #ask: (done: (text: string) => void) => void

  constructor(ask: (done: (text: string) => void) => void) {
    this.#ask = ask
  }

  // oxlint-disable-next-line unicorn/no-thenable -- that is what is attacked
  then<A, B>(told?: ((text: string) => A | PromiseLike<A>) | null): PromiseLike<A | B> {
    this.#ask((text) => void told?.(text))
    return new Promise<never>(() => {})
  }
}

/** Ways to come back in a later turn of the event loop, with what nothing but the host can wake. */
const ways: Readonly<Record<string, Effect.Effect<string>>> = {
  "a timer": Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.succeed("back")), 20)
    return Effect.sync(() => clearTimeout(timer))
  }),
  "a promise of node:timers": Effect.promise(() => promiseOfNode(20, "back")),
  "an interval": Effect.callback((resume) => {
    const timer = setInterval(() => {
      clearInterval(timer)
      resume(Effect.succeed("back"))
    }, 20)
    return Effect.sync(() => clearInterval(timer))
  }),
  "a promise that is there": Effect.promise(() => Promise.resolve("back")),
  "an asynchronous function with many turns": Effect.promise(async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((done) => void setImmediate(done))
    return "back"
  }),
  "a thenable that is no promise": Effect.promise(
    () => new Thenable((done) => void setTimeout(() => done("back"), 20))
  ),
  "a thenable that asks its promise later": Effect.promise(
    () =>
      new Thenable((done) =>
        queueMicrotask(() => void new Promise((ready) => setTimeout(ready, 20)).then(() => done("back")))
      )
  ),
  "a thenable that awaits": Effect.tryPromise(
    () =>
      new Thenable((done) => {
        void (async () => {
          await promiseOfNode(10)
          await promiseOfNode(10)
          done("back")
        })()
      })
  ).pipe(Effect.orDie),
  "a thenable over a timer of node:timers": Effect.promise(
    (_signal) => new Thenable((done) => void timeoutOfNode(() => done("back"), 20))
  ),
  "a timer of node:timers": Effect.callback((resume) => {
    const timer = timeoutOfNode(() => resume(Effect.succeed("back")), 20)
    return Effect.sync(() => clearTimeout(timer))
  }),
  "a callback over an asynchronous function": Effect.callback((resume) => {
    void (async () => {
      await promiseOfNode(20)
      resume(Effect.succeed("back"))
    })()
  }),
  "a message of a channel": Effect.callback((resume) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener("message", () => {
      port1.close()
      resume(Effect.succeed("back"))
    })
    port1.start()
    port2.postMessage("hello")
  }),
  "the next tick": Effect.callback((resume) => process.nextTick(() => resume(Effect.succeed("back")))),
  "a Deferred that an asynchronous function completes": Effect.gen(function* () {
    const deferred = yield* Deferred.make<string>()
    void (async () => {
      await promiseOfNode(20)
      Deferred.doneUnsafe(deferred, Effect.succeed("back"))
    })()
    return yield* Deferred.await(deferred)
  }),
  "a Deferred that a promise completes": Effect.gen(function* () {
    const deferred = yield* Deferred.make<string>()
    yield* Effect.sync(() => {
      void new Promise((ready) => setTimeout(ready, 20)).then(() => {
        Deferred.doneUnsafe(deferred, Effect.succeed("back"))
      })
    })
    return yield* Deferred.await(deferred)
  })
}

describe("the workflow goes on", () => {
  for (const [name, way] of Object.entries(ways)) {
    it.effect(`after ${name}, when nothing else is there`, () =>
      Effect.gen(function* () {
        const ran = yield* run((kit) => Effect.andThen(way, kit.step("after")), short)
        assert.strictEqual(ran.outcome, 'completed with "after"')
        assert.strictEqual(ran.fibersLeft, 0)
      })
    )
  }

  it.effect("after promises beside a wait and an invoke, whose results it uses", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const outside = yield* Effect.forkChild(
            Effect.flatMap(
              Effect.promise(async () => {
                await promiseOfNode(5)
                return "x"
              }),
              (text) => kit.step(`step ${text}`)
            )
          )
          yield* Effect.all([Durable.wait("a", "1 hour"), Durable.wait("b", "2 hours")], both)
          return yield* Fiber.join(outside)
        })
      )
      assert.strictEqual(valueOf(ran), "step x")
    })
  )

  it.effect("after a thenable beside a wait, without being suspended before it is back", () =>
    Effect.gen(function* () {
      const back: Array<number> = []
      const ran = yield* run(
        (kit) =>
          Effect.gen(function* () {
            const thenable = Effect.promise(
              () =>
                new Thenable((done) => {
                  void (async () => {
                    await promiseOfNode(10)
                    done("back")
                  })()
                })
            )
            const outside = Effect.tap(thenable, () => Effect.sync(() => void back.push(kit.invocation)))
            const [, text] = yield* Effect.all([Durable.wait("a day", "1 day"), outside], both)
            yield* kit.step("after")
            return text
          }),
        short
      )
      assert.strictEqual(valueOf(ran), "back")
      assert.deepStrictEqual(back, [1, 2])
      assert.isTrue(ran.warnings.some((text) => text.includes("outside of a step")))
    })
  )

  it.effect("with the winner of a time-out around a promise that is quick", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const found = yield* Durable.timeout(
            "time-out",
            Effect.promise(() => promiseOfNode(5, "quick")),
            "1 hour"
          )
          yield* Durable.wait("a day", "1 day")
          yield* kit.tell("found", found)
          return found
        }).pipe(Effect.orDie)
      )
      assert.strictEqual(valueOf(ran), "quick")
    })
  )
})

describe("work outside that never ends", () => {
  const never = Effect.promise(() => new Promise<never>(() => {}))

  it.effect("beside a wait is told, and suspends the execution", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) => Effect.race(never, Effect.andThen(Durable.wait("a day", "1 day"), kit.step("after"))),
        short
      )
      assert.strictEqual(ran.outcome, 'completed with "after"')
      assert.isTrue(ran.warnings.some((text) => text.includes("outside of steps")))
    })
  )

  it.effect("that cannot be interrupted, in a loser, does not keep its race from ending", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) =>
          Effect.andThen(
            Durable.race("race", [Effect.uninterruptible(never), kit.step("winner")]),
            Effect.andThen(Durable.wait("a day", "1 day"), kit.step("after"))
          ),
        short
      )
      assert.strictEqual(ran.outcome, 'completed with "after"')
    })
  )
})

describe("the warning about work outside names its place in the code", () => {
  const placed: Readonly<Record<string, Effect.Effect<unknown>>> = {
    "for an asynchronous function": Effect.promise(async () => {
      await promiseOfNode(1)
    }),
    "for a function of the host": Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(8))),
    "for a request": Effect.orDie(Effect.tryPromise((signal) => fetch("data:text/plain,hello", { signal }))),
    "for a promise over a timer": Effect.promise(() => new Promise((done) => void setTimeout(done, 1))),
    "for a thenable": Effect.promise(() => new Thenable((done) => void promiseOfNode(1).then(() => done("back")))),
    "for a timer": Effect.callback((resume) => void setTimeout(() => resume(Effect.void), 1))
  }
  for (const [name, way] of Object.entries(placed)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { warnings } = yield* run((kit) => Effect.andThen(way, kit.step("after")), short)
        assert.lengthOf(warnings, 1)
        assert.match(warnings[0]!, /test\/attack\/outside\.test\.ts:\d+:\d+ outside of a step/)
      })
    )
  }
})

describe("a branch that loses while it is outside at a replay", () => {
  const ways: Readonly<Record<string, Effect.Effect<void>>> = {
    "a promise": Effect.promise(() => promiseOfNode(3)),
    "a long promise": Effect.promise(() => promiseOfNode(300))
  }
  for (const [name, way] of Object.entries(ways)) {
    it.effect(`had asked for something before, which is no contradiction: after ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* run(
          (kit) =>
            Effect.gen(function* () {
              const slow = name === "a promise" || kit.invocation > 1 ? way : Effect.void
              yield* Effect.raceFirst(
                Effect.andThen(slow, Durable.wait("loser", "9 hours")),
                Durable.wait("winner", "1 hour")
              )
              return yield* kit.step("after")
            }),
          { engine: { outsideLimit: "5 seconds", patience: "8 seconds" } }
        )
        assert.strictEqual(valueOf(ran), "after")
      })
    )
    it.effect(`had asked for a quick step before, which is no contradiction: after ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* run(
          (kit) =>
            Effect.gen(function* () {
              const slow = name === "a promise" || kit.invocation > 1 ? way : Effect.void
              const loser = Effect.andThen(slow, Effect.andThen(kit.step("quick"), Durable.wait("loser", "9 hours")))
              yield* Effect.raceFirst(loser, Durable.wait("winner", "1 hour"))
              return yield* kit.step("after")
            }),
          { engine: { outsideLimit: "5 seconds", patience: "8 seconds" } }
        )
        assert.strictEqual(valueOf(ran), "after")
      })
    )
  }

  it.effect("and never comes back is no contradiction either", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) =>
          Effect.gen(function* () {
            const slow = kit.invocation > 1 ? Effect.promise(() => new Promise<never>(() => {})) : Effect.void
            yield* Effect.raceFirst(
              Effect.andThen(slow, Durable.wait("loser", "9 hours")),
              Durable.wait("winner", "1 hour")
            )
            return yield* kit.step("after")
          }),
        { engine: { outsideLimit: "5 seconds", patience: "8 seconds" } }
      )
      assert.strictEqual(valueOf(ran), "after")
    })
  )
})

describe("a name", () => {
  it.effect("that two fibers use after promises is refused, as no order of theirs is recorded", () =>
    Effect.gen(function* () {
      const ran = yield* run(() =>
        Effect.all(
          [9, 3].map((millis) =>
            Effect.andThen(
              Effect.promise(() => promiseOfNode(millis)),
              Durable.step("same", Effect.succeed(millis))
            )
          ),
          both
        )
      )
      assert.include(ran.outcome, "failed as NameInUse")
    })
  )

  it.effect("that two fibers use after promises and an operation each is theirs in the order of those", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(() =>
        Effect.all(
          [9, 3].map((millis) =>
            Effect.andThen(
              Effect.promise(() => promiseOfNode(millis)),
              Effect.andThen(
                Durable.wait(`wait ${millis}`, `${millis} hours`),
                Durable.step("same", Effect.succeed(millis))
              )
            )
          ),
          both
        )
      )
      assert.deepStrictEqual(valueOf(ran), [9, 3])
    })
  )
})

describe("numbers and identifiers", () => {
  const draws: Readonly<Record<string, Effect.Effect<string | number, never, Durable.Execution>>> = {
    "random numbers": Random.next,
    identifiers: Durable.uuid
  }
  const drawing = (draw: Effect.Effect<string | number, never, Durable.Execution>) =>
    Effect.all(
      [1, 2].map((millis) =>
        Effect.andThen(
          Effect.promise(() => promiseOfNode(millis)),
          draw
        )
      ),
      both
    )
  const unordered = (ran: { readonly warnings: ReadonlyArray<string> }) =>
    ran.warnings.filter((text) => text.includes("the order of the draws depends on timing"))

  for (const [name, draw] of Object.entries(draws)) {
    it.effect(`that two fibers draw after promises have no order, which is told once: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* run(
          (kit) => Effect.andThen(drawing(draw), Effect.andThen(drawing(draw), kit.step("after"))),
          short
        )
        assert.lengthOf(unordered(ran), 1)
      })
    )

    it.effect(
      `that two fibers draw in the order of outcomes, or one after a promise, are told to nobody: ${name}`,
      () =>
        Effect.gen(function* () {
          const ran = yield* run(
            (kit) =>
              Effect.gen(function* () {
                yield* Effect.all(
                  ["a", "b"].map((step) => Effect.andThen(kit.step(step), draw)),
                  both
                )
                yield* Durable.child(
                  "alone",
                  Effect.asVoid(
                    Effect.andThen(
                      Effect.promise(() => promiseOfNode(1)),
                      draw
                    )
                  )
                )
              }),
            short
          )
          assert.deepStrictEqual(unordered(ran), [])
        })
    )
  }
})

describe("a hold", () => {
  it.effect("with operations in it suspends while it waits for them, and ends with its value", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const held = yield* Durable.hold(
            Effect.gen(function* () {
              yield* Effect.promise(() => promiseOfNode(5))
              yield* Durable.wait("inside", "3 hours")
              yield* Effect.promise(() => promiseOfNode(5))
              return yield* kit.step("in the hold")
            })
          )
          yield* kit.step("after")
          return held
        })
      )
      assert.strictEqual(valueOf(ran), "in the hold")
    })
  )

  it.effect("in each branch of a race has names of its own, and the loser is let go of", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Durable.race(
          "race",
          [3, 1].map((hours) =>
            Durable.hold(
              Effect.andThen(
                Effect.promise(() => promiseOfNode(2)),
                Effect.as(Durable.wait("inside", `${hours} hours`), hours)
              )
            )
          )
        ).pipe(Effect.tap(() => kit.step("after")))
      )
      assert.strictEqual(valueOf(ran), 1)
      assert.deepStrictEqual(statusesOf(ran, "after"), ["SUCCEEDED"])
    })
  )

  it.effect("in a finalizer, a child and a large block lets all of them end", () =>
    Effect.gen(function* () {
      const held = Durable.hold(Effect.promise(() => promiseOfNode(2)))
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Durable.onExit(held, () => Effect.andThen(held, kit.step("tidy")))
          yield* Durable.child("child", Effect.asVoid(held))
          const { length } = yield* Durable.child("large", Effect.as(held, "x".repeat(300_000)))
          yield* Durable.wait("an hour", "1 hour")
          return length
        })
      )
      assert.strictEqual(valueOf(ran), 300_000)
    })
  )
})
