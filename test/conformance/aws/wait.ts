/** The suite `wait`: time that passes without an invocation. */
import type { Workflows } from "./support.ts"

/** The requirements that this project was given. */
export const given: Workflows = {
  "2-1": (_, context) => context.wait({ seconds: 2 }),
  "2-2": (_, context) => context.wait("custom_wait_name", { seconds: 2 }),
  "2-4": (_, context) => context.wait({ minutes: 1 }),
  "2-5": (_, context) => context.wait({ hours: 1 })
}
