/**
 * What Effect's own concurrency means, with operations in it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { hash, mix } from "../digest.ts"
import { Oops, type Workflow } from "../kit/world.ts"
import type { Kinded } from "./program.ts"
import { combine, digest, indexes, inRound, type Place, type Scene } from "./scene.ts"

export const all = (scene: Scene, node: Kinded<"Effect.all">, input: number, place: Place): Workflow<number> =>
  Effect.map(Effect.all(scene.bodies(node, input, place), { concurrency: node.concurrency }), combine)

export const forEach = (scene: Scene, node: Kinded<"Effect.forEach">, input: number, place: Place): Workflow<number> =>
  Effect.map(
    Effect.forEach(indexes(node.items), (item) => scene.body(node, 0, mix(input, item), inRound(place, item)), {
      concurrency: node.concurrency
    }),
    combine
  )

export const race = (
  scene: Scene,
  node: Kinded<"Effect.race" | "Effect.raceFirst">,
  input: number,
  place: Place
): Workflow<number> => {
  const bodies = scene.bodies(node, input, place)
  if (bodies.length === 0) return Effect.succeed(input)
  const winner = node.kind === "Effect.race" ? Effect.raceAll(bodies) : Effect.raceAllFirst(bodies)
  return Effect.tap(winner, (value) => scene.see(node, place, `won by ${value}`))
}

export const timeout = (scene: Scene, node: Kinded<"Effect.timeout">, input: number, place: Place): Workflow<number> =>
  Effect.timeout(scene.body(node, 0, input, place), `${node.seconds} seconds`).pipe(
    Effect.catchTag("TimeoutError", () => Effect.as(scene.see(node, place, "timed out"), mix(input, hash("timed out"))))
  )

export const retry = (scene: Scene, node: Kinded<"Effect.retry">, input: number, place: Place): Workflow<number> =>
  Effect.suspend(() => {
    let rounds = 0
    const body = Effect.suspend(() => {
      const round = rounds++
      return Effect.andThen(scene.body(node, 0, mix(input, round), inRound(place, round)), (value) =>
        round < node.failures ? Effect.fail(new Oops({ code: `${value}` })) : Effect.succeed(value)
      )
    })
    return Effect.retry(body, { schedule: scheduleOf(node), times: 2 })
  })

export const repeat = (scene: Scene, node: Kinded<"Effect.repeat">, input: number, place: Place): Workflow<number> =>
  Effect.suspend(() => {
    let rounds = 0
    let value = input
    const body = Effect.suspend(() => {
      const round = rounds++
      return Effect.map(scene.body(node, 0, mix(value, round), inRound(place, round)), (next) => (value = next))
    })
    return Effect.map(Effect.repeat(body, { schedule: scheduleOf(node), times: node.times }), () => value)
  })

/** The jitter is drawn from the dice of the workflow. */
const scheduleOf = ({ jitter, seconds }: Kinded<"Effect.repeat" | "Effect.retry">): Schedule.Schedule<number> => {
  const spaced = Schedule.spaced(`${seconds} seconds`)
  return jitter ? Schedule.jittered(spaced) : spaced
}

export const fork = (scene: Scene, node: Kinded<"fork">, input: number, place: Place): Workflow<number> => {
  const aside = scene.body(node, 0, mix(input, 0), place)
  const ways = {
    forkChild: Effect.forkChild(aside),
    forkScoped: Effect.forkScoped(aside),
    forkDetach: Effect.forkDetach(aside)
  }
  const whole = Effect.gen(function* () {
    const fiber = yield* ways[node.how]
    const value = yield* scene.body(node, 1, mix(input, 1), place)
    if (node.afterwards === "leave") return value
    if (node.afterwards === "join") return mix(value, yield* Fiber.join(fiber))
    yield* Fiber.interrupt(fiber)
    const end = digest(yield* Fiber.await(fiber))
    yield* scene.see(node, place, `interrupted: ${end}`)
    return mix(value, end)
  })
  return Effect.scoped(whole)
}

/** Bodies in fibers that a set or a map looks after, and the order in which they end. */
export const fibers = (
  scene: Scene,
  node: Kinded<"FiberMap" | "FiberSet">,
  input: number,
  place: Place
): Workflow<number> => {
  const ended: Array<number> = []
  const bodies = scene.bodies(node, input, place).map((body) =>
    Effect.map(scene.settled(body, place), (value) => {
      ended.push(value)
    })
  )
  const inSet = Effect.gen(function* () {
    const set = yield* FiberSet.make<void, never>()
    for (const body of bodies) yield* FiberSet.run(set, body)
    yield* FiberSet.awaitEmpty(set)
  })
  const inMap = Effect.gen(function* () {
    const map = yield* FiberMap.make<number, void, never>()
    for (const [index, body] of bodies.entries()) yield* FiberMap.run(map, index % 2, body)
    yield* FiberMap.awaitEmpty(map)
  })
  return Effect.scoped(node.kind === "FiberSet" ? inSet : inMap).pipe(
    Effect.andThen(Effect.suspend(() => scene.see(node, place, `ended ${ended.join()}`))),
    Effect.andThen(Effect.sync(() => combine(ended)))
  )
}

export const queue = (scene: Scene, node: Kinded<"Queue">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const queue = yield* Queue.bounded<number | undefined>(node.capacity)
    const take = (taker: number) =>
      Effect.gen(function* () {
        let sum = taker
        for (let count = 0; ; count++) {
          const item = yield* Queue.take(queue)
          if (item === undefined) return sum
          yield* scene.see(node, place, `taker ${taker} takes ${item}`)
          sum = mix(sum, yield* scene.settled(scene.body(node, 1, item, inRound(place, `t${taker}.${count}`)), place))
        }
      })
    const takers = yield* Effect.forEach(indexes(node.takers), (taker) => Effect.forkChild(take(taker)))
    yield* Effect.forEach(
      indexes(node.items),
      (item) =>
        Effect.flatMap(scene.settled(scene.body(node, 0, mix(input, item), inRound(place, item)), place), (value) =>
          Queue.offer(queue, value)
        ),
      { concurrency: "unbounded" }
    )
    yield* Effect.forEach(takers, () => Queue.offer(queue, undefined))
    return combine(yield* Effect.forEach(takers, Fiber.join))
  })

export const pubSub = (scene: Scene, node: Kinded<"PubSub">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const hub = yield* PubSub.unbounded<number>()
    const takers = yield* Effect.forEach(
      indexes(node.takers),
      Effect.fnUntraced(function* (taker) {
        const subscription = yield* PubSub.subscribe(hub)
        return yield* Effect.forkChild(
          Effect.forEach(indexes(node.items), (item) =>
            Effect.flatMap(PubSub.take(subscription), (value) =>
              scene.settled(scene.body(node, 1, value, inRound(place, `t${taker}.${item}`)), place)
            )
          )
        )
      })
    )
    for (const item of indexes(node.items)) {
      yield* PubSub.publish(
        hub,
        yield* scene.settled(scene.body(node, 0, mix(input, item), inRound(place, item)), place)
      )
    }
    return combine((yield* Effect.forEach(takers, Fiber.join)).flat())
  }).pipe(Effect.scoped)

/** Fibers that wait for one value: of a `Deferred`, of an effect that is run once, or for a `Latch` to open. */
export const awaited = (
  scene: Scene,
  node: Kinded<"Deferred" | "Latch" | "cached">,
  input: number,
  place: Place
): Workflow<number> =>
  Effect.gen(function* () {
    const make = scene.settled(scene.body(node, 0, input, place), place)
    const then = (taker: number, value: number): Workflow<number> =>
      scene.settled(scene.body(node, 1, mix(value, taker), inRound(place, `t${taker}`)), place)
    const forked = (waiting: Workflow<number>) =>
      Effect.forEach(indexes(node.takers), (taker) =>
        Effect.forkChild(Effect.flatMap(waiting, (value) => then(taker, value)))
      )
    switch (node.kind) {
      case "Deferred": {
        const deferred = yield* Deferred.make<number>()
        const takers = yield* forked(Deferred.await(deferred))
        yield* Deferred.succeed(deferred, yield* make)
        return combine(yield* Effect.forEach(takers, Fiber.join))
      }
      case "Latch": {
        const latch = yield* Latch.make()
        const takers = yield* forked(Effect.as(latch.await, input))
        const value = yield* make
        yield* latch.open
        return mix(value, combine(yield* Effect.forEach(takers, Fiber.join)))
      }
      case "cached": {
        const cached = yield* Effect.cached(make)
        const takers = yield* forked(cached)
        return mix(yield* cached, combine(yield* Effect.forEach(takers, Fiber.join)))
      }
    }
  })

/** Bodies that get in one after the other, and the order in which they did. */
export const semaphore = (scene: Scene, node: Kinded<"Semaphore">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const semaphore = yield* Semaphore.make(node.permits)
    let entered = 0
    const values = yield* Effect.all(
      scene.bodies(node, input, place).map((body, index) =>
        semaphore.withPermits(1)(
          Effect.suspend(() => {
            const turn = entered++
            return Effect.andThen(
              scene.see(node, place, `${index} enters as number ${turn}`),
              Effect.map(scene.settled(body, place), (value) => mix(value, turn))
            )
          })
        )
      ),
      { concurrency: "unbounded" }
    )
    return combine(values)
  })

export const streamMerge = (
  scene: Scene,
  node: Kinded<"Stream.merge">,
  input: number,
  place: Place
): Workflow<number> => {
  const source = (body: number) =>
    Stream.mapEffect(Stream.range(1, node.items), (item) =>
      scene.body(node, body, mix(input, item), inRound(place, `${body}.${item}`))
    )
  return collected(scene, node, place, Stream.merge(source(0), source(1)))
}

export const streamMap = (
  scene: Scene,
  node: Kinded<"Stream.mapEffect">,
  input: number,
  place: Place
): Workflow<number> => {
  const { concurrency, unordered } = node
  const mapped = Stream.mapEffect(
    Stream.range(1, node.items),
    (item) => scene.body(node, 0, mix(input, item), inRound(place, item)),
    { concurrency, unordered }
  )
  return collected(scene, node, place, mapped)
}

const collected = (
  scene: Scene,
  node: Kinded<"Stream.mapEffect" | "Stream.merge">,
  place: Place,
  stream: Stream.Stream<number, Oops, Effect.Services<Workflow>>
): Workflow<number> =>
  Stream.runCollect(stream).pipe(
    Effect.tap((values) => scene.see(node, place, `values ${values.join()}`)),
    Effect.map(combine)
  )
