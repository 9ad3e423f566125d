/**
 * Streams whose elements take hours, attacked with operators that know the time, share their source, run ahead or try again.
 */
import { describe } from "@effect/vitest"
import { Durable } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { attacks, both, hours, notes } from "./everyWay.ts"

/** A stream of elements, each of which comes so many hours after the one before. */
const source = (name: string, times: ReadonlyArray<number>) =>
  Stream.fromIterable(times.map((time, index) => ({ time, index }))).pipe(
    Stream.mapEffect(({ index, time }) => Effect.as(hours(`${name} ${index}`, time), `${name}${index}`))
  )

describe("the same in every way: a stream", () => {
  attacks({
    "zipLatest of two clocks": {
      program: () =>
        Stream.runCollect(
          Stream.map(Stream.zipLatest(source("a", [1, 3, 3]), source("b", [2, 3.5])), ([a, b]) => a + b)
        ),
      ends: ["a0b0", "a1b0", "a1b1", "a2b1"]
    },
    "aggregateWithin two hours or three items": {
      program: (kit) =>
        source("x", [0.5, 0.5, 0.5, 0.5, 3, 0.5]).pipe(
          Stream.aggregateWithin(Sink.take<string>(3), Schedule.spaced("2 hours")),
          Stream.mapEffect((items) => kit.step(`book ${items.join(" ")}`)),
          Stream.runCollect
        ),
      ends: ["book x0 x1 x2", "book x3", "book x4 x5"],
      log: ["book x0 x1 x2", "book x3", "book x4 x5"]
    },
    "a stream that is retried, with a time-out for each item": {
      program: (kit) =>
        Effect.gen(function* () {
          let pass = 0
          return yield* Stream.suspend(() => {
            const n = ++pass
            return source(`p${n}`, n < 3 ? [1, 9] : [1, 2]).pipe(
              Stream.timeoutOrElse({ duration: "5 hours", orElse: () => Stream.fail("slow") }),
              Stream.tap((item) => kit.step(item))
            )
          }).pipe(Stream.retry(Schedule.spaced("1 hour")), Stream.runCollect)
        }).pipe(Effect.orDie),
      ends: ["p10", "p20", "p30", "p31"],
      log: ["p10", "p20", "p30", "p31"]
    },
    "mergeAll of three, two at a time, into a queue that a fiber reads": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const queue = yield* Stream.toQueue(
              Stream.mergeAll([source("a", [2, 2.2]), source("b", [1, 1.5]), source("c", [1, 1])], { concurrency: 2 }),
              { capacity: 1 }
            )
            const seen: Array<string> = []
            yield* Stream.runForEach(Stream.fromQueue(queue), (item) =>
              Effect.andThen(
                hours("read", 0.25),
                Effect.sync(() => void seen.push(item))
              )
            )
            yield* kit.step(seen.join(" "))
            return seen.join(" ")
          })
        ).pipe(Effect.orDie),
      ends: "b0 a0 b1 c0 a1 c1"
    },
    "a stream of callbacks' answers while another is interrupted": {
      program: (kit) =>
        Stream.range(1, 3).pipe(
          Stream.flatMap((n) => Stream.fromEffect(Durable.waitForCallback(`ask ${n}`, () => kit.log(`ask ${n}`))), {
            concurrency: 3
          }),
          Stream.take(2),
          Stream.runCollect,
          Effect.orDie
        ),
      parts: [1, 2, 3].map((n) =>
        TestEngine.answer(`ask ${n}`, Reply.after(`${4 - n} hours`, Reply.succeed(`answer ${n}`)))
      ),
      ends: ["answer 3", "answer 2"],
      log: ["ask 1", "ask 2", "ask 3"]
    },
    "pages, each of which is read by a step after an hour": {
      program: (kit) =>
        Effect.gen(function* () {
          const items = yield* Stream.runCollect(
            Stream.paginate(0, (n) =>
              Effect.map(
                Effect.andThen(hours("page", 1), kit.step(`page ${n}`)),
                (page) => [[page], n < 2 ? Option.some(n + 1) : Option.none()] as const
              )
            )
          )
          return items
        }),
      ends: ["page 0", "page 1", "page 2"]
    },
    "a stream that is broadcast to two readers of different speed": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const source = Stream.range(1, 4).pipe(Stream.tap((n) => hours(`source ${n}`, 1)))
            const shared = yield* Stream.broadcast(source, { capacity: 1, replay: 0 })
            const slow = Stream.runFold(
              shared,
              () => "",
              (acc, n) => acc + n
            )
            const steps = Stream.runDrain(
              Stream.mapEffect(shared, (n) => Effect.andThen(hours("read", 2), kit.step(`read ${n}`)))
            )
            const [text] = yield* Effect.all([slow, steps], both)
            return text
          })
        ),
      ends: "1234",
      log: ["read 1", "read 2", "read 3", "read 4"]
    },
    "an unordered stream of work with a retry in it and a time-out around it": {
      program: (kit) =>
        Effect.gen(function* () {
          const tries = yield* Ref.make(0)
          const found = yield* Stream.range(1, 5).pipe(
            Stream.mapEffect(
              (n) =>
                Effect.gen(function* () {
                  yield* hours(`item ${n}`, [0, 5, 4, 3, 2, 1.5][n]!)
                  if (n === 3 && (yield* Ref.updateAndGet(tries, (t) => t + 1)) < 3) yield* Effect.fail("again")
                  yield* kit.step(`item ${n}`)
                  return n
                }).pipe(Effect.retry(Schedule.spaced("30 minutes"))),
              { concurrency: 3, unordered: true }
            ),
            Stream.interruptWhen(hours("limit", 9)),
            Stream.runCollect
          )
          return found
        }).pipe(Effect.orDie),
      ends: [2, 1, 4, 5]
    },
    "a SubscriptionRef whose changes another fiber books": {
      program: (kit) =>
        Effect.gen(function* () {
          const status = yield* SubscriptionRef.make("new")
          const watcher = yield* Effect.forkChild(
            SubscriptionRef.changes(status).pipe(
              Stream.takeUntil((s) => s === "done"),
              Stream.mapEffect((s) => Effect.andThen(hours("see", 0.2), kit.step(`saw ${s}`))),
              Stream.runCollect
            )
          )
          yield* hours("one", 1)
          yield* SubscriptionRef.set(status, "paid")
          yield* hours("two", 1)
          yield* SubscriptionRef.set(status, "done")
          return yield* Fiber.join(watcher)
        }),
      ends: ["saw new", "saw paid", "saw done"]
    },
    "a PubSub with back pressure, whose publisher is interrupted while it waits": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const pubsub = yield* PubSub.bounded<number>(1)
            const subscription = yield* PubSub.subscribe(pubsub)
            const publisher = yield* Effect.forkChild(Effect.forEach([1, 2, 3], (n) => PubSub.publish(pubsub, n)))
            yield* hours("one", 1)
            const first = yield* PubSub.take(subscription)
            yield* kit.step(`got ${first}`)
            yield* hours("two", 1)
            yield* Fiber.interrupt(publisher)
            const rest = yield* PubSub.takeUpTo(subscription, 5)
            return [first, rest]
          })
        ),
      ends: [1, [2]]
    }
  })
})

describe("the same in every way: streams with time", () => {
  attacks({
    "groups within an hour what comes in bursts": {
      program: () =>
        Stream.make(1, 2, 3, 4, 5).pipe(
          Stream.tap((n) => hours(`item ${n}`, n === 3 ? 2 : n === 1 ? 1 : 0.25)),
          Stream.groupedWithin(3, "1 hour"),
          Stream.runCollect
        ),
      ends: [
        [1, 2],
        [3, 4, 5]
      ]
    },
    "debounces what comes faster than every hour": {
      program: () =>
        Stream.make(1, 2, 3).pipe(
          Stream.tap((n) => hours(`item ${n}`, n === 3 ? 3 : 0.5)),
          Stream.debounce("1 hour"),
          Stream.runCollect
        ),
      ends: [2, 3]
    },
    "throttles to one an hour": {
      program: (kit) =>
        Stream.range(1, 3).pipe(
          Stream.throttle({ cost: () => 1, units: 1, duration: "1 hour", strategy: "shape" }),
          Stream.mapEffect((n) => Effect.as(kit.step(`item ${n}`), n)),
          Stream.runCollect
        ),
      ends: [1, 2, 3],
      log: ["item 1", "item 2", "item 3"]
    },
    "merges ticks with work until the work is done": {
      program: (kit) =>
        Stream.fromSchedule(Schedule.spaced("2 hours")).pipe(
          Stream.map((n) => `tick ${n}`),
          Stream.merge(Stream.fromEffect(Effect.andThen(hours("work", 5), kit.step("work done"))), {
            haltStrategy: "right"
          }),
          Stream.runCollect
        ),
      ends: ["tick 0", "tick 1", "work done"],
      log: ["work done"]
    },
    "flattens the latest only, and interrupts the one before": {
      program: (kit) =>
        Stream.make(1, 2, 3).pipe(
          Stream.tap((n) => hours(`next ${n}`, 2)),
          Stream.switchMap((n) =>
            Stream.fromEffect(Effect.as(Effect.andThen(hours(`inner ${n}`, 3), kit.step(`done ${n}`)), n))
          ),
          Stream.runCollect
        ),
      ends: [3],
      log: ["done 3"]
    },
    "groups by a key, each at its own pace": {
      program: () =>
        Effect.gen(function* () {
          const { list, note } = notes()
          yield* Stream.make("a1", "b1", "a2", "b2").pipe(
            Stream.groupByKey((text) => text[0]!),
            Stream.flatMap(
              ([key, group]) =>
                Stream.mapEffect(group, (text) => Effect.andThen(hours(text, key === "a" ? 2 : 3), note(text))),
              both
            ),
            Stream.runDrain
          )
          return list
        }),
      ends: ["a1", "b1", "a2", "b2"]
    }
  })
})
