/**
 * Many programs, one after the other: each runs undisturbed and then killed, and one in which something is wrong is made
 * smaller and shown with the line that repeats it.
 */
import { dice, type Dice } from "./dice.ts"
import { everywhere, never, showSchedule, type Schedule } from "./kill.ts"
import { showTree, shrink, type Grammar, type Tree } from "./tree.ts"

/** What is wrong with a run: of which kind, and a sentence. */
export interface Problem<Kind extends string> {
  readonly kind: Kind
  readonly text: string
}

export interface Ran<Kind extends string> {
  readonly requests: number
  readonly problems: ReadonlyArray<Problem<Kind>>
}

/** How programs are drawn, run and judged. */
export interface Fuzzer<P extends { readonly root: N }, N extends Tree<N>, R extends Ran<Kind>, Kind extends string> {
  /** The script of npm. */
  readonly script: string
  readonly draw: (dice: Dice) => P
  /** What there is to know of a program besides its tree. */
  readonly title: (program: P) => string
  readonly grammar: Grammar<N>
  /** Runs a program, and compares with how it ran undisturbed. */
  readonly run: (program: P, schedule: Schedule, undisturbed?: R) => Promise<R>
  readonly schedules: (dice: Dice, requests: number) => ReadonlyArray<Schedule>
}

/** A program in which something is wrong, as small as it could be made. */
export interface Failure<Kind extends string> {
  readonly seed: number
  readonly kinds: ReadonlyArray<Kind>
  readonly kill: string
  readonly problems: ReadonlyArray<string>
  readonly smallest: { readonly program: string; readonly kill: string; readonly problems: ReadonlyArray<string> }
  readonly repeat: string
}

export interface Verdict<Kind extends string> {
  readonly runs: number
  readonly failure?: Failure<Kind>
}

export interface JudgeOptions {
  /** How the program is killed. Default: as it is drawn. */
  readonly only?: Schedule | undefined
  /** How many smaller programs are tried for one in which something is wrong. Default: 150. */
  readonly patience?: number
}

/** Judges the program of a seed, killed as told or else as it is drawn. */
export const judge = async <
  P extends { readonly root: N },
  N extends Tree<N>,
  R extends Ran<Kind>,
  Kind extends string
>(
  fuzzer: Fuzzer<P, N, R, Kind>,
  seed: number,
  { only, patience = 150 }: JudgeOptions = {}
): Promise<Verdict<Kind>> => {
  const numbers = dice(seed)
  const program = fuzzer.draw(numbers)
  let runs = 0
  const run = (program: P, schedule: Schedule, undisturbed?: R): Promise<R> => {
    runs++
    return fuzzer.run(program, schedule, undisturbed)
  }

  /** The first of the schedules under which something is wrong that matters. */
  const firstWrong = async (
    program: P,
    schedulesOf: (requests: number) => ReadonlyArray<Schedule>,
    matters: (problem: Problem<Kind>) => boolean
  ): Promise<Wrong<Kind> | undefined> => {
    const undisturbed = await run(program, never)
    if (undisturbed.problems.some(matters)) return { schedule: never, problems: undisturbed.problems }
    for (const schedule of schedulesOf(undisturbed.requests)) {
      const { problems } = await run(program, schedule, undisturbed)
      if (problems.some(matters)) return { schedule, problems }
    }
    return undefined
  }

  const wrong = await firstWrong(
    program,
    (requests) => (only === undefined ? fuzzer.schedules(numbers, requests) : only.length === 0 ? [] : [only]),
    () => true
  )
  if (wrong === undefined) return { runs }

  const kinds = new Set(wrong.problems.map(({ kind }) => kind))
  const sides = [...new Set(wrong.schedule.map(({ side }) => side))]
  const smallest = await shrink(
    program.root,
    wrong,
    fuzzer.grammar,
    (root) =>
      firstWrong(
        { ...program, root },
        (requests) => (sides.length === 0 ? [] : [wrong.schedule, ...everywhere(requests, sides).slice(0, 60)]),
        ({ kind }) => kinds.has(kind)
      ),
    patience
  )
  const kill = showSchedule(wrong.schedule)
  return {
    runs,
    failure: {
      seed,
      kinds: [...kinds],
      kill,
      problems: textsOf(wrong.problems),
      smallest: {
        program: `${fuzzer.title(program)}\n${showTree(smallest.tree, fuzzer.grammar, "  ")}`,
        kill: showSchedule(smallest.found.schedule),
        problems: textsOf(smallest.found.problems)
      },
      repeat: `npm run ${fuzzer.script} -- --programs 1 --seed ${seed} --kill ${kill}`
    }
  }
}

interface Wrong<Kind extends string> {
  readonly schedule: Schedule
  readonly problems: ReadonlyArray<Problem<Kind>>
}

const textsOf = (problems: ReadonlyArray<Problem<string>>): ReadonlyArray<string> => [
  ...new Set(problems.map(({ text }) => text))
]

/** A failure for a person. */
export const showFailure = ({ repeat, smallest }: Failure<string>): string =>
  [
    "",
    smallest.program,
    `  killed ${smallest.kill}`,
    ...smallest.problems.map((problem) => `  WRONG: ${problem}`),
    `  repeat the whole: ${repeat}`
  ].join("\n")
