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
import * as callback from "./handlers/callback.ts"
import * as child from "./handlers/child.ts"
import * as condition from "./handlers/condition.ts"
import * as invoke from "./handlers/invoke.ts"
import * as map from "./handlers/map.ts"
import * as parallel from "./handlers/parallel.ts"
import * as plugin from "./handlers/plugin.ts"
import * as step from "./handlers/step.ts"
import * as wait from "./handlers/wait.ts"
import * as waitForCallback from "./handlers/waitForCallback.ts"

export { targets } from "./handlers/invoke.ts"

export const handlers: Readonly<Record<string, LambdaHandler.Handler>> = {
  ...step.given,
  ...step.guessed,
  ...wait.given,
  ...wait.guessed,
  ...child.given,
  ...child.guessed,
  ...callback.given,
  ...callback.guessed,
  ...invoke.given,
  ...invoke.guessed,
  ...condition.given,
  ...condition.guessed,
  ...waitForCallback.given,
  ...waitForCallback.guessed,
  ...parallel.given,
  ...parallel.guessed,
  ...map.given,
  ...map.guessed
}

/** Handlers for requirements that were not at hand: what is known of them is their subject. */
export const guessed: ReadonlyArray<string> = [
  step,
  wait,
  child,
  callback,
  invoke,
  condition,
  waitForCallback,
  parallel,
  map
].flatMap((suite) => Object.keys(suite.guessed))

export const durableTargets: Readonly<Record<string, LambdaHandler.Handler>> = {}

/** How many requirements there are in each suite but `plugin`; they are numbered from 1. */
const sizes = [20, 5, 18, 19, 16, 13, 15, 22, 20]

const notAtHand = "the requirement was not at hand, and its subject alone does not say what the handler has to do"

export const notImplemented: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    sizes
      .flatMap((size, suite) => Array.from({ length: size }, (_, index) => `${suite + 1}-${index + 1}`))
      .filter((id) => !(id in handlers))
      .map((id) => [id, notAtHand])
  ),
  ...plugin.notImplemented
}
