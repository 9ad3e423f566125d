/**
 * Everything that a change must pass, in the order in which a person would want to hear of it.
 *
 * `.ci/run` calls it after `npm ci`. It runs every step, also when one before it failed, and ends with the line
 * `N passed, N failed`: the tests, and one more failure for each other step that failed. It exits with 1 if anything did.
 * With `--json` it says the same as one line of JSON before that.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const seed = process.env["SEED"] ?? "1"
const folder = mkdtempSync(join(tmpdir(), "effect-durable-ci-"))
const report = join(folder, "tests.json")

/** Those of every run of the tests. */
const reporters = ["--reporter=default", "--reporter=./scripts/summary-reporter.ts"]

interface Step {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** AWS's conformance suite on both backends, where its requirements are at hand. */
const conformance = (requirements: string | undefined): ReadonlyArray<Step> =>
  requirements === undefined || requirements === ""
    ? []
    : [
        {
          name: "conformance",
          command: ["npm", "run", "--silent", "conformance", "--", "--requirements", requirements]
        }
      ]

const steps: ReadonlyArray<Step> = [
  { name: "format", command: ["npm", "run", "--silent", "format:check"] },
  { name: "lint", command: ["npm", "run", "--silent", "lint"] },
  { name: "types", command: ["npm", "run", "--silent", "typecheck"] },
  { name: "build", command: ["npm", "run", "--silent", "build"] },
  { name: "package", command: ["npm", "run", "--silent", "check:package"] },
  { name: "publint", command: ["npm", "run", "--silent", "check:publint"] },
  { name: "attw", command: ["npm", "run", "--silent", "check:attw"] },
  { name: "api", command: ["npm", "run", "--silent", "api"] },
  { name: "knip", command: ["npm", "run", "--silent", "check:knip"] },
  { name: "start", command: ["npm", "start", "--silent"] },
  { name: "tests", command: ["npm", "test", "--", ...reporters, "--reporter=json", `--outputFile=${report}`] },
  ...conformance(process.env["CONFORMANCE_REQUIREMENTS"])
]

interface Result {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
}

const runStep = ({ command: [file = "", ...args], env, name }: Step): Result => {
  console.log(`\n--- ${name}: ${[file, ...args].join(" ")}`)
  const start = performance.now()
  const { error, status } = spawnSync(file, args, {
    cwd: root,
    env: { ...process.env, ...env, SEED: seed },
    stdio: "inherit"
  })
  if (error !== undefined) console.log(error.message)
  const seconds = Math.round((performance.now() - start) / 100) / 10
  console.log(`--- ${name}: ${status === 0 ? "passed" : "FAILED"} after ${seconds} s`)
  return { name, ok: status === 0, seconds }
}

/** The numbers of the test reporter; nothing if it never came so far. */
const testCounts = (): { readonly passed: number; readonly failed: number } => {
  if (!existsSync(report)) return { passed: 0, failed: 0 }
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8"))
  return { passed: Number(numPassedTests), failed: Number(numFailedTests) }
}

console.log(`SEED=${seed}`)
const results = steps.map(runStep)
const tests = testCounts()
rmSync(folder, { recursive: true })

// Failed tests are counted one by one; a step "tests" that failed without one, for instance on a type error, is one.
const failedSteps = results.filter(({ name, ok }) => !ok && (name !== "tests" || tests.failed === 0)).length
const summary = { seed: Number(seed), passed: tests.passed, failed: tests.failed + failedSteps, steps: results }

const failedNames = results.filter(({ ok }) => !ok).map(({ name }) => name)
if (failedNames.length > 0) console.log(`\nFailed: ${failedNames.join(", ")}. Repeat with SEED=${seed}.`)
if (process.argv.includes("--json")) console.log(JSON.stringify(summary))
console.log(`${summary.passed} passed, ${summary.failed} failed`)
process.exitCode = summary.failed === 0 ? 0 : 1
