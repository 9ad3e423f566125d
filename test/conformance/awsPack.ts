/**
 * The same requirements as handlers that AWS's own SDK makes. They pass on AWS's service, so what they show on this
 * library's model of the service judges the model, and not the library's runtime.
 */
import {
  StepSemantics,
  withDurableExecution,
  type DurableContext,
  type RetryDecision
} from "@aws/durable-execution-sdk-js"
import process from "node:process"
import { targets } from "./handlers/invoke.ts"

export { targets }

export const durableTargets = {}

class TransientError extends Error {
  override readonly name = "TransientError"
}

const everySecond =
  (maxAttempts: number, isWorthIt: (error: Error) => boolean = () => true) =>
  (error: Error, attempt: number): RetryDecision =>
    attempt < maxAttempts && isWorthIt(error) ? { shouldRetry: true, delay: { seconds: 1 } } : { shouldRetry: false }

const never = { retryStrategy: () => ({ shouldRetry: false }) }

const fail = (): Promise<never> => Promise.reject(new Error("this always fails"))

const secondTimeLucky =
  (answer: string, error: Error) =>
  async ({ attempt }: { readonly attempt: number }): Promise<string> => {
    if (attempt === 1) throw error
    return answer
  }

/** What the handlers do by the id of their requirement. */
const workflows: Readonly<Record<string, (input: Input, context: DurableContext) => Promise<unknown>>> = {
  "1-1": (input, context) => context.step(async () => `Hello, ${text(input)}!`),
  "1-2": (input, context) => context.step("custom_step_name", async () => `Hello, ${text(input)}!`),
  "1-3": async (_, context) => {
    const first = await context.step(async () => "first")
    return context.step(async () => `${first}_second`)
  },
  "1-4": (input, context) =>
    context.step(async () => {
      const { name, tags } = Object(input)
      return { user: { name, tags }, count: tags.length }
    }),
  "1-5": (_, context) => context.step(async () => null),
  "1-7": (input, context) =>
    context.step(async ({ logger }) => {
      logger.info(`Greeting step started for: ${text(input)}`)
      logger.info(`Greeting step completed with: Hello, ${text(input)}!`)
      return `Hello, ${text(input)}!`
    }),
  "1-8": async (_, context) => {
    const value = await context.step(async () => "computed")
    await context.wait({ seconds: 2 })
    return value
  },
  "1-9": async (_, context) => {
    const value = await context.step(async () => "cached_value")
    await context.wait({ seconds: 1 })
    return value
  },
  "1-11": (_, context) =>
    context.step(secondTimeLucky("Operation succeeded", new Error("not yet")), { retryStrategy: everySecond(2) }),
  "1-12": (_, context) => context.step(fail, { retryStrategy: everySecond(4) }),
  "1-15": (_, context) =>
    context.step(secondTimeLucky("recovered", new TransientError("try again")), {
      retryStrategy: everySecond(3, (error) => error instanceof TransientError)
    }),
  "1-18": (input, context) =>
    context.step(
      async ({ attempt, logger }) => {
        logger.info(text(input))
        return attempt === 1 ? process.exit(1) : "succeeded on second attempt"
      },
      { semantics: StepSemantics.AtMostOncePerRetry, retryStrategy: everySecond(2) }
    ),
  "1-19": (_, context) => context.step(fail, never),
  "1-20": async (_, context) => {
    const value = await context.step(fail, never).catch(() => "fallback_result")
    return context.step(async () => value)
  },

  "2-1": (_, context) => context.wait({ seconds: 2 }),
  "2-2": (_, context) => context.wait("custom_wait_name", { seconds: 2 }),
  "2-4": (_, context) => context.wait({ minutes: 1 }),
  "2-5": (_, context) => context.wait({ hours: 1 }),

  "3-1": (input, context) => context.runInChildContext((child) => child.step(async () => input)),
  "3-2": (input, context) => {
    const { name, value } = Object(input)
    return context.runInChildContext(name, (child) => child.step(async () => value))
  },
  "3-3": (input, context) =>
    context.runInChildContext("child", async (child) => {
      const first = await child.step(async () => input)
      return child.step(async () => first)
    }),
  "3-4": (_, context) => context.runInChildContext("child", (child) => child.step(fail, never)),
  "3-6": (input, context) =>
    context.runInChildContext("outer", async (outer) => {
      await outer.step(async () => input)
      return outer.runInChildContext("inner", (inner) => inner.step(async () => input))
    }),
  "3-8": (_, context) =>
    context.runInChildContext("child", (child) => child.step(fail, { retryStrategy: everySecond(2) })),
  "3-9": async (input, context) => {
    const result = await context.runInChildContext("child", (child) => child.step(async () => input))
    await context.wait({ seconds: 1 })
    return result
  },
  "3-10": (input, context) =>
    context.runInChildContext("child", async (child) => {
      await child.step(async () => input)
      await child.wait({ seconds: 1 })
      return input
    }),
  "3-13": async (input, context) => {
    await context.runInChildContext("child", async (child) => {
      await child.wait({ seconds: 1 })
      return input
    })
    return context.step(async () => input)
  },
  "3-14": (input, context) =>
    context.runInChildContext("child", (child) => child.step(async () => text(input)), {
      serdes: { serialize: async (value) => value?.toUpperCase(), deserialize: async (data) => data }
    }),
  "3-16": (_, context) => context.runInChildContext("child", async () => null),
  "3-17": async (input, context) => {
    const result = await context.runInChildContext("child", async (child) => {
      child.logger.info(text(input))
      return input
    })
    await context.wait({ seconds: 1 })
    return result
  },

  "4-1": callback({}),
  "4-3": callback({ timeout: { seconds: 5 } }),
  "4-4": callback({ heartbeatTimeout: { seconds: 5 } }),
  "4-5": callback({ heartbeatTimeout: { seconds: 10 } }),
  "4-7": async (input, context) => {
    const [outcome] = await context.createCallback(text(input))
    await context.step(async () => input)
    return outcome
  },
  "4-9": async (input, context) => {
    const [outcome] = await context.createCallback(text(input))
    await context.wait({ seconds: 5 })
    return outcome
  },

  "5-1": (input, context) => context.invoke("invoke", "target-echo", input),
  "5-2": (input, context) => {
    const { name, payload } = Object(input)
    return context.invoke(name, "target-echo", payload)
  },
  "5-3": (input, context) => context.invoke("invoke", "target-echo", input),
  "5-5": (input, context) => context.invoke("invoke", "target-error", input),
  "5-6": (input, context) => context.invoke("invoke", "target-error", input).catch(() => "fallback_result"),
  "5-7": (_, context) => context.invoke("invoke", "target-echo", { data: "x".repeat(200 * 1_024) }),
  "5-8": (input, context) => {
    const { payload, tenantId } = Object(input)
    return context.invoke("invoke", "target-echo-tenant", payload, { tenantId })
  },
  "5-9": async (input, context) => {
    const result = await context.invoke("invoke", "target-echo", input)
    await context.wait({ seconds: 1 })
    return result
  },
  "5-11": async (_, context) => {
    const value = await context.step(async () => "step_result")
    return context.invoke("invoke", "target-echo", value)
  },
  "5-12": async (_, context) => {
    const value = await context.invoke("invoke", "target-echo", "invoke_result")
    return context.step(async () => `processed ${String(value)}`)
  },
  "5-14": async (_, context) => [
    await context.invoke("invoke", "target-echo", "first"),
    await context.invoke("invoke", "target-echo", "second")
  ],
  "5-15": (input, context) =>
    context.invoke("invoke", "target-echo", input, {
      payloadSerdes: {
        serialize: async (value) =>
          JSON.stringify(value, (_, part) => (typeof part === "string" ? part.toUpperCase() : part)),
        deserialize: async (data) => data
      }
    })
}

type Input = unknown

const text = (input: Input): string => (typeof input === "string" ? input : JSON.stringify(input))

interface TimeOuts {
  readonly timeout?: { readonly seconds: number }
  readonly heartbeatTimeout?: { readonly seconds: number }
}

function callback(options: TimeOuts) {
  return async (input: Input, context: DurableContext): Promise<unknown> => {
    const [outcome] = await context.createCallback(text(input), options)
    return outcome
  }
}

export const handlers = Object.fromEntries(
  Object.entries(workflows).map(([id, workflow]) => [id, withDurableExecution(workflow)])
)
