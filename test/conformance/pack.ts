/**
 * Every requirement of AWS's conformance suite, as a handler that this library makes: any driver may import it.
 *
 * It loads under plain `node`. `handlers` are Lambda handlers by the id of the requirement; `targets` are the plain
 * functions that some of them invoke, and `durableTargets` the durable ones, by the name of the function; `notImplemented`
 * says of every other id why it has no handler. A handler is a translation of what the requirement asks for into the
 * public API. One that calls `process.exit` wants its process to die; what it must remember then it keeps in the folder
 * that the environment variable `HARNESS_STATE_DIR` names.
 */
import type { LambdaHandler } from "../../src/lambda/index.ts"
import * as child from "./handlers/child.ts"
import * as invoke from "./handlers/invoke.ts"
import * as plugin from "./handlers/plugin.ts"
import * as step from "./handlers/step.ts"
import * as wait from "./handlers/wait.ts"

export { targets } from "./handlers/invoke.ts"

export const handlers: Readonly<Record<string, LambdaHandler.Handler>> = {
  ...step.given,
  ...step.guessed,
  ...wait.given,
  ...wait.guessed,
  ...child.given,
  ...child.guessed,
  ...invoke.given,
  ...invoke.guessed
}

/** Handlers for requirements that were not at hand: what is known of them is their subject. */
export const guessed: ReadonlyArray<string> = [step, wait, child, invoke].flatMap((suite) => Object.keys(suite.guessed))

export const durableTargets: Readonly<Record<string, LambdaHandler.Handler>> = {}

/** The suites with the number of their requirements, which are numbered from 1. */
const suites = [
  { prefix: 1, size: 20, missing: undefined },
  { prefix: 2, size: 5, missing: undefined },
  { prefix: 3, size: 18, missing: undefined },
  { prefix: 4, size: 19, missing: "callbacks" },
  { prefix: 5, size: 16, missing: undefined },
  { prefix: 6, size: 13, missing: "polling (waitForCondition)" },
  { prefix: 7, size: 15, missing: "callbacks (waitForCallback)" },
  { prefix: 8, size: 22, missing: "concurrent operations (parallel)" },
  { prefix: 9, size: 20, missing: "concurrent operations (map)" }
]

const missing = Object.fromEntries(
  suites.flatMap(({ missing, prefix, size }) =>
    Array.from({ length: size }, (_, index) => `${prefix}-${index + 1}`)
      .filter((id) => !(id in handlers))
      .map((id) => [
        id,
        missing === undefined
          ? "the requirement was not at hand, and its subject alone does not say what the handler has to do"
          : `the library has no ${missing} yet`
      ])
  )
)

export const notImplemented: Readonly<Record<string, string>> = { ...missing, ...plugin.notImplemented }
