/**
 * The one stream of outcomes, attacked by a service that stamps and tells them in ways that the engine in memory never does:
 * late, equal, all at once, again and again, or not at all. Where what was seen by code is told, a replay tells the same.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { Service, valueOf, type Program, type Ways } from "./service.ts"

const Errand = DurableFunction.plain("errand", { success: Schema.String })
const errand = (name: string) => Durable.invoke(Errand, undefined, { name })
const both = { concurrency: "unbounded" } as const
const pause = Durable.wait("pause", "1 hour")

/** What code told in each invocation: a later one repeats what the ones before it have told, and goes on. */
const repeats = (
  ways: Ways,
  program: (tell: (text: string) => Effect.Effect<void>, service: Service) => Program,
  between?: (service: Service, number: number) => void
) =>
  Effect.gen(function* () {
    const told: Array<Array<string>> = []
    const service = new Service(ways)
    const answer = yield* service.drive((number) => {
      const own: Array<string> = []
      told[number - 1] = own
      return program((text) => Effect.sync(() => void own.push(text)), service)
    }, between)
    for (const [index, own] of told.entries()) {
      const before = told[index - 1] ?? []
      assert.deepStrictEqual(
        own.slice(0, before.length),
        before,
        `invocation ${index + 1} told otherwise than the one before it (${JSON.stringify(answer)}; ${service.requests.join(" | ")})`
      )
    }
    return { answer, service, told: told.at(-1) ?? [] }
  })

describe("an outcome that is late", () => {
  it.effect("is recorded as late once, although two fibers wait for one callback", () =>
    Effect.gen(function* () {
      const { answer, told } = yield* repeats(
        {
          meanwhile: (service, { Updates }) => {
            // By another clock it ended before the step, which is told of first.
            if (Updates.some(({ Action, Name }) => Action === "START" && Name === "next")) {
              service.complete("approval", 1_000_001)
            }
            service.now += 5
          }
        },
        (tell) =>
          Effect.gen(function* () {
            const approval = yield* Durable.callback("approval")
            const await1 = yield* Effect.forkChild(Effect.andThen(approval.await, tell("one")))
            const await2 = yield* Effect.forkChild(Effect.andThen(approval.await, tell("two")))
            yield* Durable.step("first", Effect.yieldNow)
            yield* tell("first")
            yield* Durable.step("next", Effect.yieldNow)
            yield* tell("next")
            yield* Fiber.join(await1)
            yield* Fiber.join(await2)
            yield* pause
          })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
      assert.sameMembers([...told], ["first", "next", "one", "two"])
    })
  )

  it.effect("reaches in the same order who waited before and who came after something later", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats(
        {
          meanwhile: (service, { Updates }) => {
            if (Updates.some(({ Action, Name }) => Action === "SUCCEED" && Name === "second")) {
              service.complete("approval", 1_000_001)
            }
            service.now += 5
          }
        },
        (tell) =>
          Effect.gen(function* () {
            const approval = yield* Durable.callback("approval")
            const early = yield* Effect.forkChild(Effect.andThen(approval.await, tell("early")))
            const beside = yield* Effect.forkChild(
              Effect.andThen(
                Durable.step(
                  "second",
                  Effect.promise(() => Promise.resolve())
                ),
                tell("second")
              )
            )
            yield* Durable.step("first", Effect.void)
            yield* tell("first")
            yield* approval.await
            yield* tell("after first")
            yield* Fiber.join(early)
            yield* Fiber.join(beside)
            yield* pause
          })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )

  it.effect("of an invoke that was stamped by a clock ahead comes before a callback that was created after it", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats(
        {
          meanwhile: (service, { Updates }) => {
            // The callee's host is ahead of the service.
            if (Updates.some(({ Action, Name }) => Action === "START" && Name === "errand")) {
              service.complete("errand", service.now + 50)
            }
            service.now += 5
          }
        },
        (tell) =>
          Effect.gen(function* () {
            const created = yield* Effect.forkChild(
              Effect.gen(function* () {
                yield* Durable.step(
                  "first",
                  Effect.promise(() => new Promise<void>((done) => void setImmediate(done)))
                )
                yield* Durable.callback("approval")
                yield* tell("created")
              })
            )
            const done = yield* Effect.forkChild(Effect.andThen(errand("errand"), tell("errand")))
            yield* Fiber.join(created)
            yield* Fiber.join(done)
            yield* pause
          })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )
})

describe("a late outcome that nobody waits for any more", () => {
  const late: Ways = {
    meanwhile: (service, { Updates }) => {
      if (Updates.some(({ Action, Name }) => Action === "START" && Name === "next")) {
        service.complete("errand", 1_000_001)
      }
      service.now += 5
    }
  }

  it.effect("does not win a plain race on a replay that it lost live", () =>
    Effect.gen(function* () {
      const { answer, told } = yield* repeats(late, (tell) =>
        Effect.gen(function* () {
          yield* Durable.step("before", Effect.void)
          const winner = yield* Effect.raceFirst(
            Effect.as(errand("errand"), "errand"),
            Effect.as(Durable.step("first", Effect.void), "first")
          )
          yield* tell(winner)
          yield* Durable.step(winner === "first" ? "next" : "other", Effect.void)
          yield* pause
        })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
      assert.deepStrictEqual(told, ["first"])
    })
  )

  it.effect("does not come in time on a replay for a time-out of Effect that it missed live", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats(
        {
          meanwhile: (service, { Updates }) => {
            if (Updates.some(({ Action, Name }) => Action === "START" && Name === "next")) {
              service.complete("errand", service.named("sleep 60s").StartTimestamp + 59_000)
            }
          }
        },
        (tell) =>
          Effect.gen(function* () {
            const found = yield* Effect.timeoutOption(errand("errand"), "1 minute")
            yield* tell(found._tag)
            if (found._tag === "None") yield* Durable.step("next", Effect.void)
            yield* pause
          })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )

  it.effect("does not win a recorded race on a replay that it lost live", () =>
    Effect.gen(function* () {
      const { answer, told } = yield* repeats(late, (tell) =>
        Effect.gen(function* () {
          const winner = yield* Durable.raceFirst("race", [
            Effect.as(Effect.andThen(Durable.step("before", Effect.void), errand("errand")), "errand"),
            Effect.as(Effect.andThen(Durable.step("before", Effect.void), Durable.step("first", Effect.void)), "first")
          ])
          yield* tell(winner)
          yield* Durable.step(winner === "first" ? "next" : "other", Effect.void)
          yield* pause
        })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
      assert.deepStrictEqual(told, ["first"])
    })
  )
})

describe("outcomes with equal stamps", () => {
  const shapes: Readonly<Record<string, (tell: (text: string) => Effect.Effect<void>) => Program>> = {
    "of chains of steps that hand over to each other": (tell) =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<string>()
        const chain = (name: string, length: number) =>
          Effect.gen(function* () {
            for (let link = 0; link < length; link++) {
              yield* Durable.step(`${name}${link}`, link % 2 === 0 ? Effect.void : Effect.yieldNow)
              yield* Queue.offer(queue, `${name}${link}`)
            }
          })
        yield* Effect.forkChild(chain("a", 3))
        yield* Effect.forkChild(chain("b", 4))
        yield* Effect.forkChild(chain("c", 2))
        for (let taken = 0; taken < 9; taken++) yield* tell(yield* Queue.take(queue))
      }),
    "of one name in several fibers": (tell) =>
      Effect.asVoid(
        Effect.all(
          [1, 2, 3].map((fiber) =>
            Effect.forEach([1, 2, 3], (round) =>
              Effect.flatMap(Durable.step("same", Effect.succeed(`${fiber}.${round}`)), tell)
            )
          ),
          both
        )
      ),
    "of callbacks, steps and children": (tell) =>
      Effect.asVoid(
        Effect.all(
          [
            Effect.andThen(Durable.callback("a"), tell("a")),
            Effect.andThen(Durable.step("b", Effect.yieldNow), tell("b")),
            Effect.andThen(Durable.child("c", Durable.step("inside", Effect.void)), tell("c")),
            Effect.andThen(Durable.callback("d"), tell("d")),
            Effect.andThen(Durable.child("e", Effect.void), tell("e")),
            Effect.andThen(Durable.step("f", Effect.void), tell("f"))
          ],
          both
        )
      ),
    "of items of a batch that starts them two by two": (tell) =>
      Effect.gen(function* () {
        yield* Durable.map(
          "items",
          [1, 2, 3, 4, 5],
          (n) => Effect.andThen(Durable.step("one", Effect.void), Durable.step("two", Effect.void)).pipe(Effect.as(n)),
          { concurrency: 2, flat: true }
        )
        yield* tell(String((yield* Clock.Clock).currentTimeMillisUnsafe()))
      })
  }
  for (const [name, shape] of Object.entries(shapes)) {
    for (const latency of [0, 1]) {
      it.effect(`${name} come in one order, live as on a replay, ${latency} ms from the service`, () =>
        Effect.gen(function* () {
          const { answer } = yield* repeats({ latency }, (tell) => Effect.andThen(shape(tell), pause))
          assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
        })
      )
    }
  }
})

describe("a service that acknowledges without telling operations", () => {
  it.effect("has them in one order, live as on a replay", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats({ tells: () => [] }, (tell) =>
        Effect.gen(function* () {
          const slow = Durable.step(
            "slow",
            Effect.promise(() =>
              Promise.resolve()
                .then(() => {})
                .then(() => {})
            )
          )
          yield* Effect.all(
            [Effect.andThen(slow, tell("slow")), Effect.andThen(Durable.step("quick", Effect.void), tell("quick"))],
            both
          )
          yield* pause
        })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )
})

describe("a service that tells all operations with every answer", () => {
  it.effect("has an attempt that is due made once", () =>
    Effect.gen(function* () {
      const { answer, service } = yield* repeats({ latency: 1, tells: (_, all) => all }, (_, service) =>
        Effect.all(
          [
            Durable.step(
              "tried again",
              Effect.flatMap(Durable.StepContext, ({ attempt }) =>
                Effect.andThen(service.note(`attempt ${attempt}`), attempt === 1 ? Effect.die("no") : Effect.void)
              ),
              { retry: RetryPolicy.fixed({ maxAttempts: 5, delay: "2 seconds" }) }
            ),
            Durable.step("long", Effect.sleep("9 seconds")),
            Durable.wait("short", "2 seconds"),
            Effect.andThen(Durable.wait("other", "1 second"), Durable.wait("another", "1 second"))
          ],
          { concurrency: "unbounded", discard: true }
        )
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
      assert.deepStrictEqual(service.log, ["attempt 1", "attempt 2"])
    })
  )
})

describe("an at-most-once step", () => {
  it.effect("does not run over an outcome that came with its START, and that ends its branch", () =>
    Effect.gen(function* () {
      const { answer, service } = yield* repeats(
        {
          meanwhile: (service, { Updates }) => {
            if (Updates.some(({ Action, Name }) => Action === "START" && Name === "pay")) {
              service.complete("errand", service.now - 1)
            }
            service.now += 5
          }
        },
        (_, service) =>
          Durable.raceFirst("race", [
            Effect.asVoid(errand("errand")),
            Effect.andThen(
              Durable.step("before", Effect.void),
              Durable.step("pay", service.note("paid"), { semantics: "at-most-once" })
            )
          ])
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
      assert.deepStrictEqual(service.log, [])
    })
  )
})

describe("the clock", () => {
  it.effect("shows the same at once after a child, also when it was asked in both ways", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats({ latency: 7 }, (tell) =>
        Effect.gen(function* () {
          yield* Durable.child("child", Durable.step("inside", Effect.void))
          const [elapsed] = yield* Effect.timed(Effect.void)
          yield* tell(String(elapsed))
          const clock = yield* Clock.Clock
          yield* tell(`at once ${clock.currentTimeMillisUnsafe()}`)
          yield* tell(`asked ${yield* Clock.currentTimeMillis}`)
          yield* tell(`at once again ${clock.currentTimeMillisUnsafe()}`)
          yield* Durable.step("after", Effect.void)
          yield* pause
        })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )

  it.effect("shows the same at once after a child, also when a callback was answered in it", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats(
        { latency: 7 },
        (tell) =>
          Effect.gen(function* () {
            const approval = yield* Durable.callback("approval")
            yield* Durable.child("child", Effect.andThen(approval.await, Durable.step("inside", Effect.void)))
            const clock = yield* Clock.Clock
            yield* tell(`at once ${clock.currentTimeMillisUnsafe()}`)
            yield* Durable.step("after", Effect.void)
            yield* pause
          }),
        (service, number) => {
          if (number === 1) service.complete("approval")
        }
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )

  it.effect("shows the same after a flat child, a time-out and a race that nobody waited beside", () =>
    Effect.gen(function* () {
      const { answer } = yield* repeats({ latency: 7 }, (tell) =>
        Effect.gen(function* () {
          const clock = yield* Clock.Clock
          const look = (place: string) =>
            Effect.flatMap(
              Effect.sync(() => clock.currentTimeMillisUnsafe()),
              (now) => tell(`${place} ${now}`)
            )
          yield* Durable.child("flat", Durable.step("inside", Effect.void), { flat: true })
          yield* look("flat")
          yield* Effect.orDie(Durable.timeout("time-out", Durable.step("quick", Effect.void), "1 hour"))
          yield* look("time-out")
          yield* Durable.race("race", [Durable.step("a", Effect.void), Durable.step("b", Effect.void)])
          yield* look("race")
          yield* Durable.retry("retry", Durable.step("tried", Effect.void), RetryPolicy.none)
          yield* look("retry")
          yield* Durable.map("items", [1, 2], (n) => Durable.step(`item ${n}`, Effect.void))
          yield* look("map")
          yield* pause
        })
      )
      assert.strictEqual(answer.Status, "SUCCEEDED", JSON.stringify(answer))
    })
  )
})

describe("naps", () => {
  it.effect("end in one order, also when timers of the process are late", () =>
    Effect.gen(function* () {
      // The first timer of 100 ms is late, as in a busy process.
      let late = 0
      const { answer } = yield* repeats({ lag: (millis) => (millis === 100 && late++ === 0 ? 60 : 0) }, (tell) =>
        Effect.gen(function* () {
          yield* Effect.all(
            [
              Effect.gen(function* () {
                for (const number of [1, 2, 3]) {
                  yield* Effect.sleep("100 millis")
                  yield* tell(`nap ${number}`)
                }
              }),
              Effect.andThen(Effect.sleep("230 millis"), tell("nap of 230"))
            ],
            both
          )
          yield* pause
        })
      )
      assert.strictEqual(valueOf(answer), undefined)
    })
  )
})
