/** Compares what a text quotes with what is really there. A `…` in a quotation stands for anything. */
import { assert } from "@effect/vitest"

export const assertQuoted = (quoted: string, real: string, place: string): void => {
  if (!matches(quoted.trim(), real.trim())) assert.strictEqual(real.trim(), quoted.trim(), `What ${place} quotes`)
}

export const matches = (quoted: string, real: string): boolean => {
  const parts = quoted.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join("[^]*?")}$`).test(real)
}
