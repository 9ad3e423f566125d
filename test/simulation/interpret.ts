/**
 * What a program means: the workflow that it describes, written with the public API.
 *
 * A node turns a number into a number, and mixes into it whatever it learns, so that the result of a program tells of
 * every value and error on the way.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { contracts } from "./callees.ts"
import { digest, hash, mix, Oops } from "./digest.ts"
import * as Operations from "./operations.ts"
import { inside, root, type Place, type Workflow } from "./operations.ts"
import { maxAttemptsOf, type Node } from "./program.ts"
import type { Tally } from "./tally.ts"

export const interpret = (tally: Tally, node: Node, input: number, place: Place = root): Workflow => {
  const run = (next: Node, value = input, at = place): Workflow => interpret(tally, next, value, at)
  switch (node.op) {
    case "pure":
      return Effect.succeed(input)
    case "fail":
      return Effect.fail(new Oops({ code: input % 100 }))
    case "step":
      return step(tally, node, input, place)
    case "wait":
      return Effect.as(Durable.wait(place.mark + node.name, `${node.seconds} seconds`), mix(input, node.seconds))
    case "invoke":
      return invoke(node, input, place)
    case "hold":
      return Durable.hold(Effect.as(Effect.sleep(5), mix(input, 5)))
    case "uuid": {
      const uuid = Effect.map(Durable.uuid, (text) => mix(input, hash(text)))
      return place.forked ? Durable.child(`${place.mark}id`, uuid, { flat: true }) : uuid
    }
    case "sequence":
      return Effect.gen(function* () {
        let value = input
        for (const next of node.nodes) value = yield* run(next, value)
        return value
      })
    case "child":
      return child(node, place.mark + node.name, run(node.body, input, inside(place)))
    case "callback":
      return Operations.callback(tally, run, node, input, place)
    case "waitForCallback":
      return Operations.waitForCallback(tally, node, input, place)
    case "condition":
      return Operations.condition(tally, node, input, place)
    case "batch":
      return Operations.batch(tally, run, node, input, place)
    case "durableAll":
      return Operations.durableAll(tally, run, node, input, place)
    case "durableRace":
      return Operations.durableRace(tally, run, node, input, place)
    case "timeout":
      return Operations.timeout(tally, run, node, input, place)
    case "retryBlock":
      return Operations.retryBlock(run, node, input, place)
    case "compensate":
      return Operations.compensate(tally, run, node, input, place)
    case "patched":
      return Operations.patched(tally, node, input, place)
    case "failIfOdd":
      return input % 2 === 0 ? Effect.succeed(input) : Effect.fail(new Oops({ code: input % 100 }))
    case "all":
      return all(tally, node, input, place)
    case "fork":
      return Effect.gen(function* () {
        const aside = Effect.exit(run(node.body, input, forked(place, `${node.key}.`)))
        const fiber = yield* node.detached ? Effect.forkDetach(aside) : Effect.forkChild(aside)
        const meanwhile = yield* Effect.exit(run(node.meanwhile))
        return mix(digest(meanwhile), digest(yield* Fiber.join(fiber)))
      })
    case "race":
      return regardless(
        Effect.raceAllFirst(
          node.branches.map((branch, index) => run(branch, mix(input, index), forked(place, `${node.key}.${index}.`)))
        ),
        input
      )
    case "stray": {
      const aside = run(node.body, input, forked(place, `${node.key}.`))
      return Effect.as(node.detached ? Effect.forkDetach(aside) : Effect.forkChild(aside), input)
    }
    case "catch":
      return Effect.catch(run(node.body), (error) => run(node.handler, mix(input, digest(Exit.fail(error)))))
    case "catchDefect":
      return Effect.catchDefect(run(node.body), (defect) => run(node.handler, mix(input, digest(Exit.die(defect)))))
    case "exit":
      return Effect.map(Effect.exit(run(node.body)), digest)
    case "onExit":
      return Durable.onExit(run(node.body), (exit) => {
        if (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)) tally.interruptedFinalizers++
        return run(node.finalizer, digest(exit))
      })
    case "ensuring":
      return Effect.acquireUseRelease(
        Effect.sync(() => void tally.entered++),
        () => run(node.body),
        () => Effect.sync(() => void tally.left++)
      )
    case "uninterruptible":
      return Effect.uninterruptible(run(node.body))
    case "repeat":
      return Effect.gen(function* () {
        let value = input
        for (let round = 0; round < node.times; round++) value = yield* run(node.body, value, again(place, round))
        return value
      })
    case "retry":
      return Effect.suspend(() => {
        let round = 0
        const body = Effect.suspend(() => run(node.body, input, again(place, round++)))
        return Effect.retry(body, { times: node.times })
      })
    case "when":
      return input % 2 === 0 ? run(node.even) : run(node.odd)
  }
}

/** A place in another fibre of the same context. */
const forked = (place: Place, mark: string): Place => ({ ...place, mark: `${place.mark}${mark}`, forked: true })

/** The same place, in a later round of a loop. */
const again = (place: Place, round: number): Place => ({ ...place, round: `${place.round}/${round}` })

const step = (tally: Tally, node: Extract<Node, { readonly op: "step" }>, input: number, { mark }: Place): Workflow => {
  const name = mark + node.name
  const { millis, once, retry, script } = node
  const body = Effect.flatMap(Operations.began(tally, maxAttemptsOf(retry, once), once, millis), (attempt) =>
    Operations.endOf(script[Math.min(attempt, script.length) - 1] ?? "ok", mix(input, hash(name)))
  )
  const settings = { success: Schema.Int, error: Oops }
  if (once) {
    return retry === "default"
      ? Durable.step(name, body, { ...settings, semantics: "at-most-once" })
      : Durable.step(name, body, { ...settings, semantics: "at-most-once", retry: Operations.policyOf(retry) })
  }
  return retry === "default"
    ? Durable.step(name, body, settings)
    : Durable.step(name, body, { ...settings, retry: Operations.policyOf(retry) })
}

const child = (node: Extract<Node, { readonly op: "child" }>, name: string, body: Workflow): Workflow => {
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
        {
          success: Schema.String,
          error: Oops
        }
      ).pipe(Effect.map(Number))
  }
}

const all = (tally: Tally, node: Extract<Node, { readonly op: "all" }>, input: number, place: Place): Workflow => {
  const branches = node.branches.map((branch, index) =>
    interpret(tally, branch, mix(input, index), forked(place, `${node.key}.${index}.`))
  )
  return node.failFast
    ? regardless(Effect.all(branches, { concurrency: "unbounded" }), input)
    : Effect.map(Effect.all(branches.map(Effect.exit), { concurrency: 2 }), (exits) =>
        exits.map(digest).reduce(mix, input)
      )
}

/** Goes on in the same way however a race ended: what a program does must not depend on timing, even if it races. */
const regardless = (race: Workflow<unknown>, input: number): Workflow => Effect.as(Effect.exit(race), input)

/** Far more than crashes can delay an answer, and far less than what never comes in time. */
const timeout = "2 hours"

const invoke = (
  { callee, name, timeout: limited }: Extract<Node, { readonly op: "invoke" }>,
  input: number,
  { mark }: Place
): Workflow => {
  const options: { readonly name: string; readonly timeout?: "2 hours" } = {
    name: mark + name,
    ...(limited ? { timeout } : {})
  }
  const one = contracts[callee]
  return one.kind === "plain" ? Durable.invoke(one, input, options) : Durable.invoke(one, input, options)
}

/** The contract under which a program runs. */
export const Program = DurableFunction.make("program", { success: Schema.Int, error: Oops })
