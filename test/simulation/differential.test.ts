/**
 * Random programs written for AWS's own SDK and for ours, run on the same model of the service: they end in the same way,
 * and leave the same operations behind. What the two are known to do in different ways is said in `seen.ts`.
 *
 * RUNS says how many programs to try, and SHRINK=1 cuts one down that fails; `npm run differential` tries more.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { commonPrograms } from "./common.ts"
import { differenceOf } from "./differential.ts"
import { runTheirs } from "./theirs.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const runs = Number(process.env["RUNS"] ?? 50)

/** AWS's SDK spends most of its time on timers, so several of its programs run side by side. */
const batch = 12

describe(`Programs for AWS's SDK and for ours (seed ${seed})`, () => {
  it("end in the same way with the same operations", async () => {
    const total = { programs: 0, operations: 0, successes: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(commonPrograms, { minLength: 1, maxLength: batch, size: "max" }), async (programs) => {
        const theirs = await Promise.all(programs.map(runTheirs))
        for (const [index, program] of programs.entries()) {
          const other = theirs[index]
          if (other === undefined) throw new Error("AWS's SDK did not run.")
          const difference = await differenceOf(program, other)
          if (difference !== undefined) throw new Error(`${JSON.stringify(program)}\n${difference}`)
          total.programs++
          total.operations += other.operations.length
          if (other.end.startsWith("SUCCEEDED")) total.successes++
        }
      }),
      { seed, numRuns: Math.ceil((2 * runs) / batch), endOnFailure: process.env["SHRINK"] === undefined }
    )
    console.log(`SEED=${seed} ${JSON.stringify(total)}`)
    assert.isAbove(total.operations, total.programs, `seed ${seed}`)
  })
})
