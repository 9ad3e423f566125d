/** The interface of a kind of benchmark, which measures its cases one after the other. */
import type { Spread } from "./numbers.ts"

export type Benchmark = (options: Options) => AsyncIterable<Finding>

export interface Options {
  /** The folder of the built package. */
  readonly package: string
  readonly rounds: number
  /**
   * Whether a few runs are enough. Counts stay the same; CPU ratios get worse for the side that has more code to
   * compile.
   */
  readonly isBrief: boolean
  /** Returns whether the command line selects the case of this name. */
  readonly wants: (name: string) => boolean
}

export type Finding =
  | Measured
  /** The package does not support what the case measures. */
  | { readonly kind: "skipped"; readonly name: string; readonly reason: string }
  /** A wrong result, an unexpected number of operations, a crash. */
  | { readonly kind: "failed"; readonly name: string; readonly reason: string }

/** Why a benchmark has no number. */
export const failure = (name: string, error: unknown, kind: "failed" | "skipped" = "failed"): Finding => ({
  kind,
  name,
  reason: error instanceof Error ? error.message : String(error)
})

export interface Measured {
  readonly kind: "measured"
  readonly name: string
  /** What the numbers count. Less is always better. */
  readonly unit: string
  readonly ours: Spread
  /** Undefined where AWS's SDK has nothing to compare with. */
  readonly aws: Spread | undefined
}

/** AWS's number divided by ours: above 1 is a win for us, below 1 a loss. */
export const ratioOf = ({ aws, ours }: Measured): number | undefined => aws && aws.median / ours.median
