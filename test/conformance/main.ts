/**
 * Judges this library by a folder of requirements.
 *
 * `npm run conformance -- --requirements DIR [--backend memory|aws-local|local] [--suite S] [--id I] [--handlers own|aws]
 * [--raw] [--seed S] [--json]`
 *
 * Prints the seed, a table for each suite with a column for each backend and what is wrong, and last
 * `N passed, N failed, N not implemented`: a requirement passes when it does on every backend. Without `--backend` these are
 * all. Exits with 1 when a requirement fails that is not optional, or there is a verdict on none. `--handlers aws` judges handlers that AWS's SDK has made
 * in place of ours, and with them the backends. `--raw` leaves out the corrections of what AWS's test runner does not tell.
 */
import process from "node:process"
import { commandLine, flag, oneOf, required, seed as seedPart, texts } from "../../scripts/commandLine.ts"
import type { Backend } from "./backend.ts"
import { runAll, type Pack, type Verdict } from "./driver.ts"
import { memory } from "./memory.ts"
import * as ownPack from "./pack.ts"
import { watchProcess, type Watch } from "./process.ts"
import { readRequirements, type Requirement } from "./requirement.ts"

const { refuse, values: options } = commandLine("conformance", {
  requirements: required("DIR"),
  backend: texts("memory|aws-local|local"),
  suite: texts("SUITE"),
  id: texts("ID"),
  handlers: oneOf("own", "aws"),
  raw: flag,
  seed: seedPart(),
  json: flag
})

// AWS's packages take a while to load, so that only those who need them wait.
const backends: Readonly<Record<string, (watch: Watch) => Promise<Backend>>> = {
  memory: async (watch) => memory(watch),
  "aws-local": async (watch) => (await import("./awsLocal.ts")).awsLocal(watch, { raw: options.raw }),
  local: async (watch) => (await import("./local.ts")).local(watch, { handlers: options.handlers })
}

/** A requirement with its verdict on each backend. */
interface Judged {
  readonly id: string
  readonly suite: string
  readonly status: Verdict["status"]
  readonly optional: boolean
  /** Why there is no verdict. */
  readonly reason?: string
  readonly on: Readonly<Record<string, Pick<Verdict, "status" | "problems" | "milliseconds">>>
}

const main = async (): Promise<number> => {
  const names = options.backend ?? Object.keys(backends)
  const unknown = names.find((name) => !Object.hasOwn(backends, name))
  if (unknown !== undefined) return refuse(`There is no backend "${unknown}".`)
  if (options.raw && names.some((name) => name !== "aws-local")) return refuse("--raw belongs to --backend aws-local.")
  const requirements = readRequirements(options.requirements).filter(
    ({ id, suite }) => (options.suite?.includes(suite) ?? true) && (options.id?.includes(id) ?? true)
  )
  if (requirements.length === 0) return refuse(`There are no such requirements in ${options.requirements}.`)
  const { seed } = options
  console.log(`SEED=${seed}`)
  const judged = await judgeAll(requirements, names, seed)

  for (const suite of new Set(judged.map((one) => one.suite))) {
    showSuite(
      suite,
      judged.filter((one) => one.suite === suite),
      names
    )
  }
  const count = (status: Verdict["status"]): number => judged.filter((one) => one.status === status).length
  const summary = { seed, backends: names, passed: count("passed"), failed: count("failed") }
  if (options.json) {
    console.log(JSON.stringify({ ...summary, notImplemented: count("not implemented"), requirements: judged }))
  }
  console.log(`${summary.passed} passed, ${summary.failed} failed, ${count("not implemented")} not implemented`)
  const isSound = judged.every(({ optional, status }) => status !== "failed" || optional)
  return isSound && summary.passed + summary.failed > 0 ? 0 : 1
}

/** One backend after the other: each has the machine for itself. */
const judgeAll = async (
  requirements: ReadonlyArray<Requirement>,
  names: ReadonlyArray<string>,
  seed: number
): Promise<ReadonlyArray<Judged>> => {
  const pack: Pack = options.handlers === "aws" ? await import("./awsPack.ts") : ownPack
  const columns: Array<readonly [string, ReadonlyArray<Verdict>]> = []
  const watch = watchProcess()
  try {
    for (const name of names) {
      const backend = await backends[name]?.(watch)
      if (backend === undefined) continue
      columns.push([name, await runAll(requirements, pack, backend, watch, seed).finally(() => backend.close())])
    }
  } finally {
    watch.stop()
  }
  return requirements.map(({ id, optional = false, suite }, row) => {
    const cells = columns.flatMap(([name, verdicts]) => {
      const verdict = verdicts[row]
      return verdict === undefined ? [] : [[name, verdict] as const]
    })
    const status = worst(cells.map(([, verdict]) => verdict.status))
    return {
      id,
      suite,
      status,
      optional,
      ...(status === "not implemented" ? { reason: reasons[id] ?? "there is no handler" } : undefined),
      on: Object.fromEntries(
        cells.map(([name, { milliseconds, problems, status }]) => [name, { status, problems, milliseconds }])
      )
    }
  })
}

const worst = (statuses: ReadonlyArray<Verdict["status"]>): Verdict["status"] =>
  (["failed", "not implemented"] as const).find((status) => statuses.includes(status)) ?? "passed"

const reasons: Readonly<Record<string, string>> = options.handlers === "aws" ? {} : ownPack.notImplemented

const showSuite = (suite: string, judged: ReadonlyArray<Judged>, names: ReadonlyArray<string>): void => {
  console.log(`\n${suite.padEnd(20)} ${names.map((name) => name.padEnd(20)).join(" ")}`.trimEnd())
  for (const { id, on, optional, reason } of judged) {
    const cells = names.map((name) => (on[name] === undefined ? "" : shown(on[name])).padEnd(20))
    const line = reason === undefined ? cells.join(" ") : `not implemented: ${reason}`
    console.log(`  ${id.padEnd(18)} ${line}${optional ? " optional" : ""}`.trimEnd())
    for (const [name, { problems }] of Object.entries(on)) {
      for (const problem of problems) console.log(`    ${name}: ${problem}`)
    }
  }
}

const shown = ({ milliseconds, status }: Judged["on"][string]): string =>
  status === "not implemented" ? status : `${status.padEnd(7)} ${String(milliseconds).padStart(6)} ms`

// Executions that were let go of may still have timers.
process.exit(await main())
