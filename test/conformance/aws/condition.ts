/** The suite `wait_for_condition`: looking again and again until something is so. */
import {
  createWaitStrategy,
  JitterStrategy,
  type WaitForConditionWaitStrategyFunc
} from "@aws/durable-execution-sdk-js"
import { fail, type Workflows } from "./support.ts"

/** Looks again after a second for as long as this holds. */
const everySecondWhile =
  <State>(goesOn: (state: State) => boolean): WaitForConditionWaitStrategyFunc<State> =>
  (state) =>
    goesOn(state) ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false }

const increment = async (state: number): Promise<number> => state + 1

const counting = (from: number, to: number) => ({
  initialState: from,
  waitStrategy: everySecondWhile<number>((state) => state < to)
})

const wrapped = {
  serialize: async (value: number | undefined) => JSON.stringify({ wrapped: value }),
  deserialize: async (data: string | undefined) => Number(JSON.parse(data ?? "{}").wrapped)
}

/** The requirements that this project was given. */
export const given: Workflows = {
  "6-1": (input, context) => context.waitForCondition(increment, counting(0, Number(input))),
  "6-2": (_, context) => context.waitForCondition(async (state) => state, counting(5, 5)),
  "6-3": (_, context) => context.waitForCondition("poll-status", increment, counting(0, 2)),
  "6-4": (input, context) => context.waitForCondition(increment, counting(5, Number(input))),
  "6-7": (_, context) => context.waitForCondition(fail, counting(0, 1)),
  "6-8": (_, context) => context.waitForCondition(fail, counting(0, 1)).catch(() => "recovered"),
  "6-9": (_, context) =>
    context.waitForCondition(
      async ({ attempts }) => ({ status: attempts + 1 === 2 ? "DONE" : "PENDING", attempts: attempts + 1 }),
      {
        initialState: { status: "PENDING", attempts: 0 },
        waitStrategy: everySecondWhile(({ status }) => status === "PENDING")
      }
    ),
  "6-10": (_, context) =>
    context.waitForCondition(async () => null, { initialState: null, waitStrategy: everySecondWhile(() => false) }),
  "6-12": async (input, context) => {
    const state = await context.waitForCondition(increment, counting(0, Number(input)))
    return context.step(async () => state * 10)
  }
}

/** Requirements of which only the subject is known. */
export const guessed: Workflows = {
  /** The delay between two looks. */
  "6-5": (input, context) =>
    context.waitForCondition(increment, {
      initialState: 0,
      waitStrategy: (state) =>
        state < (Number(input) || 2) ? { shouldContinue: true, delay: { seconds: 2 } } : { shouldContinue: false }
    }),

  /** A condition that does not come true within the number of attempts. */
  "6-6": (input, context) =>
    context.waitForCondition(increment, {
      initialState: 0,
      waitStrategy: createWaitStrategy({
        shouldContinuePolling: () => true,
        maxAttempts: Number(input) || 2,
        initialDelay: { seconds: 1 },
        backoffRate: 1,
        jitter: JitterStrategy.NONE
      })
    }),

  /** A format of its own. */
  "6-11": (input, context) =>
    context.waitForCondition(increment, { ...counting(0, Number(input) || 2), serdes: wrapped }),

  /** A finished condition that is not looked at again. */
  "6-13": async (input, context) => {
    const state = await context.waitForCondition(increment, counting(0, Number(input) || 2))
    await context.wait({ seconds: 1 })
    return state
  }
}
