/** What a kind of benchmark is: something that finds out numbers, one after the other. */
import type { Spread } from "./numbers.ts"

export type Benchmark = (options: Options) => AsyncIterable<Finding>

export interface Options {
  /** The folder of the built package. */
  readonly package: string
  readonly rounds: number
  /** Whether a few runs are enough: counts are the same then, and ratios worse for whoever has more to compile. */
  readonly isBrief: boolean
  /** Whether a case was asked for, by its name. */
  readonly wants: (name: string) => boolean
}

export type Finding =
  | Measured
  /** The package cannot do what was to be measured. */
  | { readonly kind: "skipped"; readonly name: string; readonly reason: string }
  /** A wrong result, an unexpected number of operations, a crash. */
  | { readonly kind: "failed"; readonly name: string; readonly reason: string }

/** What came in the way of a benchmark. */
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
  /** Undefined where nothing can be compared. */
  readonly aws: Spread | undefined
}

/** How many times as much as ours AWS's number is: above 1 is a win, below 1 a loss. */
export const ratioOf = ({ aws, ours }: Measured): number | undefined => aws && aws.median / ours.median
