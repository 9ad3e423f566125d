/**
 * `npm run mutate [-- --mutants N] [--seed S] [--file src/execution/Doors.ts] [--json]`
 *
 * Draws small changes of the runtime and of the engine, puts each into a copy of the source, and looks whether anybody notices: the
 * tests that concern its file, the nearest first, and then a few random programs. Prints the seed first; for each mutant what was
 * changed and who noticed; and last `N killed, N survived`. A survivor is a test that is missing, or code that makes no
 * difference: look which. Exits with 1 if there is one, and with 2 if the command makes no sense.
 */
import { existsSync, globSync } from "node:fs"
import { basename, join } from "node:path"
import process from "node:process"
import { commandLine, count, flag, parsed, seed as seedPart } from "../../scripts/commandLine.ts"
import { Copy } from "../sabotage/copy.ts"
import { judged, tested, type Found } from "../sabotage/try.ts"
import { dice } from "../simulation/kit/dice.ts"
import { mutantsOf, type Mutant } from "./mutants.ts"

/** The tests of a part of the source, besides those of the file itself. */
const tests: Readonly<Record<string, ReadonlyArray<string>>> = {
  execution: ["test/execution", "test/runtime", "test/determinism"],
  operations: ["test/operations", "test/invoke", "test/runtime"],
  invocation: ["test/invocation", "test/runtime", "test/invoke", "test/telemetry"],
  values: ["test/values", "test/invoke", "test/operations"],
  engine: ["test/engine", "test/testing"]
}

/** How many random programs are asked in the end. */
const seeds = { simulate: 12, undo: 6, second: 6 } as const

const isPart = (file: string): boolean => tests[file.split("/")[1] ?? ""] !== undefined && existsSync(file)
const { refuse, values } = commandLine("mutate", {
  mutants: count(10),
  seed: seedPart(),
  file: parsed(`src/{${Object.keys(tests).join(",")}}/FILE.ts`, (file) => (isPart(file) ? file : undefined)),
  json: flag
})
const { seed } = values

/** So many mutants, no two alike, each file as likely as its size. */
const drawn = (copy: Copy): ReadonlyArray<Mutant> => {
  const files = Object.keys(tests)
    .flatMap((part) => globSync(`src/${part}/**/*.ts`, { cwd: copy.folder }))
    .filter((file) => values.file === undefined || file === values.file)
    .toSorted()
  const left = files.flatMap((file) => mutantsOf(file, copy.read(file)))
  const { below } = dice(seed)
  return Array.from({ length: Math.min(values.mutants, left.length) }, () => left.splice(below(left.length), 1)).flat()
}

/** Who notices first: the tests of the file, those of its folder, or a random program. */
const find = async (copy: Copy, { file }: Mutant): Promise<Found | undefined> => {
  const [, part = ""] = file.split("/")
  const own = `test/${part}/${basename(file, ".ts")}.test.ts`
  const nearest = existsSync(join(copy.folder, own)) ? await tested(copy, [own]) : undefined
  if (nearest !== undefined) return nearest
  const quick = await judged(copy, "simulate", seed, seeds.simulate)
  if (quick !== undefined) return quick
  const found = await tested(copy, ["--project", "quick", ...(tests[part] ?? [])])
  if (found !== undefined || part === "engine") return found
  return (await judged(copy, "undo", seed, seeds.undo)) ?? (await judged(copy, "second", seed, seeds.second))
}

console.log(`SEED=${seed}`)
const copy = new Copy()
copy.disposeOnExit()
const results: Array<Omit<Mutant, "change"> & { readonly found: Found | undefined }> = []
const mutants = drawn(copy)
if (mutants.length === 0) refuse(`There is nothing to change in ${values.file}.`)
for (const mutant of mutants) {
  const undo = copy.change([mutant.change])
  const found = await find(copy, mutant)
  undo()
  const { file, line, what } = mutant
  results.push({ file, line, what, found })
  if (!values.json)
    console.log(
      `${found === undefined ? "SURVIVED" : "killed  "} ${file}:${line} ${what}${found === undefined ? "" : `  ← ${found.judge}: ${found.problem.slice(0, 80)}`}`
    )
}
const survivors = results.filter(({ found }) => found === undefined)
if (values.json) console.log(JSON.stringify({ seed, results }))
else if (survivors.length > 0) {
  console.log(`\nNobody noticed:`)
  for (const { file, line, what } of survivors) console.log(`  ${file}:${line} ${what}`)
}
console.log(`${results.length - survivors.length} killed, ${survivors.length} survived`)
process.exit(survivors.length === 0 ? 0 : 1)
