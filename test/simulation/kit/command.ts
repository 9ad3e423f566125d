/**
 * The command line of a generator of programs: `--programs N [--seed S] [--kill SCHEDULE] [--verbose] [--json]`. With
 * `--verbose` the seed of each program is printed before it runs, to find one that never comes to an end.
 */
import process from "node:process"
import { commandLine, count, flag, parsed, seed as seedPart } from "../../../scripts/commandLine.ts"
import { judge, showFailure, type Failure, type Fuzzer, type Ran } from "./campaign.ts"
import { parseSchedule } from "./kill.ts"
import type { Tree } from "./tree.ts"

export interface Report<Kind extends string> {
  readonly seed: number
  readonly programs: number
  readonly runs: number
  readonly failures: ReadonlyArray<Failure<Kind>>
}

/** Does what the command line says, and ends the process: with 1 if something was wrong, and 2 if it makes no sense. */
export const main = async <P extends { readonly root: N }, N extends Tree<N>, R extends Ran<Kind>, Kind extends string>(
  fuzzer: Fuzzer<P, N, R, Kind>,
  summary: (report: Report<Kind>) => string
): Promise<never> => {
  const { values } = commandLine(fuzzer.script, {
    programs: count(100),
    seed: seedPart(),
    kill: parsed("never|before:3,lost:5", parseSchedule),
    verbose: flag,
    json: flag
  })
  const { programs, seed } = values
  console.log(`SEED=${seed}`)
  const failures: Array<Failure<Kind>> = []
  let runs = 0
  // Each program has a seed of its own, by which it can be repeated alone.
  for (let number = 0; number < programs; number++) {
    const own = (seed + number) % 2 ** 32
    if (values.verbose) console.log(`program ${own}`)
    const verdict = await judge(fuzzer, own, { only: values.kill })
    runs += verdict.runs
    if (verdict.failure === undefined) continue
    failures.push(verdict.failure)
    if (!values.json) console.log(showFailure(verdict.failure))
  }
  const report = { seed, programs, runs, failures }
  const kinds = countKinds(failures)
  if (values.json) console.log(JSON.stringify({ ...report, kinds }))
  else if (failures.length > 0) console.log(`\nwrong: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")}`)
  console.log(summary(report))
  // What a stuck program has left behind must not keep the process alive.
  process.exit(failures.length === 0 ? 0 : 1)
}

/** How many programs there are in which something of a kind is wrong. */
const countKinds = (
  failures: ReadonlyArray<Failure<string>>
): ReadonlyArray<readonly [kind: string, programs: number]> => {
  const kinds = failures.flatMap((failure) => failure.kinds)
  return [...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length] as const)
}
