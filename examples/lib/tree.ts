/**
 * Draws an execution as the tree of its operations, with times and attempts, from its history.
 *
 * It reads histories through `DurableClient` only, so it draws executions of any backend. Times are seconds since the
 * start of the outermost execution.
 */
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"

/** An event as `DurableClient` answers it. */
type Event = Effect.Success<ReturnType<DurableClient.DurableClient["Service"]["history"]>>["items"][number]

/** What else to say of an operation. */
type NoteOf = (executionArn: string, operationId: string) => string | undefined

interface Node {
  readonly name: string
  readonly note: string | undefined
  kind: string
  status: string
  readonly start: number
  end: number | undefined
  attempts: number
  readonly children: Array<Node>
}

/** Lines of text: the execution, and below it its operations and those of the executions that it invoked. */
export const draw = Effect.fn("tree.draw")(function* (executionArn: string, noteOf: NoteOf = () => undefined) {
  const root = yield* read(executionArn, noteOf)
  const rows = [...rowsOf(root, "", "", root.start)]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, facts]) => `${label.padEnd(width)}  ${facts}`.trimEnd())
})

function* rowsOf(node: Node, first: string, rest: string, zero: number): Generator<readonly [string, string]> {
  yield [`${first}${node.name}`, facts(node, zero)]
  const hidden = node.children.length > most ? node.children.length - most : 0
  const shown = node.children.slice(0, node.children.length - hidden)
  for (const [index, child] of shown.entries()) {
    const last = index === shown.length - 1 && hidden === 0
    yield* rowsOf(child, `${rest}${last ? "└─ " : "├─ "}`, `${rest}${last ? "   " : "│  "}`, zero)
  }
  if (hidden > 0) yield [`${rest}└─ … and ${hidden} more`, ""]
}

/** Operations of one parent that are drawn. */
const most = 12

const facts = (node: Node, zero: number): string => {
  const end = node.end === undefined ? "…" : seconds(node.end - zero)
  const times = `${seconds(node.start - zero)} → ${end.padStart(8)}`
  const attempts =
    node.attempts > 1 ? `, ${node.attempts} ${node.kind === "execution" ? "invocations" : "attempts"}` : ""
  const note = node.note === undefined ? "" : `  ← ${node.note}`
  return `${node.kind.padEnd(9)}  ${times}  ${node.status}${attempts}${note}`
}

const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`.padStart(8)

/** The tree of one execution. Executions that it invoked hang below the operations that invoked them. */
const read = (
  executionArn: string,
  noteOf: NoteOf
): Effect.Effect<Node, DurableClient.ClientError, DurableClient.DurableClient> =>
  Effect.gen(function* () {
    const events = yield* history(executionArn)
    const root: Node = {
      name: executionArn.match(/function:([^:/]+)/)?.[1] ?? executionArn,
      note: undefined,
      kind: "execution",
      status: "running",
      start: events[0]?.EventTimestamp ?? 0,
      end: undefined,
      attempts: 0,
      children: []
    }
    const nodes = new Map<string, Node>()
    for (const event of events) {
      if (event.EventType === "InvocationCompleted") root.attempts++
      const [, type = "", what = ""] =
        event.EventType.match(/^(.+)(Started|Succeeded|Failed|TimedOut|Stopped|Cancelled)$/) ?? []
      if (type === "Execution") {
        if (what !== "Started") end(root, what, event)
      } else if (event.Id !== undefined) {
        const parent = nodes.get(event.ParentId ?? "") ?? root
        const node = nodes.get(event.Id) ?? start(event, type, noteOf(executionArn, event.Id), parent)
        nodes.set(event.Id, node)
        if (what !== "Started") end(node, what, event)
        if (event.EventType === "ChainedInvokeStarted" && event.ChainedInvokeStartedDetails.DurableExecutionArn) {
          node.children.push(yield* read(event.ChainedInvokeStartedDetails.DurableExecutionArn, noteOf))
        }
      }
    }
    return root
  })

const kinds: Readonly<Record<string, string>> = { ChainedInvoke: "invoke" }

const start = (event: Event, type: string, note: string | undefined, parent: Node): Node => {
  const node: Node = {
    name: event.Name ?? event.Id ?? "",
    note,
    kind: kinds[type] ?? type.toLowerCase(),
    status: "open",
    start: event.EventTimestamp,
    end: undefined,
    attempts: type === "Step" ? 0 : 1,
    children: []
  }
  parent.children.push(node)
  return node
}

const end = (node: Node, what: string, event: Event): void => {
  node.status = what === "TimedOut" ? "timed out" : what.toLowerCase()
  node.end = event.EventTimestamp
  if (event.EventType === "StepSucceeded" || event.EventType === "StepFailed") node.attempts++
}

const history = Effect.fnUntraced(function* (executionArn: string) {
  const client = yield* DurableClient.DurableClient
  const events: Array<Event> = []
  let marker: string | undefined
  do {
    const page = yield* client.history(executionArn, { marker, maxItems: 1_000 })
    events.push(...page.items)
    marker = page.nextMarker
  } while (marker !== undefined)
  return events
})
