/**
 * The measures of the last commit that recorded them: `committed.json`.
 *
 * Owns: which measures the file holds, and which of them may not grow. Counts are the same on every machine, so they
 * are budgets. Times are not, so their ratios are only printed.
 * Does not own: how anything is measured.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { ratioOf, type Finding, type Measured } from "./benchmark.ts"

const file = new URL("committed.json", import.meta.url)

/** The recorded cases: each shape once, and not the largest. Primitives have their budgets in a test. */
export const committedNames: ReadonlyArray<string> = [
  "steps/1000/async",
  "steps/1000/instant/omitStart",
  "replay/1000",
  "suspend",
  "empty",
  "parallel/1000",
  "map/1000",
  "payload/200KB",
  "heap"
]

/** The share by which each count may grow. A measure without an entry may grow without limit. */
const tolerances: Readonly<Record<string, number>> = {
  requests: 0,
  updates: 0,
  // The number of digits of a time varies.
  bytes: 0.01,
  heap: 0.1
}

/** In a case that does everything at once, a late turn of the event loop splits one request into two. */
const cutByTurns: Readonly<Record<string, number>> = { "parallel/1000/requests": 0.1 }

interface Committed {
  readonly counts: Readonly<Record<string, number>>
  readonly ratios: Readonly<Record<string, number>>
}

const metricOf = ({ name }: Measured): string => name.slice(name.lastIndexOf("/") + 1)

const isCount = (measured: Measured): boolean => Object.hasOwn(tolerances, metricOf(measured))

const rounded = (value: number): number => Number(value.toPrecision(3))

export const write = (findings: ReadonlyArray<Finding>): void => {
  const measures = findings.filter((finding) => finding.kind === "measured")
  const counts = measures.filter(isCount).map((one) => [one.name, rounded(one.ours.median)] as const)
  const others = measures.filter((one) => !isCount(one))
  const ratios = others.flatMap((one) => {
    const ratio = ratioOf(one)
    return ratio === undefined ? [] : [[one.name, rounded(ratio)] as const]
  })
  const committed: Committed = { counts: Object.fromEntries(counts), ratios: Object.fromEntries(ratios) }
  writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`)
}

/** Returns a line for each measure, with its recorded value, and the measures whose count has grown too much. */
export const compared = (findings: ReadonlyArray<Finding>) => {
  const { counts, ratios }: Committed = JSON.parse(readFileSync(file, "utf8"))
  const lines: Array<string> = []
  const grown: Array<string> = []
  for (const finding of findings) {
    if (finding.kind !== "measured") continue
    const { name, ours, unit } = finding
    if (isCount(finding)) {
      const before = counts[name]
      const now = rounded(ours.median)
      lines.push(`${name} ours ${now} (committed ${before ?? "none"})`)
      const limit = (before ?? 0) * (1 + (cutByTurns[name] ?? tolerances[metricOf(finding)] ?? 0))
      if (now > rounded(limit))
        grown.push(`Expected ${name} to be at most ${rounded(limit)} ${unit}, as committed, found ${now}.`)
    } else {
      const ratio = ratioOf(finding)
      if (ratio !== undefined) lines.push(`${name} aws/ours ${rounded(ratio)} (committed ${ratios[name] ?? "none"})`)
    }
  }
  return { lines, grown }
}
