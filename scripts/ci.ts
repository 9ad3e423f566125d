/**
 * All checks that a change must pass.
 *
 * `npm run ci -- [--busy N] [--seed S] [--json]`
 *
 * `.ci/run` calls it after `npm ci`. It runs every step, also after a failure. Each step is a command that can be
 * repeated alone. Steps that build, or read the build, run first, one after the other. After them four steps run side
 * by side; the output of a step appears when it ends. The script checks whether a step left a process behind, and ends
 * with the line `N passed, N failed`: the number of tests, and one more failure for each other step that failed. Before
 * that line it names each failed test with its error. It exits with 1 if anything failed. With `--json` it prints the
 * same as one line of JSON before the last one. With `--busy N`, N loops keep the machine busy meanwhile.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import process from "node:process"
import { commandLine, count, flag, seed as seedPart } from "./commandLine.ts"
import { load, startBusy } from "./ci/busy.ts"
import { canLook, makeMark } from "./ci/left.ts"

const root = join(import.meta.dirname, "..")
const { values } = commandLine("ci", { busy: count(0, { atLeast: 0, atMost: 999 }), seed: seedPart(1), json: flag })
const { busy, seed } = values
const folder = mkdtempSync(join(tmpdir(), "effect-durable-ci-"))

interface Step {
  readonly name: string
  readonly command: ReadonlyArray<string>
  /** The file in which a step that runs tests reports how many passed. */
  readonly report?: string
}

const script = (name: string, ...args: ReadonlyArray<string>): Step => ({
  name,
  command: ["npm", "run", "--silent", name, ...(args.length === 0 ? [] : ["--", ...args])]
})

const tests = (name: string): Step => {
  const report = join(folder, `${name.replace(":", "-")}.json`)
  const reporters = ["default", "./scripts/summary-reporter.ts", "json"].map((reporter) => `--reporter=${reporter}`)
  // The output of passing tests would hide that of a failing one.
  return { ...script(name, "--silent=passed-only", ...reporters, `--outputFile=${report}`), report }
}

/**
 * AWS's conformance suite on every backend, if its requirements are available: for our handlers, and on our own
 * backends also for the handlers made with AWS's SDK.
 */
const conformance = (requirements: string | undefined): ReadonlyArray<Step> =>
  requirements === undefined || requirements === ""
    ? []
    : [
        script("conformance", "--requirements", requirements),
        script(
          "conformance",
          "--requirements",
          requirements,
          "--handlers",
          "aws",
          "--backend",
          "memory",
          "--backend",
          "local"
        )
      ]

/**
 * Steps whose files other steps read, and steps that the files of others would disturb. They run one after the other.
 */
const alone: ReadonlyArray<Step> = [
  script("format:check"),
  script("lint"),
  script("typecheck"),
  script("build"),
  script("reference", "--check"),
  script("check:publint"),
  script("check:attw"),
  script("api"),
  script("check:knip"),
  script("size"),
  script("start")
]

/** The longest steps come first, so that none of them runs alone at the end. */
const besides: ReadonlyArray<Step> = [
  tests("test"),
  tests("test:attack"),
  // The compiler of this repository is always installed; the older ones come from a registry.
  script("check:types", "--pairs", "--skip-unreachable"),
  tests("test:lambda"),
  tests("test:local"),
  // Without a Chromium this step reports that it was skipped.
  tests("test:page"),
  tests("test:examples"),
  tests("test:docs"),
  tests("test:simulation"),
  tests("test:package"),
  script("bench", "--committed"),
  script("check:package"),
  tests("test:conformance"),
  tests("test:kills"),
  tests("test:fuzz"),
  tests("test:types"),
  ...conformance(process.env["CONFORMANCE_REQUIREMENTS"])
]

/** The number of steps that run side by side. Most of them wait some of the time for processes that they started. */
const lanes = 4

interface Result {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
  readonly load: string
  readonly passed: number
  readonly failed: number
  /** Returns each failed test or file, with the first lines of its error. */
  readonly failures: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
}

const runStep = async ({ command, name, report }: Step): Promise<Result> => {
  const mark = makeMark()
  const start = performance.now()
  const printed = join(folder, `${randomUUID()}.txt`)
  const status = await run(command, printed, { ...process.env, ...mark.environment, SEED: String(seed) })
  const seconds = Math.round((performance.now() - start) / 100) / 10
  const left = await mark.left()
  const ok = status === 0 && left.length === 0
  console.log(`\n--- ${name}: ${command.join(" ")}\n${readFileSync(printed, "utf8").trimEnd()}`)
  for (const one of left) console.log(`--- ${name} left this process behind: ${one}`)
  console.log(`--- ${name}: ${ok ? "passed" : "FAILED"} after ${seconds} s, ${load()}`)
  return { name, ok, seconds, load: load(), left, ...testCounts(report) }
}

/** Runs a command to its end. Its output goes to a file: a pipe would stay open as long as a process is left. */
const run = ([file = "", ...args]: ReadonlyArray<string>, printed: string, env: NodeJS.ProcessEnv) =>
  new Promise<number | null>((resolve) => {
    const output = openSync(printed, "w")
    const child = spawn(file, args, { cwd: root, env, stdio: ["ignore", output, output] })
    const end = (status: number | null, message = ""): void => {
      closeSync(output)
      appendFileSync(printed, message)
      resolve(status)
    }
    child.once("error", (error) => end(null, error.message))
    child.once("exit", (status) => end(status))
  })

/** Runs these steps, at most this number at a time. */
const runSteps = async (steps: ReadonlyArray<Step>, width: number): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  const waiting = steps.values()
  const lane = async (): Promise<void> => {
    for (const step of waiting) results.push(await runStep(step))
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}

/** Returns the report of the test reporter; nothing if there is no reporter, or if it wrote no report. */
const testCounts = (report: string | undefined): Pick<Result, "passed" | "failed" | "failures"> => {
  if (report === undefined || !existsSync(report)) return { passed: 0, failed: 0, failures: [] }
  const { numFailedTests, numPassedTests, testResults }: TestReport = JSON.parse(readFileSync(report, "utf8"))
  return { passed: numPassedTests, failed: numFailedTests, failures: testResults.flatMap(failuresOfFile) }
}

/** The part of vitest's report in JSON that is read here. */
interface TestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<TestFile>
}

interface TestFile {
  readonly name: string
  readonly status: string
  readonly message?: string
  readonly assertionResults: ReadonlyArray<{
    readonly status: string
    readonly fullName: string
    readonly failureMessages?: ReadonlyArray<string>
  }>
}

const failuresOfFile = ({ assertionResults, message = "", name, status }: TestFile): ReadonlyArray<string> => {
  const file = relative(root, name)
  const tests = assertionResults.filter((test) => test.status === "failed")
  if (tests.length === 0) return status === "failed" ? [`${file}\n${start(message)}`] : []
  return tests.map(({ failureMessages, fullName }) => `${file} > ${fullName}\n${start(failureMessages?.[0] ?? "")}`)
}

/** The first lines of a message, indented. */
const start = (message: string): string =>
  message
    .split("\n")
    .slice(0, 30)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join("\n")

/**
 * Each failed test counts. A step that failed without a failed test, for instance because of a type error, counts as
 * one.
 */
const failuresOf = ({ failed, ok }: Result): number => (ok ? 0 : Math.max(1, failed))

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

const main = async (): Promise<number> => {
  console.log(`SEED=${seed}\n${busy} busy loops, ${load()}`)
  const stop = startBusy(busy)
  const results = [...(await runSteps(alone, 1)), ...(await runSteps(besides, lanes))]
  stop()
  rmSync(folder, { recursive: true })

  const left = sum(results.map(({ left }) => left.length))
  console.log(`\n${canLook ? left : "unknown how many"} processes are left`)
  for (const failure of results.flatMap(({ failures }) => failures)) console.log(`\n${failure}`)
  const failedNames = results.filter(({ ok }) => !ok).map(({ name }) => name)
  if (failedNames.length > 0) console.log(`Failed: ${failedNames.join(", ")}. Repeat with SEED=${seed} npm run NAME.`)
  const [passed, failed] = [sum(results.map(({ passed }) => passed)), sum(results.map(failuresOf))]
  if (values.json) console.log(JSON.stringify({ seed, busy, passed, failed, steps: results }))
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
