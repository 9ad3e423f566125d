/**
 * Streams: items meet in the order in which the outcomes that made them came.
 */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { hours, survives } from "./survives.ts"

describe("streams", () => {
  survives("Stream.merge: every item is stored once, in the order of arrival", {
    program: (kit) =>
      Stream.merge(
        Stream.fromEffect(Effect.as(hours("the winch turns", 10), "the barrel")),
        Stream.fromEffect(Effect.as(hours("the belt runs", 2), "the box"))
      ).pipe(
        Stream.mapEffect((item) => kit.step(`store ${item}`)),
        Stream.runCollect
      ),
    ends: ["store the box", "store the barrel"],
    log: ["store the box", "store the barrel"],
    hours: 10
  })

  survives("Stream.merge: sources that go on side by side take turns as their items are made", {
    program: (kit) => {
      const source = (name: string, each: number, count: number) =>
        Stream.range(1, count).pipe(Stream.mapEffect((n) => Effect.as(hours(`${name} ${n}`, each), `${name} ${n}`)))
      return Stream.merge(source("mill", 5, 2), source("farm", 3, 3)).pipe(
        Stream.mapEffect((item) => kit.step(item)),
        Stream.runCollect
      )
    },
    ends: ["farm 1", "mill 1", "farm 2", "farm 3", "mill 2"],
    log: ["farm 1", "mill 1", "farm 2", "farm 3", "mill 2"],
    hours: 10
  })

  survives("Stream.buffer: a producer runs ahead of its consumer as far as the buffer goes", {
    program: (kit) =>
      Effect.gen(function* () {
        const made = yield* Ref.make(0)
        return yield* Stream.make(1, 1, 5, 1).pipe(
          Stream.mapEffect((count, index) =>
            Effect.gen(function* () {
              yield* kit.step(`fetch ${index}`)
              yield* hours(`make ${index}`, count)
              return yield* Ref.updateAndGet(made, (n) => n + 1)
            })
          ),
          Stream.buffer({ capacity: 1 }),
          Stream.mapEffect((item) =>
            Effect.gen(function* () {
              yield* hours(`use ${item}`, 4)
              return yield* kit.step(`${item} of ${yield* Ref.get(made)} is used`)
            })
          ),
          Stream.runCollect
        )
      }),
    ends: ["1 of 2 is used", "2 of 4 is used", "3 of 4 is used", "4 of 4 is used"],
    log: [
      "fetch 0",
      "fetch 1",
      "fetch 2",
      "1 of 2 is used",
      "fetch 3",
      "2 of 4 is used",
      "3 of 4 is used",
      "4 of 4 is used"
    ],
    hours: 17
  })

  survives(
    "Stream.mapEffect with concurrency: items are emitted in their order, and a finished one waits for earlier ones",
    {
      program: (kit) =>
        Effect.gen(function* () {
          const taken = yield* Ref.make(0)
          return yield* Stream.make(5, 1, 3).pipe(
            Stream.mapEffect(
              (count) =>
                Effect.gen(function* () {
                  yield* hours(`take ${count}`, count)
                  const number = yield* Ref.updateAndGet(taken, (n) => n + 1)
                  return yield* kit.step(`${count} is number ${number}`)
                }),
              { concurrency: 2 }
            ),
            Stream.runCollect
          )
        }),
      ends: ["5 is number 2", "1 is number 1", "3 is number 3"],
      log: ["1 is number 1", "5 is number 2", "3 is number 3"],
      hours: 8
    }
  )

  survives("Stream.mapEffect with concurrency, unordered: items are emitted as they are done", {
    program: (kit) =>
      Stream.make(7, 1, 3).pipe(
        Stream.mapEffect((count) => Effect.as(hours(`take ${count}`, count), count), {
          concurrency: 2,
          unordered: true
        }),
        Stream.mapEffect((count) => kit.step(`take ${count} is done`)),
        Stream.runCollect
      ),
    ends: ["take 1 is done", "take 3 is done", "take 7 is done"],
    log: ["take 1 is done", "take 3 is done", "take 7 is done"],
    hours: 7
  })

  survives("Stream.flatMap with concurrency: items of inner streams are emitted as they come", {
    program: (kit) =>
      Stream.make(6, 2).pipe(
        Stream.flatMap(
          (each) =>
            Stream.range(1, 2).pipe(
              Stream.mapEffect((n) => Effect.as(hours(`every ${each}: ${n}`, each), `${each}: ${n}`))
            ),
          { concurrency: 2 }
        ),
        Stream.mapEffect((item) => kit.step(`read ${item}`)),
        Stream.runCollect
      ),
    ends: ["read 2: 1", "read 2: 2", "read 6: 1", "read 6: 2"],
    log: ["read 2: 1", "read 2: 2", "read 6: 1", "read 6: 2"],
    hours: 12
  })

  survives("Stream.schedule: the time between two items passes without an invocation", {
    program: (kit) =>
      Stream.merge(
        Stream.make("first", "second", "third").pipe(Stream.schedule(Schedule.spaced("3 hours"))),
        Stream.fromEffect(Effect.as(hours("a guest", 7), "a guest"))
      ).pipe(
        Stream.mapEffect((item) => kit.step(`greet ${item}`)),
        Stream.runCollect
      ),
    ends: ["greet first", "greet second", "greet a guest", "greet third"],
    log: ["greet first", "greet second", "greet a guest", "greet third"],
    hours: 9,
    sleeps: ["sleep 10800s", "sleep 10800s", "sleep 10800s"]
  })
})
