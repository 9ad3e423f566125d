/** What the checks of public text have looked at: the end of a run says how many of each. */
import type { TestContext } from "vitest"
import type { DocumentationCount } from "../../scripts/summary-reporter.ts"

declare module "vitest" {
  interface TaskMeta {
    documentation?: DocumentationCount
  }
}

/** Tells the end of the run what the running test has looked at. */
export const counted = ({ task }: TestContext, counts: DocumentationCount): void => {
  task.meta.documentation = counts
}
