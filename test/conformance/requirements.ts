/**
 * What a conforming backend shows of the handlers in the packs, in this repository's own words. AWS's requirements say the
 * same of most of them; they are not part of this repository.
 */
import type { Requirement } from "./requirement.ts"
import * as callback from "./requirements/callback.ts"
import * as child from "./requirements/child.ts"
import * as condition from "./requirements/condition.ts"
import * as invoke from "./requirements/invoke.ts"
import * as map from "./requirements/map.ts"
import * as parallel from "./requirements/parallel.ts"
import * as step from "./requirements/step.ts"
import { requirementsOf } from "./requirements/table.ts"
import * as wait from "./requirements/wait.ts"
import * as waitForCallback from "./requirements/waitForCallback.ts"

export const requirements: ReadonlyArray<Requirement> = [
  ...requirementsOf("step", step.rows),
  ...requirementsOf("wait", wait.rows),
  ...requirementsOf("child", child.rows),
  ...requirementsOf("callback", callback.rows),
  ...requirementsOf("invoke", invoke.rows),
  ...requirementsOf("wait_for_condition", condition.rows),
  ...requirementsOf("wait_for_callback", waitForCallback.rows),
  ...requirementsOf("parallel", parallel.rows),
  ...requirementsOf("map", map.rows)
]
