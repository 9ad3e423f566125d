/**
 * A thousand concurrent steps: as branches of a durable `parallel`, and without a batch, in `Effect.forEach` and
 * `Promise.all`.
 */
import { compare, type Case } from "../compare.ts"

const count = 1_000

const usual = {
  measure: { kind: "warm", warmUps: 4, runs: 5 },
  per: [count, "step"],
  metrics: ["cold-cpu", "warm-cpu", "requests", "updates", "bytes"]
} satisfies Partial<Case>

export const parallel = compare([
  { name: `parallel/${count}`, shape: { kind: "parallel", count, body: "async" }, ...usual },
  { name: `parallel/${count}/bare`, shape: { kind: "together", count, body: "async" }, ...usual }
])
