/**
 * What a program means: the workflow that it describes, written with the public API.
 *
 * A node turns a number into a number, and mixes into it whatever it learns, so that the result of a program tells of
 * every value and error on the way.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { contracts } from "./callees.ts"
import { digest, hash, mix, Oops } from "./digest.ts"
import * as Effects from "./effects.ts"
import * as Operations from "./operations.ts"
import { maxAttemptsOf, type Node, type Of, type Program } from "./program.ts"
import { began, endOf, outermost, Scene, type Place, type Run, type Workflow } from "./scene.ts"
import type { Tally } from "./tally.ts"

/** The number that a program begins with. */
const input = 42

/** The workflow of a program, in one invocation. */
export const interpret = (program: Program, tally: Tally): Workflow =>
  Effect.suspend(() => new Scene(program, tally, runIn).run(program.root, input, outermost()))

const runIn =
  (scene: Scene): Run =>
  (node, input, place) =>
    scene.watched(node, place, input, meaningOf(scene, node, input, place))

const meaningOf = (scene: Scene, node: Node, input: number, place: Place): Workflow => {
  const body = (index = 0, value = input): Workflow => scene.body(node, index, value, place)
  switch (node.op) {
    case "pure":
      return Effect.succeed(input)
    case "fail":
      return Effect.fail(new Oops({ code: input % 100 }))
    case "failIfOdd":
      return input % 2 === 0 ? Effect.succeed(input) : Effect.fail(new Oops({ code: input % 100 }))
    case "step":
      return step(scene, node, input, place)
    case "wait":
      return Effect.as(Durable.wait(scene.name(place, node.name), `${node.seconds} seconds`), mix(input, node.seconds))
    case "sleep":
      return Effect.as(Effect.sleep(`${node.seconds} seconds`), mix(input, node.seconds))
    case "nap":
      return Effect.as(Effect.sleep(node.millis), mix(input, node.millis))
    case "invoke":
      return invoke(scene, node, input, place)
    case "hold":
      return Durable.hold(Effect.as(Effect.sleep(5), mix(input, 5)))
    case "uuid": {
      const uuid = Effect.map(Durable.uuid, (text) => mix(input, hash(text)))
      // Fibers of one context draw in the order in which they come by.
      return scene.isOrderDrawn ? Durable.child(`${place.fork}id ${node.id}`, uuid, { success: Schema.Int }) : uuid
    }
    case "clock":
      // Where the service does not tell when something ended, nobody can wait for that.
      if (!node.waits) return glance(scene, node, input, place)
      if (!scene.tally.knowsTime) return Effect.succeed(input)
      return Effect.as(
        Effect.flatMap(Clock.currentTimeMillis, (now) => scene.see(node, place, now)),
        input
      )
    case "random":
      return Effect.as(
        Effect.flatMap(Random.nextInt, (drawn) => scene.see(node, place, drawn)),
        input
      )
    case "count":
      return Effect.suspend(() => {
        const count = ++place.state.count
        const value = scene.isSteady ? input : mix(input, count)
        return Effect.as(scene.see(node, place, count), value)
      })
    case "sequence":
      return Effect.gen(function* () {
        let value = input
        for (const index of node.bodies.keys()) value = yield* body(index, value)
        return value
      })
    case "when":
      return body(input % 2 === 0 ? 0 : 1)
    case "catch":
      return Effect.catch(body(), (error) => body(1, mix(input, digest(Exit.fail(error)))))
    case "catchDefect":
      return Effect.catchDefect(body(), (defect) => body(1, mix(input, digest(Exit.die(defect)))))
    case "exit":
      return Effect.map(Effect.exit(body()), digest)
    case "onExit":
      return Durable.onExit(body(), (exit) => {
        if (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)) scene.tally.interruptedFinalizers++
        return Effect.onExit(body(1, digest(exit)), (ended) =>
          Effect.sync(() => {
            if (isOfEnded(ended)) scene.tally.closedFinalizers.push(`onExit ${node.id} in "${place.context}"`)
          })
        )
      })
    case "child":
      return child(scene, node, input, place)
    case "callback":
      return Operations.callback(scene, node, input, place)
    case "waitForCallback":
      return Operations.waitForCallback(scene, node, input, place)
    case "condition":
      return Operations.condition(scene, node, input, place)
    case "batch":
      return Operations.batch(scene, node, input, place)
    case "durableAll":
      return Operations.durableAll(scene, node, input, place)
    case "durableRace":
      return Operations.durableRace(scene, node, input, place)
    case "timeout":
      return Operations.timeout(scene, node, input, place)
    case "retryBlock":
      return Operations.retryBlock(scene, node, input, place)
    case "compensate":
      return Operations.compensate(scene, node, input, place)
    case "patched":
      return Operations.patched(scene, node, input, place)
    default:
      return Effects.meaningOf(scene, node, input, place)
  }
}

/** Whether a block failed because its context has ended. */
const isOfEnded = (exit: Exit.Exit<unknown, unknown>): boolean => {
  const defect = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isDieReason)?.defect : undefined
  return defect instanceof Error && defect.name === "ContextEnded"
}

/** A look at the time that cannot wait. What may depend on it is recorded, and it is the same whenever that is known. */
const glance = (scene: Scene, node: Of<"clock">, input: number, place: Place): Workflow =>
  Effect.clockWith((clock) =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      const record = Effect.as(began(scene.tally, 6, false, 0), now)
      const recorded = Durable.step(scene.name(place, `clock ${node.id}`), record, { success: Schema.Int })
      return Effect.map(recorded, (known) => {
        if (scene.tally.knowsTime) scene.compare(node, place, now, known)
        return input
      })
    })
  )

const step = (scene: Scene, node: Of<"step">, input: number, place: Place): Workflow => {
  const { millis, once, retry, script } = node
  const name = scene.name(place, node.name)
  const body = Effect.flatMap(began(scene.tally, maxAttemptsOf(retry, once), once, millis), (attempt) =>
    endOf(script[Math.min(attempt, script.length) - 1] ?? "ok", mix(input, hash(place.fork + node.name)))
  )
  const settings = { success: Schema.Int, error: Oops }
  const policy = retry === "default" ? {} : { retry: Operations.policyOf(retry) }
  return once
    ? Durable.step(name, body, { ...settings, semantics: "at-most-once", ...policy })
    : Durable.step(name, body, { ...settings, ...policy })
}

const child = (scene: Scene, node: Of<"child">, input: number, place: Place): Workflow => {
  const name = scene.name(place, node.name)
  const body = scene.within(node, 0, input, place)
  switch (node.kind) {
    case "flat":
      return Durable.child(name, body, { flat: true })
    case "recorded":
      return Durable.child(name, body, { success: Schema.Int, error: Oops })
    case "large":
      // Too large to be recorded, so that it is rebuilt from what it holds.
      return Durable.child(
        name,
        Effect.map(body, (value) => String(value).padEnd(262_145)),
        { success: Schema.String, error: Oops }
      ).pipe(Effect.map(Number))
  }
}

/** Far more than crashes can delay an answer, and far less than what never comes in time. */
const timeout = "2 hours"

const invoke = (scene: Scene, node: Of<"invoke">, input: number, place: Place): Workflow => {
  const options: { readonly name: string; readonly timeout?: "2 hours" } = {
    name: scene.name(place, node.name),
    ...(node.timeout ? { timeout } : {})
  }
  const one = contracts[node.callee]
  return one.kind === "plain" ? Durable.invoke(one, input, options) : Durable.invoke(one, input, options)
}

/** The contract under which a program runs. */
export const Contract = DurableFunction.make("program", { success: Schema.Int, error: Oops })
