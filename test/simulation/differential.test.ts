/**
 * Random programs written for AWS's own SDK and for ours, run on the same model of the service: they end in the same way,
 * and leave the same operations behind. What the two are known to do in different ways is said in `seen.ts`.
 *
 * RUNS says how many programs to try, and SHRINK=1 cuts one down that fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { commonPrograms } from "./common.ts"
import { runOurs } from "./ours.ts"
import { assertAlike } from "./seen.ts"
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
          const ours = await runOurs(program)
          const other = theirs[index]
          if (other === undefined) throw new Error("AWS's SDK did not run.")
          try {
            assertAlike(program, ours, other)
          } catch (error) {
            throw new Error(JSON.stringify(program), { cause: error })
          }
          total.programs++
          total.operations += ours.operations.length
          if (ours.end.startsWith("SUCCEEDED")) total.successes++
        }
      }),
      { seed, numRuns: Math.ceil((2 * runs) / batch), endOnFailure: process.env["SHRINK"] === undefined }
    )
    console.log(`SEED=${seed} ${JSON.stringify(total)}`)
    assert.isAbove(total.operations, total.programs, `seed ${seed}`)
  })
})
