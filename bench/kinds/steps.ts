/** Executions of steps in a row. */
import { compare, type Case } from "../compare.ts"
import type { Body } from "../worker/shapes.ts"

const bodies: ReadonlyArray<Body> = ["instant", "async"]

const atOnce = (count: number, body: Body, batch: number, warmUps: number, runs: number): Case => ({
  name: `steps/${count}/${body}`,
  shape: { kind: "steps", count, body },
  measure: { kind: "warm", warmUps, runs, batch },
  per: [count, "step"],
  // AWS's SDK needs seconds for the largest.
  maxRounds: count > 1_000 ? 3 : Infinity,
  metrics: ["cold-cpu", "warm-cpu", "requests", "updates", "bytes"]
})

/** The metric is real time, with checkpoints that take 10 ms each. */
const withLatency = (count: number, body: Body): Case => ({
  name: `steps/${count}/${body}/10ms`,
  shape: { kind: "steps", count, body },
  latency: 10,
  measure: { kind: "warm", warmUps: 1, runs: 2 },
  per: [count, "step"],
  maxRounds: 2,
  metrics: ["warm-wall", "warm-cpu"]
})

/** An option that AWS's SDK does not have, compared with the SDK's only way. */
const only = (what: "schema" | "omitStart", body: Body): Case => ({
  ...atOnce(1_000, body, 1, 4, 5),
  name: `steps/1000/${body}/${what}`,
  shape: { kind: "steps", count: 1_000, body, only: what }
})

export const steps = compare([
  ...bodies.flatMap((body) => [
    atOnce(10, body, 50, 4, 5),
    atOnce(100, body, 5, 4, 5),
    atOnce(1_000, body, 1, 4, 5),
    atOnce(5_000, body, 1, 1, 1)
  ]),
  only("schema", "instant"),
  only("omitStart", "instant"),
  ...bodies.flatMap((body) => [withLatency(10, body), withLatency(100, body)])
])
