/**
 * Random programs written for AWS's own SDK and for ours, run on the same model of the service: they end in the same way,
 * and leave the same operations behind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { commonPrograms, runOurs, runTheirs } from "./common.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const numRuns = Number(process.env["RUNS"] ?? 100)

describe(`Programs for AWS's SDK and for ours (seed ${seed})`, () => {
  it("end in the same way with the same operations", { timeout: 60_000 + numRuns * 1_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(commonPrograms, async (program) => {
        const [ours, theirs] = [await runOurs(program), await runTheirs(program)]
        assert.deepStrictEqual(ours, theirs)
      }),
      { seed, numRuns, endOnFailure: process.env["SHRINK"] === undefined }
    )
  })
})
