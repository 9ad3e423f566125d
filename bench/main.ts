/**
 * Compares the package with AWS's SDK: `npm run bench -- [NAME…] [--rounds N] [--package DIR] [--committed [--update]]
 * [--page] [--json]`.
 *
 * A NAME is a kind of benchmark, or one case of it, such as `steps/100`; without one, everything is measured. It
 * measures the built package through its public exports: that of this repository, which is built first if necessary, or
 * the one in DIR.
 *
 * Both sides run the same workflows on the same fake service. The event brings the client of that service, as under
 * AWS's test runner. Only `cold` and `client` call a service over HTTP. Every sample comes from a process of its own,
 * and the two sides take turns, `--rounds` times (default 5). CPU is what the process used in user and system mode,
 * garbage collection and compilation included: *cold* for the first execution of a process, after its imports and
 * without their garbage, *warm* for the median of later ones. Numbers are medians over the rounds. On a busy machine
 * trust the ratios, and no wall-clock time. A full run takes about a quarter of an hour.
 *
 * Each measure ends with a line `NAME aws/ours RATIO`, where more than 1 means that ours needs less, or `NAME ours
 * NUMBER` where nothing is compared. The summary at the end lists the losses first, and its last line is `N measures, N
 * losses`. With `--json` the line before that is the whole report, and nothing else is printed. The exit code is 1 when
 * something failed, such as a wrong result or an unexpected number of operations.
 *
 * With `--committed` it measures the cases in `committed.json`, by default once and with few runs, and prints the new
 * numbers beside the recorded ones. A count that has grown, such as requests, bytes or heap, is then a failure; a time
 * never is. `--update` rewrites the file.
 *
 * `--page` writes the tables of `docs/benchmarks.md` from this run.
 *
 * A new kind is a file in `kinds/` and a line in `benchmarks` below. `worker/` holds the code that runs in the
 * processes.
 */
import { cpus, loadavg } from "node:os"
import process from "node:process"
import { commandLine, count, flag, names, text } from "../scripts/commandLine.ts"
import type { Benchmark, Finding } from "./benchmark.ts"
import { builtPackage, versionsIn } from "./built.ts"
import { committedNames, compared, write } from "./committed.ts"
import { client } from "./kinds/client.ts"
import { cold } from "./kinds/cold.ts"
import { empty } from "./kinds/empty.ts"
import { heap } from "./kinds/heap.ts"
import { map } from "./kinds/map.ts"
import { parallel } from "./kinds/parallel.ts"
import { payload } from "./kinds/payload.ts"
import { primitives } from "./kinds/primitives.ts"
import { replay } from "./kinds/replay.ts"
import { size } from "./kinds/size.ts"
import { steps } from "./kinds/steps.ts"
import { suspend } from "./kinds/suspend.ts"
import { testing } from "./kinds/testing.ts"
import { types } from "./kinds/types.ts"
import { writePage } from "./page.ts"
import { jsonOf, lastLineOf, linesOf, summaryOf } from "./report.ts"

const benchmarks: Readonly<Record<string, Benchmark>> = {
  steps,
  replay,
  suspend,
  empty,
  parallel,
  map,
  payload,
  primitives,
  heap,
  size,
  cold,
  client,
  testing,
  types
}

const main = async (): Promise<number> => {
  const { committed, json, page, update } = values
  const { asked, folder, rounds } = understood()
  const packageFolder = builtPackage(folder)
  const machine = machineLine(packageFolder)
  const tell = (line: string) => (json ? undefined : console.log(line))
  tell(`${machine}; rounds: ${rounds}`)

  const wants = (name: string) => asked.length === 0 || asked.some((part) => `${name}/`.startsWith(`${part}/`))
  const findings: Array<Finding> = []
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (asked.length > 0 && !asked.some((part) => `${part}/`.startsWith(`${name}/`))) continue
    tell("")
    for await (const finding of benchmark({ package: packageFolder, rounds, isBrief: committed, wants })) {
      findings.push(finding)
      if (!committed) for (const line of linesOf(finding)) tell(line)
    }
  }
  if (findings.length === 0) refuse(`There is no benchmark "${asked.join(" ")}".`)

  if (update) write(findings)
  if (page) writePage(findings, `${machine}; rounds: ${rounds}`)
  const { grown, lines } = committed ? compared(findings) : { grown: [], lines: summaryOf(findings) }
  if (json) console.log(JSON.stringify({ machine, rounds, ...jsonOf(findings), ...(committed && { grown }) }))
  for (const line of [...lines, ...grown]) tell(line)
  console.log(lastLineOf(findings))
  return grown.length > 0 || findings.some(({ kind }) => kind === "failed") ? 1 : 0
}

const { refuse, values } = commandLine("bench", {
  names: names(Object.keys(benchmarks), (name) => Object.hasOwn(benchmarks, name.replace(/\/.*/, ""))),
  rounds: count(undefined),
  package: text("DIR"),
  committed: flag,
  update: flag,
  page: flag,
  json: flag
})

const understood = () => {
  const { committed, names, rounds = committed ? 1 : 5, update } = values
  if (committed && names.length > 0) refuse("--committed says itself what is measured.")
  if (update && !committed) refuse("--update belongs to --committed.")
  return { asked: committed ? committedNames : names, folder: values.package, rounds }
}

const machineLine = (folder: string): string => {
  const processors = cpus()
  return [
    versionsIn(folder),
    `Node ${process.version}`,
    `${process.platform} ${process.arch}`,
    `${processors.length} × ${processors[0]?.model ?? "an unknown processor"}`,
    `load ${loadavg()[0]?.toFixed(1)}`
  ].join(", ")
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
