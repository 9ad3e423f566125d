/** The usual kind of benchmark: cases whose samples come from a fresh process each, both engines in turn within a round. */
import { failure, type Benchmark, type Finding, type Options } from "./benchmark.ts"
import { spreadOf } from "./numbers.ts"
import { historyOf, numberIn, RefusedByPackage, sampleOf } from "./processes.ts"
import { inTurns, type Samples } from "./turns.ts"
import type { EngineName, Job, Measure, Sample } from "./worker/job.ts"

export interface Case extends Omit<Job, "engine" | "package" | "measure"> {
  readonly name: string
  /**
   * For the kind `warm`, the first execution of a process is measured as well if a metric needs it, in a process of its
   * own.
   */
  readonly measure: Measure
  readonly metrics: ReadonlyArray<Metric>
  /** The divisor of the costs, and its unit, such as operations. Counts are those of the whole execution. */
  readonly per?: readonly [count: number, what: string]
  /** The number of runs of a case that takes long. */
  readonly maxRounds?: number
}

/** The metrics of a sample that are printed. */
export type Metric = keyof typeof metrics

const metrics = {
  "make-cpu": { unit: "µs", divided: true },
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

const samplesOf = async (one: Case, options: Options): Promise<Samples<Sample>> => {
  const jobs = { ours: jobsOf("ours", one, options), aws: jobsOf("aws", one, options) }
  const histories = { ours: await historyOf(jobs.ours[0]), aws: await historyOf(jobs.aws[0]) }
  return inTurns(Math.min(options.rounds, one.maxRounds ?? Infinity), async (engine) => {
    const samples: Array<Sample> = []
    for (const job of jobs[engine]) samples.push(await sampleOf(job, histories[engine]))
    return Object.assign({}, ...samples)
  })
}

/** The jobs of one sample. Each runs in a process of its own. */
const jobsOf = (
  engine: EngineName,
  { latency, measure, metrics: wanted, replays, shape }: Case,
  options: Options
): readonly [Job, ...ReadonlyArray<Job>] => {
  const job = (one: Measure): Job => ({ engine, package: options.package, shape, measure: one, latency, replays })
  if (measure.kind !== "warm") return [job(measure)]
  const first = wanted.some((metric) => ["make-cpu", "cold-cpu", "cold-wall"].includes(metric))
  const later = job(options.isBrief ? brief(measure) : measure)
  return first ? [job({ kind: "cold" }), later] : [later]
}

const brief = (measure: Extract<Measure, { readonly kind: "warm" }>): Measure => ({
  ...measure,
  warmUps: Math.min(measure.warmUps, 2),
  runs: Math.min(measure.runs, 2)
})

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
