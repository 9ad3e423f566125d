/**
 * The state of the engine in tables: the changes of a command are stored in one transaction, and are read when an engine
 * starts or needs an execution that is over.
 *
 * Owns: the tables and their version, the writes after a command, and the reads.
 * Does not own: the state itself, which belongs to the engine.
 *
 * Invariants:
 * 1. A transaction holds all changes of one command, and nothing else.
 * 2. Operations, events and heads are rows of their own, so that a change writes a row and not an execution.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Service from "../engine/Service.ts"
import * as Stored from "../engine/Stored.ts"
import { json, number, read, text } from "./rows.ts"
import * as Search from "./Search.ts"
import { corrupt, Sqlite, type Row, type SqliteOptions, StorageError } from "./Sqlite.ts"

/** `EFDU`: this id and the version identify a file of the local engine. */
const applicationId = 0x45_46_44_55
const version = 1

const tables = `
create table engine (id integer primary key check (id = 1), now real not null, last_stamp real not null) strict;
insert into engine values (1, 0, 0);
create table executions (
  place integer primary key autoincrement,
  arn text not null unique,
  name text not null unique,
  function text not null,
  identity text not null,
  payload text,
  progress text not null,
  outcome text,
  status text,
  ended real,
  over integer not null
) strict;
create index executions_of_function on executions (function, place);
create index executions_open on executions (place) where over = 0;
create index executions_ended on executions (ended) where over = 1;
create table operations (
  execution integer not null references executions on delete cascade,
  place integer not null,
  json text not null,
  primary key (execution, place)
) strict;
create table events (
  execution integer not null references executions on delete cascade,
  id integer not null,
  json text not null,
  primary key (execution, id)
) strict;
create table callbacks (
  id text primary key,
  execution integer not null references executions on delete cascade
) strict;
create index callbacks_of_execution on callbacks (execution);
create table timers (
  execution integer not null references executions on delete cascade,
  kind text not null,
  operation text not null,
  due real not null,
  armed integer not null,
  primary key (execution, kind, operation)
) strict;
create table starts (invocation text primary key, arn text not null, at real not null) strict;
create index starts_at on starts (at);
pragma application_id = ${applicationId};
pragma user_version = ${version};
`

/** The origin of a start: the id that an AWS client sends with all attempts of one call. */
export interface StartNote {
  readonly invocationId: string
  readonly arn: string
}

/** Milliseconds for which a repeated start is recognised. AWS's clients give up long before. */
const startWindow = 15 * 60_000

export class Store {
  readonly #sqlite: Sqlite
  /** The row keys of executions that are in memory. */
  readonly #places = new Map<string, number>()

  private constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  /** Opens a database, and creates its tables if it has none. */
  static readonly open = (options: SqliteOptions): Effect.Effect<Store, StorageError, Scope.Scope> =>
    Effect.flatMap(Sqlite.open(options), (sqlite) =>
      Effect.try({
        try: () => {
          prepare(sqlite)
          return new Store(sqlite)
        },
        catch: (error) => (error instanceof StorageError ? error : corrupt(options.path, String(error)))
      })
    )

  get path(): string {
    return this.#sqlite.path
  }

  // --- Writing -----------------------------------------------------------------------------------------------------

  /** Stores the changes of a command. Throws `StorageError`, and then nothing is stored. */
  save(before: Service.ServiceState, applied: Service.Applied<unknown>, start?: StartNote): void {
    const { changed, state: after } = applied
    this.#sqlite.transaction(() => {
      for (const arn of changed.executions) {
        const execution = Service.execution(after, arn)
        if (execution !== undefined) this.#saveExecution(Service.execution(before, arn), execution)
      }
      for (const key of changed.timers) this.#saveTimer(key, Service.timer(after, key))
      if (start !== undefined) {
        this.#sqlite.run("insert or ignore into starts values (?, ?, ?)", start.invocationId, start.arn, after.now)
        this.#sqlite.run("delete from starts where at < ?", after.now - startWindow)
      }
      this.#sqlite.run("update engine set now = ?, last_stamp = ?", after.now, after.lastStamp)
    })
  }

  #saveExecution(before: Service.Execution | undefined, after: Service.Execution): void {
    if (before === after) return
    const { events, head, operations } = Stored.difference(before, after)
    const { outcome, ...progress } = head
    const place = before === undefined ? this.#insert(after) : this.#placeOf(after.identity.arn)
    for (const { hidden, operation, order } of operations) {
      this.#sqlite.run(
        "insert into operations values (?, ?, ?) on conflict do update set json = excluded.json",
        place,
        order,
        JSON.stringify({ operation, hidden })
      )
      const callbackId = operation.CallbackDetails?.CallbackId
      if (callbackId !== undefined) {
        this.#sqlite.run("insert or ignore into callbacks values (?, ?)", callbackId, place)
      }
    }
    for (const event of events) {
      this.#sqlite.run("insert into events values (?, ?, ?)", place, event.EventId, JSON.stringify(event))
    }
    this.#sqlite.run("update executions set progress = ? where place = ?", JSON.stringify(progress), place)
    if (outcome !== undefined && before?.outcome === undefined) {
      this.#sqlite.run(
        "update executions set outcome = ?, status = ?, ended = ? where place = ?",
        JSON.stringify(outcome),
        outcome.status,
        outcome.endTimestamp,
        place
      )
    }
    if (Stored.isOver(after)) this.#sqlite.run("update executions set over = 1 where place = ?", place)
  }

  #insert({ identity }: Service.Execution): number {
    const { payload, ...rest } = identity
    const { lastInsertRowid } = this.#sqlite.run(
      "insert into executions (arn, name, function, identity, payload, progress, over) values (?, ?, ?, ?, ?, '', 0)",
      identity.arn,
      identity.name,
      identity.functionName,
      JSON.stringify(rest),
      payload === undefined ? null : JSON.stringify(payload)
    )
    const place = Number(lastInsertRowid)
    this.#places.set(identity.arn, place)
    return place
  }

  #saveTimer(key: Service.TimerKey, timer: Service.Timer | undefined): void {
    const place = this.#placeOf(key.executionArn)
    const operation = key.operationId ?? ""
    if (timer === undefined) {
      this.#sqlite.run(
        "delete from timers where execution = ? and kind = ? and operation = ?",
        place,
        key.kind,
        operation
      )
    } else {
      this.#sqlite.run(
        "insert or replace into timers values (?, ?, ?, ?, ?)",
        place,
        key.kind,
        operation,
        timer.due,
        timer.armed
      )
    }
  }

  #placeOf(arn: string): number {
    const known = this.#places.get(arn)
    if (known !== undefined) return known
    const row = this.#sqlite.get("select place from executions where arn = ?", arn)
    const place = number(row, "place")
    this.#places.set(arn, place)
    return place
  }

  /** Deletes the executions that ended before this time. Throws `StorageError`. */
  deleteEndedBefore(time: number): void {
    const condition = "over = 1 and ended < ?"
    if (this.#sqlite.get(`select 1 from executions where ${condition} limit 1`, time) === undefined) return
    this.#sqlite.transaction(() => this.#sqlite.run(`delete from executions where ${condition}`, time))
    // The rows of executions in memory are not over, so the cached keys remain valid.
  }

  /**
   * Overwrites the executions that ended before this time, or all of them, and returns their space to the disk. Returns
   * their number. Throws `StorageError`.
   */
  wipe(endedBefore?: number): number {
    const condition = endedBefore === undefined ? "true" : "over = 1 and ended < ?"
    const values = endedBefore === undefined ? [] : [endedBefore]
    this.#sqlite.script("pragma secure_delete = on")
    const wiped = this.#sqlite.transaction(() => {
      const { count } = this.#sqlite.get(`select count(*) as count from executions where ${condition}`, ...values) ?? {}
      this.#sqlite.run(`delete from executions where ${condition}`, ...values)
      if (endedBefore === undefined) this.#sqlite.run("delete from starts")
      return Number(count)
    })
    this.#sqlite.script("vacuum; pragma wal_checkpoint(truncate)")
    return wiped
  }

  // --- Reading -----------------------------------------------------------------------------------------------------

  /** Returns the last stored state, with the executions that are not over. Throws `StorageError`. */
  load(): Service.ServiceState {
    return this.#reading(() => {
      const time = this.#sqlite.get("select now, last_stamp from engine")
      let state = Stored.restoreTime(Service.empty, { now: number(time, "now"), lastStamp: number(time, "last_stamp") })
      for (const row of this.#sqlite.all(`select ${columns} from executions where over = 0 order by place`)) {
        state = Stored.restore(state, this.#execution(row))
      }
      const timers = this.#sqlite.all(
        "select arn, kind, operation, due, armed from timers join executions on execution = executions.place order by armed"
      )
      for (const row of timers) state = Stored.restoreTimer(state, timerOf(row))
      return state
    })
  }

  /** Returns an execution as it was last stored. Throws `StorageError`. */
  find(by: "arn" | "name", value: string): Stored.StoredExecution | undefined {
    return this.#reading(() => {
      const row = this.#sqlite.get(`select ${columns} from executions where ${by} = ?`, value)
      return row === undefined ? undefined : this.#execution(row)
    })
  }

  /** Returns an execution that is over without its operations, which its history describes. Throws `StorageError`. */
  recall(name: string): Stored.StoredExecution | undefined {
    return this.#reading(() => {
      const row = this.#sqlite.get(`select ${columns} from executions where name = ? and over = 1`, name)
      if (row === undefined) return undefined
      const found = this.#execution(row, false)
      this.forget(found.identity.arn)
      return found
    })
  }

  /** Returns the execution that has a callback. Throws `StorageError`. */
  arnOfCallback(callbackId: string): string | undefined {
    const row = this.#sqlite.get(
      "select arn from executions join callbacks on execution = place where id = ?",
      callbackId
    )
    return row === undefined ? undefined : text(row, "arn")
  }

  /** Returns the execution that was started by a call with this id. Throws `StorageError`. */
  arnOfStart(invocationId: string): string | undefined {
    const row = this.#sqlite.get("select arn from starts where invocation = ?", invocationId)
    return row === undefined ? undefined : text(row, "arn")
  }

  /** Returns the executions of a function, for `listFrom`. Throws `StorageError`. */
  *list(functionName: string, from: number | undefined, step: 1 | -1): Generator<Service.Listed> {
    const [comparison, order] = step === 1 ? [">=", "asc"] : ["<=", "desc"]
    const rows = this.#sqlite.each(
      `select place, identity, status, ended from executions where function = ? and place ${comparison} ? order by place ${order}`,
      functionName,
      from ?? (step === 1 ? 0 : Number.MAX_SAFE_INTEGER)
    )
    for (const row of rows) yield this.#reading(() => listed(row))
  }

  /** Returns a page of executions of any function. Throws `StorageError`. */
  search(query: Search.Query): Search.Page {
    return this.#reading(() => Search.page(this.#sqlite, query))
  }

  /** Returns the number of executions by their status. Throws `StorageError`. */
  counts(query: Pick<Search.Query, "functionName" | "name">): Search.Counts {
    return this.#reading(() => Search.counts(this.#sqlite, query))
  }

  #execution(row: Row, withOperations = true): Stored.StoredExecution {
    const place = number(row, "place")
    const payload = row["payload"] === null ? undefined : JSON.parse(text(row, "payload"))
    const outcome = row["outcome"] === null ? undefined : read.outcome(json(row, "outcome"))
    this.#places.set(text(row, "arn"), place)
    return {
      identity: { ...read.identity(json(row, "identity")), ...(payload !== undefined && { payload }) },
      head: { ...read.progress(json(row, "progress")), ...(outcome !== undefined && { outcome }) },
      operations: withOperations ? this.#operations(place) : [],
      events: this.#sqlite
        .all("select json from events where execution = ? order by id", place)
        .map((event) => read.event(json(event, "json")))
    }
  }

  #operations(place: number): ReadonlyArray<Stored.StoredOperation> {
    return this.#sqlite
      .all("select place, json from operations where execution = ? order by place", place)
      .map((operation) => ({ order: number(operation, "place"), ...read.operation(json(operation, "json")) }))
  }

  /** Notes that an execution is no longer in memory. */
  forget(arn: string): void {
    this.#places.delete(arn)
  }

  /** Reads rows. A row that does not match its Schema is not what was written. */
  #reading<A>(body: () => A): A {
    try {
      return body()
    } catch (error) {
      if (error instanceof StorageError) throw error
      throw corrupt(this.path, "a row of a table does not hold what was written into it")
    }
  }
}

const columns = "place, arn, identity, payload, progress, outcome"

/** Creates the tables of an empty file, and refuses a foreign file or one of another version. */
const prepare = (sqlite: Sqlite): void => {
  const found = number(sqlite.get("pragma user_version"), "user_version")
  const application = number(sqlite.get("pragma application_id"), "application_id")
  const isEmpty = sqlite.get("select 1 from sqlite_schema limit 1") === undefined
  const isNew = isEmpty && application === 0
  if (isNew || (application === applicationId && found === version)) {
    sqlite.takeOver()
    return isNew ? sqlite.transaction(() => sqlite.script(tables + Search.index)) : sqlite.script(Search.index)
  }
  throw new StorageError({
    reason: "foreign",
    path: sqlite.path,
    message:
      application === applicationId
        ? `The database ${sqlite.path} has version ${found} of the tables, and this engine reads version ${version}. Run it with the effect-durable that made it, or give this engine another path.`
        : `The file ${sqlite.path} is a database of another program. Give the engine another path.`
  })
}

const listed = (row: Row): Service.Listed => {
  const place = number(row, "place")
  const identity = read.identity(json(row, "identity"))
  const status = row["status"] === null ? undefined : read.status(row["status"])
  return {
    place,
    execution: {
      identity,
      ...(status !== undefined && { outcome: { status, endTimestamp: number(row, "ended") } })
    }
  }
}

const timerOf = (row: Row): Service.Timer => {
  const operationId = text(row, "operation")
  return {
    kind: read.timerKind(row["kind"]),
    executionArn: text(row, "arn"),
    due: number(row, "due"),
    armed: number(row, "armed"),
    ...(operationId !== "" && { operationId })
  }
}
