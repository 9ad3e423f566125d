/**
 * Streams: items meet in the order in which the outcomes that made them came.
 */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
      Stream.make("a", "b", "c").pipe(
        Stream.mapEffect((item) => Effect.andThen(hours(`make ${item}`, 1), kit.step(`made ${item}`))),
        Stream.buffer({ capacity: 1 }),
        Stream.mapEffect((item) => Effect.andThen(hours(`use ${item}`, 4), kit.step(`used: ${item}`))),
        Stream.runCollect
      ),
    ends: ["used: made a", "used: made b", "used: made c"],
    log: ["made a", "made b", "made c", "used: made a", "used: made b", "used: made c"],
    hours: 13
  })

  survives("Stream.mapEffect with concurrency: items come out in their order, and whoever is done waits for that", {
    program: (kit) =>
      Stream.make(5, 1, 3).pipe(
        Stream.mapEffect((count) => Effect.andThen(hours(`take ${count}`, count), kit.step(`took ${count}`)), {
          concurrency: 2
        }),
        Stream.runCollect
      ),
    ends: ["took 5", "took 1", "took 3"],
    log: ["took 1", "took 5", "took 3"],
    hours: 8
  })

  survives("Stream.mapEffect with concurrency, unordered: items come out as they are done", {
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

  survives("Stream.flatMap with concurrency: streams of streams are read as they come", {
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

  survives("Stream.schedule: the time between two items is spent without an invocation", {
    program: (kit) =>
      Stream.merge(
        Stream.make("first", "second", "third").pipe(Stream.schedule(Schedule.spaced("3 hours"))),
        Stream.fromEffect(Effect.as(hours("a guest", 5), "a guest"))
      ).pipe(
        Stream.mapEffect((item) => kit.step(`greet ${item}`)),
        Stream.runCollect
      ),
    ends: ["greet first", "greet a guest", "greet second", "greet third"],
    log: ["greet first", "greet a guest", "greet second", "greet third"],
    hours: 9,
    sleeps: ["sleep 10800s", "sleep 10800s", "sleep 10800s"]
  })
})
