/**
 * Runs an execution with a crash at every checkpoint, and on request in every order of events that are due at the same time,
 * and reports the runs that end differently.
 *
 * Owns: which crashes and orders are tried, and what has to be the same.
 * Does not own: a single run, which the caller performs in a world of its own.
 *
 * Invariants:
 * 1. Of all crashes that show a difference the report names the shortest sequence, and of those the earliest.
 * 2. A run without a crash is performed twice: a difference between the two is not caused by a crash.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { seeded } from "../execution/Chance.ts"
import { isFinal } from "../execution/Claim.ts"
import { readMark, readPause } from "../execution/Marks.ts"
import { optionsOf } from "../internal/options.ts"
import type { Operation } from "../wire/Operation.ts"
import { nextOrder } from "./Order.ts"
import { show, sides, type Point, type Side } from "./Crash.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * The options of an exploration, and the steps that may run more than once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tries {
  /** The name of the execution in every run. */
  readonly executionName?: string | undefined
  /**
   * The names or paths of the steps whose bodies may run more than once because of a crash, because two runs have the
   * same effect as one. If the option is set, a repeated body of any other step is a failure. Default: all steps.
   */
  readonly mayRepeat?: ReadonlyArray<string> | undefined
  /** How many pairs of crashes are tried as well, a whole number, drawn with the `seed`. Default: 0. */
  readonly pairs?: number | undefined
  /**
   * How many single crashes are tried at most, a whole number; if there are more, this many are drawn with the `seed`.
   * Default: 2,000.
   */
  readonly limit?: number | undefined
  /**
   * Whether to try every order of events that are due at the same time: ends of waits, delays of retries, time-outs, sleeps,
   * and functions that are called together. If there are more than the `limit`, this many are drawn with the `seed`. It
   * fails for a workflow that ends differently in another order, so omit it where a race may have two winners. Default:
   * false.
   */
  readonly orders?: boolean | undefined
  /** The seed of all draws: any whole number. Default: 1. */
  readonly seed?: number | undefined
}

/**
 * The result of an exploration.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exploration {
  /** How the execution ended in every run. A workflow that always fails in the same way passes, so check it. */
  readonly status: EndStatus
  /** How many sequences of crashes were tried, a whole number. */
  readonly schedules: number
  /** How many orders of simultaneous events were tried, a whole number. */
  readonly orders: number
  /** The content of each checkpoint in the run without a crash, such as `START charge, SUCCEED charge`. */
  readonly checkpoints: ReadonlyArray<string>
  /** The maximum number of starts of the body of each step in one run, a whole number for each path of a step. */
  readonly bodies: Readonly<Record<string, number>>
}

/**
 * How an execution can end.
 *
 * @category models
 * @since 0.1.0
 */
export type EndStatus = "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "STOPPED"

/** The observable result of a run. */
export interface Seen {
  /** The outcome of the execution, as a sentence. */
  readonly outcome: string
  /** How the execution ended; absent if it did not. */
  readonly status: EndStatus | undefined
  /** The operations of every execution of the world, in start order. */
  readonly executions: ReadonlyArray<{ readonly functionName: string; readonly operations: ReadonlyArray<Operation> }>
  readonly checkpoints: ReadonlyArray<string>
  /** The number of events to choose from, each time that several were due at the same time. */
  readonly choices: ReadonlyArray<number>
  /** How often the body of each step began, by its path. */
  readonly bodies: ReadonlyMap<string, number>
  /** The faults of the run by itself. */
  readonly wrong: ReadonlyArray<string>
}

/** The crashes and the order of a run. */
export interface Schedule {
  readonly points: ReadonlyArray<Point>
  /** The choice, each time that several events are due at the same time. */
  readonly order: ReadonlyArray<number>
}

const nothing: Schedule = { points: [], order: [] }

export const exploreWith = <E, R>(
  run: (schedule: Schedule) => Effect.Effect<Seen, E, R>,
  options: Tries
): Effect.Effect<Exploration, E, R> =>
  Effect.gen(function* () {
    checkCounts(options)
    const clean = yield* run(nothing)
    const { status } = clean
    if (status === undefined) return yield* failed("Without a crash", `the execution ${clean.outcome}`, clean)
    const once = problemOf(clean, clean, options)
    if (once !== undefined) return yield* failed("Without a crash", once, clean)
    const twice = problemOf(yield* run(nothing), clean, options)
    if (twice !== undefined)
      return yield* failed("A second run, without a crash either,", `${twice}.${ofItself}`, clean)
    const bodies = new Map(clean.bodies)
    const attempt = Effect.fnUntraced(function* (schedule: Schedule) {
      const seen = yield* run(schedule)
      for (const [path, count] of seen.bodies) bodies.set(path, Math.max(count, bodies.get(path) ?? 0))
      const problem = problemOf(seen, clean, options)
      if (problem !== undefined) yield* failed(placeOf(schedule, clean), problem, clean, schedule)
      return seen
    })
    const schedules = schedulesFor(clean.checkpoints.length, options)
    for (const points of schedules) yield* attempt({ points, order: [] })
    const orders = options.orders === true ? yield* inEveryOrder(attempt, clean.choices, options) : 0
    return {
      status,
      schedules: schedules.length,
      orders,
      checkpoints: clean.checkpoints,
      bodies: Object.fromEntries(bodies)
    }
  })

const read = optionsOf("TestEngine.explore")

/** Throws if an option is no count: comparisons with it would be false, and nothing would be tried. */
const checkCounts = ({ limit, pairs }: Tries): void => {
  read.count("limit", limit, { atLeast: 0, atMost: Infinity }, undefined)
  read.count("pairs", pairs, { atLeast: 0, atMost: Infinity }, undefined)
}

/** Tries every other order, or a drawn selection if there are too many. */
const inEveryOrder = Effect.fnUntraced(function* <E, R>(
  attempt: (schedule: Schedule) => Effect.Effect<Seen, E, R>,
  choices: ReadonlyArray<number>,
  { limit = defaultLimit, seed = 1 }: Tries
): Effect.fn.Return<number, E, R> {
  let tried = 0
  if (choices.reduce((all, count) => all * count, 1) <= limit) {
    // Another order may lead to other simultaneous events.
    for (let order = nextOrder([], choices); order !== undefined && tried < limit; tried++) {
      const seen: Seen = yield* attempt({ points: [], order })
      order = nextOrder(order, seen.choices)
    }
    return tried
  }
  const random = seeded(`${seed} orders`)
  for (; tried < limit; tried++) {
    const order = choices.map((count) => Math.floor(random.nextDoubleUnsafe() * count))
    yield* attempt({ points: [], order })
  }
  return tried
})

/** The default limit of crashes and orders. */
const defaultLimit = 2_000

const ofItself =
  " So no crash made the difference: the workflow, or what it calls, keeps something in memory, or looks at the clock or the dice of the process."

const failed = (
  when: string,
  problem: string,
  { checkpoints }: Seen,
  schedule: Schedule = nothing
): Effect.Effect<never> => {
  const again = optionOf(schedule)
  return Effect.die(
    new TestFailure({
      message:
        `${when}: ${problem}${problem.endsWith(".") ? "" : "."}` +
        (again === undefined ? "" : ` To see it again: TestEngine.layer([…], { ${again} }).`) +
        ` The checkpoints: ${checkpoints.map((held, index) => `${index + 1} ${held}`).join("; ")}.`
    })
  )
}

/** Returns the option of the layer that repeats a run. */
const optionOf = ({ order, points }: Schedule): string | undefined => {
  if (order.length > 0) return `order: ${JSON.stringify(order)}`
  if (points.length === 0) return undefined
  return `crash: ${JSON.stringify(points.length === 1 ? show(points[0]!) : points.map(show))}`
}

const words: Readonly<Record<Side, string>> = {
  before: "Killed before",
  after: "Killed after",
  lost: "Without the answer to",
  twice: "Delivered twice at"
}

const placeOf = ({ order, points }: Schedule, { checkpoints }: Seen): string => {
  if (order.length > 0) return "In another order of what is due at the same time"
  return points
    .map(
      ({ at, side }) => `${words[side]} checkpoint ${at} (${checkpoints[Number(at) - 1] ?? "of a later invocation"})`
    )
    .join(", then ")
}

// --- The schedules -------------------------------------------------------------------------------------------------------

const schedulesFor = (
  checkpoints: number,
  { limit = defaultLimit, pairs = 0, seed = 1 }: Tries
): ReadonlyArray<ReadonlyArray<Point>> => {
  const random = seeded(String(seed))
  const draw = (): number => random.nextDoubleUnsafe()
  const all = Array.from({ length: checkpoints }, (_, index) => sides.map((side) => ({ side, at: index + 1 }))).flat()
  const singles = all.length <= limit ? all : drawn(all, limit, draw)
  const pair = (): ReadonlyArray<Point> => {
    const first = all[Math.floor(draw() * all.length)]!
    // A crash leads to more checkpoints.
    const at = first.at + 1 + Math.floor(draw() * Math.max(1, checkpoints - first.at + 2))
    return [first, { side: sides[Math.floor(draw() * sides.length)]!, at }]
  }
  return [...singles.map((point) => [point]), ...Array.from({ length: all.length === 0 ? 0 : pairs }, pair)]
}

/** Draws a number of items, and keeps their order. */
const drawn = <A>(all: ReadonlyArray<A>, count: number, draw: () => number): ReadonlyArray<A> => {
  let wanted = count
  return all.filter((_, index) => {
    const isTaken = draw() * (all.length - index) < wanted
    if (isTaken) wanted--
    return isTaken
  })
}

// --- The comparison ------------------------------------------------------------------------------------------------------

const problemOf = (seen: Seen, clean: Seen, { mayRepeat }: Tries): string | undefined => {
  const [wrong] = seen.wrong
  if (seen.outcome !== clean.outcome)
    return `expected that the execution ${clean.outcome}, found that it ${seen.outcome}`
  if (wrong !== undefined) return wrong
  const repeated = mayRepeat === undefined ? undefined : repeatedIn(seen, clean, mayRepeat)
  return repeated ?? differenceBetween(numbered(linesOf(clean, seen)), numbered(linesOf(seen, clean)))
}

const repeatedIn = (seen: Seen, clean: Seen, mayRepeat: ReadonlyArray<string>): string | undefined => {
  for (const [path, count] of seen.bodies) {
    const expected = clean.bodies.get(path) ?? 0
    if (count <= expected || mayRepeat.includes(path) || mayRepeat.includes(path.split("/").at(-1)!)) continue
    return `the body of the step "${path}" began ${count} times, and ${expected} without a crash. If that does no harm, add it to mayRepeat; otherwise give what it calls the idempotencyKey of Durable.StepContext, or the step semantics: "at-most-once"`
  }
  return undefined
}

const differenceBetween = (expected: ReadonlyArray<string>, found: ReadonlyArray<string>): string | undefined => {
  const missing = expected.find((line) => !found.includes(line))
  const added = found.find((line) => !expected.includes(line))
  if (missing === undefined && added === undefined) return undefined
  return `expected ${missing === undefined ? `no ${added}` : missing}, found ${missing === undefined ? "it" : (added ?? "none")}`
}

/** Numbers equal lines from the second on, so that another number of them is a difference. */
const numbered = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  return lines.map((line) => {
    const count = (counts.get(line) ?? 0) + 1
    counts.set(line, count)
    return count === 1 ? line : `${line}, number ${count}`
  })
}

/** Returns a line for every awaited operation, with its path and outcome. */
const linesOf = (seen: Seen, other: Seen): ReadonlyArray<string> =>
  seen.executions.flatMap(({ functionName, operations }, index) => {
    const elsewhere = other.executions[index]?.operations ?? []
    const letGo = new Set([...letGoIn(operations), ...letGoIn(elsewhere)])
    const byId = new Map(operations.map((operation) => [operation.Id, operation]))
    const pathOf = ({ Id, Name, ParentId }: Operation): string => {
      const parent = ParentId === undefined ? undefined : byId.get(ParentId)
      return `${parent === undefined ? "" : `${pathOf(parent)}/`}${Name ?? Id}`
    }
    return operations.flatMap((operation) => {
      const { Id, Status, Type } = operation
      if (letGo.has(Id) || Type === "EXECUTION" || isOurs(operation)) return []
      return [`${Type} "${pathOf(operation)}" of ${functionName} that ${Status}${outcomeOf(operation)}`]
    })
  })

const isOurs = (operation: Operation): boolean => {
  const mark = readMark(operation)
  return (mark !== undefined && mark.kind !== "patch") || readPause(operation) !== undefined
}

/**
 * Returns the open operations; the waits that a limit or a race has left behind, which may end before the execution or not;
 * and the steps that a crash has ended, because they may not run twice.
 */
const letGoIn = (operations: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const ends = new Map(operations.map(({ EndTimestamp, Id }) => [Id, EndTimestamp]))
  return operations
    .filter((operation) => {
      const { EndTimestamp = 0, Name = "", ParentId = "", StepDetails, Type } = operation
      const outlives = EndTimestamp > (ends.get(ParentId) ?? Infinity)
      const isCutOff = StepDetails?.Error?.ErrorType === "StepInterrupted"
      return (
        !isFinal(operation) ||
        isCutOff ||
        (Type === "WAIT" && (Name === "timeout" || Name.startsWith("sleep ") || outlives))
      )
    })
    .map(({ Id }) => Id)
}

const outcomeOf = ({ CallbackDetails, ChainedInvokeDetails, ContextDetails, StepDetails }: Operation): string => {
  const details = StepDetails ?? ContextDetails ?? CallbackDetails ?? ChainedInvokeDetails
  const error = details?.Error
  if (error !== undefined) return ` with ${error.ErrorType ?? "Error"}: ${error.ErrorMessage ?? ""}`
  return details?.Result === undefined ? "" : ` with ${details.Result}`
}
