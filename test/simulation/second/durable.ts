/**
 * What the operations of the library mean that have bodies.
 */
import { CompletionPolicy, Durable, RetryPolicy, type BatchResult } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { hash, mix } from "../digest.ts"
import { Oops, type Workflow } from "../kit/world.ts"
import { callbackOf, expectedAnswer } from "./leaves.ts"
import type { Kinded, Node } from "./program.ts"
import { combine, digest, indexes, inRound, oneError, type Place, type Scene } from "./scene.ts"

const recorded = { error: Oops }

export const child = (scene: Scene, node: Kinded<"child">, input: number, place: Place): Workflow<number> => {
  const name = scene.nameOf(node)
  if (node.flat) return Durable.child(name, scene.body(node, 0, input, place), { flat: true })
  const body = scene.within(node, place, 0, (inside) => scene.body(node, 0, input, inside))
  return told(scene, node, place, Durable.child(name, body, recorded))
}

export const all = (scene: Scene, node: Kinded<"Durable.all">, input: number, place: Place): Workflow<number> =>
  batched(scene, node, place, (branch) => {
    const { concurrency, flat } = node
    const branches = node.bodies.map((_, index) => branch(index, mix(input, index), index))
    return Effect.map(Durable.all(scene.nameOf(node), branches, { ...recorded, concurrency, flat }), combine)
  })

export const forEach = (scene: Scene, node: Kinded<"Durable.forEach">, input: number, place: Place): Workflow<number> =>
  batched(scene, node, place, (branch) => {
    const { concurrency, flat, items } = node
    const run = (item: number) => branch(0, mix(input, item), item)
    const options = { ...recorded, concurrency, flat }
    return Effect.map(Durable.forEach(scene.nameOf(node), indexes(items), run, options), combine)
  })

export const parallel = (
  scene: Scene,
  node: Kinded<"Durable.parallel">,
  input: number,
  place: Place
): Workflow<number> =>
  batched(scene, node, place, (branch) => {
    const { concurrency, flat } = node
    const branches = node.bodies.map((_, index) => branch(index, mix(input, index), index))
    const options = { ...recorded, concurrency, flat, policy: policies[node.policy] }
    return Effect.map(Durable.parallel(scene.nameOf(node), branches, options), digestBatch)
  })

export const race = (
  scene: Scene,
  node: Kinded<"Durable.race" | "Durable.raceFirst">,
  input: number,
  place: Place
): Workflow<number> => {
  const [first, ...others] = node.bodies.map((_, index) =>
    scene.within(node, place, index, (inside) => scene.body(node, index, mix(input, index), inside))
  )
  if (first === undefined) return Effect.succeed(input)
  const name = scene.nameOf(node)
  const branches: readonly [Workflow<number>, ...ReadonlyArray<Workflow<number>>] = [first, ...others]
  return told(
    scene,
    node,
    place,
    node.kind === "Durable.race" ? Durable.race(name, branches, recorded) : Durable.raceFirst(name, branches, recorded)
  )
}

export const timeout = (
  scene: Scene,
  node: Kinded<"Durable.timeout">,
  input: number,
  place: Place
): Workflow<number> => {
  const body = scene.within(node, place, 0, (inside) => scene.body(node, 0, input, inside))
  return told(
    scene,
    node,
    place,
    oneError(Durable.timeout(scene.nameOf(node), body, `${node.seconds} seconds`, recorded))
  )
}

export const retry = (scene: Scene, node: Kinded<"Durable.retry">, input: number, place: Place): Workflow<number> =>
  Effect.suspend(() => {
    let attempts = 0
    const block = Effect.suspend(() => {
      const attempt = attempts++
      return Effect.andThen(
        scene.within(node, place, attempt, (inside) => scene.body(node, 0, mix(input, attempt), inside)),
        (value) => (attempt < node.failures ? Effect.fail(new Oops({ code: `${value}` })) : Effect.succeed(value))
      )
    })
    const policy = RetryPolicy.fixed<Oops>({ maxAttempts: 3, delay: `${node.seconds} seconds` })
    return told(scene, node, place, Durable.retry(scene.nameOf(node), block, policy, recorded))
  })

/** A callback that is open while a body goes on. */
export const callback = (scene: Scene, node: Kinded<"callback">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const { name, options } = callbackOf(scene, node)
    const open = yield* oneError(Durable.callback(name, options))
    yield* scene.see(node, place, "is open")
    const value = yield* scene.body(node, 0, input, place)
    const expected = expectedAnswer(node.answer)
    const answer = yield* oneError(open.await).pipe(
      Effect.tap((answer) => scene.seeRecord(node, place, `value ${answer}`, expected)),
      Effect.tapError(({ code }) => scene.seeRecord(node, place, `error ${code}`, expected))
    )
    return mix(value, answer)
  })

type Batch = Kinded<"Durable.all" | "Durable.forEach" | "Durable.parallel">

/** A batch is recorded as a whole, and so is each of its branches, unless it is flat. */
const batched = (
  scene: Scene,
  node: Batch,
  place: Place,
  run: (branch: (body: number, input: number, index: number) => Workflow<number>) => Workflow<number>
): Workflow<number> => {
  const batch = scene.within(node, place, "batch", (inside) =>
    run((body, input, index) =>
      node.flat
        ? scene.branch(inRound(inside, index), (branch) => scene.body(node, body, input, branch))
        : scene.within(node, inside, index, (branch) => scene.body(node, body, input, branch))
    )
  )
  return told(scene, node, place, batch)
}

const told = (scene: Scene, node: Node, place: Place, effect: Workflow<number>): Workflow<number> =>
  effect.pipe(
    Effect.tap((value) => scene.see(node, place, `value ${value}`)),
    Effect.tapError(({ code }) => scene.see(node, place, `error ${code}`))
  )

const digestBatch = (batch: BatchResult.BatchResult<number, Oops>): number =>
  batch.all
    .map((item) =>
      item.status === "SUCCEEDED"
        ? mix(item.index, item.value)
        : item.status === "FAILED"
          ? mix(item.index, digest(Exit.failCause(item.cause)))
          : mix(item.index, 5)
    )
    .reduce(mix, hash(`${batch.status} ${batch.completionReason}`))

const policies = {
  allSuccessful: CompletionPolicy.allSuccessful,
  allCompleted: CompletionPolicy.allCompleted,
  firstSuccessful: CompletionPolicy.firstSuccessful
}
