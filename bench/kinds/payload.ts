/** Executions of one step with a small result, and with one that is nearly as large as the service allows. */
import { compare, type Case } from "../compare.ts"

const withResult = (name: string, bytes: number, batch: number): Case => ({
  name: `payload/${name}`,
  shape: { kind: "payload", bytes },
  measure: { kind: "warm", warmUps: 4, runs: 5, batch },
  per: [1, "execution"],
  metrics: ["cold-cpu", "warm-cpu", "bytes"]
})

export const payload = compare([withResult("1KB", 1_000, 200), withResult("200KB", 200_000, 20)])
