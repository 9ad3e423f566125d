/** The usual kind of benchmark: cases whose samples come from a fresh process each, both engines in turn within a round. */
import { failure, type Benchmark, type Finding, type Options } from "./benchmark.ts"
import { spreadOf } from "./numbers.ts"
import { historyOf, numberIn, RefusedByPackage, sampleOf } from "./processes.ts"
import { inTurns, type Samples } from "./turns.ts"
import type { EngineName, Job, Measure, Sample } from "./worker/job.ts"

export interface Case extends Omit<Job, "engine" | "package"> {
  readonly name: string
  readonly metrics: ReadonlyArray<Metric>
  /** What costs are divided by, and what that is: operations, say. Counts are those of the whole execution. */
  readonly per?: readonly [count: number, what: string]
  /** For cases that take long. */
  readonly maxRounds?: number
}

/** What is told of a sample. */
export type Metric = keyof typeof metrics

const metrics = {
  "cold-cpu": { unit: "µs", divided: true },
  "warm-cpu": { unit: "µs", divided: true },
  "cold-wall": { unit: "µs", divided: true },
  "warm-wall": { unit: "µs", divided: true },
  "cold-heap": { unit: "B", divided: true },
  heap: { unit: "B", divided: true },
  requests: { unit: "requests", divided: false },
  updates: { unit: "updates", divided: false },
  bytes: { unit: "B sent", divided: false }
} as const

export const compare = (cases: ReadonlyArray<Case>): Benchmark =>
  async function* (options) {
    for (const one of cases) {
      if (!options.wants(one.name)) continue
      try {
        yield* findings(one, await samplesOf(one, options))
      } catch (error) {
        const kind = error instanceof RefusedByPackage ? "skipped" : "failed"
        yield failure(one.name, error, kind)
      }
    }
  }

const samplesOf = async ({ maxRounds = Infinity, ...job }: Case, options: Options): Promise<Samples<Sample>> => {
  const jobs = { ours: jobOf("ours", job, options), aws: jobOf("aws", job, options) }
  const histories = { ours: await historyOf(jobs.ours), aws: await historyOf(jobs.aws) }
  return inTurns(Math.min(options.rounds, maxRounds), (engine) => sampleOf(jobs[engine], histories[engine]))
}

const jobOf = (engine: EngineName, { latency, measure, replays, shape }: Omit<Case, "maxRounds">, options: Options) =>
  ({
    engine,
    package: options.package,
    shape,
    measure: options.isBrief ? brief(measure) : measure,
    latency,
    replays
  }) satisfies Record<keyof Job, unknown>

const brief = (measure: Measure): Measure =>
  measure.kind === "time"
    ? { ...measure, warmUps: Math.min(measure.warmUps, 2), runs: Math.min(measure.runs, 2) }
    : measure

const findings = (one: Case, samples: Samples<Sample>): ReadonlyArray<Finding> =>
  one.metrics.map((metric) => {
    const { divided, unit } = metrics[metric]
    const [divisor, what] = divided && one.per ? one.per : [1, undefined]
    const spread = (engine: EngineName) => spreadOf(samples[engine].map((sample) => numberIn(sample, metric) / divisor))
    return {
      kind: "measured",
      name: `${one.name}/${metric}`,
      unit: what === undefined ? unit : `${unit} per ${what}`,
      ours: spread("ours"),
      aws: spread("aws")
    }
  })
