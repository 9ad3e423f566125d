/**
 * The page of each address.
 *
 * Owns: the meaning of addresses, and the data for each page.
 * Does not own: the content of pages.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Service from "../../engine/Service.ts"
import { executionStatuses } from "../../wire/Api.ts"
import type { Functions } from "../Functions.ts"
import type { Machine } from "../Machine.ts"
import type { Found } from "../Search.ts"
import { executionPage } from "./executionPage.ts"
import type { Page } from "./layout.ts"
import { listPage, type Filter } from "./listPage.ts"
import type { Snapshot, Snapshots } from "./Snapshot.ts"
import * as words from "./words.ts"

/** The data sources of pages. */
export interface Sources {
  readonly machine: Machine
  readonly functions: Functions
  readonly snapshots: Snapshots
}

/** A value by itself. */
interface Plain {
  readonly text: string
}

/** Returns the page of an address, if there is one. Throws `StorageError`. */
export const pageOf = (
  sources: Sources,
  path: ReadonlyArray<string>,
  parameters: URLSearchParams
): Page | Plain | undefined => {
  const [kind, name, what] = path
  if (path.length === 1 && kind === "") return listOf(sources, parameters)
  if (kind !== "executions" || name === undefined || path.length > 3) return undefined
  const snapshot = sources.snapshots.of(name)
  if (snapshot === undefined) return undefined
  if (what === "payload") return payloadOf(snapshot, parameters)
  if (what !== undefined) return undefined
  return executionPage(snapshot, {
    op: parameters.get("op") ?? undefined,
    view: parameters.get("view") ?? undefined,
    scale: parameters.get("scale") ?? undefined,
    from: numberIn(parameters, "from")
  })
}

const textIn = (parameters: URLSearchParams, name: string): string | undefined => {
  const text = parameters.get(name)
  return text === null || text === "" ? undefined : text
}

const numberIn = (parameters: URLSearchParams, name: string): number | undefined => {
  const text = parameters.get(name) ?? ""
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}

// --- The list ------------------------------------------------------------------------------------------------------------

/** The number of executions on a page. */
const limit = 100

const listOf = ({ functions, machine }: Sources, parameters: URLSearchParams): Page => {
  const filter: Filter = {
    functionName: textIn(parameters, "function"),
    name: textIn(parameters, "name"),
    status: executionStatuses.find((status) => status === parameters.get("status"))
  }
  const found = machine.search({
    ...filter,
    before: numberIn(parameters, "before"),
    after: numberIn(parameters, "after"),
    limit
  })
  const now = machine.now()
  return listPage({
    filter,
    found,
    counts: machine.counts(filter),
    functions,
    now,
    waitsFor: ({ arn }: Found) => Result.getOrElse(machine.query(waitsFor, { executionArn: arn }), () => "")
  })
}

/** Describes in a line what an execution waits for. */
const waitsFor = (
  state: Service.ServiceState,
  { executionArn }: { readonly executionArn: string },
  { now }: Service.Env
): Result.Result<string, Service.Refused> => {
  const execution = Service.execution(state, executionArn)
  const [first, ...others] = execution === undefined ? [] : Service.awaited(state, execution)
  if (first === undefined) return Result.succeed("")
  const { Name, SubType, Type } = first.operation
  const due = first.dues[0] === undefined ? "" : `, ${words.due(first.dues[0], now)}`
  const more = others.length === 0 ? "" : ` and ${others.length} more`
  return Result.succeed(
    `${words.kindOf({ type: Type, subType: SubType })} ${words.nameOf({ name: Name })}${due}${more}`
  )
}

// --- Payloads ------------------------------------------------------------------------------------------------------------

const payloadOf = ({ timeline }: Snapshot, parameters: URLSearchParams): Plain | undefined => {
  const id = parameters.get("op")
  const subject = id === null ? timeline.execution : timeline.rows.find((row) => row.id === id)
  if (subject === undefined) return undefined
  switch (parameters.get("of")) {
    case "input":
      return plain(inputOf(subject))
    case "output":
      return plain(subject.output?.Payload)
    case "error":
      return plain(subject.error?.Payload?.ErrorData)
    default:
      return undefined
  }
}

const inputOf = (
  subject: Snapshot["timeline"]["execution"] | Snapshot["timeline"]["rows"][number]
): string | undefined => {
  if ("arn" in subject) return subject.input?.Payload
  return subject.detail._tag === "Invoke" ? subject.detail.input?.Payload : undefined
}

const plain = (text: string | undefined): Plain | undefined => (text === undefined ? undefined : { text })
