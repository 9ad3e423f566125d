/**
 * Judges this library by a folder of requirements.
 *
 * `npm run conformance -- --requirements DIR [--backend memory|aws-local] [--suite S] [--id I] [--handlers own|aws]
 * [--raw] [--json]`
 *
 * Prints the seed (`SEED=… ` repeats it), a table for each suite and what is wrong, and last `N passed, N failed, N not
 * implemented`. Exits with 1 when a requirement fails that is not optional. `--handlers aws` judges
 * handlers that AWS's SDK has made in place of ours, and with them the backend. `--raw` leaves out the corrections of what
 * AWS's test runner does not tell.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import type { Backend } from "./backend.ts"
import { runAll, type Pack, type Verdict } from "./driver.ts"
import { memory } from "./memory.ts"
import * as ownPack from "./pack.ts"
import { watchProcess, type Watch } from "./process.ts"
import { readRequirements } from "./requirement.ts"

const { values: options } = parseArgs({
  options: {
    requirements: { type: "string" },
    backend: { type: "string", default: "memory" },
    suite: { type: "string", multiple: true },
    id: { type: "string", multiple: true },
    handlers: { type: "string", default: "own" },
    raw: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const main = async (): Promise<number> => {
  const isUnderstood =
    ["memory", "aws-local"].includes(options.backend) &&
    ["own", "aws"].includes(options.handlers) &&
    !(options.raw && options.backend === "memory")
  if (options.requirements === undefined || !isUnderstood) {
    console.log(
      "usage: npm run conformance -- --requirements DIR [--backend memory|aws-local [--raw]] [--suite S] [--id I] [--handlers own|aws] [--json]"
    )
    return 2
  }
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
  const requirements = readRequirements(options.requirements).filter(
    ({ id, suite }) => (options.suite?.includes(suite) ?? true) && (options.id?.includes(id) ?? true)
  )
  if (requirements.length === 0) {
    console.log(`There are no such requirements in ${options.requirements}.`)
    return 2
  }
  const watch = watchProcess()
  const verdicts = await judged(requirements, watch, seed).finally(() => watch.stop())

  console.log(`SEED=${seed}`)
  for (const suite of new Set(verdicts.map((verdict) => verdict.suite))) showSuite(suite, verdicts)
  const count = (status: Verdict["status"]): number => verdicts.filter((verdict) => verdict.status === status).length
  const summary = { seed, backend: options.backend, passed: count("passed"), failed: count("failed") }
  if (options.json) console.log(JSON.stringify({ ...summary, notImplemented: count("not implemented"), verdicts }))
  console.log(`${summary.passed} passed, ${summary.failed} failed, ${count("not implemented")} not implemented`)
  return verdicts.some(({ optional, status }) => status === "failed" && !optional) ? 1 : 0
}

const judged = async (
  requirements: ReturnType<typeof readRequirements>,
  watch: Watch,
  seed: number
): Promise<ReadonlyArray<Verdict>> => {
  const backend = await backendOf(watch)
  return runAll(requirements, await packOf(), backend, watch, seed).finally(() => backend.close())
}

// AWS's packages take a while to load, so that only those who need them wait.
const backendOf = async (watch: Watch): Promise<Backend> => {
  if (options.backend === "memory") return memory(watch)
  const { awsLocal } = await import("./awsLocal.ts")
  return awsLocal(watch, { raw: options.raw })
}

const packOf = async (): Promise<Pack> => (options.handlers === "aws" ? import("./awsPack.ts") : ownPack)

const showSuite = (suite: string, verdicts: ReadonlyArray<Verdict>): void => {
  console.log(`\n${suite} on ${options.backend}`)
  for (const { id, milliseconds, optional, problems, status } of verdicts.filter((one) => one.suite === suite)) {
    const reason = status === "not implemented" ? (reasons[id] ?? "there is no handler") : `${milliseconds} ms`
    console.log(`  ${id.padEnd(6)} ${status.padEnd(16)} ${reason}${optional ? ", optional" : ""}`)
    for (const problem of problems) console.log(`         ${problem}`)
  }
}

const reasons: Readonly<Record<string, string>> = options.handlers === "aws" ? {} : ownPack.notImplemented

// Executions that were let go of may still have timers.
process.exit(await main())
