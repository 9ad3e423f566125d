/**
 * Ends a test run with what was checked in the documentation, the seed, and the line `N passed, N failed`, for people and
 * machines that read the end only.
 *
 * An error outside of a test, such as a type error in a file of tests, counts as one failure.
 */
import process from "node:process"
import type { Reporter, TestModule } from "vitest/node"

/** What the tests in `test/docs` count, in the order and the words in which it is printed. */
const documentation = [
  "blocks of TypeScript in Markdown compiled",
  "blocks of TypeScript in Markdown run",
  "blocks of TypeScript in Markdown not run, each for a stated reason",
  "examples in doc comments compiled and run",
  "command lines executed",
  "command lines executed by another part of .ci/run",
  "command lines not executed, each for a stated reason",
  "error messages produced",
  "links checked",
  "links in doc comments checked",
  "exports documented"
] as const

export type DocumentationCount = { readonly [What in (typeof documentation)[number]]?: number }

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === "passed").length
    const failed = tests.filter((test) => test.result().state === "failed").length
    const broken = modules.filter((module) => module.errors().length > 0).length
    for (const line of documented(tests.map((test) => test.meta().documentation ?? {}))) console.log(line)
    console.log(`SEED=${process.env["SEED"]}\n${passed} passed, ${failed + broken + errors.length} failed`)
  }
}

/** One line for each count, and none when no test of the documentation was run. */
const documented = (counts: ReadonlyArray<DocumentationCount>): ReadonlyArray<string> => {
  const lines = documentation.flatMap((what) => {
    const found = counts.flatMap((count) => count[what] ?? [])
    return found.length === 0 ? [] : [`${String(found.reduce((sum, one) => sum + one)).padStart(6)} ${what}`]
  })
  return lines.length === 0 ? [] : ["Documentation:", ...lines]
}
