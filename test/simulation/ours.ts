/**
 * The programs of `common.ts`, written with this library.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { broken, delays, failed, input, limitsOf, worker, type Common, type Looked, type Timed } from "./common.ts"
import { hash, mix, Oops } from "./digest.ts"
import { completionPolicyOf } from "./operations.ts"
import { inWorld, Outside } from "./outside.ts"
import type { Answer } from "./program.ts"
import type { Workflow } from "./scene.ts"
import { combined, seen, type Seen } from "./seen.ts"

const contract = { payload: Schema.Int, success: Schema.Int, error: Oops }
const contracts = {
  double: DurableFunction.plain("double", contract),
  slow: DurableFunction.plain("slow", contract),
  breaks: DurableFunction.plain("breaks", contract),
  worker: DurableFunction.make("worker", contract)
}

const settings = { success: Schema.Int, error: Oops }
const Looked = Schema.Struct({ looks: Schema.Int, value: Schema.Int })

type Tell = Outside["tell"]

const written = (tell: Tell, node: Common, value: number): Workflow => {
  const run = (next: Common, at = value): Workflow => Effect.suspend(() => written(tell, next, at))
  switch (node.op) {
    case "step": {
      const { attempts, failures, name, once } = node
      const body = attempt(failures, (count) => mix(value, count))
      const retry = policyOf(attempts ?? 1)
      const policy = attempts === undefined ? {} : { retry }
      return once
        ? // Known difference: ours is not repeated by default, which is why the policy is always given here.
          Durable.step(name, body, {
            ...settings,
            semantics: "at-most-once",
            retry: attempts === undefined ? RetryPolicy.fixed({ maxAttempts: 6, delay: "5 seconds" }) : retry
          })
        : Durable.step(name, body, { ...settings, ...policy })
    }
    case "wait":
      return Effect.as(Durable.wait(node.name, node.seconds * 1_000), mix(value, node.seconds))
    case "timed":
      return timed(node, value)
    case "invoke":
      return Durable.invoke(contracts[node.callee], value, { name: node.name })
    case "child":
      return Durable.child(node.name, run(node.body), settings)
    case "sequence":
      return Effect.gen(function* () {
        let at = value
        for (const next of node.nodes) at = yield* run(next, at)
        return at
      })
    case "all":
      // Known difference: branches of ours that come back under the same names, as in a loop, need a namespace.
      return Effect.all(
        node.bodies.map((body, index) =>
          Effect.exit(Durable.child(`${node.name} ${index}`, run(body, mix(value, index)), settings))
        ),
        { concurrency: "unbounded" }
      ).pipe(
        (branches) => Durable.child("branches", branches, { flat: true }),
        Effect.map((exits) => exits.reduce((sum, exit) => mix(sum, valueOf(exit)), value))
      )
    case "callback":
      return Effect.gen(function* () {
        const opened = yield* Durable.callback(node.name, timeouts(node.answer))
        yield* Durable.step(
          `${node.name} tell`,
          Effect.sync(() => tell(opened.callbackId, node.answer))
        )
        const aside = yield* Effect.exit(run(node.meanwhile))
        return mix(mix(value, valueOf(aside)), Number(yield* opened.await))
      })
    case "waitForCallback": {
      const { answer, attempts, failures, name } = node
      const submit = (callbackId: string) => {
        tell(callbackId, answer)
        return attempt(failures, () => 0)
      }
      const options = { ...timeouts(answer), ...(attempts === undefined ? {} : { retry: policyOf(attempts) }) }
      return Effect.map(Durable.waitForCallback(name, submit, options), (text) => mix(value, Number(text)))
    }
    case "condition": {
      const { fails, looks: enough, maxAttempts, name } = node
      return Durable.waitForCondition(name, {
        initial: { looks: 0, value },
        check: ({ looks, value: at }) =>
          fails && looks + 1 === enough
            ? Effect.fail(new Oops({ code: looks }))
            : Effect.succeed<Looked>({ looks: looks + 1, value: mix(at, looks) }),
        until: ({ looks }) => looks >= enough,
        delay: delays.look * 1_000,
        maxAttempts,
        state: Looked,
        error: Oops
      }).pipe(Effect.map(({ looks, value: at }) => mix(at, looks)))
    }
    case "batch": {
      const { bodies, flat, kind, name, policy } = node
      const concurrency = node.concurrency ?? Infinity
      const branches = bodies.map((body, index) => run(body, mix(value, index)))
      const options = { ...settings, concurrency, flat, policy: completionPolicyOf(policy) }
      const batch =
        kind === "parallel"
          ? Durable.parallel(name, branches, options)
          : Durable.map(name, branches, (branch) => branch, options)
      return Effect.map(batch, ({ all, completionReason, status }) =>
        all.reduce(
          (sum, item) =>
            mix(sum, mix(hash(`${item.index} ${item.status}`), item.status === "SUCCEEDED" ? item.value : failed)),
          mix(value, hash(`${completionReason} ${status}`))
        )
      )
    }
    case "combine":
      return combine(node, value)
    case "retry":
      return Effect.suspend(() => {
        let count = 0
        const block = Effect.suspend(() => {
          const number = ++count
          return Effect.flatMap(run(node.body, mix(value, number)), (at) =>
            number <= node.failures ? Effect.fail(new Oops({ code: number })) : Effect.succeed(at)
          )
        })
        return Durable.retry(node.name, block, policyOf(node.attempts, delays.block), settings)
      })
    case "catch":
      return Effect.catch(run(node.body), () => run(node.handler, mix(value, failed)))
    case "repeat":
      return Effect.gen(function* () {
        let at = value
        for (let round = 0; round < node.times; round++) at = yield* run(node.body, at)
        return at
      })
    case "when":
      return run(value % 2 === 0 ? node.even : node.odd)
  }
}

/** A body that fails so many times before it succeeds. */
const attempt = (failures: number, value: (attempt: number) => number) =>
  Effect.flatMap(Durable.StepContext, ({ attempt: count }) =>
    count <= failures ? Effect.fail(new Oops({ code: count })) : Effect.succeed(value(count))
  )

const policyOf = (maxAttempts: number, seconds = delays.step): RetryPolicy.RetryPolicy =>
  RetryPolicy.fixed({ maxAttempts, delay: seconds * 1_000 })

const timeouts = (answer: Answer) => {
  const { heartbeatSeconds, seconds } = limitsOf(answer)
  return {
    ...(heartbeatSeconds === undefined ? {} : { heartbeatTimeout: heartbeatSeconds * 1_000 }),
    ...(seconds === undefined ? {} : { timeout: seconds * 1_000 })
  }
}

const valueOf = (exit: Exit.Exit<number, unknown>): number => (Exit.isSuccess(exit) ? exit.value : failed)

const timed = (one: Timed, value: number): Workflow =>
  Effect.andThen(
    Durable.wait("pause", one.seconds * 1_000),
    Durable.step("end", endOf(one, value), { ...settings, retry: RetryPolicy.none })
  )

const endOf = ({ ok, seconds }: Timed, value: number): Effect.Effect<number, Oops> =>
  ok ? Effect.succeed(mix(value, seconds)) : Effect.fail(new Oops({ code: seconds }))

const combine = ({ branches, how, name }: Extract<Common, { readonly op: "combine" }>, value: number): Workflow => {
  const bodies = branches.map((branch, index) =>
    Durable.child(
      `${name} ${index}`,
      Effect.andThen(Durable.wait("pause", branch.seconds * 1_000), endOf(branch, mix(value, index))),
      settings
    )
  )
  switch (how) {
    case "all": {
      const options = { ...settings, concurrency: "unbounded", flat: true } as const
      return Effect.map(Durable.all(combined(how, name), bodies, options), (values) => values.reduce(mix, value))
    }
    case "any":
      return Durable.race(combined(how, name), bodies, settings)
    case "race":
      return Durable.raceFirst(combined(how, name), bodies, settings)
  }
}

const Program = DurableFunction.make("program", { success: Schema.Int, error: Oops })

export const runOurs = (program: Common): Promise<Seen> => {
  let tell: Tell = () => {}
  return Effect.gen(function* () {
    const { world } = yield* TestEngine.TestEngine
    const outside = new Outside(inWorld(world))
    tell = outside.tell
    const run = yield* TestEngine.start(Program)
    yield* Effect.exit(run.result)
    const outcome = world.execution(run.executionArn)?.outcome
    if (outcome === undefined) throw new Error("The execution did not end.")
    return seen(outcome, yield* run.operations(), yield* run.history)
  }).pipe(
    Effect.provide(
      TestEngine.layer([
        Program.implement(() => written((id, answer) => tell(id, answer), program, input)),
        TestEngine.stub(contracts.double, (value) => Effect.succeed(mix(value, 2))),
        TestEngine.stub(contracts.slow, (value) => Effect.delay(Effect.succeed(mix(value, 3)), 3_000)),
        TestEngine.stub(contracts.breaks, Reply.fail(broken)),
        contracts.worker.implement((value) => written(() => {}, worker, value))
      ])
    ),
    Effect.orDie,
    Effect.runPromise
  )
}
