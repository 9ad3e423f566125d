/**
 * The process that handlers run in, as a driver has to see it: what they print is kept and not shown, and `process.exit`
 * ends an invocation instead of the driver.
 */
import process from "node:process"
import type { Json, LogRecord } from "./matcher.ts"

export interface Watch {
  /** The JSON lines so far that belong to this execution. */
  readonly logsOf: (executionArn: string) => ReadonlyArray<LogRecord>
  /** Keeps what another process has printed. */
  readonly note: (text: string) => void
  /** What happens at `process.exit`. Without it, an exit is an error where it is called. */
  onExit: ((code: number) => void) | undefined
  /** Gives everything back. */
  readonly stop: () => void
}

const levels = ["log", "info", "warn", "error", "debug"] as const

export const watchProcess = (): Watch => {
  const lines: Array<{ readonly time: number; readonly text: string }> = []
  const keep = (text: string): void => {
    for (const line of text.split("\n")) if (line.startsWith("{")) lines.push({ time: Date.now(), text: line })
  }
  const originals = levels.map((level) => [level, console[level]] as const)
  const exit = process.exit.bind(process)
  const write = process.stdout.write.bind(process.stdout)

  for (const level of levels) {
    console[level] = (...args: ReadonlyArray<unknown>) => {
      if (typeof args[0] === "string") keep(args[0])
    }
  }
  // The driver shows its own lines through `write`, which stays.
  process.stdout.write = (chunk: unknown) => {
    if (typeof chunk === "string") keep(chunk)
    return true
  }
  process.exit = (code) => {
    if (watch.onExit === undefined) throw new Error("The handler called process.exit, which was not expected of it.")
    watch.onExit(Number(code ?? 0))
    throw new Error("The process has ended.")
  }

  const watch: Watch = {
    logsOf: (executionArn) => lines.flatMap(({ text, time }) => recordOf(text, time, executionArn)),
    note: keep,
    onExit: undefined,
    stop: () => {
      for (const [level, original] of originals) console[level] = original
      process.stdout.write = write
      process.exit = exit
    }
  }
  return watch
}

const recordOf = (text: string, received: number, executionArn: string): ReadonlyArray<LogRecord> => {
  const record = parse(text)
  if (record === undefined) return []
  if (record["executionArn"] !== executionArn && record["durableExecutionArn"] !== executionArn) return []
  const time = Date.parse(String(record["timestamp"]))
  return [{ time: Number.isNaN(time) ? received : time, record }]
}

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
