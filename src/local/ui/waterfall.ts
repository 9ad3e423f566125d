/**
 * The operations of an execution as bars on its time axis.
 *
 * Bars are SVG, whose attributes may define positions under a policy that allows no inline styles. A page may have thousands
 * of rows, so a row has as little markup as possible.
 *
 * Owns: how a row and its bar are drawn.
 * Does not own: the data of an operation, and the axis.
 *
 * @since 0.1.0
 */
import * as Timeline from "../../view/Timeline.ts"
import { Html, html, type Part } from "./Html.ts"
import { signOf } from "./icons.ts"
import * as links from "./links.ts"
import type * as Scale from "./Scale.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as words from "./words.ts"

export interface WaterfallOptions {
  readonly snapshot: Snapshot
  readonly scale: Scale.Scale
  /** The selected operation. */
  readonly selected: string | undefined
  /** The other parameters that the address of a row keeps. */
  readonly parameters: links.Parameters
}

export const waterfall = ({ parameters, scale, selected, snapshot }: WaterfallOptions): Html => {
  const { execution, rows } = snapshot.timeline
  const isOpen = Timeline.isOpen(execution)
  const chart: Chart = { scale, isOpen, end: execution.end ?? snapshot.now, name: execution.name, parameters }
  return html`<div class="waterfall" id="waterfall">
    ${axis(scale, parameters, execution.name)}
    <div class="plot">
      ${bands(snapshot, chart)}
      <ol class="rows" id="rows">
        ${rootRow(snapshot, chart, selected)} ${new Html(rows.map((row) => rowText(row, chart, selected)).join("\n"))}
      </ol>
    </div>
    ${rows.length === 0 && html`<p class="empty">No operation has been recorded yet.</p>`} ${legend}
  </div>`
}

interface Chart {
  readonly scale: Scale.Scale
  readonly isOpen: boolean
  readonly end: number
  readonly name: string
  readonly parameters: links.Parameters
}

const axis = ({ canFold, isFolded, ticks }: Scale.Scale, parameters: links.Parameters, name: string): Html =>
  html`<div class="axis">
    <span class="axis-name">Operation</span><span class="axis-took">Took</span
    ><svg class="ticks" aria-hidden="true" focusable="false">
      ${ticks.map(
        ({ at, label }) =>
          html`<g>
            <line x1="${at.toFixed(2)}%" x2="${at.toFixed(2)}%" y1="0" y2="100%" />
            <text x="${at.toFixed(2)}%" dx="4" y="15">${label}</text>
          </g>`
      )}</svg
    >${
      canFold &&
      html`<a class="fold" href="${links.execution(name, { ...parameters, scale: isFolded ? "real" : "folded" })}"
        >${isFolded ? "Show real time" : "Fold suspended time"}</a
      >`
    }
  </div>`

/** Returns the intervals in which no code ran, behind all rows. Invisibly narrow ones are omitted. */
const bands = ({ timeline }: Snapshot, { end, scale }: Chart): Html => {
  const rects: Array<string> = []
  for (const { end: until = end, start } of timeline.suspensions) {
    const [from, to] = [scale.at(start), scale.at(until)]
    if (to - from > 0.1) rects.push(`<rect x="${from.toFixed(2)}%" width="${(to - from).toFixed(2)}%" height="100%"/>`)
  }
  return new Html(
    `<svg class="bands" aria-hidden="true" focusable="false"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.5" height="6"/></pattern></defs>${rects.join("")}</svg>`
  )
}

/** Returns the row of the execution itself, with its invocations. */
const rootRow = ({ functionName, timeline }: Snapshot, chart: Chart, selected: string | undefined): Html => {
  const { execution, invocations } = timeline
  const look = words.lookOf(execution.status)
  const bars = invocations
    .slice(-mostBars)
    .map(({ end = chart.end, error, start }) => bar(chart, error === undefined ? "ran" : "ran missed", start, end))
  return html`<li class="row root ${look.tone}">
    <a
      href="${links.execution(chart.name, chart.parameters)}#inspector"
      id="row-"
      ${selected === undefined && html` aria-current="true"`}
    >
      <span class="what"
        >${signOf(look)}<span class="kind">function</span> <b>${functionName}</b
        ><span class="sr">, ${look.word}</span></span
      >
      <span class="took">${words.duration(chart.end - execution.start)}</span>
      <svg class="track" aria-hidden="true" focusable="false">${new Html(bars.join(""))}</svg></a
    >
  </li>`
}

/** The maximum number of bars in one row. */
const mostBars = 200

/** The maximum indentation of rows. */
const deepest = 10

const rowText = (row: Timeline.Row, chart: Chart, selected: string | undefined): string => {
  const look = words.lookOfRow(row, chart.isOpen)
  const attempts = row.detail._tag === "Step" ? row.detail.attempts.length : 1
  return html`<li class="row ${look.tone} d${Math.min(row.depth, deepest)}">
    <a
      href="${links.operation(chart.name, row.id, chart.parameters)}"
      id="row-${row.id}"
      ${row.id === selected && html` aria-current="true"`}
    >
      <span class="what"
        >${signOf(look)}<span class="kind">${words.kindOf(row)}</span>
        <b>${words.nameOf(row)}</b
        >${attempts > 1 && html`<span class="times">×${attempts}<span class="sr"> attempts</span></span>`}<span
          class="sr"
          >, ${look.word}</span
        ></span
      >
      <span class="took">${took(row, chart)}</span>
      <svg class="track" aria-hidden="true" focusable="false">${new Html(barsOf(row, chart))}</svg></a
    >
  </li>`.text
}

const took = ({ end, start }: Timeline.Span, chart: Chart): Part =>
  end !== undefined || chart.isOpen ? words.duration((end ?? chart.end) - start) : "–"

const barsOf = (row: Timeline.Row, chart: Chart): string => {
  const end = row.end ?? chart.end
  if (row.type === "CONTEXT") return bar(chart, "whole", row.start, end)
  if (row.detail._tag !== "Step") return bar(chart, "held", row.start, end)
  const { attempts } = row.detail
  // No code runs between attempts; the line shows that they belong together.
  const between = attempts.length > 1 || row.status === "PENDING" ? bar(chart, "between", row.start, end) : ""
  return (
    between +
    attempts
      .slice(-mostBars)
      .map((attempt) => attemptBar(attempt, chart))
      .join("")
  )
}

const attemptBar = (attempt: Timeline.Attempt, chart: Chart): string =>
  bar(chart, attempt.status === "FAILED" ? "ran missed" : "ran", attempt.start, attempt.end ?? chart.end)

/** Returns a bar, which is never too narrow to be seen. */
const bar = ({ scale }: Chart, kind: string, start: number, end: number): string => {
  const from = Math.min(scale.at(start), 99.6)
  const width = Math.max(0.4, scale.at(end) - from)
  const shape = shapes[kind] ?? whole
  return `<rect class="${kind}" x="${from.toFixed(2)}%" width="${width.toFixed(2)}%"${shape}/>`
}

const whole = ` y="5" height="14" rx="2"`
const shapes: Readonly<Record<string, string>> = {
  whole: ` y="9" height="6" rx="2"`,
  held: ` y="5" height="14" rx="2" fill="url(#hatch)"`,
  between: ` y="11" height="2"`
}

const key = (kind: string, word: string): Html =>
  html`<li>
    <svg class="track" aria-hidden="true" focusable="false">
      <rect class="${kind}" x="1" width="26" ${new Html(shapes[kind] ?? whole)} /></svg
    >${word}
  </li>`

const legend = html`<ul class="legend" aria-label="What the bars mean">
  ${key("ran", "code ran")}${key("ran missed", "attempt failed")}${key("between", "until the next attempt")}${key("held", "waited for something outside")}${key("whole", "block")}${key("band", "suspended, no code ran")}
</ul>`
