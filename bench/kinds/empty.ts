/** The cost of an invocation that has almost nothing to do: it replays two steps. */
import { compare } from "../compare.ts"

export const empty = compare([
  {
    name: "empty",
    shape: { kind: "steps", count: 2, body: "instant" },
    replays: {},
    measure: { kind: "warm", warmUps: 4, runs: 5, batch: 500 },
    per: [1, "invocation"],
    metrics: ["make-cpu", "cold-cpu", "cold-wall", "warm-cpu", "warm-wall"]
  }
])
