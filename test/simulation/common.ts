/**
 * Programs that can be written with AWS's SDK as well as with ours, drawn at random as data, and both ways to write them.
 */
import {
  StepSemantics,
  withDurableExecution,
  type DurableContext,
  type DurableExecutionClient
} from "@aws/durable-execution-sdk-js"
import { Durable, DurableFunction, RetryPolicy, type DurableError } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import type { ErrorObject } from "../../src/wire/ErrorObject.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { runOnEngine, type Handlers, type Target } from "./awsHost.ts"
import { mix, Oops } from "./digest.ts"

export type Common =
  | {
      readonly op: "step"
      readonly name: string
      /** Attempts that fail before one succeeds. */
      readonly failures: number
      /** Attempts in all, one or two seconds apart; undefined leaves both to the default. */
      readonly attempts: number | undefined
      readonly once: boolean
    }
  | { readonly op: "wait"; readonly name: string; readonly seconds: number }
  | { readonly op: "invoke"; readonly name: string; readonly callee: "double" | "slow" | "breaks" | "worker" }
  | { readonly op: "child"; readonly name: string; readonly body: Common }
  | { readonly op: "sequence"; readonly nodes: ReadonlyArray<Common> }
  /** Children side by side, all of which come to their end. */
  | { readonly op: "all"; readonly name: string; readonly bodies: ReadonlyArray<Common> }
  | { readonly op: "catch"; readonly body: Common; readonly handler: Common }
  | { readonly op: "repeat"; readonly times: number; readonly body: Common }
  | { readonly op: "when"; readonly even: Common; readonly odd: Common }

const names = fc.constantFrom("a", "b", "c")

const parts: fc.Arbitrary<Common> = fc.letrec<{ node: Common }>((tie) => {
  const node = tie("node")
  return {
    node: fc.oneof(
      { maxDepth: 5, depthSize: "max" },
      {
        weight: 5,
        arbitrary: fc.record({
          op: fc.constant("step"),
          name: names,
          failures: fc.constantFrom(0, 0, 0, 1, 2, 9),
          attempts: fc.constantFrom(1, 2, 3, undefined),
          once: fc.nat(4).map((number) => number === 2)
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant("wait"), name: names, seconds: fc.integer({ min: 1, max: 100 }) })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("invoke"),
          name: names,
          callee: fc.constantFrom("double", "slow", "breaks", "worker")
        })
      },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("child"), name: names, body: node }) },
      {
        weight: 4,
        arbitrary: fc.record({ op: fc.constant("sequence"), nodes: fc.array(node, { maxLength: 4, size: "max" }) })
      },
      {
        weight: 1,
        arbitrary: fc.record({
          op: fc.constant("all"),
          name: names,
          bodies: fc.array(node, { minLength: 1, maxLength: 3, size: "max" })
        })
      },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("catch"), body: node, handler: node }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant("repeat"), times: fc.integer({ min: 0, max: 3 }), body: node })
      },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("when"), even: node, odd: node }) }
    )
  }
}).node

const nothing: Common = { op: "sequence", nodes: [] }

/** Most failures are kept from ending the whole program, so that more of it runs. */
export const commonPrograms: fc.Arbitrary<Common> = fc
  .array(fc.tuple(parts, fc.nat(3)), { minLength: 2, maxLength: 5, size: "max" })
  .map((list) => ({
    op: "sequence",
    nodes: list.map(([body, settled]) => (settled > 0 ? { op: "catch", body, handler: nothing } : body))
  }))

/** What both sides make of a failure: that it happened. Their errors are not the same. */
const failed = 666

const input = 42

/** What is to be seen of a run from outside, without what the two are known to do in different ways. */
export interface Seen {
  readonly end: string
  readonly operations: ReadonlyArray<string>
}

const seen = (
  outcome: { readonly status: string; readonly result?: string | undefined },
  operations: ReadonlyArray<Operation>
): Seen => {
  const nameOf = new Map(operations.map(({ Id, Name }) => [Id, Name]))
  return {
    // Known difference: AWS's SDK wraps the error of a step as StepError, and that of a child as ChildContextError.
    end: `${outcome.status} ${outcome.status === "SUCCEEDED" ? outcome.result : ""}`,
    operations: operations
      .map((operation) => {
        const { ChainedInvokeDetails, ContextDetails, Name, ParentId, Status, StepDetails, SubType, Type } = operation
        // Known difference: the ids. What they lead to is the same: the parent.
        const parent = ParentId === undefined ? "the workflow" : `"${nameOf.get(ParentId)}"`
        const result = StepDetails?.Result ?? ContextDetails?.Result ?? ChainedInvokeDetails?.Result ?? ""
        const error = errorType(StepDetails?.Error ?? ChainedInvokeDetails?.Error)
        return `${Type} ${SubType} "${Name}" in ${parent}: ${Status} ${StepDetails?.Attempt ?? ""} ${result} ${error}`
      })
      .sort()
  }
}

// Known difference: a step that succeeds or waits keeps no error of an earlier attempt to be compared here, and a child
// keeps the error as it was wrapped.
const errorType = (error: ErrorObject | undefined): string => error?.ErrorType ?? ""

// --- Ours ------------------------------------------------------------------------------------------------------------

type Workflow = Effect.Effect<number, Oops | DurableError.OperationError, Durable.Execution>

const contract = { payload: Schema.Int, success: Schema.Int, error: Oops }
const contracts = {
  double: DurableFunction.plain("double", contract),
  slow: DurableFunction.plain("slow", contract),
  breaks: DurableFunction.plain("breaks", contract),
  worker: DurableFunction.make("worker", contract)
}

const settings = { success: Schema.Int, error: Oops }

const ours = (node: Common, value: number): Workflow => {
  switch (node.op) {
    case "step": {
      const { attempts, failures, name, once } = node
      const body = Effect.flatMap(Durable.StepContext, ({ attempt }) =>
        attempt <= failures ? Effect.fail(new Oops({ code: attempt })) : Effect.succeed(mix(value, attempt))
      )
      const retry = RetryPolicy.fixed<Oops>({ maxAttempts: attempts ?? 1, delay: "2 seconds" })
      const policy = attempts === undefined ? {} : { retry }
      return once
        ? // Known difference: ours is not repeated by default, which is why the policy is always given here.
          Durable.step(name, body, {
            ...settings,
            semantics: "at-most-once",
            retry: attempts === undefined ? RetryPolicy.fixed<Oops>({ maxAttempts: 6, delay: "5 seconds" }) : retry
          })
        : Durable.step(name, body, { ...settings, ...policy })
    }
    case "wait":
      return Effect.as(Durable.wait(node.name, node.seconds * 1_000), mix(value, node.seconds))
    case "invoke":
      return Durable.invoke(contracts[node.callee], value, { name: node.name })
    case "child":
      return Durable.child(node.name, ours(node.body, value), settings)
    case "sequence":
      return Effect.gen(function* () {
        let at = value
        for (const next of node.nodes) at = yield* ours(next, at)
        return at
      })
    case "all":
      // Known difference: branches of ours that come back under the same names, as in a loop, need a namespace.
      return Effect.all(
        node.bodies.map((body, index) =>
          Effect.exit(Durable.child(`${node.name} ${index}`, ours(body, mix(value, index)), settings))
        ),
        { concurrency: "unbounded" }
      ).pipe(
        (branches) => Durable.child("branches", branches, { flat: true }),
        Effect.map((exits) => exits.reduce((sum, exit) => mix(sum, Exit.isSuccess(exit) ? exit.value : failed), value))
      )
    case "catch":
      return Effect.catch(ours(node.body, value), () => ours(node.handler, mix(value, failed)))
    case "repeat":
      return Effect.gen(function* () {
        let at = value
        for (let round = 0; round < node.times; round++) at = yield* ours(node.body, at)
        return at
      })
    case "when":
      return ours(value % 2 === 0 ? node.even : node.odd, value)
  }
}

const worker: Common = {
  op: "sequence",
  nodes: [
    { op: "wait", name: "pause", seconds: 2 },
    { op: "step", name: "work", failures: 1, attempts: 2, once: false }
  ]
}

const Program = DurableFunction.make("program", { success: Schema.Int, error: Oops })

export const runOurs = (program: Common): Promise<Seen> =>
  Effect.gen(function* () {
    const { world } = yield* TestEngine.TestEngine
    const run = yield* TestEngine.start(Program)
    yield* Effect.exit(run.result)
    const outcome = world.execution(run.executionArn)?.outcome
    if (outcome === undefined) throw new Error("The execution did not end.")
    return seen(outcome, yield* run.operations())
  }).pipe(
    Effect.provide(
      TestEngine.layer([
        Program.implement(() => ours(program, input)),
        TestEngine.stub(contracts.double, (value) => Effect.succeed(mix(value, 2))),
        TestEngine.stub(contracts.slow, (value) => Effect.delay(Effect.succeed(mix(value, 3)), 3_000)),
        TestEngine.stub(contracts.breaks, TestEngine.fail(broken)),
        contracts.worker.implement((value) => ours(worker, value))
      ])
    ),
    Effect.orDie,
    Effect.runPromise
  )

const broken = { ErrorType: "Broken", ErrorMessage: "in two" }

// --- AWS's -----------------------------------------------------------------------------------------------------------

class AwsOops extends Error {
  override readonly name = "Oops"
}

const theirs = async (context: DurableContext, node: Common, value: number): Promise<number> => {
  switch (node.op) {
    case "step": {
      const { attempts, failures, name, once } = node
      return context.step(
        name,
        async ({ attempt }) => {
          if (attempt <= failures) throw new AwsOops(`attempt ${attempt}`)
          return mix(value, attempt)
        },
        {
          semantics: once ? StepSemantics.AtMostOncePerRetry : StepSemantics.AtLeastOncePerRetry,
          ...(attempts === undefined
            ? {}
            : { retryStrategy: (_, count) => ({ shouldRetry: count < attempts, delay: { seconds: 2 } }) })
        }
      )
    }
    case "wait":
      await context.wait(node.name, { seconds: node.seconds })
      return mix(value, node.seconds)
    case "invoke":
      return context.invoke<number, number>(node.name, node.callee === "worker" ? "worker:$LATEST" : node.callee, value)
    case "child":
      return context.runInChildContext(node.name, (inner) => theirs(inner, node.body, value))
    case "sequence": {
      let at = value
      for (const next of node.nodes) at = await theirs(context, next, at)
      return at
    }
    case "all": {
      const settled = await Promise.allSettled(
        node.bodies.map((body, index) =>
          context.runInChildContext(`${node.name} ${index}`, (inner) => theirs(inner, body, mix(value, index)))
        )
      )
      return settled.reduce((sum, one) => mix(sum, one.status === "fulfilled" ? one.value : failed), value)
    }
    case "catch":
      try {
        return await theirs(context, node.body, value)
      } catch {
        return theirs(context, node.handler, mix(value, failed))
      }
    case "repeat": {
      let at = value
      for (let round = 0; round < node.times; round++) at = await theirs(context, node.body, at)
      return at
    }
    case "when":
      return theirs(context, value % 2 === 0 ? node.even : node.odd, value)
  }
}

const targets: Readonly<Record<string, Target>> = {
  double: { millis: 0, answer: (value) => ({ _tag: "Succeeded", result: String(mix(Number(value), 2)) }) },
  slow: { millis: 3_000, answer: (value) => ({ _tag: "Succeeded", result: String(mix(Number(value), 3)) }) },
  breaks: { millis: 0, answer: () => ({ _tag: "Failed", error: broken }) }
}

export const runTheirs = async (program: Common): Promise<Seen> => {
  const handler = (node: Common, payload: (event: unknown) => number) => (client: DurableExecutionClient) =>
    withDurableExecution((event: unknown, context) => theirs(context, node, payload(event)), {
      durableExecutionClient: client
    })
  const handlers: Handlers = { program: handler(program, () => input), worker: handler(worker, Number) }
  const { operations, outcome } = await runOnEngine("program", handlers, targets)
  return seen(outcome, operations)
}
