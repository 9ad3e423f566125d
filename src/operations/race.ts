/**
 * Race: runs branches concurrently and records the winner. The others are cancelled.
 *
 * Owns: which branch wins.
 * Does not own: how branches run, and what happens to the remaining ones.
 *
 * Invariants:
 * 1. The winner is the first branch in the order of outcomes that counts, on the first run as on every replay. If none
 *    counts, it is the first that ended.
 * 2. A race whose result is recorded runs no branch again. The record keeps replays short, and decides nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { InvalidOptions } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  RecordArguments,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type { Recording } from "../values/Values.ts"
import { isEnded, runBranches } from "./branches.ts"
import { context, inNamespace, type ContextRules } from "./child.ts"
import { branchesOf, type AnyBranch, type ErrorOf, type ServicesOf, type ValueOf } from "./branch.ts"
import { branchNamespace, branchPath, claimByName, inWorkflow, type Body } from "./Operation.ts"
import { recordingOf, typed } from "./typed.ts"

/**
 * Runs branches concurrently, each in its own namespace, and records the first success. If all branches fail, the race
 * fails with the first failure.
 *
 * Every replay has the same winner: the branch that ends first in the order of outcomes. The others are cancelled: they
 * are interrupted, and each `onExit` in them runs before the race ends. External work that they started, such as an
 * invoked function, continues. A race costs one operation in addition to those of the branches.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race without branches;
 * `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const quickest = Durable.race("quickest", [
 *   Effect.as(Durable.wait("tortoise", "1 day"), "tortoise"),
 *   Effect.as(Durable.wait("hare", "2 seconds"), "hare")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const race = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: RecordArguments<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOf(name, branches, "success", recordingOf(options)))

/**
 * Runs branches as {@link race} does, but the first branch that ends wins, whether it succeeds or fails. A race costs
 * one operation in addition to those of the branches.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race without branches;
 * `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const decided = Durable.raceFirst("decided", [
 *   Effect.as(Durable.wait("objections", "14 days"), "accepted"),
 *   Effect.as(Durable.wait("veto", "3 days"), "vetoed")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const raceFirst = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: RecordArguments<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOf(name, branches, "end", recordingOf(options)))

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The end of a race: the first branch that succeeds, or the first that ends in any way. */
export type Until = "success" | "end"

const kind: Kind = { type: "CONTEXT", subType: "RunInChildContext" }

const raceOf = (name: string, branches: ReadonlyArray<AnyBranch>, until: Until, recording: Recording): Body =>
  branchesOf(name, branches, (items) => {
    const bodies = items.map(({ body }) => body)
    return untypedRace(name, bodies, until, recording)
  })

const untypedRace = (name: string, bodies: ReadonlyArray<Body>, until: Until, recording: Recording): Body =>
  inWorkflow(name, (execution, fiber) => {
    const claim = claimByName(execution, fiber, kind, name)
    return bodies.length === 0
      ? Effect.die(
          new InvalidOptions({
            operation: claim.path,
            message: `Expected "${claim.path}" to have at least one branch, found none: a race without branches never ends. Remove the race.`
          })
        )
      : recordedRace(execution.parts, claim, bodies, { until, recording })
  })

export interface RaceRules {
  readonly until: Until
  readonly recording: Recording
  /** Returns the path of a branch, for people. */
  readonly pathOf?: (namespace: Namespace, index: number) => string
  /** Does everything that can fail without a request. Runs only when the operation has no record. */
  readonly prepare?: ContextRules["prepare"]
}

/** Runs a race in the context of a claimed operation. */
export const recordedRace = (parts: Parts, claim: Claim, bodies: ReadonlyArray<Body>, rules: RaceRules): Body => {
  let winner: number | undefined
  return context(parts, claim, {
    recording: rules.recording,
    prepare: rules.prepare,
    summary: () => JSON.stringify({ winner }),
    body: (namespace) =>
      Effect.flatMap(raced(parts, namespace, bodies, rules), ([index, exit]) => {
        winner = index
        return exit
      })
  })
}

/** Returns the winner and its exit: the first branch that counts, else the first that ended. */
const raced = (
  parts: Parts,
  namespace: Namespace,
  bodies: ReadonlyArray<Body>,
  { pathOf = branchPath, until }: RaceRules
): Effect.Effect<readonly [number, Exit.Exit<unknown, unknown>], never, unknown> => {
  const branches = bodies.map((body, index) => {
    const own = branchNamespace(namespace, index, { path: pathOf(namespace, index) })
    return { namespace: own, body: inNamespace(parts, own, body) }
  })
  let first: number | undefined
  let winner: number | undefined
  const ran = runBranches(parts, branches, {
    concurrency: Infinity,
    mayStart: () => true,
    isComplete: () => winner !== undefined,
    onChange: (index, state) => {
      if (!isEnded(state)) return
      first ??= index
      if (until === "end" || Exit.isSuccess(state)) winner ??= index
    }
  })
  return Effect.map(ran, (states) => {
    const index = winner ?? first
    const state = index === undefined ? undefined : states[index]
    if (index === undefined || state === undefined || !isEnded(state)) throw new Error("No branch of a race has ended.")
    return [index, state] as const
  })
}
