/**
 * What a program means: the workflow that it describes, written with the public API.
 */
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Oops, type Kit, type Workflow } from "../kit/world.ts"
import type { Instance, Notes } from "./notes.ts"
import type { Kinded, Node, Pace, Policy, Program, Undo } from "./program.ts"

/** The defect of programs. */
class Boom extends Error {
  override readonly name = "Boom"
}

/** How executions end whose programs fail. */
export const failures: ReadonlySet<string> = new Set(["Oops", "Boom", "Interrupted"])

const recorded = { error: Oops }
const failure = (code: string): Effect.Effect<never, Oops> => Effect.fail(new Oops({ code }))
const silent = <A>(effect: Workflow<A>): Workflow<void> => Effect.asVoid(effect)

export const workflowOf = (program: Program, notes: Notes, kit: Kit): Workflow => {
  const body = new Interpreter(notes, kit, program.sharesNames).run(program.root, "")
  switch (program.end) {
    case "error":
      return Effect.andThen(body, failure("the end"))
    case "defect":
      return Effect.andThen(body, Effect.die(new Boom("the end")))
    case "interrupt":
      return Effect.andThen(body, Effect.interrupt)
    case "success":
      return Effect.as(body, "done")
  }
}

class Interpreter {
  readonly #notes: Notes
  readonly #kit: Kit
  readonly #sharesNames: boolean

  constructor(notes: Notes, kit: Kit, sharesNames: boolean) {
    this.#notes = notes
    this.#kit = kit
    this.#sharesNames = sharesNames
  }

  #name(what: string, id: number): string {
    return `${what} ${this.#sharesNames ? "abc".charAt(id % 3) : id}`
  }

  /** `place` tells the rounds, items and attempts of one node apart, as `.0.2`. */
  run(node: Node, place: string): Workflow<void> {
    const name = this.#name(node.kind, node.id)
    const body = (index: number, at = place): Workflow<void> => {
      const child = node.bodies[index]
      return child === undefined ? Effect.void : Effect.suspend(() => this.run(child, at))
    }
    const all = node.bodies.map((_, index) => body(index))
    switch (node.kind) {
      case "nothing":
        return Effect.void
      case "sequence":
        return Effect.all(all, { discard: true })
      case "step":
        return silent(Durable.step(name, this.#body(node.pace, node.failures), { retry: soon }))
      case "wait":
        return Durable.wait(name, `${node.seconds} seconds`)
      case "sleep":
        return Effect.sleep(node.millis)
      case "fail":
        return node.how === "error" ? failure(name) : Effect.die(new Boom(name))
      case "part":
        return this.#part(node, body(0), place)
      case "precaution":
        return this.#precaution(node, place)
      case "catch":
        return silent(Effect.exit(body(0)))
      case "loop":
        return Effect.forEach(indexes(node.times), (index) => body(0, `${place}.${index}`), { discard: true })
      case "onExit":
        return Durable.onExit(body(0), () => body(1))
      case "uninterruptible":
        return Effect.uninterruptible(body(0))
      case "child":
        return node.flat ? Durable.child(name, body(0), { flat: true }) : Durable.child(name, body(0), recorded)
      case "Durable.all":
        return silent(Durable.all(name, all, { ...recorded, ...batchOf(node) }))
      case "Durable.parallel":
        return silent(Durable.parallel(name, all, { ...recorded, ...batchOf(node), policy: policies[node.policy] }))
      case "Durable.forEach":
        return silent(
          Durable.forEach(name, indexes(node.items), (index) => body(0, `${place}.${index}`), {
            ...recorded,
            ...batchOf(node)
          })
        )
      case "Durable.map":
        return silent(
          Durable.map(name, indexes(node.items), (index) => body(0, `${place}.${index}`), {
            ...recorded,
            ...batchOf(node),
            policy: policies[node.policy]
          })
        )
      case "Durable.race":
        return Durable.race(name, all, recorded)
      case "Durable.raceFirst":
        return Durable.raceFirst(name, all, recorded)
      case "Durable.timeout":
        return Effect.catchTag(
          Durable.timeout(name, body(0), `${node.seconds} seconds`, recorded),
          "DurableTimeout",
          () => failure(name)
        )
      case "Durable.retry":
        return this.#retry(node, (at) => body(0, at), place)
      case "Effect.all":
        return Effect.all(all, { discard: true, concurrency: node.concurrency })
      case "Effect.forEach":
        return Effect.forEach(indexes(node.items), (index) => body(0, `${place}.${index}`), {
          discard: true,
          concurrency: node.concurrency
        })
      case "Effect.race":
        return all.length === 0 ? Effect.void : Effect.raceAll(all)
      case "Effect.raceFirst":
        return all.length === 0 ? Effect.void : Effect.raceAllFirst(all)
      case "Effect.timeout":
        return Effect.catchTag(Effect.timeout(body(0), `${node.seconds} seconds`), "TimeoutError", () => failure(name))
      case "fork":
        return fork(node, body(0), body(1))
    }
  }

  #part(node: Kinded<"part">, before: Workflow<void>, place: string): Workflow<void> {
    const name = this.#name(node.kind, node.id)
    const steps = node.last === "both" ? 2 : 1
    const instance: Instance = { key: `part ${node.id}${place}`, name, steps, undo: node.undo }
    const step = (last: string): Workflow => {
      const run = this.#kit.body((operationId) =>
        Effect.suspend(() => {
          this.#notes.run("lastSteps", instance, operationId)
          return Effect.as(taking(node.pace), instance.key)
        })
      )
      return Durable.step(this.#name(last, node.id), run)
    }
    const effect = Effect.andThen(
      before,
      Effect.suspend(() => {
        this.#notes.reach(instance)
        return last(node, step)
      })
    )
    // The undo gets the value that was recorded, so it is that of a round which really happened.
    return silent(Durable.withCompensation(name, effect, (key) => this.#undo({ ...instance, key }, node.id)))
  }

  #precaution(node: Kinded<"precaution">, place: string): Workflow<void> {
    const name = this.#name(node.kind, node.id)
    const instance: Instance = { key: `precaution ${node.id}${place}`, name, steps: 0, undo: node.undo }
    const reached = Effect.sync(() => this.#notes.reach(instance))
    const run = this.#kit.body((operationId) => Effect.sync(() => this.#notes.run("lastSteps", instance, operationId)))
    return Effect.andThen(
      Durable.withCompensation(name, reached, () => this.#undo(instance, node.id)),
      Durable.step(this.#name("risk", node.id), run)
    )
  }

  #undo(instance: Instance, id: number): Workflow<void> {
    const undone = (failing: number) =>
      this.#kit.body((operationId, attempt) =>
        Effect.suspend(() => {
          this.#notes.run("undos", instance, operationId)
          return attempt <= failing ? Effect.die(new Boom("It is gone.")) : Effect.void
        })
      )
    const step = Durable.step(`undo ${id}`, undone(0))
    const ways: Readonly<Record<Undo, () => Workflow<unknown>>> = {
      step: () => step,
      wait: () => Effect.andThen(Durable.wait(`grace ${id}`, "1 minute"), step),
      retry: () => Durable.step(`undo ${id}`, undone(1), { retry: soon }),
      failure: () => Durable.step(`undo ${id}`, undone(Infinity), { retry: RetryPolicy.none }),
      branches: () => Durable.all(`branches ${id}`, [step, Durable.wait("grace", "5 seconds")], { concurrency: 2 })
    }
    return silent(ways[instance.undo]())
  }

  #retry(node: Kinded<"Durable.retry">, body: (place: string) => Workflow<void>, place: string): Workflow<void> {
    return Effect.suspend(() => {
      let attempts = 0
      const block = Effect.suspend(() => {
        const attempt = attempts++
        const end = attempt < node.failures ? failure(`attempt ${attempt}`) : Effect.void
        return Effect.andThen(body(`${place}.${attempt}`), end)
      })
      const policy = RetryPolicy.fixed<Oops>({ maxAttempts: node.attempts, delay: "3 seconds" })
      return Durable.retry(this.#name(node.kind, node.id), block, policy, recorded)
    })
  }

  #body(pace: Pace, failures: number) {
    return this.#kit.body((_, attempt) =>
      Effect.andThen(taking(pace), attempt <= failures ? Effect.die(new Boom("at first")) : Effect.void)
    )
  }
}

/** The steps by which a part is done, wrapped as it says. Its value is the key that they record. */
const last = ({ id, last }: Kinded<"part">, step: (name: string) => Workflow): Workflow => {
  switch (last) {
    case "step":
      return step("last")
    case "child":
      return Durable.child(closing(id), step("last"), recorded)
    case "flat":
      return Durable.child(closing(id), step("last"), { flat: true })
    case "all":
      return Effect.map(Durable.all(closing(id), [step("last")], recorded), ([key]) => key)
    case "both":
      return Effect.map(Effect.all([step("last"), step("other")], { concurrency: 2 }), ([key]) => key)
  }
}

/** The name of what is around the last step of a part. */
const closing = (id: number): string => `closing ${id}`

const fork = (
  { afterwards, how }: Kinded<"fork">,
  aside: Workflow<void>,
  meanwhile: Workflow<void>
): Workflow<void> => {
  const ways = {
    forkChild: Effect.forkChild(aside),
    forkScoped: Effect.forkScoped(aside),
    forkDetach: Effect.forkDetach(aside)
  }
  const whole = Effect.gen(function* () {
    const fiber = yield* ways[how]
    yield* meanwhile
    if (afterwards === "join") return yield* Fiber.join(fiber)
    if (afterwards === "interrupt") yield* Fiber.interrupt(fiber)
  })
  return Effect.scoped(whole)
}

const taking = (pace: Pace): Effect.Effect<void> =>
  pace === "now"
    ? Effect.void
    : pace === "turn"
      ? Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      : Effect.sleep(pace * 1_000)

const indexes = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

const soon = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })

const policies: Readonly<Record<Policy, CompletionPolicy.CompletionPolicy>> = {
  allSuccessful: CompletionPolicy.allSuccessful,
  allCompleted: CompletionPolicy.allCompleted,
  firstSuccessful: CompletionPolicy.firstSuccessful
}

const batchOf = ({
  concurrency,
  flat
}: Kinded<"Durable.all" | "Durable.map" | "Durable.parallel" | "Durable.forEach">) => ({ concurrency, flat })
