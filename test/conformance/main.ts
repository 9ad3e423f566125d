/**
 * Judges this library by a folder of requirements.
 *
 * `npm run conformance -- --requirements DIR [--backend memory|aws-local|local] [--suite S] [--id I] [--handlers own|aws]
 * [--raw] [--json]`
 *
 * Prints the seed (`SEED=… ` repeats it), a table for each suite with a column for each backend and what is wrong, and last
 * `N passed, N failed, N not implemented`: a requirement passes when it does on every backend. Without `--backend` these are
 * all. Exits with 1 when a requirement fails that is not optional. `--handlers aws` judges handlers that AWS's SDK has made
 * in place of ours, and with them the backends. `--raw` leaves out the corrections of what AWS's test runner does not tell.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import type { Backend } from "./backend.ts"
import { runAll, type Pack, type Verdict } from "./driver.ts"
import { memory } from "./memory.ts"
import * as ownPack from "./pack.ts"
import { watchProcess, type Watch } from "./process.ts"
import { readRequirements, type Requirement } from "./requirement.ts"

const { values: options } = parseArgs({
  options: {
    requirements: { type: "string" },
    backend: { type: "string", multiple: true },
    suite: { type: "string", multiple: true },
    id: { type: "string", multiple: true },
    handlers: { type: "string", default: "own" },
    raw: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
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
  const isUnderstood =
    names.every((name) => name in backends) &&
    ["own", "aws"].includes(options.handlers) &&
    !(options.raw && names.some((name) => name !== "aws-local"))
  if (options.requirements === undefined || !isUnderstood) {
    console.log(
      "usage: npm run conformance -- --requirements DIR [--backend memory|local|aws-local [--raw]] [--suite S] [--id I] [--handlers own|aws] [--json]"
    )
    return 2
  }
  const requirements = readRequirements(options.requirements).filter(
    ({ id, suite }) => (options.suite?.includes(suite) ?? true) && (options.id?.includes(id) ?? true)
  )
  if (requirements.length === 0) {
    console.log(`There are no such requirements in ${options.requirements}.`)
    return 2
  }
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
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
  return judged.some(({ optional, status }) => status === "failed" && !optional) ? 1 : 0
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
