/**
 * The cost of a durable operation in Effect's own units: primitives that the run loop evaluates, and suspensions of
 * fibers. These numbers do not depend on the machine. AWS's SDK has neither, so nothing is compared.
 */
import { failure, type Benchmark, type Options } from "../benchmark.ts"
import { spreadOf } from "../numbers.ts"
import { historyOf, numberIn, sampleOf } from "../processes.ts"
import type { Job, Sample } from "../worker/job.ts"
import type { Shape } from "../worker/shapes.ts"

interface Case {
  readonly name: string
  readonly unit: string
  readonly replays?: boolean
  readonly shapeOf: (count: number) => Shape
  /**
   * The cost of one more operation is the difference between two executions. Without a second execution, the cost is
   * that of the whole first one.
   */
  readonly counts: readonly [number, number?]
}

const cases: ReadonlyArray<Case> = [
  { name: "step", unit: "per step", shapeOf: (count) => ({ kind: "steps", count, body: "async" }), counts: [100, 300] },
  {
    name: "instant-step",
    unit: "per step",
    shapeOf: (count) => ({ kind: "steps", count, body: "instant" }),
    counts: [100, 300]
  },
  {
    name: "replayed-step",
    unit: "per step",
    replays: true,
    shapeOf: (count) => ({ kind: "steps", count, body: "instant" }),
    counts: [100, 300]
  },
  {
    name: "map-item",
    unit: "per item",
    shapeOf: (count) => ({ kind: "map", count, concurrency: 10, body: "async" }),
    counts: [100, 300]
  },
  {
    name: "empty",
    unit: "per invocation",
    replays: true,
    shapeOf: (count) => ({ kind: "steps", count, body: "instant" }),
    counts: [2]
  }
]

const metrics = ["primitives", "suspensions"] as const

/** Counts hardly differ between processes. */
const maxRounds = 3

export const primitives: Benchmark = async function* (options) {
  for (const one of cases) {
    const name = `primitives/${one.name}`
    if (!options.wants(name)) continue
    try {
      const samples = await samplesOf(one, options)
      for (const metric of metrics) {
        const ours = spreadOf(samples.map((sample) => numberIn(sample, metric)))
        yield { kind: "measured", name: `${name}/${metric}`, unit: `${metric} ${one.unit}`, ours, aws: undefined }
      }
    } catch (error) {
      yield failure(name, error)
    }
  }
}

const samplesOf = async ({ counts: [few, many], replays, shapeOf }: Case, options: Options) => {
  const job = (count: number): Job => ({
    engine: "ours",
    package: options.package,
    shape: shapeOf(count),
    measure: { kind: "fibers" },
    ...(replays ? { replays: {} } : undefined)
  })
  const history = { few: await historyOf(job(few)), many: many === undefined ? "" : await historyOf(job(many)) }
  const samples: Array<Sample> = []
  for (let round = 0; round < Math.min(options.rounds, maxRounds); round++) {
    const less = await sampleOf(job(few), history.few)
    samples.push(many === undefined ? less : perOne(less, await sampleOf(job(many), history.many), many - few))
  }
  return samples
}

const perOne = (less: Sample, more: Sample, difference: number): Sample =>
  Object.fromEntries(metrics.map((metric) => [metric, (numberIn(more, metric) - numberIn(less, metric)) / difference]))
