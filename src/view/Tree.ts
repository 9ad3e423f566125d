/**
 * An execution drawn as the tree of its operations, in lines of text. The trees of the executions that it invoked and handed
 * over to are below it.
 *
 * Owns: the texts and the lines.
 * Does not own: the data of a history, and where it comes from.
 *
 * @since 0.1.0
 */
import { parseDurableExecutionArn } from "../wire/Constraints.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { EventError, EventPayload } from "../wire/HistoryEvent.ts"
import { headline } from "./headline.ts"
import { isOpen, standingOf, type Row, type Timeline } from "./Timeline.ts"
import { visible } from "./visible.ts"

/** An execution with the executions that it led to. */
export interface Family {
  readonly timeline: Timeline
  /** The executions that it invoked, by the ids of the invoking operations. */
  readonly invoked: ReadonlyMap<string, Family>
  /** The execution that it handed over to. */
  readonly successor?: Family | undefined
}

/** The content of a drawing in addition to names, kinds, states and attempts. Missing options mean no. */
export interface Drawing {
  /** Whether to draw seconds since the start of the outermost execution, and the number of invocations. */
  readonly times?: boolean | undefined
  /** Whether to draw the errors of failed operations. */
  readonly errors?: boolean | undefined
  /** Whether to draw payloads, results and errors. */
  readonly payloads?: boolean | undefined
  /** The maximum number of operations of one parent. Default: 12. */
  readonly most?: number | undefined
  /** Returns a further note about an operation. */
  readonly noteOf?: ((executionArn: string, operationId: string) => string | undefined) | undefined
}

/** Returns the lines of the drawing. */
export const draw = (family: Family, drawing: Drawing): ReadonlyArray<string> => {
  const zero = family.timeline.execution.start
  const lines = Array.from(linesOf(branchOf(family, drawing, zero), drawing.most ?? 12))
  const labels = Math.max(...lines.map(({ label }) => label.length))
  const kinds = Math.max(...lines.map(({ kind }) => kind.length))
  return lines.map(({ facts, kind, label }) => `${label.padEnd(labels)}  ${kind.padEnd(kinds)}  ${facts}`.trimEnd())
}

/** A line of the drawing, with the lines below it. */
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

// --- The text of a line --------------------------------------------------------------------------------------------------

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

/** Converts `TIMED_OUT` to `timed out`. */
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

/** Returns the input and the output, as far as they are drawn. */
const valuesOf = (
  subject: {
    readonly detail?: Row["detail"]
    readonly input?: EventPayload | undefined
    readonly output?: EventPayload | undefined
    readonly error?: EventError | undefined
  },
  { errors, payloads }: Drawing
): string => {
  const { detail, error = lastFailureOf(detail), output } = subject
  const input = subject.input ?? (detail?._tag === "Invoke" ? detail.input : undefined)
  const said = errors === true || payloads === true ? error?.Payload : undefined
  return [
    payloads === true && input?.Payload !== undefined ? `  of ${visible(input.Payload)}` : "",
    payloads === true && output?.Payload !== undefined ? `  = ${visible(output.Payload)}` : "",
    said === undefined ? "" : `  ${errorLine(said)}`
  ].join("")
}

/** Returns why a step is to be tried again, if it is. */
const lastFailureOf = (detail: Row["detail"] | undefined): EventError | undefined => {
  const last = detail?._tag === "Step" ? detail.attempts.at(-1) : undefined
  return last?.status === "FAILED" ? last.error : undefined
}

/** Returns an error of an execution or an operation, in a line. */
export const errorLine = (error: ErrorObject): string =>
  visible(headline(error)).replaceAll(/ +/g, " ") || "no reason was given"

const noteOf = (arn: string, operationId: string, { noteOf }: Drawing): string => {
  const note = noteOf?.(arn, operationId)
  return note === undefined ? "" : `  ← ${note}`
}
