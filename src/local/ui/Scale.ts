/**
 * The position of a time on the axis of a waterfall, from 0 to 100.
 *
 * A workflow of days runs code for moments. On a folded axis the time in which no code ran takes at most a third of the
 * width, so that the code that ran can be distinguished; on a real axis every second has the same width.
 *
 * Owns: the conversion of time to width, and the marks of the axis.
 * Does not own: what is drawn.
 *
 * @since 0.1.0
 */
import { firstIndex } from "../../view/first.ts"
import type { Span } from "../../view/Timeline.ts"
import { duration } from "./words.ts"

export interface Tick {
  readonly at: number
  readonly label: string
}

export interface Scale {
  readonly isFolded: boolean
  /** Whether the other axis would look different. */
  readonly canFold: boolean
  readonly at: (time: number) => number
  readonly ticks: ReadonlyArray<Tick>
}

/** An interval that has ended. */
interface Stretch {
  readonly start: number
  readonly end: number
}

export interface ScaleOptions extends Stretch {
  readonly suspensions: ReadonlyArray<Span>
  /** The requested axis. Default: folded if no code ran for most of the time. */
  readonly wanted?: "folded" | "real" | undefined
}

/** A time and its position. The axis is linear between two knots. */
interface Knot {
  readonly time: number
  readonly at: number
}

export const make = ({ end, start, suspensions, wanted }: ScaleOptions): Scale => {
  const total = Math.max(1, end - start)
  const gaps = suspensions.map((gap) => ({ start: gap.start, end: Math.min(gap.end ?? end, end) }))
  const suspended = gaps.reduce((sum, gap) => sum + Math.max(0, gap.end - gap.start), 0)
  const canFold = suspended > total / 3
  const isFolded = canFold && (wanted === undefined ? suspended > (total * 2) / 3 : wanted === "folded")
  const active = Math.max(1, total - suspended)
  const knots = knotsOf(start, start + total, isFolded ? gaps : [], active / 2 / Math.max(1, gaps.length))
  const ticks = isFolded
    ? [0, 20, 40, 60, 80].map((at) => ({ at, label: duration(timeAt(knots, at) - start) }))
    : evenTicks(total)
  return { isFolded, canFold, at: (time) => placeOf(knots, time), ticks }
}

const knotsOf = (start: number, end: number, gaps: ReadonlyArray<Stretch>, longest: number): ReadonlyArray<Knot> => {
  const knots: Array<Knot> = [{ time: start, at: 0 }]
  let [time, at] = [start, 0]
  const go = (to: number, width: number): void => {
    at += width
    time = to
    knots.push({ time, at })
  }
  for (const gap of gaps) {
    if (gap.end <= time) continue
    const from = Math.max(gap.start, time)
    go(from, from - time)
    go(gap.end, Math.min(gap.end - from, longest))
  }
  go(Math.max(end, time), Math.max(end - time, 0))
  return knots.map((knot) => ({ time: knot.time, at: (knot.at / at) * 100 }))
}

/** Returns the last knot before the condition holds, and the next one. */
const around = (knots: ReadonlyArray<Knot>, isBeyond: (knot: Knot) => boolean): readonly [Knot, Knot] => {
  const high = Math.min(Math.max(firstIndex(knots, isBeyond), 1), knots.length - 1)
  const nowhere: Knot = { time: 0, at: 0 }
  return [knots[high - 1] ?? nowhere, knots[high] ?? nowhere]
}

const placeOf = (knots: ReadonlyArray<Knot>, time: number): number => {
  const [from, to] = around(knots, (knot) => knot.time > time)
  const part = to.time === from.time ? 0 : (time - from.time) / (to.time - from.time)
  return Math.min(100, Math.max(0, from.at + part * (to.at - from.at)))
}

const timeAt = (knots: ReadonlyArray<Knot>, at: number): number => {
  const [from, to] = around(knots, (knot) => knot.at > at)
  const part = to.at === from.at ? 0 : (at - from.at) / (to.at - from.at)
  return from.time + part * (to.time - from.time)
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** The usual distances between marks. */
const steps: ReadonlyArray<number> = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((many) => many * second),
  ...[1, 2, 5, 10, 15, 30].map((many) => many * minute),
  ...[1, 2, 3, 6, 12].map((many) => many * hour),
  ...[1, 2, 5, 10, 20, 50, 100].map((many) => many * day)
]

const evenTicks = (total: number): ReadonlyArray<Tick> => {
  const step = steps.find((candidate) => total / candidate <= 6) ?? total / 5
  const ticks: Array<Tick> = []
  // A mark at the very end would have no room for its label.
  for (let time = 0; time < total * 0.95; time += step) ticks.push({ at: (time / total) * 100, label: label(time) })
  return ticks
}

const label = (time: number): string => (time >= second && time < minute ? `${time / second} s` : duration(time))
