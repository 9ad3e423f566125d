/** Items of a durable `map`, with one step each, ten at a time. */
import { compare } from "../compare.ts"

const concurrency = 10

export const map = compare([
  {
    name: "map/100/io",
    shape: { kind: "map", count: 100, concurrency, body: "io" },
    measure: { kind: "warm", warmUps: 5, runs: 5 },
    per: [100, "item"],
    metrics: ["cold-cpu", "warm-cpu", "warm-wall", "requests", "updates", "bytes"]
  },
  {
    name: "map/1000",
    shape: { kind: "map", count: 1_000, concurrency, body: "async" },
    measure: { kind: "warm", warmUps: 3, runs: 4 },
    per: [1_000, "item"],
    metrics: ["cold-cpu", "warm-cpu", "requests", "updates", "bytes"]
  },
  {
    // More items than the service allows, to show how costs grow.
    name: "map/10000",
    shape: { kind: "map", count: 10_000, concurrency, body: "async" },
    measure: { kind: "warm", warmUps: 0, runs: 1 },
    per: [10_000, "item"],
    maxRounds: 2,
    metrics: ["cold-cpu", "warm-cpu", "requests"]
  }
])
