/** The suite `invoke`: other functions, called through the service. */
import type { Workflows } from "./support.ts"

/** The requirements that this project was given. */
export const given: Workflows = {
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
