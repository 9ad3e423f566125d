/**
 * What code costs, in a measure that does not depend on what else the machine does: CPU time of this process, and only ever
 * beside other code of the same run.
 *
 * Owns: how cost is measured. Does not own: what is too much.
 */
import process from "node:process"

/** The CPU time that a run takes, in microseconds. */
const cpuOf = (run: () => unknown): number => {
  const before = process.cpuUsage()
  run()
  const { system, user } = process.cpuUsage(before)
  return user + system
}

/** How many times as much CPU time code takes as a yardstick. Both run in turns, and the least time of each counts. */
export const timesAsMuch = (run: () => unknown, yardstick: () => unknown, rounds = 5): number => {
  let [cost, unit] = [Infinity, Infinity]
  for (let round = 0; round < rounds; round++) {
    unit = Math.min(unit, cpuOf(yardstick))
    cost = Math.min(cost, cpuOf(run))
  }
  return cost / unit
}

/** By how much the cost of one more grows, from so many to ten times as many: 1 where cost is linear, 10 where it is quadratic. */
export const growth = (run: (count: number) => unknown, count: number): number =>
  timesAsMuch(
    () => run(count * 10),
    () => run(count)
  ) / 10
