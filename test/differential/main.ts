/**
 * `npm run differential [-- --programs N] [--seed S] [--json]`
 *
 * Runs random programs that are written for AWS's SDK and for ours on the same model of the service, and compares how they end and
 * which operations they leave behind. Prints the seed first; for each program in which something differs what that is, and the line
 * that repeats it; what is left out of the comparison, and why; and last `N equal, N different`. Exits with 1 if anything
 * differs.
 */
import process from "node:process"
import * as fc from "fast-check"
import { commandLine, count, flag, seed } from "../../scripts/commandLine.ts"
import { commonPrograms } from "../simulation/common.ts"
import { differenceOf } from "../simulation/differential.ts"
import { leftOut } from "../simulation/seen.ts"
import { runTheirs } from "../simulation/theirs.ts"

/** AWS's SDK spends most of its time on timers, so several of its programs run side by side. */
const atOnce = 12

const { values } = commandLine("differential", { programs: count(100), seed: seed(), json: flag })
const first = values.seed

console.log(`SEED=${first}`)
const differences: Array<{ readonly seed: number; readonly difference: string; readonly repeat: string }> = []
// Each program has a seed of its own, by which it can be repeated alone.
const seeds = Array.from({ length: values.programs }, (_, number) => (first + number) % 2 ** 31)
for (let from = 0; from < seeds.length; from += atOnce) {
  const programs = seeds
    .slice(from, from + atOnce)
    .flatMap((seed) => fc.sample(commonPrograms, { seed, numRuns: 1 }).map((program) => ({ seed, program })))
  const theirs = await Promise.all(programs.map(({ program }) => runTheirs(program)))
  for (const [index, { program, seed }] of programs.entries()) {
    const difference = await differenceOf(program, theirs[index]!)
    if (difference === undefined) continue
    const found = { seed, difference, repeat: `npm run differential -- --programs 1 --seed ${seed}` }
    differences.push(found)
    if (!values.json) console.log(`\n${JSON.stringify(program)}\n${found.difference}\n  repeat it: ${found.repeat}`)
  }
}
if (values.json) console.log(JSON.stringify({ seed: first, differences, leftOut }))
else {
  console.log("Left out:")
  for (const [what, why] of Object.entries(leftOut)) console.log(`  ${what}: ${why}`)
}
console.log(`${seeds.length - differences.length} equal, ${differences.length} different`)
process.exit(differences.length === 0 ? 0 : 1)
