/** The suite `wait_for_callback`: asking somebody, and waiting for the answer. */
import { everySecond, fail, text, type CallbackOptions, type Workflow, type Workflows } from "./support.ts"

/** Nobody is really asked: the driver answers every callback. */
const ask = async (): Promise<void> => {}

const asking =
  (options: CallbackOptions = {}): Workflow =>
  (input, context) =>
    context.waitForCallback<unknown>(text(input), ask, options)

/** The requirements that this project was given. */
export const given: Workflows = {
  "7-1": asking(),
  "7-2": (_, context) => context.waitForCallback("approval", ask),
  "7-3": (_, context) => context.waitForCallback(ask),
  "7-4": asking(),
  "7-5": asking({ timeout: { seconds: 3 } }),
  "7-6": (input, context) => context.waitForCallback(text(input), ask).catch(() => "recovered"),
  "7-9": async (_, context) => {
    await context.waitForCallback("first", ask)
    return context.waitForCallback("second", ask)
  },
  "7-10": async (input, context) => {
    await context.wait({ seconds: 1 })
    await context.step(async () => "fixed data")
    return context.waitForCallback(text(input), ask)
  },
  "7-11": async (input, context) => {
    const { status } = await context.waitForCallback<{ readonly status: string }>(text(input), ask, {
      serdes: { deserialize: async (data) => JSON.parse(data ?? "null") }
    })
    return status
  },
  "7-13": asking({ heartbeatTimeout: { seconds: 10 } }),
  "7-14": (input, context) =>
    context.waitForCallback(text(input), ask, { timeout: { seconds: 3 } }).catch(() => "timed-out-handled")
}

/** Requirements of which only the subject is known. */
export const guessed: Workflows = {
  /** Asking fails at every attempt. */
  "7-7": (input, context) => context.waitForCallback(text(input), fail, { retryStrategy: everySecond(2) }),

  /** Inside a child. */
  "7-8": (input, context) => context.runInChildContext("child", (child) => child.waitForCallback(text(input), ask)),

  /** Nobody sends a heartbeat. */
  "7-12": asking({ heartbeatTimeout: { seconds: 3 } }),

  /** An answer that says nothing. */
  "7-15": async (input, context) => {
    const answer = await context.waitForCallback(text(input), ask)
    return answer === undefined || answer === "" || answer === "null" ? null : answer
  }
}
