/** Invocations that find all their steps in the history, replay them and answer. */
import { compare, type Case } from "../compare.ts"

const inTheEvent = (count: number, batch: number): Case => ({
  name: `replay/${count}`,
  shape: { kind: "steps", count, body: "instant" },
  replays: {},
  measure: { kind: "warm", warmUps: 4, runs: 5, batch },
  per: [count, "step"],
  metrics: ["cold-cpu", "warm-cpu"]
})

export const replay = compare([
  inTheEvent(10, 200),
  inTheEvent(100, 20),
  inTheEvent(1_000, 2),
  // Together with the execution itself, these are as many operations as the service allows.
  inTheEvent(2_999, 1),
  {
    ...inTheEvent(2_999, 1),
    name: "replay/2999/paged",
    replays: { eventItems: 100 },
    metrics: ["cold-cpu", "warm-cpu", "requests"]
  },
  // More operations than the service allows, to show how costs grow.
  { ...inTheEvent(10_000, 1), maxRounds: 3 },
  {
    ...inTheEvent(10_000, 1),
    name: "replay/10000/paged",
    replays: { eventItems: 100 },
    maxRounds: 3,
    metrics: ["cold-cpu", "warm-cpu", "requests"]
  }
])
