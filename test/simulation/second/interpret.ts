/**
 * What a program means: the workflow that it describes, written with the public API.
 */
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import { mix } from "../digest.ts"
import { Oops, type Kit, type Workflow } from "../kit/world.ts"
import * as Durables from "./durable.ts"
import * as Effects from "./effects.ts"
import * as Leaves from "./leaves.ts"
import type { Kinded, Program } from "./program.ts"
import { combine, digest, indexes, inRound, rootPlace, Scene, type Place, type Run } from "./scene.ts"
import type { Trace } from "./trace.ts"

export const workflowOf = (program: Program, trace: Trace, kit: Kit): Workflow => {
  const scene = new Scene(program, trace, kit, interpret)
  // A failure must not end the execution, so that its value tells of everything.
  return Effect.flatMap(rootPlace, (place) => {
    const whole = Effect.suspend(() => interpret(scene)(program.root, 1, place))
    return Effect.map(scene.settled(whole, place), String)
  })
}

const interpret =
  (scene: Scene): Run =>
  (node, input, place) => {
    const body = (index = 0, value = input, at = place): Workflow<number> => scene.body(node, index, value, at)
    switch (node.kind) {
      case "nothing":
        return Effect.succeed(input)
      case "step":
        return Leaves.step(scene, node, input, place)
      case "Durable.wait":
      case "Effect.sleep":
        return Leaves.wait(scene, node, input, place)
      case "nap":
        return Leaves.nap(scene, node, input, place)
      case "invoke":
        return Leaves.invoke(scene, node, input, place)
      case "waitForCallback":
        return Leaves.waitForCallback(scene, node, input, place)
      case "condition":
        return Leaves.condition(scene, node, input, place)
      case "clock":
        return Leaves.clock(scene, node, input, place)
      case "random":
      case "uuid":
        return Leaves.chance(scene, node, input, place)
      case "count":
      case "post":
      case "peek":
        return Leaves.state(scene, node, input, place)
      case "patched":
        return Leaves.patched(scene, node, input, place)
      case "yieldNow":
        return Effect.as(Effect.yieldNow, input)
      case "fail":
        return Effect.fail(new Oops({ code: `fail ${node.id}` }))
      case "sequence":
        return Effect.gen(function* () {
          let value = input
          for (const index of node.bodies.keys()) value = yield* body(index, value)
          return value
        })
      case "exit":
        return Effect.tap(scene.settled(body(), place), (value) => scene.see(node, place, String(value)))
      case "uninterruptible":
        return Effect.uninterruptible(body())
      case "onInterrupt":
        return Effect.onInterrupt(body(), () => Ref.update(place.state.count, (count) => count + 100))
      case "Durable.onExit":
        return Durable.onExit(body(), (exit) => body(1, digest(Exit.map(exit, Number))))
      case "acquireRelease":
        return acquireRelease(scene, node, input, place)
      case "loop":
        return loop(scene, node, input, place)
      case "callback":
        return Durables.callback(scene, node, input, place)
      case "child":
        return Durables.child(scene, node, input, place)
      case "Durable.all":
        return Durables.all(scene, node, input, place)
      case "Durable.forEach":
        return Durables.forEach(scene, node, input, place)
      case "Durable.parallel":
        return Durables.parallel(scene, node, input, place)
      case "Durable.race":
      case "Durable.raceFirst":
        return Durables.race(scene, node, input, place)
      case "Durable.timeout":
        return Durables.timeout(scene, node, input, place)
      case "Durable.retry":
        return Durables.retry(scene, node, input, place)
      case "Effect.retry":
        return Effects.retry(scene, node, input, place)
      case "Effect.repeat":
        return Effects.repeat(scene, node, input, place)
      case "Effect.all":
        return Effects.all(scene, node, input, place)
      case "Effect.forEach":
        return Effects.forEach(scene, node, input, place)
      case "Effect.race":
      case "Effect.raceFirst":
        return Effects.race(scene, node, input, place)
      case "Effect.timeout":
        return Effects.timeout(scene, node, input, place)
      case "fork":
        return Effects.fork(scene, node, input, place)
      case "FiberSet":
      case "FiberMap":
        return Effects.fibers(scene, node, input, place)
      case "Queue":
        return Effects.queue(scene, node, input, place)
      case "PubSub":
        return Effects.pubSub(scene, node, input, place)
      case "Deferred":
      case "Latch":
      case "cached":
        return Effects.awaited(scene, node, input, place)
      case "Semaphore":
        return Effects.semaphore(scene, node, input, place)
      case "Stream.merge":
        return Effects.streamMerge(scene, node, input, place)
      case "Stream.mapEffect":
        return Effects.streamMap(scene, node, input, place)
    }
  }

const loop = (scene: Scene, node: Kinded<"loop">, input: number, place: Place): Workflow<number> =>
  Effect.map(
    Effect.forEach(indexes(node.times), (round) => scene.body(node, 0, mix(input, round), inRound(place, round))),
    combine
  )

const acquireRelease = (
  scene: Scene,
  node: Kinded<"acquireRelease">,
  input: number,
  place: Place
): Workflow<number> => {
  const releases = {
    count: Ref.update(place.state.count, (count) => count + 10),
    step: Durable.step(
      `release ${node.id}`,
      scene.kit.body(() => Effect.void)
    )
  }
  const resource = Effect.acquireRelease(scene.body(node, 0, input, place), () => releases[node.release])
  return Effect.scoped(Effect.flatMap(resource, (value) => scene.body(node, 1, value, place)))
}
