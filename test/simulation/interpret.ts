/**
 * What a program means: the workflow that it describes, written with the public API, and the functions that it invokes.
 *
 * A node turns a number into a number, and mixes into it whatever it learns, so that the result of a program tells of
 * every value and error on the way.
 */
import { Durable, DurableFunction, RetryPolicy, type DurableError } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { maxAttemptsOf, type Attempt, type Callee, type Node, type Retry } from "./program.ts"

export class Oops extends Schema.TaggedError<Oops>()("Oops", { code: Schema.Int }) {}

type Failure = Oops | DurableError.OperationError
type Workflow<A = number> = Effect.Effect<A, Failure, Durable.Execution>

/** Mixes two numbers into one below 2³². */
export const mix = (left: number, right: number): number => {
  const mixed = Math.imul(left ^ Math.imul(right | 0, 0x85ebca6b), 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

const hash = (text: string): number =>
  Array.from(text).reduce((sum, letter) => mix(sum, letter.codePointAt(0) ?? 0), 17)

// --- What is noted while programs run --------------------------------------------------------------------------------

/** One attempt of a step whose body began to run. */
export interface BodyRun {
  readonly executionArn: string
  readonly operationId: string
  readonly attempt: number
  readonly once: boolean
  readonly maxAttempts: number
}

/** What the outside world saw of a program, over all invocations. */
export class Tally {
  readonly bodies: Array<BodyRun> = []
  readonly calls: Array<Callee> = []
  /** Durable finalizers that ran for an effect which was interrupted. */
  interruptedFinalizers = 0
  /** Regions with a finalizer of Effect's own that were entered, and those that were left. */
  entered = 0
  left = 0
}

// --- Programs --------------------------------------------------------------------------------------------------------

/** The fibre that a node runs in: its mark on every name, and whether it is not the first one of its context. */
interface Place {
  readonly mark: string
  readonly forked: boolean
}

export const root: Place = { mark: "", forked: false }

export const interpret = (tally: Tally, node: Node, input: number, place: Place = root): Workflow => {
  const run = (next: Node, value = input): Workflow => interpret(tally, next, value, place)
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
      return child(node, place.mark + node.name, interpret(tally, node.body, input, root))
    case "all":
      return all(tally, node, input, place)
    case "fork":
      return Effect.gen(function* () {
        const aside = Effect.exit(
          interpret(tally, node.body, input, { mark: `${place.mark}${node.key}.`, forked: true })
        )
        const fiber = yield* node.detached ? Effect.forkDetach(aside) : Effect.forkChild(aside)
        const meanwhile = yield* Effect.exit(run(node.meanwhile))
        return mix(digest(meanwhile), digest(yield* Fiber.join(fiber)))
      })
    case "race":
      return regardless(
        Effect.raceAllFirst(
          node.branches.map((branch, index) =>
            interpret(tally, branch, mix(input, index), { mark: `${place.mark}${node.key}.${index}.`, forked: true })
          )
        ),
        input
      )
    case "stray": {
      const aside = interpret(tally, node.body, input, { mark: `${place.mark}${node.key}.`, forked: true })
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
        for (let round = 0; round < node.times; round++) value = yield* run(node.body, value)
        return value
      })
    case "retry":
      return Effect.retry(run(node.body), { times: node.times })
    case "when":
      return input % 2 === 0 ? run(node.even) : run(node.odd)
  }
}

const policyOf = (retry: Exclude<Retry, "default">): RetryPolicy.RetryPolicy<Oops> =>
  retry === "none" ? RetryPolicy.none : RetryPolicy.fixed({ maxAttempts: retry.attempts, delay: retry.seconds * 1_000 })

const step = (tally: Tally, node: Extract<Node, { readonly op: "step" }>, input: number, { mark }: Place): Workflow => {
  const name = mark + node.name
  const { millis, once, retry, script } = node
  const body = Effect.gen(function* () {
    const { attempt, executionArn, operationId } = yield* Durable.StepContext
    tally.bodies.push({ executionArn, operationId, attempt, once, maxAttempts: maxAttemptsOf(node) })
    if (millis > 0) yield* Effect.sleep(millis)
    return yield* endOf(script[Math.min(attempt, script.length) - 1] ?? "ok", mix(input, hash(name)))
  })
  const settings = { success: Schema.Int, error: Oops }
  if (once) {
    return retry === "default"
      ? Durable.step(name, body, { ...settings, semantics: "at-most-once" })
      : Durable.step(name, body, { ...settings, semantics: "at-most-once", retry: policyOf(retry) })
  }
  return retry === "default"
    ? Durable.step(name, body, settings)
    : Durable.step(name, body, { ...settings, retry: policyOf(retry) })
}

const endOf = (attempt: Attempt, value: number): Effect.Effect<number, Oops> => {
  switch (attempt) {
    case "ok":
      return Effect.succeed(value)
    case "fail":
      return Effect.fail(new Oops({ code: value % 100 }))
    case "die":
      return Effect.die(new RangeError(`out of ${value % 100}`))
    case "interrupt":
      return Effect.interrupt
  }
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

const all = (tally: Tally, node: Extract<Node, { readonly op: "all" }>, input: number, { mark }: Place): Workflow => {
  const branches = node.branches.map((branch, index) =>
    interpret(tally, branch, mix(input, index), { mark: `${mark}${node.key}.${index}.`, forked: true })
  )
  return node.failFast
    ? regardless(Effect.all(branches, { concurrency: "unbounded" }), input)
    : Effect.map(Effect.all(branches.map(Effect.exit), { concurrency: 2 }), (exits) =>
        exits.map(digest).reduce(mix, input)
      )
}

/** Goes on in the same way however a race ended: what a program does must not depend on timing, even if it races. */
const regardless = (race: Workflow<unknown>, input: number): Workflow => Effect.as(Effect.exit(race), input)

/** A number for how something ended. */
const digest = (exit: Exit.Exit<number, Failure>): number => {
  if (Exit.isSuccess(exit)) return mix(1, exit.value)
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) {
    return mix(hash(failure.error._tag), failure.error._tag === "Oops" ? failure.error.code : 0)
  }
  const die = exit.cause.reasons.find(Cause.isDieReason)
  return die?.defect instanceof Error ? hash(`${die.defect.name} ${die.defect.message}`) : 3
}

// --- What programs invoke --------------------------------------------------------------------------------------------

const contract = { payload: Schema.Int, success: Schema.Int, error: Oops }

const contracts = {
  double: DurableFunction.plain("double", contract),
  slow: DurableFunction.plain("slow", contract),
  declines: DurableFunction.plain("declines", contract),
  breaks: DurableFunction.plain("breaks", contract),
  throttled: DurableFunction.plain("throttled", contract),
  silent: DurableFunction.plain("silent", contract),
  worker: DurableFunction.make("worker", contract),
  refuser: DurableFunction.make("refuser", contract),
  broken: DurableFunction.make("broken", contract),
  caller: DurableFunction.make("caller", contract),
  sleeper: DurableFunction.make("sleeper", contract)
}

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

/** The functions that programs invoke, each of which notes its calls. */
export const callees = (tally: Tally) => {
  const called = (callee: Callee) => Effect.sync(() => void tally.calls.push(callee))
  /** A durable callee is called once per execution, however often it is invoked: the call is a step. */
  const begin = (callee: Callee) => Durable.step("begin", called(callee))
  return [
    TestEngine.stub(contracts.double, (value) => Effect.as(called("double"), mix(value, 2))),
    TestEngine.stub(contracts.slow, (value) => Effect.as(Effect.delay(called("slow"), 3_000), mix(value, 3))),
    TestEngine.stub(contracts.declines, (value) => Effect.andThen(called("declines"), new Oops({ code: value % 100 }))),
    TestEngine.stub(contracts.breaks, () => {
      tally.calls.push("breaks")
      return TestEngine.fail({ ErrorType: "Broken", ErrorMessage: "in two" })
    }),
    TestEngine.stub(contracts.throttled, () => {
      tally.calls.push("throttled")
      return TestEngine.throttle
    }),
    TestEngine.stub(contracts.silent, () => {
      tally.calls.push("silent")
      return TestEngine.never
    }),
    contracts.worker.implement((value) =>
      Effect.gen(function* () {
        yield* begin("worker")
        yield* Durable.wait("pause", "2 seconds")
        return yield* Durable.step("work", Effect.succeed(mix(value, 7)))
      })
    ),
    contracts.refuser.implement((value) => Effect.andThen(begin("refuser"), new Oops({ code: value % 100 }))),
    contracts.broken.implement(() => Effect.andThen(begin("broken"), Effect.die(new TypeError("broken inside")))),
    contracts.caller.implement((value) =>
      Effect.andThen(begin("caller"), Durable.child("calls", Durable.invoke(contracts.double, value), { error: Oops }))
    ),
    contracts.sleeper.implement((value) =>
      Effect.as(Effect.andThen(begin("sleeper"), Durable.wait("long", "30 days")), value)
    )
  ]
}

/** The contract under which a program runs. */
export const Program = DurableFunction.make("program", { success: Schema.Int, error: Oops })

/** Whether a function is an ordinary one, by its name. */
export const isPlain = (name: string): boolean =>
  Object.values(contracts).some((contract) => contract.name === name && contract.kind === "plain")
