/** The request to a process, and its reply. */
import type { Operation } from "./backend.ts"
import type { Shape } from "./shapes.ts"

export type EngineName = "ours" | "aws"

export interface Job {
  readonly engine: EngineName
  /** The folder of the built package. */
  readonly package: string
  readonly shape: Shape
  /** Milliseconds per checkpoint. */
  readonly latency?: number | undefined
  /** Whether the history arrives on the standard input, and how many of its operations the event contains. */
  readonly replays?: { readonly eventItems?: number } | undefined
  readonly measure: Measure
}

export type Measure =
  /** The cost of the first execution of the process, including the creation of its handler. */
  | { readonly kind: "cold" }
  /**
   * The cost of a later execution: the median of `runs` that follow `warmUps`. With a `batch`, each run is the mean of
   * this number of executions, because the garbage of a short execution is collected during later ones.
   */
  | { readonly kind: "warm"; readonly warmUps: number; readonly runs: number; readonly batch?: number }
  /**
   * The bytes in use. `cold-heap` is their growth from before the first execution until this number of its operations
   * have ended, compiled code included. `heap` is what a later execution adds between the first and the second number.
   */
  | { readonly kind: "heap"; readonly first: number; readonly second: number }
  /** The counts of Effect's fibers. */
  | { readonly kind: "fibers" }
  /** No cost: the reply holds the operations of an execution. */
  | { readonly kind: "record" }

/** Numbers by what they measure, for one execution: CPU and wall in microseconds. */
export type Sample = Readonly<Record<string, number>>

export type Reply =
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "history"; readonly history: ReadonlyArray<Operation> }
  /** The package does not support the job. */
  | { readonly kind: "refused"; readonly reason: string }
  /** A result or a number of operations is wrong. */
  | { readonly kind: "failed"; readonly reason: string }
