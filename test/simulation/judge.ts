/**
 * The deterministic simulation of one seed: a random program, run without faults and under random ones.
 *
 * The oracle of a program whose result does not depend on timing is the same program without faults: it ends in the same
 * way, with the same operations and outcomes. Where timing decides, every replay has to see what was seen before it.
 * `invariants.ts` says what holds for every run besides.
 *
 * Left out: a change of the code between two invocations; limits of the service; stores that lie.
 */
import { draw } from "./draw.ts"
import { assertFailures, assertSame, assertSound, wasInterrupted } from "./invariants.ts"
import { dice } from "./kit/dice.ts"
import { showTree, shrink } from "./kit/tree.ts"
import { grammar, type Program } from "./program.ts"
import { calmer, drawSchedule, noFaults, showSchedule, type Schedule } from "./schedule.ts"
import { simulate, type Observed, type Options } from "./simulate.ts"

/** A program and a schedule under which something is wrong with it. */
interface Wrong {
  readonly program: Program
  readonly schedule: Schedule
  readonly problem: string
}

/** What is wrong, and the smallest program that shows it. */
export interface Violation {
  readonly seed: number
  readonly problem: string
  /** Undefined if it was not looked for, or could not be made smaller, because the run never ended. */
  readonly smallest: { readonly program: string; readonly schedule: string; readonly problem: string } | undefined
  readonly repeat: string
}

export interface Verdict {
  readonly executions: number
  readonly injected: number
  readonly requests: number
  readonly violation?: Violation
}

/** How many smaller programs are tried for one in which something is wrong. */
const patience = 250

export interface JudgeOptions extends Options {
  /** Whether the smallest program is looked for that shows what is wrong. Default: true. */
  readonly isSmallest?: boolean
}

/** Judges the program of a seed. `moved` hears of every run. */
export const judge = async (
  seed: number,
  options: JudgeOptions = {},
  moved: () => void = () => {}
): Promise<Verdict> => {
  const numbers = dice(seed)
  const program = draw(numbers)
  const schedules = Array.from({ length: numbers.from(3, 5) }, () => drawSchedule(numbers, program))
  const total = { executions: 0, injected: 0, requests: 0 }

  const run = async (program: Program, schedule: Schedule, oracle?: Observed): Promise<Observed | Wrong> => {
    moved()
    const seen = await simulate(program, schedule, options)
    total.executions++
    total.injected += seen.injected
    total.requests += seen.requests
    try {
      assertSound(seen, program)
      assertFailures(seen, schedule)
      if (oracle !== undefined && program.isSteady && !wasInterrupted(seen)) {
        assertSame(seen, oracle, schedule, program)
      }
    } catch (error) {
      return { program, schedule, problem: problemOf(error) }
    }
    return seen
  }

  const firstWrong = async (program: Program, schedules: ReadonlyArray<Schedule>): Promise<Wrong | undefined> => {
    const oracle = await run(program, noFaults)
    if ("problem" in oracle) return oracle
    for (const schedule of schedules) {
      const seen = await run(program, schedule, oracle)
      if ("problem" in seen) return seen
    }
    return undefined
  }

  const wrong = await firstWrong(program, schedules)
  if (wrong === undefined) return total
  const counted = { ...total }
  const repeat = `npm run simulate -- --seeds 1 --seed ${seed}`
  if (options.isSmallest === false)
    return { ...counted, violation: { seed, problem: wrong.problem, smallest: undefined, repeat } }
  const alike = async (program: Program, schedule: Schedule): Promise<Wrong | undefined> => {
    const again = await firstWrong(program, [schedule])
    return again !== undefined && kindOf(again) === kindOf(wrong) ? again : undefined
  }
  const smallest = await calmed(await smaller(wrong, alike), alike)
  return {
    ...counted,
    violation: {
      seed,
      problem: wrong.problem,
      smallest: {
        program: showTree(smallest.program.root, grammar, "  "),
        schedule: showSchedule(smallest.schedule),
        problem: smallest.problem
      },
      repeat
    }
  }
}

type Look = (program: Program, schedule: Schedule) => Promise<Wrong | undefined>

/** Leaves out what makes no difference to what is wrong: of the program first, then of the schedule, then of both. */
const smaller = async (wrong: Wrong, look: Look): Promise<Wrong> => {
  const calm = await calmed(wrong, look)
  const { found } = await shrink(
    calm.program.root,
    calm,
    grammar,
    (root) => look({ ...calm.program, root }, calm.schedule),
    patience
  )
  return found
}

const calmed = async (wrong: Wrong, look: Look): Promise<Wrong> => {
  for (const schedule of calmer(wrong.schedule)) {
    const again = await look(wrong.program, schedule)
    if (again !== undefined) return calmed(again, look)
  }
  return wrong
}

const problemOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { actual, expected } = Object(error)
  const shown = (value: unknown): string =>
    JSON.stringify(value instanceof Map ? [...value] : value, undefined, 1) ?? ""
  return actual === undefined || typeof actual === "boolean"
    ? error.message.slice(0, 1_000)
    : `${error.message.slice(0, 400)}\n    found ${cut(shown(actual))}\n    for   ${cut(shown(expected))}`
}

const cut = (text: string): string => (text.length > 1_500 ? `${text.slice(0, 1_500)}…` : text)

/** What is wrong, without the details. */
const kindOf = ({ problem }: Wrong): string => problem.slice(0, 60).replaceAll(/\d+/g, "#").split(/["{[]/)[0] ?? ""

/** A violation for a person. */
export const showViolation = ({ problem, repeat, seed, smallest }: Violation): string =>
  [
    "",
    `seed ${seed}`,
    ...(smallest === undefined
      ? [`  WRONG: ${problem}`]
      : [smallest.program, `  ${smallest.schedule}`, `  WRONG: ${smallest.problem}`]),
    `  repeat it: ${repeat}`
  ].join("\n")
