/**
 * Memory in use. `cold-heap` is the growth of a process while the first execution runs a thousand steps, including
 * compiled code. `heap` is what a thousand more steps add in a warm process, so it is the cost of an operation.
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
