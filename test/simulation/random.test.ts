/**
 * The deterministic simulation: random programs under random faults.
 *
 * The oracle of a program whose result does not depend on timing is the same program without faults: it ends in the same
 * way, with the same operations and outcomes, and everything that it did is undone if it failed. Where timing may decide,
 * no outcome may be seen in two ways. `invariants.ts` says what holds for every run besides.
 *
 * Left out: compensations inside of races of Effect's own, which record nobody as the winner; forks of a workflow that is
 * undone; a change of the code between two invocations; limits of the service; stores that lie.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { programs, racyPrograms } from "./draw.ts"
import { assertFailures, assertSame, assertSound, wasInterrupted } from "./invariants.ts"
import { noFaults, racySchedules, schedules, simulate } from "./simulate.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

/** RUNS says how many programs to try, about ten a second; with SHRINK=1 one that fails is cut down. */
const runs = Number(process.env["RUNS"] ?? 50)

const report = { seed, numRuns: runs, endOnFailure: process.env["SHRINK"] === undefined }

describe(`Random programs (seed ${seed})`, () => {
  it("end in the same way whatever happens to their invocations", { timeout: 60_000 + runs * 1_000 }, async () => {
    const total = { programs: 0, injected: 0, operations: 0, requests: 0, interrupted: 0, successes: 0 }
    await fc.assert(
      fc.asyncProperty(programs, fc.array(schedules, { minLength: 2, maxLength: 4 }), async (program, schedules) => {
        const oracle = await simulate(program)
        assertSound(oracle, program)
        assertFailures(oracle, noFaults)
        total.programs++
        total.operations += oracle.program.operations.length
        if (oracle.end.startsWith("value")) total.successes++
        for (const schedule of schedules) {
          const run = await simulate(program, schedule)
          assertSound(run, program)
          assertFailures(run, schedule)
          if (wasInterrupted(run)) total.interrupted++
          else assertSame(run, oracle, schedule)
          total.injected += run.injected
          total.requests += run.requests
        }
      }),
      report
    )
    console.log(`SEED=${seed} ${JSON.stringify(total)}`)
    assert.isAbove(total.injected, runs, `seed ${seed}`)
    assert.isAbove(total.successes, runs / 3, `seed ${seed}`)
  })

  it("that race come to a sound end", { timeout: 60_000 + runs * 1_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(racyPrograms, fc.array(racySchedules, { minLength: 1, maxLength: 3 }), async (program, list) => {
        for (const schedule of [noFaults, ...list]) {
          const run = await simulate(program, schedule)
          assertSound(run, program)
          assertFailures(run, schedule)
        }
      }),
      { ...report, numRuns: Math.ceil(runs / 2) }
    )
  })
})
