/**
 * What the constructs of Effect mean in a program, which know nothing of durable execution.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { digest, mix } from "./digest.ts"
import type { Concurrency, Node, Of } from "./program.ts"
import { again, forked, type Place, type Scene, type Workflow } from "./scene.ts"

type Construct =
  | "all"
  | "fork"
  | "race"
  | "limit"
  | "stray"
  | "queue"
  | "deferred"
  | "semaphore"
  | "cached"
  | "schedule"
  | "ensuring"
  | "region"
  | "uninterruptible"
  | "repeat"
  | "retry"

export const meaningOf = (scene: Scene, node: Of<Construct>, input: number, place: Place): Workflow => {
  switch (node.op) {
    case "all":
      return all(scene, node, input, place)
    case "fork":
      return fork(scene, node, input, place)
    case "race": {
      const branches = scene.forks(node, input, place)
      return race(node.until === "end" ? Effect.raceAllFirst(branches) : Effect.raceAll(branches))
    }
    case "limit": {
      const limit = node.seconds === undefined ? (`${node.days} days` as const) : (`${node.seconds} seconds` as const)
      return Effect.timeoutOrElse(scene.body(node, 0, input, place), {
        duration: limit,
        orElse: () => Effect.succeed(mix(input, 1))
      })
    }
    case "stray": {
      const aside = scene.body(node, 0, input, forked(place, node, 0))
      return Effect.as(node.detached ? Effect.forkDetach(aside) : Effect.forkChild(aside), input)
    }
    case "queue":
      return queue(scene, node, input, place)
    case "deferred":
      return deferred(scene, node, input, place)
    case "semaphore":
      return Effect.flatMap(Semaphore.make(node.permits), (semaphore) =>
        settled(
          scene.forks(node, input, place).map((branch) => semaphore.withPermits(1)(branch)),
          "unbounded",
          input
        )
      )
    case "cached":
      return cached(scene, node, input, place)
    case "schedule":
      return scheduled(scene, node, input, place)
    case "ensuring":
      return Effect.ensuring(scene.body(node, 0, input, place), Effect.exit(scene.body(node, 1, input, place)))
    case "region":
      return Effect.acquireUseRelease(
        Effect.sync(() => void scene.tally.entered++),
        () => scene.body(node, 0, input, place),
        () => Effect.sync(() => void scene.tally.left++)
      )
    case "uninterruptible":
      return Effect.uninterruptible(scene.body(node, 0, input, place))
    case "repeat":
      return Effect.gen(function* () {
        let value = input
        for (let round = 0; round < node.times; round++) value = yield* scene.body(node, 0, value, again(place, round))
        return value
      })
    case "retry":
      return Effect.retry(rounds(scene, node, input, place), { times: node.times })
  }
}

/** How a race ended, which may be an error. */
const race = (effect: Workflow): Workflow => Effect.map(Effect.exit(effect), digest)

/** Runs branches to their ends. */
const settled = (branches: ReadonlyArray<Workflow>, concurrency: Concurrency, input: number): Workflow =>
  Effect.map(Effect.forEach(branches, Effect.exit, { concurrency }), (exits) => exits.map(digest).reduce(mix, input))

/** A body that is another one every time that it is run. */
const rounds = (scene: Scene, node: Node, input: number, place: Place): Workflow => {
  let round = 0
  return Effect.suspend(() => scene.body(node, 0, mix(input, round), again(place, round++)))
}

const all = (scene: Scene, node: Of<"all">, input: number, place: Place): Workflow => {
  const branches = scene.forks(node, input, place)
  const { concurrency } = node
  return node.failFast
    ? race(Effect.map(Effect.all(branches, { concurrency }), (values) => values.reduce(mix, input)))
    : settled(branches, concurrency, input)
}

const fork = Effect.fnUntraced(function* (scene: Scene, node: Of<"fork">, input: number, place: Place) {
  const aside = Effect.exit(scene.body(node, 0, input, forked(place, node, 0)))
  const fiber = yield* node.detached ? Effect.forkDetach(aside) : Effect.forkChild(aside)
  const meanwhile = digest(yield* Effect.exit(scene.body(node, 1, input, place)))
  if (node.end === "join") return mix(meanwhile, digest(yield* Fiber.join(fiber)))
  yield* Fiber.interrupt(fiber)
  return meanwhile
})

/** The last body takes what the others make. */
const queue = Effect.fnUntraced(function* (scene: Scene, node: Of<"queue">, input: number, place: Place) {
  const board = yield* node.capacity === undefined ? Queue.unbounded<number>() : Queue.bounded<number>(node.capacity)
  const consumer = node.bodies.length - 1
  for (const producer of scene.forks(node, input, place, 0, consumer)) {
    yield* Effect.forkChild(Effect.flatMap(Effect.exit(producer), (exit) => Queue.offer(board, digest(exit))))
  }
  let value = input
  for (let taken = 0; taken < consumer; taken++) {
    const item = yield* Queue.take(board)
    if (scene.isSteady) {
      // The same in whatever order they come.
      value = (value + item) >>> 0
    } else {
      yield* scene.see(node, place, item)
      const used = yield* Effect.exit(scene.body(node, consumer, mix(value, item), again(place, taken)))
      value = digest(used)
    }
  }
  return value
})

/** The first setter makes the value that the others wait for. */
const deferred = Effect.fnUntraced(function* (scene: Scene, node: Of<"deferred">, input: number, place: Place) {
  const value = yield* Deferred.make<number>()
  const setters = scene.forks(node, input, place, 0, node.setters)
  const set = setters.map((setter) =>
    Effect.flatMap(Effect.exit(setter), (exit) => Deferred.succeed(value, digest(exit)))
  )
  const waiters = node.bodies
    .slice(node.setters)
    .map((_, index) =>
      Effect.flatMap(Deferred.await(value), (found) =>
        scene.body(node, node.setters + index, mix(found, index), forked(place, node, node.setters + index))
      )
    )
  const setting = yield* Effect.forkChild(Effect.all(set, { concurrency: "unbounded", discard: true }))
  const ended = yield* settled(waiters, "unbounded", input)
  yield* Fiber.join(setting)
  return mix(ended, yield* Deferred.await(value))
})

/** All that ask get the same value, which the first of them makes. */
const cached = Effect.fnUntraced(function* (scene: Scene, node: Of<"cached">, input: number, place: Place) {
  const last = node.bodies.length - 1
  const value = yield* Effect.cached(
    Effect.map(Effect.exit(scene.body(node, last, input, forked(place, node, last))), digest)
  )
  const askers = scene
    .forks(node, input, place, 0, last)
    .map((asker) =>
      Effect.flatMap(Effect.exit(asker), (exit) => Effect.map(value, (found) => mix(digest(exit), found)))
    )
  return yield* settled(askers, "unbounded", input)
})

const scheduled = (scene: Scene, node: Of<"schedule">, input: number, place: Place): Workflow => {
  const { grows, kind, seconds, times } = node
  const schedule = grows ? Schedule.exponential(`${seconds} seconds`) : Schedule.spaced(`${seconds} seconds`)
  const body = rounds(scene, node, input, place)
  return kind === "repeat" ? Effect.repeat(body, { schedule, times }) : Effect.retry(body, { schedule, times })
}
