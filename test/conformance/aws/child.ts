/** The suite `child`: operations in a context of their own. */
import { everySecond, fail, never, text, type Workflows } from "./support.ts"

/** The requirements that this project was given. */
export const given: Workflows = {
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
  }
}
