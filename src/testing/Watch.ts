/**
 * Observes one run of an execution in a world, for a comparison with another run.
 *
 * Owns: the observations during the run, and when the run has come to rest.
 * Does not own: the comparison.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Engine from "../engine/Service.ts"
import { isFinal } from "../execution/Claim.ts"
import type { Attempt } from "../execution/Listener.ts"
import type { Seen } from "./Explore.ts"
import type { Ended, World } from "./World.ts"

/** The turns of the event loop in which interrupted fibers end. */
const lastTurns = 50

export class Watch {
  world: World | undefined
  readonly #bodies = new Map<string, number>()
  readonly #wrong: Array<string> = []

  readonly onAttempt = (executionArn: string, { id, number, path }: Attempt, isLate: boolean): void => {
    this.#bodies.set(path, (this.#bodies.get(path) ?? 0) + 1)
    const record = this.world?.operations(executionArn).find(({ Id }) => Id === id)
    // A late invocation runs over the records of the time at which its event was created.
    if (isLate || record === undefined || !isFinal(record)) return
    this.#wrong.push(`attempt ${number} of the step "${path}" began although its outcome was recorded`)
  }

  /** Waits for the end, and returns the observations. */
  readonly seen = Effect.fnUntraced({ self: this }, function* (this: Watch, executionArn: string, patience: number) {
    const { world } = this
    if (world === undefined) throw new Error("There is no world to watch.")
    const ended = yield* Effect.exit(world.ended(executionArn, patience))
    for (let turn = 0; turn < lastTurns && world.fibersLeft > 0; turn++) yield* nextTurn
    const fibers = world.fibersLeft
    if (fibers > 0) this.#wrong.push(`${fibers} fiber${fibers === 1 ? " is" : "s are"} alive after the end`)
    const seen: Seen = {
      outcome: outcomeOf(ended),
      status: Exit.isFailure(ended) ? undefined : ended.value.outcome.status,
      executions: Result.getOrThrow(world.query(allExecutions, {})),
      checkpoints: world.crashes.checkpoints,
      choices: world.order.choices,
      bodies: this.#bodies,
      wrong: this.#wrong
    }
    return seen
  })
}

const nextTurn = Effect.callback<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

const outcomeOf = (exit: Exit.Exit<Ended>): string => {
  if (Exit.isFailure(exit)) {
    const reason = Cause.squash(exit.cause)
    return `does not end: ${reason instanceof Error ? reason.message : String(reason)}`
  }
  const { outcome } = exit.value
  if (outcome.status === "SUCCEEDED") return `ends as SUCCEEDED with ${outcome.result ?? "nothing"}`
  const { ErrorMessage = "", ErrorType = "Error" } = outcome.error
  return `ends as ${outcome.status} with ${ErrorType}: ${ErrorMessage}`
}

const allExecutions = (state: Engine.ServiceState): Result.Result<Seen["executions"], Engine.Refused> =>
  Result.succeed(
    [...Engine.executions(state)].map(({ identity: { arn, functionName } }) => ({
      functionName,
      operations: Engine.operations(state, arn)
    }))
  )
