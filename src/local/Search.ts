/**
 * The search for executions: of any function, by a part of their name and by their status, the newest first.
 *
 * Owns: how executions are found without reading large columns, and how pages follow each other.
 * Does not own: the list of AWS's API, which the engine defines.
 *
 * @since 0.1.0
 */
import type { executionStatuses } from "../wire/Api.ts"
import { json, number, read, text } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"

export type Status = (typeof executionStatuses)[number]

export interface Query {
  readonly functionName?: string | undefined
  /** A part of the name, ignoring case. */
  readonly name?: string | undefined
  readonly status?: Status | undefined
  /** Only executions that started before, or after, the one at this place. */
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly limit: number
}

export interface Found {
  readonly place: number
  readonly arn: string
  readonly name: string
  readonly functionName: string
  readonly status: Status
  readonly start: number
  readonly end?: number | undefined
  /** The type of the error, or its message, of a failed execution. */
  readonly error?: string | undefined
}

export interface Page {
  /** The executions, the newest first. */
  readonly executions: ReadonlyArray<Found>
  readonly hasNewer: boolean
  readonly hasOlder: boolean
}

export type Counts = Readonly<Record<Status, number>>

/** The index of a search, which avoids reading payloads. */
export const index = `
create index if not exists executions_searched on executions (place, function, status, name);
`

const matching = `from executions indexed by executions_searched
  where (?1 is null or function = ?1)
    and (?2 is null or instr(lower(name), lower(?2)) > 0)`

const standing = `and (?3 is null or coalesce(status, 'RUNNING') = ?3)`

const placesBefore = `select place ${matching} ${standing} and place < ?4 order by place desc limit ?5`
const placesAfter = `select place ${matching} ${standing} and place > ?4 order by place asc limit ?5`

const rowsAt = (places: string): string => `
select place, arn, name, function, identity, status, ended,
  case when status in ('FAILED', 'TIMED_OUT', 'STOPPED')
    then coalesce(json_extract(outcome, '$.error.ErrorType'), json_extract(outcome, '$.error.ErrorMessage'))
  end as error
from executions where place in (${places}) order by place desc`

const [rowsBefore, rowsAfter] = [rowsAt(placesBefore), rowsAt(placesAfter)]

/** Returns a page of matching executions. */
export const page = (sqlite: Sqlite, query: Query): Page => {
  const { after, before, limit } = query
  const upwards = after !== undefined
  const rows = sqlite.all(
    upwards ? rowsAfter : rowsBefore,
    query.functionName ?? null,
    query.name ?? null,
    query.status ?? null,
    after ?? before ?? Number.MAX_SAFE_INTEGER,
    // One more row shows whether there is another page.
    limit + 1
  )
  const hasMore = rows.length > limit
  const shown = upwards ? rows.slice(-limit) : rows.slice(0, limit)
  return {
    executions: shown.map(found),
    hasNewer: upwards ? hasMore : before !== undefined,
    hasOlder: upwards ? true : hasMore
  }
}

/** Returns the number of matching executions by their status. */
export const counts = (sqlite: Sqlite, { functionName, name }: Pick<Query, "functionName" | "name">): Counts => {
  const rows = sqlite.all(
    `select status, count(*) as many ${matching} group by status`,
    functionName ?? null,
    name ?? null
  )
  const many = new Map(rows.map((row) => [statusOf(row), number(row, "many")]))
  return {
    RUNNING: many.get("RUNNING") ?? 0,
    SUCCEEDED: many.get("SUCCEEDED") ?? 0,
    FAILED: many.get("FAILED") ?? 0,
    TIMED_OUT: many.get("TIMED_OUT") ?? 0,
    STOPPED: many.get("STOPPED") ?? 0
  }
}

const statusOf = (row: Row): Status => (row["status"] === null ? "RUNNING" : read.status(row["status"]))

const found = (row: Row): Found => ({
  place: number(row, "place"),
  arn: text(row, "arn"),
  name: text(row, "name"),
  functionName: text(row, "function"),
  status: statusOf(row),
  start: read.identity(json(row, "identity")).startTimestamp,
  end: row["ended"] === null ? undefined : number(row, "ended"),
  error: row["error"] === null ? undefined : text(row, "error")
})
