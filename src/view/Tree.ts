/**
 * An execution drawn as the tree of its operations, in lines of text: those of the executions that it invoked and handed over to
 * hang below it.
 *
 * Owns: the words and the lines.
 * Does not own: what a history says, and where it comes from.
 *
 * @since 0.1.0
 */
import { parseDurableExecutionArn } from "../wire/Constraints.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { EventError, EventPayload } from "../wire/HistoryEvent.ts"
import { isOpen, standingOf, type Row, type Timeline } from "./Timeline.ts"
import { visible } from "./visible.ts"

/** An execution with those that came of it. */
export interface Family {
  readonly timeline: Timeline
  /** Executions that it invoked, by the ids of the operations that did. */
  readonly invoked: ReadonlyMap<string, Family>
  /** The execution that it handed over to. */
  readonly successor?: Family | undefined
}

/** What is drawn besides names, kinds, states and attempts. What is left out is not. */
export interface Drawing {
  /** Seconds since the start of the outermost execution, and how often code was invoked. */
  readonly times?: boolean | undefined
  /** The errors of what has failed. */
  readonly errors?: boolean | undefined
  /** Payloads, results and errors. */
  readonly payloads?: boolean | undefined
  /** At most so many operations of one parent. Default: 12. */
  readonly most?: number | undefined
  /** What else to say of an operation. */
  readonly noteOf?: ((executionArn: string, operationId: string) => string | undefined) | undefined
}

/** The lines of the drawing. */
export const draw = (family: Family, drawing: Drawing): ReadonlyArray<string> => {
  const zero = family.timeline.execution.start
  const lines = Array.from(linesOf(branchOf(family, drawing, zero), drawing.most ?? 12))
  const labels = Math.max(...lines.map(({ label }) => label.length))
  const kinds = Math.max(...lines.map(({ kind }) => kind.length))
  return lines.map(({ facts, kind, label }) => `${label.padEnd(labels)}  ${kind.padEnd(kinds)}  ${facts}`.trimEnd())
}

/** Something that is drawn in a line, with what is below it. */
interface Branch {
  readonly name: string
  readonly kind: string
  readonly facts: string
  readonly below: ReadonlyArray<Branch>
}

interface Line {
  readonly label: string
  readonly kind: string
  readonly facts: string
}

function* linesOf(branch: Branch, most: number, first = "", rest = ""): Generator<Line> {
  yield { label: `${first}${branch.name}`, kind: branch.kind, facts: branch.facts }
  const shown = branch.below.slice(0, most)
  const hidden = branch.below.length - shown.length
  for (const [index, child] of shown.entries()) {
    const isLast = index === shown.length - 1 && hidden === 0
    yield* linesOf(child, most, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`)
  }
  if (hidden > 0) yield { label: `${rest}└─ … and ${hidden} more`, kind: "", facts: "" }
}

// --- What a line says ----------------------------------------------------------------------------------------------------

const branchOf = (family: Family, drawing: Drawing, zero: number): Branch => {
  const { invoked, successor, timeline } = family
  const { execution, invocations, rows } = timeline
  const below = Map.groupBy(rows, ({ parentId }) => parentId)
  const open = isOpen(execution)
  const branchesIn = (parentId: string | undefined): ReadonlyArray<Branch> =>
    (below.get(parentId) ?? []).map((row) => {
      const callee = invoked.get(row.id)
      const inside = branchesIn(row.id)
      return {
        name: row.name ?? row.subType ?? kindOf(row),
        kind: kindOf(row),
        facts: [
          timesOf(row, drawing, zero),
          stateOf(row, open),
          attemptsOf(row),
          valuesOf(row, drawing),
          noteOf(execution.arn, row.id, drawing)
        ].join(""),
        below: callee === undefined ? inside : [...inside, branchOf(callee, drawing, zero)]
      }
    })
  const invoking = drawing.times === true && invocations.length > 1 ? `, ${invocations.length} invocations` : ""
  return {
    name: parseDurableExecutionArn(execution.arn)?.functionName ?? execution.name,
    kind: "execution",
    facts: `${timesOf(execution, drawing, zero)}${wordsFor(execution.status)}${invoking}${valuesOf(execution, drawing)}`,
    below: [...branchesIn(undefined), ...(successor === undefined ? [] : [branchOf(successor, drawing, zero)])]
  }
}

const kinds: Readonly<Record<string, string>> = { CHAINED_INVOKE: "invoke" }

const kindOf = ({ type }: Row): string => kinds[type] ?? wordsFor(type)

/** `TIMED_OUT` → `timed out` */
const wordsFor = (constant: string): string => constant.toLowerCase().replaceAll("_", " ")

const stateOf = (row: Row, open: boolean): string => {
  const standing = standingOf(row, open)
  return standing === "ended" ? wordsFor(row.status) : standing
}

const attemptsOf = ({ detail }: Row): string => {
  const number = detail._tag === "Step" ? (detail.attempts.at(-1)?.number ?? 0) : 0
  return number > 1 ? `, ${number} attempts` : ""
}

const timesOf = (
  { end, start }: { readonly start: number; readonly end?: number | undefined },
  { times }: Drawing,
  zero: number
): string =>
  times === true ? `${seconds(start - zero)} → ${end === undefined ? "…".padStart(8) : seconds(end - zero)}  ` : ""

const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`.padStart(8)

/** What went in and what came out, as far as it is to be drawn. */
const valuesOf = (
  subject: {
    readonly detail?: Row["detail"]
    readonly input?: EventPayload | undefined
    readonly output?: EventPayload | undefined
    readonly error?: EventError | undefined
  },
  { errors, payloads }: Drawing
): string => {
  const { detail, error, output } = subject
  const input = subject.input ?? (detail?._tag === "Invoke" ? detail.input : undefined)
  const said = errors === true || payloads === true ? error?.Payload : undefined
  return [
    payloads === true && input?.Payload !== undefined ? `  of ${visible(input.Payload)}` : "",
    payloads === true && output?.Payload !== undefined ? `  = ${visible(output.Payload)}` : "",
    said === undefined ? "" : `  ${errorLine(said)}`
  ].join("")
}

/** An error of an execution or an operation, in a line. */
export const errorLine = ({ ErrorMessage: message, ErrorType: type }: ErrorObject): string =>
  visible([type, message].filter((part) => part !== undefined && part !== "").join(": ")).replaceAll(/ +/g, " ") ||
  "no reason was given"

const noteOf = (arn: string, operationId: string, { noteOf }: Drawing): string => {
  const note = noteOf?.(arn, operationId)
  return note === undefined ? "" : `  ← ${note}`
}
