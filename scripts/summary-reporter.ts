/**
 * Ends the output of a test run with the counts of the checked documentation, the seed, and the line `N passed, N
 * failed`, for people and machines that read only the end.
 *
 * An error outside of a test, such as a type error in a test file, counts as one failure.
 */
import process from "node:process"
import type { Reporter, TestModule } from "vitest/node"

/** The counts of the tests in `test/docs`, in the order and with the labels in which they are printed. */
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

/** Returns one line for each count, and none when no test of the documentation ran. */
const documented = (counts: ReadonlyArray<DocumentationCount>): ReadonlyArray<string> => {
  const lines = documentation.flatMap((what) => {
    const found = counts.flatMap((count) => count[what] ?? [])
    return found.length === 0 ? [] : [`${String(found.reduce((sum, one) => sum + one)).padStart(6)} ${what}`]
  })
  return lines.length === 0 ? [] : ["Documentation:", ...lines]
}
