/**
 * The random numbers of a workflow.
 *
 * Owns: a generator whose numbers are the same on every replay and with every version of Effect.
 * Does not own: which code draws from it. Each recorded context has a generator of its own.
 *
 * Invariants:
 * 1. The same seed gives the same numbers in every future version, because existing histories depend on them.
 *
 * @since 0.1.0
 */
import type * as Random from "effect/Random"
import { md5 } from "../internal/md5.ts"

/** Creates a generator: sfc32 of Chris Doty-Humphrey's PractRand, seeded with an MD5. */
export const seeded = (seed: string): Random.Random => {
  const digits = md5(`random\0${seed}`)
  const word = (index: number): number => Number.parseInt(digits.slice(index * 8, index * 8 + 8), 16) | 0
  let [a, b, c, counter] = [word(0), word(1), word(2), word(3)]
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) next()
  // 53 bits: a number holds no more.
  const nextDoubleUnsafe = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53
  return {
    nextDoubleUnsafe,
    nextIntUnsafe: () =>
      Math.floor(nextDoubleUnsafe() * (Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER + 1)) + Number.MIN_SAFE_INTEGER
  }
}
