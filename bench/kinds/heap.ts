/**
 * Memory in use. `cold-heap` is what a process has gained when the first execution has run a thousand steps, with the code that
 * was compiled for it; `heap` is what a thousand steps more add in a process that is warm, and so what an operation costs.
 */
import { compare } from "../compare.ts"

const count = 1_000

export const heap = compare([
  {
    name: `heap/${count}`,
    shape: { kind: "steps", count: 2 * count, body: "async" },
    measure: { kind: "heap", first: count, second: 2 * count },
    per: [count, "step"],
    metrics: ["cold-heap", "heap"]
  }
])
