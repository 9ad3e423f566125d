/**
 * Both sides in turn, round by round, so that other work on the machine hits both alike.
 *
 * Owns: who comes first in a round. Does not own: what a sample is.
 */
import { failure, type Finding } from "./benchmark.ts"
import { spreadOf } from "./numbers.ts"
import { numberIn } from "./processes.ts"
import type { EngineName, Sample } from "./worker/job.ts"

/** The samples of both sides. */
export type Samples<A> = Readonly<Record<EngineName, ReadonlyArray<A>>>

/** Takes a sample of each side in every round. Who comes second finds a machine that is a little warmer, so that is each of them in its turn. */
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

/** A finding for each metric of a benchmark that has one case, or why there is none. */
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
