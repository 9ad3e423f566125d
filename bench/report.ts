/** The printed report. */
import { ratioOf, type Finding, type Measured } from "./benchmark.ts"
import type { Spread } from "./numbers.ts"

/** Returns two lines for a measure: its medians with the minimum and the maximum of all samples, and the ratio. */
export const linesOf = (finding: Finding): ReadonlyArray<string> => {
  if (finding.kind !== "measured") return [`${finding.name} ${finding.kind}: ${finding.reason.slice(0, longestReason)}`]
  const { aws, ours, unit } = finding
  const medians = aws === undefined ? spread(ours) : `ours ${spread(ours)}, aws ${spread(aws)}`
  return [`  ${medians} ${unit}`, verdict(finding)]
}

/** Some reasons contain a whole response. */
const longestReason = 500

const verdict = (measured: Measured): string => {
  const ratio = ratioOf(measured)
  return ratio === undefined
    ? `${measured.name} ours ${short(measured.ours.median)}`
    : `${measured.name} aws/ours ${short(ratio)}`
}

export const spread = ({ max, median, min }: Spread): string =>
  min === max ? short(median) : `${short(median)} (${short(min)}–${short(max)})`

/** Three digits, or more if the integer part is longer. */
export const short = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)))

export const isLoss = (measured: Measured): boolean => (ratioOf(measured) ?? 1) < 1

/** Returns the end of the report: the failures, then the losses, the worst first, then the number of wins. */
export const summaryOf = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const compared = measuredOf(findings).filter(({ aws }) => aws !== undefined)
  const losses = compared.filter(isLoss).toSorted((a, b) => ratioOf(a)! - ratioOf(b)!)
  const others = compared.filter((one) => !isLoss(one)).toSorted((a, b) => ratioOf(a)! - ratioOf(b)!)
  return [
    ...section(
      "Failed or skipped",
      findings.filter(({ kind }) => kind !== "measured").flatMap((finding) => linesOf(finding))
    ),
    ...section("Losses", losses.map(verdict)),
    ...section("Wins and draws", others.map(verdict))
  ]
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

export const lastLineOf = (findings: ReadonlyArray<Finding>): string => {
  const measured = measuredOf(findings)
  return `${measured.length} measures, ${measured.filter(isLoss).length} losses`
}

export const measuredOf = (findings: ReadonlyArray<Finding>): ReadonlyArray<Measured> =>
  findings.filter((finding) => finding.kind === "measured")

/** Returns the same report for programs. */
export const jsonOf = (findings: ReadonlyArray<Finding>) => {
  const measures = measuredOf(findings)
  return {
    measures: measures.map(({ aws, name, ours, unit }, i) => ({ name, unit, ours, aws, ratio: ratioOf(measures[i]!) })),
    losses: measures.filter(isLoss).map(({ name }) => name),
    skipped: findings.filter(({ kind }) => kind === "skipped"),
    failed: findings.filter(({ kind }) => kind === "failed")
  }
}
