/**
 * Race: run branches side by side and record which of them won. The others are let go of.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { InvalidOptions } from "../../DurableError.ts"
import { branchContext, branchPath, claim, type Claim } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import type { Recording } from "../Recording.ts"
import { firstEnded, isEnded, runBranches } from "./branches.ts"
import { recorded } from "./child.ts"

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
  let winner: number | undefined
  return recorded(claimed, recording, {
    isTimed: () => true,
    summary: () => JSON.stringify({ winner }),
    body: (context, summary) =>
      Effect.gen(function* () {
        const branches = bodies.map((body, index) => ({
          context: branchContext(context, index, { path: pathOf(context, index), flat: true }),
          body
        }))
        const known = winnerIn(summary)
        const counts = (exit: Exit.Exit<unknown, unknown>): boolean => until === "end" || Exit.isSuccess(exit)
        const states = yield* runBranches(claimed.run, branches, {
          concurrency: Infinity,
          mayStart: () => true,
          isComplete: (current) =>
            known === undefined
              ? current.some((state) => isEnded(state) && counts(state))
              : isEnded(current[known] ?? "waiting"),
          fair: true
        })
        winner = known ?? firstEnded(branches, states, counts) ?? firstEnded(branches, states, () => true)
        const state = winner === undefined ? undefined : states[winner]
        // One that is only rebuilt may have no branch that ends again: its record says how it ended.
        return state === undefined || !isEnded(state) ? yield* Effect.never : yield* state
      })
  })
}

const winnerIn = (summary: string | undefined): number | undefined => {
  if (!summary) return undefined
  try {
    const { winner } = Object(JSON.parse(summary))
    return typeof winner === "number" ? winner : undefined
  } catch {
    return undefined
  }
}
