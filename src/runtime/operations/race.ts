/**
 * Race: run branches side by side and record which of them won. The others are let go of.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { DurableTimeout, InvalidOptions, NonDeterministic } from "../../DurableError.ts"
import { branchContext, branchPath, claim, type Claim } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import type { Recording } from "../Recording.ts"
import { firstEnded, isEnded, runBranches } from "./branches.ts"
import { recorded } from "./child.ts"
import { secondsLeft, waitUntil, type Timeout } from "./wait.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/** What ends a race: the first branch that succeeds, or the first that ends in whatever way. */
export type Until = "success" | "end"

export const race = (name: string, bodies: ReadonlyArray<Body>, until: Until, recording: Recording) =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: "RunInChildContext", name }), (claimed) =>
    bodies.length === 0
      ? Effect.die(
          new InvalidOptions({
            operation: claimed.path,
            message: `Expected "${claimed.path}" to have at least one branch, found none: a race of nothing never ends. Leave the race out.`
          })
        )
      : recordedRace(claimed, bodies, { until }, recording)
  )

/** A race of an effect and a wait. */
export const timeout = (name: string, body: Body, limit: Timeout, recording: Recording) =>
  Effect.flatMap(
    claim({ type: "CONTEXT", subType: "RunInChildContext", name }),
    Effect.fnUntraced(function* (claimed): Effect.fn.Return<unknown, unknown, unknown> {
      const { path, record } = claimed
      const timedOut = new DurableTimeout({ operation: path })
      if (record === undefined && (yield* secondsLeft(claimed, limit)) === undefined) return yield* timedOut
      const expired = Effect.flatMap(waitUntil("timeout", limit), () => Effect.fail(timedOut))
      return yield* recordedRace(claimed, [body, expired], { until: "end", pathOf: () => path }, recording)
    })
  )

/** A race in the context of an operation that was claimed. */
export const recordedRace = (
  claimed: Claim,
  bodies: ReadonlyArray<Body>,
  {
    pathOf = (context, index) => branchPath(context, index),
    until
  }: {
    readonly until: Until
    /** Where a branch stands, for people. */
    readonly pathOf?: (context: DurableContext, index: number) => string
  },
  recording: Recording
): Body => {
  const { path, record, run } = claimed
  const counts = (exit: Exit.Exit<unknown, unknown>): boolean => until === "end" || Exit.isSuccess(exit)
  let winner: number | undefined
  return recorded(claimed, recording, {
    isTimed: () => true,
    summary: () => JSON.stringify({ winner }),
    body: Effect.fnUntraced(function* (context, summary): Effect.fn.Return<unknown, unknown, unknown> {
      // Only the value of a winner may not have been kept: a failure was, and the branches run for what they do besides.
      const known = context.finished && record?.Status === "SUCCEEDED" ? winnerIn(summary, bodies.length) : undefined
      if (known === "none") {
        run.contradict(
          new NonDeterministic({
            operation: path,
            message: `The history holds "${path}" without saying which of the ${bodies.length} branches won. Run this execution with the version of the code, and of the library, that recorded it.`
          })
        )
        return yield* run.inert
      }
      const branches = bodies.map((body, index) => {
        const abandoned = known !== undefined && index !== known
        return { context: branchContext(context, index, { path: pathOf(context, index), abandoned }), body }
      })
      let isWon = false
      const states = yield* runBranches(run, branches, {
        concurrency: Infinity,
        mayStart: () => true,
        isComplete: () => isWon,
        onChange: (index, state) => {
          if (isEnded(state) && (known === undefined ? counts(state) : index === known)) isWon = true
        },
        fair: true,
        isBehind: () => false
      })
      winner = known ?? firstEnded(branches, states, counts) ?? firstEnded(branches, states, () => true)
      const state = winner === undefined ? undefined : states[winner]
      if (state === undefined || !isEnded(state)) throw new Error(`No branch of "${path}" has ended.`)
      return yield* state
    })
  })
}

/** Which branch won, by the record of a race whose result was not kept. */
const winnerIn = (summary: string | undefined, count: number): number | "none" => {
  try {
    const { winner } = Object(JSON.parse(summary ?? ""))
    return Number.isSafeInteger(winner) && winner >= 0 && winner < count ? winner : "none"
  } catch {
    return "none"
  }
}
