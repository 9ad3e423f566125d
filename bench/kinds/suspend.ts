/**
 * Executions that are suspended 200 times: every invocation replays the earlier steps, runs one step, and ends at a
 * wait of one second.
 */
import { compare } from "../compare.ts"

const count = 200

export const suspend = compare([
  {
    name: `suspend/${count}`,
    shape: { kind: "suspensions", count },
    measure: { kind: "warm", warmUps: 0, runs: 1 },
    per: [count + 1, "invocation"],
    metrics: ["cold-cpu", "warm-cpu", "cold-wall", "warm-wall", "requests"]
  }
])
