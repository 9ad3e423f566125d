/**
 * Tries a change of the source in a copy: with the judges of random programs, one seed after the other, and with tests.
 *
 * Owns: how a judge is asked, and when it has found something.
 * Does not own: what is changed, and what the judges look at.
 */
import type { Copy } from "./copy.ts"

export type Judge = "simulate" | "undo" | "second" | "explore"

/** Who found that something is wrong, after how many seeds, and what it said first. */
export interface Found {
  readonly judge: string
  /** Nothing for a test, which has no seeds. */
  readonly seeds: number | undefined
  readonly problem: string
}

/** Real milliseconds in which a judge may say nothing. */
const silence = 120_000

const look = "test/sabotage/look.ts"

/** What a judge finds in so many seeds, from the first on. */
export const judged = async (copy: Copy, judge: Judge, seed: number, seeds: number): Promise<Found | undefined> => {
  const { exitCode, stderr, stdout } = await copy.node([look, judge, String(seed), String(seeds)], silence)
  const lines: ReadonlyArray<Line> = stdout
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []))
  const last = lines.at(-1)
  if (last?.problem !== undefined) return { judge, seeds: last.seeds, problem: firstLine(last.problem) }
  if (exitCode === 0) return undefined
  const problem = exitCode === undefined ? "It never comes to an end." : firstLine(stderr)
  return { judge, seeds: (last?.seeds ?? 0) + 1, problem }
}

interface Line {
  readonly seeds: number
  readonly problem?: string
}

/** The first of the tests in files that fails. */
export const tested = async (copy: Copy, files: ReadonlyArray<string>): Promise<Found | undefined> => {
  const { exitCode, stderr, stdout } = await copy.node(
    ["node_modules/vitest/vitest.mjs", "run", "--bail=1", "--reporter=verbose", ...files],
    silence
  )
  if (exitCode === 0) return undefined
  const [, failed] = /^ *(?:×|FAIL) +(.+)$/m.exec(stdout) ?? []
  const problem = exitCode === undefined ? "It never comes to an end." : (failed ?? firstLine(stderr || stdout))
  return { judge: "tests", seeds: undefined, problem }
}

/** What every example ends with in a single run that nothing disturbs. */
export const single = async (copy: Copy): Promise<string> => {
  const { exitCode, stderr, stdout } = await copy.node([look, "examples", "0", "1"], silence)
  return exitCode === 0 ? stdout : exitCode === undefined ? "It never comes to an end." : firstLine(stderr)
}

const firstLine = (text: string): string =>
  text
    .split("\n")
    .find((line) => line.trim() !== "")
    ?.trim()
    .slice(0, 160) ?? ""
