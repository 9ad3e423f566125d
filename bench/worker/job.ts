/** What a process is asked for, and what it answers. */
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
  /** Whether the history arrives on the standard input, and how many operations of it the event has room for. */
  readonly replays?: { readonly eventItems?: number } | undefined
  readonly measure: Measure
}

export type Measure =
  /** What the first execution of the process costs, and to make its handler. */
  | { readonly kind: "cold" }
  /**
   * What a later execution costs: the median of `runs` that come after `warmUps`. With a `batch`, each of them is the mean of
   * so many: short executions leave their garbage to others.
   */
  | { readonly kind: "warm"; readonly warmUps: number; readonly runs: number; readonly batch?: number }
  /**
   * The bytes in use: `cold-heap` is what they grow by from before the first execution until so many of its operations have
   * ended, compiled code included; `heap` is what a later execution adds between the first and the second number.
   */
  | { readonly kind: "heap"; readonly first: number; readonly second: number }
  /** What Effect's fibres do. */
  | { readonly kind: "fibers" }
  /** Nothing: an execution whose operations are handed back. */
  | { readonly kind: "record" }

/** Numbers by what they measure, for one execution: CPU and wall in microseconds. */
export type Sample = Readonly<Record<string, number>>

export type Reply =
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "history"; readonly history: ReadonlyArray<Operation> }
  /** The package cannot do what is to be measured. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Something is wrong: a result, a number of operations. */
  | { readonly kind: "failed"; readonly reason: string }
