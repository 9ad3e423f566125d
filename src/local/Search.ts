/**
 * Executions as somebody looks for them: of any function, by a part of their name and how they stand, the newest first.
 *
 * Owns: how they are found without reading what is large, and how a page of them is followed by the next.
 * Does not own: the list of AWS's API, which is the engine's.
 *
 * @since 0.1.0
 */
import type { executionStatuses } from "../wire/Api.ts"
import { json, number, read, text } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"

export type Status = (typeof executionStatuses)[number]

export interface Query {
  readonly functionName?: string | undefined
  /** A part of the name, in whatever case. */
  readonly name?: string | undefined
  readonly status?: Status | undefined
  /** Only those that started before, or after, the one with this place. */
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
  /** The type of the error, or its message, of one that has failed. */
  readonly error?: string | undefined
}

export interface Page {
  /** The newest first. */
  readonly executions: ReadonlyArray<Found>
  readonly hasNewer: boolean
  readonly hasOlder: boolean
}

export type Counts = Readonly<Record<Status, number>>

/** What a search reads of each execution, so that it does not read payloads on its way. */
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

/** A page of what is asked for. */
export const page = (sqlite: Sqlite, query: Query): Page => {
  const { after, before, limit } = query
  const upwards = after !== undefined
  const rows = sqlite.all(
    upwards ? rowsAfter : rowsBefore,
    query.functionName ?? null,
    query.name ?? null,
    query.status ?? null,
    after ?? before ?? Number.MAX_SAFE_INTEGER,
    // One more says whether there is another page.
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

/** How many there are, by how they stand. */
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
