/** The suite `callback`: answers from outside. */
import { text, type CallbackOptions, type Workflow, type Workflows } from "./support.ts"

/** Awaits a callback that the input names. */
const awaited =
  (options: CallbackOptions = {}): Workflow =>
  async (input, context) => {
    const [outcome] = await context.createCallback<unknown>(text(input), options)
    return outcome
  }

/** Runs a step before it awaits the callback. */
const afterStep =
  (options: CallbackOptions = {}): Workflow =>
  async (input, context) => {
    const [outcome] = await context.createCallback<unknown>(text(input), options)
    await context.step(async () => input)
    return outcome
  }

/** Waits for longer than the callback takes before it awaits that. */
const afterWait =
  (options: CallbackOptions = {}): Workflow =>
  async (input, context) => {
    const [outcome] = await context.createCallback<unknown>(text(input), options)
    await context.wait({ seconds: 5 })
    return outcome
  }

/** Waits after the callback, which may fail. */
const beforeWait =
  (options: CallbackOptions = {}): Workflow =>
  async (input, context) => {
    const [outcome] = await context.createCallback<unknown>(text(input), options)
    const result = await outcome.catch(() => "the callback has failed")
    await context.wait({ seconds: 2 })
    return result
  }

const parsed = { deserialize: async (data: string | undefined): Promise<unknown> => JSON.parse(data ?? "null") }

/** The requirements that this project was given. */
export const given: Workflows = {
  "4-1": awaited(),
  "4-2": async (_, context) => {
    const [outcome] = await context.createCallback("approval")
    return outcome
  },
  "4-3": awaited({ timeout: { seconds: 5 } }),
  "4-4": awaited({ heartbeatTimeout: { seconds: 5 } }),
  "4-5": awaited({ heartbeatTimeout: { seconds: 10 } }),
  "4-7": afterStep(),
  "4-8": afterStep({ timeout: { seconds: 5 } }),
  "4-9": afterWait(),
  "4-12": beforeWait(),
  "4-13": beforeWait(),
  "4-14": beforeWait({ timeout: { seconds: 3 } }),
  "4-16": async (input, context) => {
    const [outcome] = await context.createCallback(text(input), {
      serdes: { deserialize: async (data) => Number(data) }
    })
    const count = await outcome
    return { count, doubled: count * 2 }
  },
  "4-17": async (input, context) => {
    const [a, b] = Object(input)
    const [first] = await context.createCallback(a)
    const answer = await first
    const [second] = await context.createCallback(b)
    return [answer, await second]
  },
  "4-18": async (input, context) => {
    const [a, b] = Object(input)
    const [first] = await context.createCallback(a)
    const [second] = await context.createCallback(b)
    return [await first, await second]
  }
}

/** Requirements of which only the subject is known. */
export const guessed: Workflows = {
  /** A step before a callback that succeeds. */
  "4-6": afterStep(),

  /** A wait during which the callback fails. */
  "4-10": afterWait(),

  /** A wait during which the callback times out. */
  "4-11": afterWait({ timeout: { seconds: 3 } }),

  /** A format of its own. */
  "4-15": awaited({ serdes: parsed }),

  /** Two callbacks, of which the second one is awaited first. */
  "4-19": async (input, context) => {
    const [a, b] = Object(input)
    const [first] = await context.createCallback(a)
    const [second] = await context.createCallback(b)
    const answer = await second
    return [await first, answer]
  }
}
