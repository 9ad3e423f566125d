/**
 * The tables of `docs/benchmarks.md`.
 *
 * Owns: the part of the page between its two markers: the results of a run, losses first, and within each kind the
 * worst first.
 * Does not own: the text around it, and how anything is measured.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { ratioOf, type Finding, type Measured } from "./benchmark.ts"
import { isLoss, measuredOf, short, spread } from "./report.ts"

const file = new URL("../docs/benchmarks.md", import.meta.url)
const begin = "<!-- written by npm run bench -- --page -->"
const end = "<!-- until here -->"

export const writePage = (findings: ReadonlyArray<Finding>, circumstances: string): void => {
  const page = readFileSync(file, "utf8")
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`Expected the markers "${begin}" and "${end}" in docs/benchmarks.md.`)
  const text = tablesOf(findings, circumstances)
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`)
  execFileSync("npx", ["--no-install", "oxfmt", fileURLToPath(file)])
}

const tablesOf = (findings: ReadonlyArray<Finding>, circumstances: string): string => {
  const measures = measuredOf(findings)
  const compared = measures
    .filter(({ aws }) => aws !== undefined)
    .toSorted((one, other) => (ratioOf(one) ?? 1) - (ratioOf(other) ?? 1))
  const counted = measures.filter(({ aws }) => aws === undefined)
  return [
    `Measured with ${withoutPaths(circumstances)}.`,
    "### Where ours costs more",
    table(compared.filter(isLoss)),
    "### Where ours costs the same or less",
    table(compared.filter((one) => !isLoss(one))),
    "### What is only counted",
    table(counted)
  ].join("\n\n")
}

/** The page does not show where the package was on the machine. */
const withoutPaths = (circumstances: string): string => circumstances.replace(/ in \/\S+/, "")

const table = (measures: ReadonlyArray<Measured>): string =>
  measures.length === 0 ? "Nothing." : [...headOf(measures), ...measures.map(rowOf)].join("\n")

const headOf = (measures: ReadonlyArray<Measured>): ReadonlyArray<string> =>
  measures.some(({ aws }) => aws !== undefined)
    ? ["| Measure | Unit | AWS | Ours | AWS ÷ ours |", "| --- | --- | --- | --- | --- |"]
    : ["| Measure | Unit | Ours |", "| --- | --- | --- |"]

const rowOf = (measured: Measured): string => {
  const { aws, name, ours, unit } = measured
  const ratio = ratioOf(measured)
  const cells =
    aws === undefined || ratio === undefined
      ? [`\`${name}\``, unit, spread(ours)]
      : [`\`${name}\``, unit, spread(aws), spread(ours), short(ratio)]
  return `| ${cells.join(" | ")} |`
}
