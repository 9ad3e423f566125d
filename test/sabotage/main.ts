/**
 * `npm run sabotage [-- NAME…] [--seed S] [--json]`
 *
 * Puts each fault of `faults.ts` into a copy of the source, and looks whether a judge finds it. Prints the seed first; for each fault
 * which judge found it, after how many seeds, and what that said; and last `N caught, N missed`. A fault that is not found in under
 * a hundred seeds is missed, and so is one that a single run of the examples shows already. Exits with 1 if one is missed.
 */
import process from "node:process"
import { commandLine, flag, names, seed as seedPart } from "../../scripts/commandLine.ts"
import { Copy } from "./copy.ts"
import { faults, type Fault } from "./faults.ts"
import { judged, single, tested, type Found } from "./try.ts"

/** A judge that has not found a fault by then has missed it. */
const seeds = 99

const { values } = commandLine("sabotage", {
  names: names(faults.map(({ name }) => name)),
  seed: seedPart(1),
  json: flag
})
const { seed } = values

interface Tried {
  readonly name: string
  readonly found: Found | undefined
  /** Why it does not count, although something was found. */
  readonly objection: string | undefined
}

const find = async (copy: Copy, { judges = ["simulate", "second", "undo"], tests = [] }: Fault) => {
  for (const judge of judges) {
    const found = await judged(copy, judge, seed, seeds)
    if (found !== undefined) return found
  }
  return tests.length === 0 ? undefined : tested(copy, tests)
}

const attempt = async (copy: Copy, fault: Fault, sound: string): Promise<Tried> => {
  const undo = copy.change(fault.changes)
  const isSeenAtOnce = (await single(copy)) !== sound
  const found = await find(copy, fault)
  undo()
  return {
    name: fault.name,
    found,
    objection: isSeenAtOnce ? "a single run of the examples shows it, which anybody would notice" : undefined
  }
}

const show = ({ found, name, objection }: Tried, { nearest }: Fault): string => {
  const verdict =
    found === undefined
      ? "MISSED"
      : `${found.judge}${found.seeds === undefined ? "" : ` after ${found.seeds} seed${found.seeds === 1 ? "" : "s"}`}`
  return [
    `${name.padEnd(46)}${verdict.padEnd(26)}${found?.problem ?? ""}`.trimEnd(),
    ...(nearest === undefined ? [] : [`  ${nearest}`]),
    ...(objection === undefined ? [] : [`  MISSED: ${objection}`])
  ].join("\n")
}

console.log(`SEED=${seed}`)
const copy = new Copy()
copy.disposeOnExit()
const sound = await single(copy)
const tried: Array<Tried> = []
for (const fault of faults) {
  if (values.names.length > 0 && !values.names.includes(fault.name)) continue
  const one = await attempt(copy, fault, sound)
  tried.push(one)
  if (!values.json) console.log(show(one, fault))
}
const missed = tried.filter(({ found, objection }) => found === undefined || objection !== undefined).length
if (values.json) console.log(JSON.stringify({ seed, faults: tried }))
console.log(`${tried.length - missed} caught, ${missed} missed`)
process.exit(missed === 0 ? 0 : 1)
