/**
 * The programs of `common.ts`, written with AWS's SDK for JavaScript.
 */
import {
  completeBatch,
  CompletionOutcome,
  continueBatch,
  NestingType,
  StepSemantics,
  withDurableExecution,
  withRetry,
  type CompletionConfig,
  type BatchResult,
  type DurableContext,
  type DurablePromise
} from "@aws/durable-execution-sdk-js"
import { runOnEngine, type Handlers, type Surroundings, type Target } from "./awsHost.ts"
import { broken, delays, failed, input, limitsOf, worker, type Common, type Looked, type Timed } from "./common.ts"
import { hash, mix } from "./digest.ts"
import type { Answer, Policy } from "./program.ts"
import { combined, seen, type Seen } from "./seen.ts"

class Oops extends Error {
  override readonly name = "Oops"
}

class Exhausted extends Error {
  override readonly name = "ConditionExhausted"
}

/** A program on its way, with what it keeps between its invocations. */
class Written {
  readonly #tell: Surroundings["tell"]
  /** How often somebody was told of a callback: AWS's SDK does not say. */
  readonly #told: Map<string, number>

  constructor(tell: Surroundings["tell"], told: Map<string, number>) {
    this.#tell = tell
    this.#told = told
  }

  async run(context: DurableContext, node: Common, value: number): Promise<number> {
    switch (node.op) {
      case "step": {
        const { attempts, failures, name, once } = node
        return context.step(
          name,
          async ({ attempt }) => {
            if (attempt <= failures) throw new Oops(`attempt ${attempt}`)
            return mix(value, attempt)
          },
          { semantics: once ? StepSemantics.AtMostOncePerRetry : StepSemantics.AtLeastOncePerRetry, ...retry(attempts) }
        )
      }
      case "wait":
        await context.wait(node.name, { seconds: node.seconds })
        return mix(value, node.seconds)
      case "timed":
        return timed(context, node, value)
      case "invoke":
        return context.invoke<number, number>(
          node.name,
          node.callee === "worker" ? "worker:$LATEST" : node.callee,
          value
        )
      case "child":
        return context.runInChildContext(node.name, (inner) => this.run(inner, node.body, value))
      case "sequence": {
        let at = value
        for (const next of node.nodes) at = await this.run(context, next, at)
        return at
      }
      case "all": {
        const settled = await Promise.allSettled(
          node.bodies.map((body, index) =>
            context.runInChildContext(`${node.name} ${index}`, (inner) => this.run(inner, body, mix(value, index)))
          )
        )
        return settled.reduce((sum, one) => mix(sum, one.status === "fulfilled" ? one.value : failed), value)
      }
      case "callback": {
        const [answered, callbackId] = await context.createCallback(node.name, timeouts(node.answer))
        await context.step(`${node.name} tell`, async () => this.#tell(callbackId, node.answer))
        const aside = await this.run(context, node.meanwhile, value).catch(() => failed)
        return mix(mix(value, aside), Number(await answered))
      }
      case "waitForCallback": {
        const { answer, attempts, failures, name } = node
        const text = await context.waitForCallback(
          name,
          async (callbackId) => {
            const count = (this.#told.get(callbackId) ?? 0) + 1
            this.#told.set(callbackId, count)
            this.#tell(callbackId, answer)
            if (count <= failures) throw new Oops(`attempt ${count}`)
          },
          { ...timeouts(answer), ...retry(attempts) }
        )
        return mix(value, Number(text))
      }
      case "condition":
        return condition(context, node, value)
      case "batch": {
        const { bodies, concurrency, flat, kind, name, policy } = node
        const options = {
          ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
          ...completionOf(policy),
          nesting: flat ? NestingType.FLAT : NestingType.NESTED
        }
        const batch: BatchResult<number> =
          kind === "parallel"
            ? await context.parallel<number>(
                name,
                bodies.map((body, index) => (inner: DurableContext) => this.run(inner, body, mix(value, index))),
                options
              )
            : await context.map(
                name,
                [...bodies],
                (inner, body, index) => this.run(inner, body, mix(value, index)),
                options
              )
        return batch.all.reduce(
          (sum, item) => mix(sum, mix(hash(`${item.index} ${item.status}`), item.result ?? failed)),
          mix(value, hash(`${batch.completionReason} ${batch.status}`))
        )
      }
      case "combine":
        return combine(context, node, value)
      case "retry":
        return withRetry(
          context,
          node.name,
          async (inner, number) => {
            const at = await this.run(inner, node.body, mix(value, number))
            if (number <= node.failures) throw new Oops(`attempt ${number}`)
            return at
          },
          {
            retryStrategy: (_, count) => ({
              shouldRetry: count < node.attempts,
              delay: { seconds: delays.block }
            })
          }
        )
      case "catch":
        try {
          return await this.run(context, node.body, value)
        } catch {
          return this.run(context, node.handler, mix(value, failed))
        }
      case "repeat": {
        let at = value
        for (let round = 0; round < node.times; round++) at = await this.run(context, node.body, at)
        return at
      }
      case "when":
        return this.run(context, value % 2 === 0 ? node.even : node.odd, value)
    }
  }
}

const retry = (attempts: number | undefined) =>
  attempts === undefined
    ? {}
    : {
        retryStrategy: (_: Error, count: number) => ({
          shouldRetry: count < attempts,
          delay: { seconds: delays.step }
        })
      }

const timeouts = (answer: Answer) => {
  const { heartbeatSeconds, seconds } = limitsOf(answer)
  return {
    ...(heartbeatSeconds === undefined ? {} : { heartbeatTimeout: { seconds: heartbeatSeconds } }),
    ...(seconds === undefined ? {} : { timeout: { seconds } })
  }
}

/** An item of a batch. Of flat ones AWS's SDK keeps no order, so a step shows who has ended and who has not. */
const timed = async (context: DurableContext, { ok, seconds }: Timed, value: number): Promise<number> => {
  await context.wait("pause", { seconds })
  return context.step("end", async () => endOf({ ok, seconds }, value), retry(1))
}

const endOf = ({ ok, seconds }: Timed, value: number): number => {
  if (!ok) throw new Oops(`after ${seconds} s`)
  return mix(value, seconds)
}

const condition = async (
  context: DurableContext,
  { fails, looks: enough, maxAttempts, name }: Extract<Common, { readonly op: "condition" }>,
  value: number
): Promise<number> => {
  const initialState: Looked = { looks: 0, value }
  const { looks, value: at } = await context.waitForCondition<Looked>(
    name,
    async (state) => {
      if (fails && state.looks + 1 === enough) throw new Oops(`look ${state.looks}`)
      return { looks: state.looks + 1, value: mix(state.value, state.looks) }
    },
    {
      initialState,
      waitStrategy: (state, attempt) => {
        if (state.looks >= enough) return { shouldContinue: false }
        if (attempt >= maxAttempts) throw new Exhausted(`after ${attempt} attempts`)
        return { shouldContinue: true, delay: { seconds: delays.look } }
      }
    }
  )
  return mix(at, looks)
}

const completionOf = (policy: Policy): { readonly completionConfig?: CompletionConfig } => {
  if (policy === "allSuccessful") return {}
  if (policy === "firstSuccessful") return { completionConfig: { minSuccessful: 1 } }
  if (policy === "allCompleted") return { completionConfig: { toleratedFailurePercentage: 100 } }
  if (!("after" in policy)) return { completionConfig: policy }
  const { after, as } = policy
  const outcome = CompletionOutcome[as]
  return {
    completionConfig: {
      shouldComplete: ({ completedCount }) => (completedCount >= after ? completeBatch(outcome) : continueBatch())
    }
  }
}

const combine = async (
  context: DurableContext,
  { branches, how, name }: Extract<Common, { readonly op: "combine" }>,
  value: number
): Promise<number> => {
  const promises = branches.map((branch, index): DurablePromise<number> =>
    context.runInChildContext(`${name} ${index}`, async (inner) => {
      await inner.wait("pause", { seconds: branch.seconds })
      return endOf(branch, mix(value, index))
    })
  )
  if (how !== "all") return context.promise[how](combined(how, name), promises)
  const values = await context.promise.all(combined(how, name), promises)
  return values.reduce(mix, value)
}

const targets: Readonly<Record<string, Target>> = {
  double: { millis: 0, answer: (value) => ({ _tag: "Succeeded", result: String(mix(Number(value), 2)) }) },
  slow: { millis: 3_000, answer: (value) => ({ _tag: "Succeeded", result: String(mix(Number(value), 3)) }) },
  breaks: { millis: 0, answer: () => ({ _tag: "Failed", error: broken }) }
}

export const runTheirs = async (program: Common): Promise<Seen> => {
  const told = new Map<string, number>()
  const handler =
    (node: Common, payload: (event: unknown) => number) =>
    ({ client, tell }: Surroundings) =>
      withDurableExecution((event: unknown, context) => new Written(tell, told).run(context, node, payload(event)), {
        durableExecutionClient: client
      })
  const handlers: Handlers = { program: handler(program, () => input), worker: handler(worker, Number) }
  const { history, operations, outcome } = await runOnEngine("program", handlers, targets)
  return seen(outcome, operations, history)
}
