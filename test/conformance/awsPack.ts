/**
 * The same requirements as handlers that AWS's own SDK makes. They pass on AWS's service, so what they show on this
 * library's model of the service judges the model, and not the library's runtime.
 */
import { withDurableExecution } from "@aws/durable-execution-sdk-js"
import * as callback from "./aws/callback.ts"
import * as child from "./aws/child.ts"
import * as condition from "./aws/condition.ts"
import * as invoke from "./aws/invoke.ts"
import * as map from "./aws/map.ts"
import * as parallel from "./aws/parallel.ts"
import * as step from "./aws/step.ts"
import type { Workflows } from "./aws/support.ts"
import * as wait from "./aws/wait.ts"
import * as waitForCallback from "./aws/waitForCallback.ts"

export { targets } from "./handlers/invoke.ts"

export const durableTargets = {}

const workflows: Workflows = {
  ...step.given,
  ...wait.given,
  ...child.given,
  ...callback.given,
  ...callback.guessed,
  ...invoke.given,
  ...condition.given,
  ...condition.guessed,
  ...waitForCallback.given,
  ...waitForCallback.guessed,
  ...parallel.given,
  ...parallel.guessed,
  ...map.given,
  ...map.guessed
}

export const handlers = Object.fromEntries(
  Object.entries(workflows).map(([id, workflow]) => [id, withDurableExecution(workflow)])
)
