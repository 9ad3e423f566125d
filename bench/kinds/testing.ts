/**
 * The cost of a test: a workflow of ten steps and five waits of an hour on `TestEngine` and on AWS's
 * `LocalDurableTestRunner`. Both skip the waits. `first` is the first test of a process, `later` the median of ten
 * more.
 */
import { fileURLToPath } from "node:url"
import type { Benchmark } from "../benchmark.ts"
import { sampleOfFile } from "../script.ts"
import { findingsOf, inTurns } from "../turns.ts"

const unit = "ms per test"
const metrics = { "first-wall": unit, "first-cpu": unit, "later-wall": unit, "later-cpu": unit } as const

export const testing: Benchmark = async function* (options) {
  if (!options.wants("testing")) return
  const file = fileURLToPath(import.meta.resolve("../worker/testing.ts"))
  yield* findingsOf("testing", metrics, () =>
    inTurns(options.rounds, (side) => sampleOfFile(file, side, options.package))
  )
}
