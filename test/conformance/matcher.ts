/**
 * Whether what has been seen is what a requirement expects.
 *
 * In what is expected, `'*'` and `{}` stand for anything that is there, `${NAME}` for the same value everywhere, and
 * `${/re/}` for a text that the expression finds something in. A mapping names some of the fields; a list is whole. Events
 * are found by their EventId: what is not listed is not looked at.
 */
import { isDeepStrictEqual } from "node:util"
import type { ExpectedLog, Requirement } from "./requirement.ts"

/** The values of names, those of `Variables` from the beginning. */
export type Bindings = Map<string, unknown>

export type Json = Readonly<Record<string, unknown>>

/** How an execution ended; `value` is its parsed result, `null` when it has none. */
export interface Ended {
  readonly status: string
  readonly value?: unknown
}

/** One line of the log of an execution. */
export interface LogRecord {
  readonly time: number
  readonly record: Json
}

export interface Seen {
  readonly events: ReadonlyArray<Json>
  /** Absent while the execution is running. */
  readonly ended?: Ended | undefined
  readonly logs: ReadonlyArray<LogRecord>
}

/** The values of the requirement's variables: `${GEN_STR:N}` is N random letters and digits. */
export const bindVariables = (requirement: Requirement, random: () => number): Bindings =>
  new Map(
    Object.entries(requirement.Variables ?? {}).map(([name, value]) => {
      const length = typeof value === "string" ? /^\$\{GEN_STR:(\d+)\}$/.exec(value)?.[1] : undefined
      return [name, length === undefined ? value : randomText(Number(length), random)]
    })
  )

const randomText = (length: number, random: () => number): string =>
  Array.from({ length }, () => "abcdefghijklmnopqrstuvwxyz0123456789".charAt(Math.floor(random() * 36))).join("")

/** Puts the values of names in place of them, wherever there is text. */
export const substitute = (template: unknown, bindings: Bindings): unknown => {
  if (typeof template === "string") {
    const whole = nameIn(template)
    if (whole !== undefined && bindings.has(whole)) return bindings.get(whole)
    return template.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (all, name: string) =>
      bindings.has(name) ? String(bindings.get(name)) : all
    )
  }
  if (Array.isArray(template)) return template.map((item) => substitute(item, bindings))
  if (!isMapping(template)) return template
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, substitute(value, bindings)]))
}

/** What is missing or different, a sentence each; nothing when the requirement is met. */
export const problemsOf = (requirement: Requirement, variables: Bindings, seen: Seen): ReadonlyArray<string> => [
  ...problemsOfHistory(requirement, new Map(variables), seen.events),
  ...problemsOfResult(requirement, variables, seen.ended),
  ...problemsOfLogs(requirement, variables, seen.logs)
]

// --- The history -----------------------------------------------------------------------------------------------------

export const problemsOfHistory = (
  requirement: Requirement,
  bindings: Bindings,
  events: ReadonlyArray<Json>
): ReadonlyArray<string> => {
  const byId = new Map(events.map((event) => [event["EventId"], event]))
  return [...(requirement.ExpectedExecutionHistory ?? [])]
    .sort((a, b) => Number(a["EventId"]) - Number(b["EventId"]))
    .flatMap((expected) => {
      const name = `event ${String(expected["EventId"])}`
      const event = byId.get(expected["EventId"])
      return event === undefined
        ? [`${name} (${String(expected["EventType"])}) is missing`]
        : differences(expected, event, name, bindings)
    })
}

/** Where a value is not what is expected. Names without a value get theirs on the way. */
export const differences = (
  expected: unknown,
  actual: unknown,
  path: string,
  bindings: Bindings
): ReadonlyArray<string> => {
  if (expected === "*") return []
  if (typeof expected === "string") return textDifferences(expected, actual, path, bindings)
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return [unexpected(path, expected, actual)]
    return expected.flatMap((item, index) => differences(item, actual[index], `${path}[${index}]`, bindings))
  }
  if (!isMapping(expected)) return isDeepStrictEqual(expected, actual) ? [] : [unexpected(path, expected, actual)]
  const fields = Object.entries(expected)
  if (fields.length === 0) return []
  if (!isMapping(actual)) return [unexpected(path, expected, actual)]
  return fields.flatMap(([key, value]) =>
    actual[key] === undefined
      ? [`${path}.${key} is missing`]
      : differences(value, actual[key], `${path}.${key}`, bindings)
  )
}

const textDifferences = (
  expected: string,
  actual: unknown,
  path: string,
  bindings: Bindings
): ReadonlyArray<string> => {
  const pattern = patternIn(expected)
  if (pattern !== undefined) {
    return pattern.test(shown(actual)) ? [] : [unexpected(path, expected, actual)]
  }
  const name = nameIn(expected)
  if (name !== undefined && !bindings.has(name)) {
    bindings.set(name, actual)
    return []
  }
  const value = substitute(expected, bindings)
  return isDeepStrictEqual(value, actual) ? [] : [unexpected(path, value, actual)]
}

/** The expression in `${/…/}`. */
export const patternIn = (text: string): RegExp | undefined => {
  const source = /^\$\{\/(.*)\/\}$/s.exec(text)?.[1]
  return source === undefined ? undefined : new RegExp(source)
}

const nameIn = (text: string): string | undefined => /^\$\{([A-Za-z_]\w*)\}$/.exec(text)?.[1]

/** A value as Python's `str` shows it: that is what expressions are written for. */
const shown = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value === null) return "None"
  if (typeof value === "boolean") return value ? "True" : "False"
  return typeof value === "number" ? String(value) : JSON.stringify(value)
}

const unexpected = (path: string, expected: unknown, actual: unknown): string =>
  `${path}: expected ${brief(expected)}, found ${brief(actual)}`

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

const isMapping = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// --- The result ------------------------------------------------------------------------------------------------------

const problemsOfResult = (
  { ExpectedResult: expected }: Requirement,
  variables: Bindings,
  ended: Ended | undefined
): ReadonlyArray<string> => {
  if (expected === undefined) return []
  if (ended === undefined) return ["the execution does not come to an end"]
  if (ended.status !== expected.ExecutionStatus) {
    return [unexpected("status", expected.ExecutionStatus, ended.status)]
  }
  // Only a success has a result, and one that is not mentioned is not looked at.
  if (ended.status !== "SUCCEEDED" || !("Result" in expected)) return []
  const value = substitute(expected.Result, variables)
  return isDeepStrictEqual(value, ended.value ?? null) ? [] : [unexpected("result", value, ended.value ?? null)]
}

// --- The log ---------------------------------------------------------------------------------------------------------

const problemsOfLogs = (
  { ExpectedLogs: expectedLogs = [] }: Requirement,
  variables: Bindings,
  logs: ReadonlyArray<LogRecord>
): ReadonlyArray<string> =>
  expectedLogs.flatMap((expected) => {
    const find = (match: Json) => logs.filter(({ record }) => isLogged(substitute(match, variables), record))
    const found = find(expected.match)
    const name = `log ${brief(substitute(expected.match, variables))}`
    return [
      ...problemsOfCount(expected, found.length).map((problem) => `${name}: ${problem}`),
      ...(expected.after ?? []).flatMap((anchor) => problemsOfOrder(name, "after", found, find(anchor))),
      ...(expected.before ?? []).flatMap((anchor) => problemsOfOrder(name, "before", found, find(anchor)))
    ]
  })

/** Whether a record has these fields: equal but for white space around them, or found by an expression between slashes. */
const isLogged = (match: unknown, record: Json): boolean =>
  Object.entries(isMapping(match) ? match : {}).every(([key, expected]) => {
    const actual = record[key]
    if (actual === undefined) return false
    if (typeof expected !== "string") return isDeepStrictEqual(expected, actual)
    const pattern = /^\/(.*)\/$/s.exec(expected)?.[1]
    if (pattern !== undefined) return new RegExp(pattern).test(shown(actual))
    return typeof actual === "string" && actual.trim() === expected.trim()
  })

const problemsOfCount = (expected: ExpectedLog, count: number): ReadonlyArray<string> => {
  const { count: exact, max_count: most, min_count: least } = expected
  if (exact !== undefined) return count === exact ? [] : [`expected ${exact} lines, found ${count}`]
  const enough = count >= (least ?? (most === undefined ? 1 : 0))
  return enough && count <= (most ?? Infinity) ? [] : [`expected ${least ?? 1} to ${most ?? "∞"} lines, found ${count}`]
}

/** Every line stands after the first of its anchors, or before the last one. Lines of the same time may be in any order. */
const problemsOfOrder = (
  name: string,
  order: "before" | "after",
  lines: ReadonlyArray<LogRecord>,
  anchors: ReadonlyArray<LogRecord>
): ReadonlyArray<string> => {
  if (anchors.length === 0) return [`${name}: there is no line that it could come ${order}`]
  const times = anchors.map(({ time }) => time)
  const inOrder = lines.every(({ time }) =>
    order === "after" ? time >= Math.min(...times) : time <= Math.max(...times)
  )
  return inOrder ? [] : [`${name}: expected it ${order} its anchor`]
}
