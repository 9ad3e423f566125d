/**
 * Measures both sides alternately, round by round, so that other work on the machine affects both equally.
 *
 * Owns: which side comes first in a round. Does not own: what a sample is.
 */
import { failure, type Finding } from "./benchmark.ts"
import { spreadOf } from "./numbers.ts"
import { numberIn } from "./processes.ts"
import type { EngineName, Sample } from "./worker/job.ts"

/** The samples of both sides. */
export type Samples<A> = Readonly<Record<EngineName, ReadonlyArray<A>>>

/**
 * Takes a sample of each side in every round. The second side finds a slightly warmer machine, so the sides alternate
 * in that place.
 */
export const inTurns = async <A>(
  rounds: number,
  sample: (engine: EngineName) => A | Promise<A>
): Promise<Samples<A>> => {
  const samples: Record<EngineName, Array<A>> = { ours: [], aws: [] }
  for (let round = 0; round < rounds; round++)
    for (const engine of round % 2 === 0 ? (["ours", "aws"] as const) : (["aws", "ours"] as const))
      samples[engine].push(await sample(engine))
  return samples
}

/** Returns a finding for each metric of a benchmark with one case, or the reason why there is none. */
export async function* findingsOf(
  name: string,
  units: Readonly<Record<string, string>>,
  sampled: () => Promise<Samples<Sample>>
): AsyncGenerator<Finding> {
  try {
    const { aws, ours } = await sampled()
    for (const [metric, unit] of Object.entries(units)) {
      const spread = (samples: ReadonlyArray<Sample>) => spreadOf(samples.map((sample) => numberIn(sample, metric)))
      yield { kind: "measured", name: `${name}/${metric}`, unit, ours: spread(ours), aws: spread(aws) }
    }
  } catch (error) {
    yield failure(name, error)
  }
}
