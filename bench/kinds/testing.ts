/**
 * What a test costs: a workflow of ten steps and five waits of an hour on `TestEngine` beside AWS's `LocalDurableTestRunner`, both
 * with their time skipped. `first` is the first test of a process, `later` the median of ten more.
 */
import { fileURLToPath } from "node:url"
import type { Benchmark, Options } from "../benchmark.ts"
import { spreadOf } from "../numbers.ts"
import { numberIn } from "../processes.ts"
import { sampleOfFile } from "../script.ts"
import type { EngineName, Sample } from "../worker/job.ts"

const metrics = ["first-wall", "first-cpu", "later-wall", "later-cpu"] as const

export const testing: Benchmark = async function* (options) {
  if (!options.wants("testing")) return
  try {
    const { aws, ours } = await samplesOf(options)
    for (const metric of metrics) {
      const spread = (samples: ReadonlyArray<Sample>) => spreadOf(samples.map((sample) => numberIn(sample, metric)))
      yield { kind: "measured", name: `testing/${metric}`, unit: "ms per test", ours: spread(ours), aws: spread(aws) }
    }
  } catch (error) {
    yield { kind: "failed", name: "testing", reason: error instanceof Error ? error.message : String(error) }
  }
}

const samplesOf = async (options: Options) => {
  const file = fileURLToPath(import.meta.resolve("../worker/testing.ts"))
  const samples: Record<EngineName, Array<Sample>> = { ours: [], aws: [] }
  for (let round = 0; round < options.rounds; round++)
    for (const side of round % 2 === 0 ? (["ours", "aws"] as const) : (["aws", "ours"] as const))
      samples[side].push(await sampleOfFile(file, side, options.package))
  return samples
}
