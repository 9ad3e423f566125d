/**
 * SQLite for the local engine: one file, one writer, and synchronous transactions.
 *
 * Owns: the connection, the lock, the prepared statements, and the messages for all problems of a file.
 * Does not own: the content of the tables.
 *
 * It has the shape of Effect's drivers, a service that is opened in a scope, with one difference: statements are not
 * effects. `node:sqlite` runs them synchronously. A transaction that no fiber can interrupt or enter keeps the state in
 * memory and the state on disk the same.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"

/**
 * The error of a database that cannot be used, or cannot be used any more. The database still holds everything that was
 * acknowledged before.
 *
 * - `locked`: another engine uses it
 * - `full`: the disk is full
 * - `corrupt`: a page or a row differs from the written one
 * - `foreign`: the file is not a database of the local engine, or is one of another version
 * - `unusable`: the operating system denies access
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  reason: Schema.Literals(["locked", "full", "corrupt", "foreign", "unusable"]),
  path: Schema.String,
  message: Schema.String
}) {}

/** Rows are objects of these values, by column. */
export type Row = Readonly<Record<string, SQLOutputValue>>

export interface SqliteOptions {
  /** The file, or `:memory:` for a database that ends with its engine. */
  readonly path: string
  /** The maximum size of the file, in bytes. Default: limited only by the disk. */
  readonly maxBytes?: number | undefined
  /** Runs before every statement that writes, including the beginning and the end of transactions. For tests. */
  readonly onWrite?: ((sql: string) => void) | undefined
}

/** SQLite's own default, in bytes. */
const pageSize = 4_096

export class Sqlite {
  readonly path: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #onWrite: (sql: string) => void

  private constructor({ onWrite, path }: SqliteOptions, database: DatabaseSync) {
    this.path = path
    this.#database = database
    this.#onWrite = onWrite ?? (() => undefined)
  }

  /** Opens the file, or creates it readable only by its owner, and locks it until the scope closes or the process ends. */
  static readonly open = (options: SqliteOptions): Effect.Effect<Sqlite, StorageError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.try({
        try: () => Sqlite.#connect(options),
        catch: (error) => toStorageError(options.path, error)
      }),
      (sqlite) => Effect.sync(() => sqlite.#database.close())
    )

  static #connect(options: SqliteOptions): Sqlite {
    if (options.path !== ":memory:") prepareFile(options.path)
    const database = new DatabaseSync(options.path)
    try {
      // The lock is SQLite's own, so that it ends with the process, however the process ends.
      database.exec("pragma locking_mode = exclusive")
      database.exec("begin immediate; commit")
      if (options.maxBytes !== undefined) {
        database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`)
      }
    } catch (error) {
      database.close()
      throw error
    }
    return new Sqlite(options, database)
  }

  /** Takes over the file, once it is known to belong to the engine: until then it is not changed. Throws `StorageError`. */
  takeOver(): void {
    this.#attempt(() => {
      const files = this.path === ":memory:" ? [] : [this.path, `${this.path}-wal`].filter(existsSync)
      for (const file of files) chmodSync(file, ownersOnly)
      this.#database.exec("pragma journal_mode = wal; pragma synchronous = normal")
    })
  }

  /** Writes everything in `body`, or nothing. Throws `StorageError`, or the error of `body`. */
  transaction<A>(body: () => A): A {
    this.run("begin immediate")
    try {
      const result = body()
      this.run("commit")
      return result
    } catch (error) {
      // After some errors SQLite has rolled back by itself.
      if (this.#database.isTransaction) this.#database.exec("rollback")
      throw error
    }
  }

  /** Runs a statement that writes. Throws `StorageError`. */
  run(sql: string, ...values: ReadonlyArray<SQLInputValue>): { readonly lastInsertRowid: number | bigint } {
    this.#onWrite(sql)
    return this.#attempt(() => this.#statement(sql).run(...values))
  }

  /** Runs several statements that write. Throws `StorageError`. */
  script(sql: string): void {
    this.#onWrite(sql)
    this.#attempt(() => this.#database.exec(sql))
  }

  /** Returns the first row. Throws `StorageError`. */
  get(sql: string, ...values: ReadonlyArray<SQLInputValue>): Row | undefined {
    return this.#attempt(() => this.#statement(sql).get(...values))
  }

  /** Returns all rows. Throws `StorageError`. */
  all(sql: string, ...values: ReadonlyArray<SQLInputValue>): ReadonlyArray<Row> {
    return this.#attempt(() => this.#statement(sql).all(...values))
  }

  /** Returns rows one by one, as they are requested; nothing may be written meanwhile. Throws `StorageError`. */
  *each(sql: string, ...values: ReadonlyArray<SQLInputValue>): Generator<Row> {
    const rows = this.#attempt(() => this.#statement(sql).iterate(...values))
    try {
      for (;;) {
        const next = this.#attempt(() => rows.next())
        if (next.done === true) return
        yield next.value
      }
    } finally {
      // As long as a statement reads, SQLite cannot empty its log, which grows with every write.
      rows.return?.()
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #attempt<A>(body: () => A): A {
    try {
      return body()
    } catch (error) {
      throw toStorageError(this.path, error)
    }
  }
}

/** Creates the folder and the file, readable only by their owner, because payloads are stored in plain form. */
const prepareFile = (path: string): void => {
  const folder = dirname(path)
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, ".gitignore"), "*\n")
  }
  // To close any descriptor of a file ends the locks of this process on it: those of an engine that uses the file already.
  if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
  else closeSync(openSync(path, "a", ownersOnly))
}

const ownersOnly = 0o600

// --- Problems ----------------------------------------------------------------------------------------------------------

/** Returns the primary code of a SQLite error, as numbered in its manual: the lower eight bits. The others hold details. */
const primaryCode = (error: unknown): number | undefined => {
  const code: unknown = error instanceof Error ? Reflect.get(error, "errcode") : undefined
  return typeof code === "number" ? code & 0xff : undefined
}

/** Describes a problem of a database in a sentence. */
export const toStorageError = (path: string, error: unknown): StorageError => {
  if (error instanceof StorageError) return error
  const problem = (reason: StorageError["reason"], message: string): StorageError =>
    new StorageError({ reason, path, message })
  switch (primaryCode(error)) {
    case 5:
    case 6:
      return problem(
        "locked",
        `The database ${path} is in use by another engine. Stop that one, or give this one a database of its own.`
      )
    case 13:
      return problem(
        "full",
        `The database ${path} cannot grow: the disk is full, or the file as large as it may become. Make room and start the engine again; everything that it acknowledged is there.`
      )
    case 11:
      return corrupt(path, "a page of the file is damaged")
    case 26:
      return problem(
        "foreign",
        `The file ${path} is not a database. Give the engine another path, or move the file away.`
      )
    default: {
      const said = error instanceof Error ? error.message : String(error)
      return problem("unusable", `The database ${path} cannot be used: ${said}. Check that the file can be written.`)
    }
  }
}

/** Returns the error of unexpected content in the file. */
export const corrupt = (path: string, found: string): StorageError =>
  new StorageError({
    reason: "corrupt",
    path,
    message: `The database ${path} is damaged: ${found}. Put a copy back, or move the file away to begin with an empty one; sqlite3's ".recover" may save the rest.`
  })
