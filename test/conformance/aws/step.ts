/** The suite `step`: one unit of work, recorded once. */
import { StepSemantics } from "@aws/durable-execution-sdk-js"
import process from "node:process"
import { everySecond, fail, never, text, type Workflows } from "./support.ts"

class TransientError extends Error {
  override readonly name = "TransientError"
}

const secondTimeLucky =
  (answer: string, error: Error) =>
  async ({ attempt }: { readonly attempt: number }): Promise<string> => {
    if (attempt === 1) throw error
    return answer
  }

/** The requirements that this project was given. */
export const given: Workflows = {
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
  }
}
