/**
 * Resources that the workflow opens and closes by steps, attacked with sharing, time to live, replacement and failure.
 */
import { describe } from "@effect/vitest"
import type { Durable } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Pool from "effect/Pool"
import * as RcMap from "effect/RcMap"
import * as RcRef from "effect/RcRef"
import * as Ref from "effect/Ref"
import * as Resource from "effect/Resource"
import * as Schedule from "effect/Schedule"
import * as ScopedCache from "effect/ScopedCache"
import * as ScopedRef from "effect/ScopedRef"
import { attacks, both, hours } from "./everyWay.ts"

class Desk extends Context.Service<
  Desk,
  { readonly book: (what: string) => Effect.Effect<string, never, Durable.Execution> }
>()("Desk") {}

class Connection extends Context.Service<Connection, { readonly id: string }>()("Connection") {}

describe("the same in every way: a resource", () => {
  attacks({
    "an RcMap of connections that live for an hour after their last use": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const events: Array<string> = []
            const note = (s: string) => Effect.sync(() => void events.push(s))
            const map = yield* RcMap.make({
              lookup: (key: string) =>
                Effect.acquireRelease(Effect.as(kit.step(`open ${key}`), key), () => note(`close ${key}`)),
              idleTimeToLive: "1 hour"
            })
            const use = (key: string, time: number) =>
              Effect.scoped(Effect.andThen(RcMap.get(map, key), hours(`use ${key}`, time)))
            yield* Effect.all([use("a", 1), use("a", 2), use("b", 1)], both)
            yield* hours("half", 0.5)
            yield* use("a", 1)
            yield* hours("two", 2)
            yield* note("before the end")
            yield* use("a", 1)
            return events
          })
        ),
      ends: ["close b", "close a", "before the end", "close a"],
      log: ["open a", "open b", "open a"]
    },
    "an RcRef whose resource is opened by whoever comes first": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const ref = yield* RcRef.make({ acquire: Effect.acquireRelease(kit.step("open"), () => kit.step("close")) })
            const use = (name: string, at: number) =>
              Effect.andThen(hours(name, at), Effect.scoped(Effect.andThen(RcRef.get(ref), hours(`use ${name}`, 2))))
            yield* Effect.all([use("x", 1), use("y", 2), use("z", 6)], both)
            return "done"
          })
        ),
      ends: "done",
      log: ["open", "close", "open", "close"]
    },
    "a Pool of two lets three in, and the items are opened by steps": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const counter = yield* Ref.make(0)
            const pool = yield* Pool.make({
              acquire: Effect.flatMap(
                Ref.updateAndGet(counter, (n) => n + 1),
                (n) => kit.step(`open ${n}`)
              ),
              size: 2
            })
            const order: Array<string> = []
            yield* Effect.forEach(
              [3, 1, 2],
              (time, index) =>
                Effect.scoped(
                  Effect.gen(function* () {
                    const item = yield* Pool.get(pool)
                    yield* hours(`job ${index}`, time)
                    order.push(`${index} ${item}`)
                  })
                ),
              both
            )
            return order
          })
        ),
      ends: ["1 open 2", "0 open 1", "2 open 2"]
    },
    "a layer that is built in the workflow, by a step and with a release": {
      program: (kit) =>
        Effect.gen(function* () {
          const desk = Layer.effect(Desk)(
            Effect.map(
              Effect.acquireRelease(kit.step("open desk"), () => kit.step("close desk")),
              (name) => ({ book: (what: string) => kit.step(`${name}: ${what}`) })
            )
          )
          const found = yield* Effect.gen(function* () {
            const { book } = yield* Desk
            yield* hours("think", 1)
            return yield* Effect.all([book("a"), Effect.andThen(hours("b", 1), book("b"))], both)
          }).pipe(Effect.provide(desk))
          yield* hours("afterwards", 1)
          return found
        }),
      ends: ["open desk: a", "open desk: b"],
      log: ["open desk", "open desk: a", "open desk: b", "close desk"]
    },
    "a Resource that is refreshed every two hours by steps": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            let n = 0
            const resource = yield* Resource.auto(
              Effect.suspend(() => kit.step(`load ${++n}`)),
              Schedule.spaced("2 hours")
            )
            const seen: Array<string> = []
            for (const time of [1, 2, 2.5]) {
              yield* hours("w", time)
              seen.push(yield* Resource.get(resource))
            }
            return seen
          })
        ),
      ends: ["load 1", "load 2", "load 3"]
    },
    "a ScopedCache of connections with a time to live": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            let n = 0
            const cache = yield* ScopedCache.make({
              capacity: 5,
              timeToLive: "3 hours",
              lookup: (key: string) =>
                Effect.acquireRelease(
                  Effect.suspend(() => kit.step(`open ${key}${++n}`)),
                  (name) => kit.step(`close ${name}`)
                )
            })
            const seen = [yield* ScopedCache.get(cache, "a")]
            yield* hours("two", 2)
            seen.push(yield* ScopedCache.get(cache, "a"))
            yield* hours("more", 2)
            seen.push(yield* ScopedCache.get(cache, "a"))
            return seen
          })
        ),
      ends: ["open a1", "open a1", "open a2"],
      log: ["open a1", "close open a1", "open a2", "close open a2"]
    },
    "a ScopedRef that is replaced by racing fibers": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const make = (name: string) =>
              Effect.acquireRelease(kit.step(`open ${name}`), (opened) => kit.step(`close ${opened}`))
            const ref = yield* ScopedRef.fromAcquire(make("first"))
            yield* Effect.all(
              [
                Effect.andThen(hours("x", 2), ScopedRef.set(ref, make("x"))),
                Effect.andThen(hours("y", 1), ScopedRef.set(ref, make("y")))
              ],
              both
            )
            return yield* ScopedRef.get(ref)
          })
        ),
      ends: "open x",
      log: ["open first", "open y", "close open first", "open x", "close open y", "close open x"]
    },
    "a LayerMap of connections by key": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const map = yield* LayerMap.make(
              (key: string) =>
                Layer.effect(Connection)(
                  Effect.map(
                    Effect.acquireRelease(kit.step(`open ${key}`), (s) => kit.step(`close ${s}`)),
                    (id) => ({ id })
                  )
                ),
              { idleTimeToLive: "1 hour" }
            )
            const use = (key: string, time: number) =>
              Effect.andThen(
                hours("use", time),
                Effect.map(Connection, ({ id }) => id)
              ).pipe(Effect.provide(map.get(key)))
            const found = yield* Effect.all(
              [
                use("a", 1),
                use("b", 2),
                Effect.andThen(hours("x", 1.5), use("a", 1)),
                Effect.andThen(hours("y", 5), use("a", 1))
              ],
              both
            )
            return found
          })
        ),
      ends: ["open a", "open b", "open a", "open a"]
    }
  })
})
