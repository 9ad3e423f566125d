/**
 * What single operations mean, and reads of time, chance and state.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { hash, mix } from "../digest.ts"
import { Oops, type Workflow } from "../kit/world.ts"
import type { Answer, Kinded } from "./program.ts"
import { AtFirst, oneError, type Place, type Scene } from "./scene.ts"

/** Another function, which answers after a while. */
const Echo = DurableFunction.plain("echo", {
  payload: Schema.Struct({ value: Schema.Int, seconds: Schema.Int, fails: Schema.Boolean }),
  success: Schema.Int,
  error: Oops
})

const number = { success: Schema.Int }

/** The world outside. How a callback is answered is in its name. */
export const outside = [
  TestEngine.stub(Echo, ({ fails, seconds, value }) => {
    const outcome = fails ? Reply.fail(new Oops({ code: "echo" })) : Reply.succeed(mix(value, 7))
    return seconds === 0 ? outcome : Reply.after(`${seconds} seconds`, outcome)
  }),
  TestEngine.answer(
    /allback/,
    ({ name }) => {
      const [, seconds] = /after (\d+)$/.exec(name) ?? []
      return seconds === undefined
        ? Reply.never
        : Reply.after(`${Number(seconds)} seconds`, Reply.succeed(Number(seconds)))
    },
    number
  )
]

export const step = (scene: Scene, node: Kinded<"step">, input: number, place: Place): Workflow<number> => {
  const value = mix(input, node.id)
  const error = new Oops({ code: String(value) })
  const body = scene.kit.body((_, attempt) => {
    if (attempt <= node.failures)
      return Effect.andThen(taking(node.pace), Effect.die(new AtFirst("At first it fails.")))
    return Effect.andThen(taking(node.pace), node.ends === "value" ? Effect.succeed(value) : Effect.fail(error))
  })
  const isFinal = (failure: unknown): boolean => failure instanceof Oops
  const retry = RetryPolicy.fixed({ maxAttempts: 3, delay: `${node.seconds} seconds`, while: (one) => !isFinal(one) })
  return Durable.step(scene.nameOf(node), body, { error: Oops, retry }).pipe(
    Effect.tap((recorded) => scene.seeRecord(node, place, `value ${recorded}`, `value ${value}`)),
    Effect.tapError(({ code }) => scene.seeRecord(node, place, `error ${code}`, `error ${value}`))
  )
}

export const taking = (pace: "now" | "turn"): Effect.Effect<void> =>
  pace === "now" ? Effect.void : Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

export const wait = (
  scene: Scene,
  node: Kinded<"Durable.wait" | "Effect.sleep">,
  input: number,
  place: Place
): Workflow<number> => {
  const time = `${node.seconds} seconds` as const
  const waiting = node.kind === "Effect.sleep" ? Effect.sleep(time) : Durable.wait(scene.nameOf(node), time)
  return Effect.as(Effect.andThen(waiting, scene.see(node, place, "is over")), mix(input, node.id))
}

export const nap = (scene: Scene, node: Kinded<"nap">, input: number, place: Place): Workflow<number> =>
  Effect.as(Effect.andThen(Effect.sleep(node.millis), scene.see(node, place, "is over")), mix(input, node.id))

export const invoke = (scene: Scene, node: Kinded<"invoke">, input: number, place: Place): Workflow<number> => {
  const { fails, seconds } = node
  return oneError(Durable.invoke(Echo, { value: input, seconds, fails }, { name: scene.nameOf(node) })).pipe(
    Effect.tap((value) => scene.seeRecord(node, place, `value ${value}`, `value ${mix(input, 7)}`)),
    Effect.tapError(({ code }) => scene.see(node, place, `error ${code}`))
  )
}

/** What a callback is called, and how long it is open. */
export const callbackOf = (scene: Scene, node: Kinded<"callback" | "waitForCallback">) => {
  const { answer } = node
  const name = scene.nameOf(node)
  return "after" in answer
    ? { name: `${name} after ${answer.after}`, options: { ...number, timeout: 360 * 86_400_000 } }
    : { name, options: { ...number, timeout: answer.timeout * 1_000 } }
}

export const expectedAnswer = (answer: Answer): string =>
  "after" in answer ? `value ${answer.after}` : "error CallbackTimedOut"

export const waitForCallback = (
  scene: Scene,
  node: Kinded<"waitForCallback">,
  input: number,
  place: Place
): Workflow<number> => {
  const { name, options } = callbackOf(scene, node)
  const submit = scene.kit.body(() => Effect.void)
  const expected = expectedAnswer(node.answer)
  return oneError(Durable.waitForCallback(name, () => submit, options)).pipe(
    Effect.tap((value) => scene.seeRecord(node, place, `value ${value}`, expected)),
    Effect.tapError(({ code }) => scene.seeRecord(node, place, `error ${code}`, expected)),
    Effect.map((value) => mix(input, value))
  )
}

export const condition = (scene: Scene, node: Kinded<"condition">, input: number, place: Place): Workflow<number> => {
  const looking = Durable.waitForCondition(scene.nameOf(node), {
    initial: 0,
    check: (looks) => scene.kit.body(() => Effect.succeed(looks + 1)),
    until: (looks) => looks >= node.looks,
    delay: `${node.seconds} seconds`
  })
  return oneError(looking).pipe(
    Effect.tap((looks) => scene.seeRecord(node, place, `${looks} looks`, `${node.looks} looks`)),
    Effect.map((looks) => mix(input, looks))
  )
}

/** The time is recorded, and left out of the value: a crash delays it. */
export const clock = (scene: Scene, node: Kinded<"clock">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const now = node.isSynchronous
      ? yield* Clock.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))
      : yield* Clock.currentTimeMillis
    yield* scene.see(node, place, `it is ${now}`, node.isSynchronous)
    const read = scene.kit.body(() => Effect.succeed(`at ${now}`))
    const recorded = yield* Durable.step(scene.nameOf(node), read)
    yield* scene.seeRecord(node, place, recorded, `at ${now}`)
    return input
  })

export const chance = (scene: Scene, node: Kinded<"random" | "uuid">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const drawn = node.kind === "random" ? String(yield* Random.nextIntBetween(0, 1_000_000_000)) : yield* Durable.uuid
    yield* scene.see(node, place, drawn)
    const recorded = yield* Durable.step(
      scene.nameOf(node),
      scene.kit.body(() => Effect.succeed(drawn))
    )
    yield* scene.seeRecord(node, place, recorded, drawn)
    return mix(input, hash(drawn))
  })

/** Every execution of these programs began with the code that it goes on with. */
export const patched = (scene: Scene, node: Kinded<"patched">, input: number, place: Place): Workflow<number> =>
  Effect.gen(function* () {
    const isPatched = yield* Durable.patched(`${node.kind} ${node.id}`)
    yield* scene.seeRecord(node, place, String(isPatched), "true")
    return input
  })

export const state = (
  scene: Scene,
  node: Kinded<"count" | "post" | "peek">,
  input: number,
  place: Place
): Workflow<number> =>
  Effect.gen(function* () {
    const { board, count } = place.state
    const found =
      node.kind === "count"
        ? yield* Ref.updateAndGet(count, (value) => value + 1)
        : node.kind === "post"
          ? Number(yield* Queue.offer(board, input))
          : Option.getOrElse(yield* Queue.poll(board), () => -1)
    yield* scene.see(node, place, String(found))
    return mix(input, found)
  })
