/**
 * The view of a running execution: a tree that is redrawn if there is a terminal, and otherwise each event as a line.
 *
 * Owns: what is shown meanwhile.
 * Does not own: the tree, and how an execution is read.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ClientError, DurableClient } from "../DurableClient.ts"
import { read, type Settled } from "../view/Families.ts"
import { isOpen, waitsFor, type Row } from "../view/Timeline.ts"
import { draw, errorLine, type Family } from "../view/Tree.ts"
import { timeOfDay } from "../view/moments.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import type { Endpoint } from "./connection.ts"
import { currentTime } from "./control.ts"
import { ended, followed, type Ended } from "./executions.ts"
import { Output, type Terminal } from "./Output.ts"
import { cut, duration, shortened } from "./words.ts"

/** Shows the progress until the execution ends. */
export const watch = (arn: string): Effect.Effect<Ended, ClientError, DurableClient | Endpoint | Output> =>
  Effect.flatMap(Output, ({ terminal }) =>
    Effect.andThen(terminal === undefined ? lines(arn) : liveTree(arn, terminal), ended(arn))
  )

// --- Lines ---------------------------------------------------------------------------------------------------------------

const lines = (arn: string): Effect.Effect<void, ClientError, DurableClient | Output> =>
  Effect.flatMap(Output, ({ say }) =>
    Stream.runForEach(followed(arn), (event) => Effect.sync(() => say(eventLine(event))))
  )

/** Returns an event in a line: its time, its type, its operation, and its result. */
export const eventLine = (event: HistoryEvent): string => {
  const type = event.EventType === "Unknown" ? event.UnknownEventType : event.EventType
  return [timeOfDay(event.EventTimestamp), type.padEnd(22), event.Name ?? "", shortened(detailOf(event), 100)]
    .filter((part) => part !== "")
    .join("  ")
    .trimEnd()
}

/** Returns the details of an event. */
const detailOf = (event: HistoryEvent): string => {
  switch (event.EventType) {
    case "ExecutionStarted":
      return event.ExecutionStartedDetails.Input.Payload ?? ""
    case "WaitStarted":
      return `${event.WaitStartedDetails.Duration} s`
    case "CallbackStarted":
      return event.CallbackStartedDetails.CallbackId
    case "ChainedInvokeStarted":
      return event.ChainedInvokeStartedDetails.FunctionName
    case "InvocationCompleted":
      return errorOf(event.InvocationCompletedDetails.Error)
    default:
      return outcomeIn(event)
  }
}

/** Returns the result or the error, which have the same place in the details of every type. */
const outcomeIn = (event: HistoryEvent): string => {
  const details: unknown = Reflect.get(event, `${event.EventType}Details`)
  if (typeof details !== "object" || details === null) return ""
  const result: unknown = Reflect.get(details, "Result")
  const error: unknown = Reflect.get(details, "Error")
  if (typeof result === "object" && result !== null) return String(Reflect.get(result, "Payload") ?? "")
  return errorOf(error)
}

const errorOf = (error: unknown): string => {
  const payload: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "Payload") : undefined
  return typeof payload === "object" && payload !== null ? errorLine(payload) : ""
}

// --- A redrawn tree ------------------------------------------------------------------------------------------------------

/** Draws the tree, and below it the progress of the execution, until it and those that it handed over to have ended. */
const liveTree = (
  arn: string,
  terminal: Terminal
): Effect.Effect<void, ClientError, DurableClient | Endpoint | Output> =>
  Effect.gen(function* () {
    const { draw: write } = yield* Output
    const settled: Settled = new Map()
    let drawn = 0
    for (let turn = 0; ; turn++) {
      const before = yield* Clock.currentTimeMillis
      const family = yield* read(arn, settled)
      const picture = pictureOf(family, terminal, yield* currentTime, turn)
      write(`${drawn === 0 ? "" : `\u001B[${drawn}A`}\u001B[0J${picture.map((line) => `${line}\n`).join("")}`)
      drawn = picture.length
      if (!goesOn(family)) return
      // A long history is read less often.
      const after = yield* Clock.currentTimeMillis
      yield* Effect.sleep(Math.max(250, 4 * (after - before)))
    }
  })

const goesOn = ({ successor, timeline }: Family): boolean =>
  isOpen(timeline.execution) || (successor !== undefined && goesOn(successor))

/** Returns the part that fits on the terminal. Changes happen at the end of a tree. */
const pictureOf = (family: Family, { columns, rows }: Terminal, now: number, turn: number): ReadonlyArray<string> => {
  const tree = draw(family, { times: true, errors: true })
  const room = Math.max(1, rows() - 3)
  const shown =
    tree.length <= room ? tree : [`… ${tree.length - room + 1} lines more`, ...tree.slice(tree.length - room + 1)]
  return [...shown, progress(family, now, turn)].map((line) => cut(line, columns() - 1))
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

/** Returns the last line: the duration, the count, and the awaited operations. */
const progress = ({ timeline }: Family, now: number, turn: number): string => {
  const { execution, rows } = timeline
  const over = rows.filter(({ end }) => end !== undefined).length
  const count = `${over} of ${rows.length} operations ended`
  if (!isOpen(execution))
    return `${execution.status} after ${duration((execution.end ?? now) - execution.start)}, ${count}`
  const waiting = waitsFor(timeline).map((row) => waitOf(row, now))
  return [
    `${frames[turn % frames.length]} ${duration(now - execution.start)}, ${count}`,
    ...(waiting.length === 0 ? [] : [`waits for ${waiting.join(", ")}`])
  ].join(", ")
}

const waitOf = ({ detail, id, name = id }: Row, now: number): string => {
  switch (detail._tag) {
    case "Callback":
      return `the callback "${name}"`
    case "Wait":
      return `"${name}"${detail.until === undefined ? "" : ` (${duration(detail.until - now)})`}`
    case "Step":
      return `another attempt of "${name}"`
    default:
      return `"${name}"`
  }
}
