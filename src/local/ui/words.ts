/**
 * The texts for times, sizes and states.
 *
 * Owns: those texts. Does not own: where they are shown.
 *
 * @since 0.1.0
 */
import type { Timer, TimerKind } from "../../engine/Service.ts"
import { standingOf, type Row, type Standing } from "../../view/Timeline.ts"
import { dateTime, timeOfDay } from "../../view/moments.ts"
import { html, type Html } from "./Html.ts"

/** Returns a length of time, in its two largest units. */
export const duration = (milliseconds: number): string => {
  const ms = Math.max(0, milliseconds)
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return two(seconds, 60, "m", "s")
  if (seconds < 86_400) return two(Math.round(seconds / 60), 60, "h", "m")
  return two(Math.round(seconds / 3_600), 24, "d", "h")
}

const two = (count: number, per: number, large: string, small: string): string =>
  count % per === 0
    ? `${Math.floor(count / per)} ${large}`
    : `${Math.floor(count / per)} ${large} ${count % per} ${small}`

/** Returns a time in the engine's time zone: only the time of day for today, with the date otherwise. */
export const moment = (time: number, now: number): Html => {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date(now).toDateString()
  const iso = date.toISOString()
  return html`<time datetime="${iso}" title="${iso}">${isToday ? timeOfDay(time) : dateTime(time)}</time>`
}

/** Returns the remaining time. */
export const until = (time: number, now: number): string => (time > now ? `in ${duration(time - now)}` : "now")

const ends: Readonly<Record<TimerKind, string>> = {
  Wait: "ends",
  StepRetry: "next attempt",
  InvocationRetry: "next attempt",
  CallbackTimeout: "times out",
  HeartbeatTimeout: "heartbeat due",
  ExecutionTimeout: "times out"
}

/** Returns the effect of a timer, and the remaining time. */
export const due = ({ due: time, kind }: Timer, now: number): string => `${ends[kind]} ${until(time, now)}`

export const bytes = (count: number): string =>
  count < 1_024
    ? `${count} B`
    : count < 1_048_576
      ? `${Math.round(count / 1_024)} kB`
      : `${(count / 1_048_576).toFixed(1)} MB`

export const count = (many: number, one: string, more = `${one}s`): string =>
  `${many.toLocaleString("en")} ${many === 1 ? one : more}`

// --- States --------------------------------------------------------------------------------------------------------------

/** The look of a state: its colour and its icon belong together, and always appear with its word. */
export interface Look {
  readonly tone: "running" | "waiting" | "good" | "bad" | "late" | "off"
  readonly word: string
}

const looks: Readonly<Record<string, Look>> = {
  RUNNING: { tone: "running", word: "Running" },
  SUCCEEDED: { tone: "good", word: "Succeeded" },
  FAILED: { tone: "bad", word: "Failed" },
  TIMED_OUT: { tone: "late", word: "Timed out" },
  STOPPED: { tone: "off", word: "Stopped" },
  CANCELLED: { tone: "off", word: "Cancelled" },
  PENDING: { tone: "waiting", word: "Waiting to retry" }
}

/** Returns the look of an execution, or of an operation that has ended. */
export const lookOf = (status: string): Look =>
  looks[status] ?? { tone: "off", word: status.charAt(0) + status.slice(1).toLowerCase().replaceAll("_", " ") }

/** Returns the look of an operation. `isOpen` is whether its execution is open. */
export const lookOfRow = (row: Row, isOpen: boolean): Look => {
  const standing = standingOf(row, isOpen)
  return standing === "ended" ? lookOf(row.status) : standings[standing]
}

const standings: Readonly<Record<Exclude<Standing, "ended">, Look>> = {
  "left open": { tone: "off", word: "Left open" },
  "to be tried again": lookOf("PENDING"),
  running: { tone: "running", word: "Running" },
  waiting: { tone: "waiting", word: "Waiting" }
}

const kinds: Readonly<Record<string, string>> = {
  RunInChildContext: "child",
  MapIteration: "item",
  ParallelBranch: "branch",
  ChainedInvoke: "invoke",
  WaitForCallback: "wait for callback",
  WaitForCondition: "condition"
}

/** Returns the kind of an operation in a word. */
export const kindOf = ({ subType, type }: Pick<Row, "subType" | "type">): string =>
  kinds[subType ?? ""] ?? (subType ?? type).toLowerCase().replaceAll("_", " ")

/** Returns the name of an operation. */
export const nameOf = ({ name }: Pick<Row, "name">): string => (name === undefined || name === "" ? "unnamed" : name)
