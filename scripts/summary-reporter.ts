/**
 * Ends a test run with the seed and the line `N passed, N failed`, for people and machines that read the end only.
 *
 * An error outside of a test, such as a type error in a file of tests, counts as one failure.
 */
import process from "node:process"
import type { Reporter, TestModule } from "vitest/node"

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === "passed").length
    const failed = tests.filter((test) => test.result().state === "failed").length
    const broken = modules.filter((module) => module.errors().length > 0).length
    console.log(`SEED=${process.env["SEED"]}\n${passed} passed, ${failed + broken + errors.length} failed`)
  }
}
