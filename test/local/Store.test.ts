/**
 * What an engine finds that starts again on a database whose engine was killed: everything that was acknowledged and
 * nothing else, whenever that was.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  readFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as Service from "../../src/engine/Service.ts"
import * as Stored from "../../src/engine/Stored.ts"
import { Sqlite, type SqliteOptions, StorageError } from "../../src/local/Sqlite.ts"
import { Store } from "../../src/local/Store.ts"
import { Chaos, commands, type Command } from "../engine/chaos.ts"
import { seed } from "../engine/support.ts"
import { folder, viewOf } from "./support.ts"

/** A program that begins to write to the database in its argument. */
const beginIn = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec("begin immediate")`

/** What a kill -9 at this moment leaves of a database: the files as the operating system has them. */
const copyOf = (path: string, target: string): string => {
  for (const suffix of ["", "-wal"]) {
    if (existsSync(path + suffix)) copyFileSync(path + suffix, target + suffix)
    else writeFileSync(target + suffix, "")
  }
  return target
}

/** The state of a database: what is open as it is loaded, and what is over as it is found. */
const readAll = (store: Store, arns: Iterable<string>) => {
  let state = store.load()
  const open = Service.executions(state)
  for (const arn of arns) {
    const stored = Service.execution(state, arn) === undefined ? store.find("arn", arn) : undefined
    if (stored !== undefined) state = Stored.restore(state, stored)
  }
  return viewOf(state, [...open, ...Service.executions(state)].filter(isFirst))
}

const isFirst = (execution: Service.Execution, index: number, all: ReadonlyArray<Service.Execution>): boolean =>
  all.findIndex(({ identity }) => identity.arn === execution.identity.arn) === index

const readCopy = (path: string, arns: Iterable<string>) =>
  Effect.scoped(Effect.map(Store.open({ path }), (store) => readAll(store, arns)))

/** Runs commands on a stored state; before every write of the chosen ones it asks what a kill would leave. */
const runStored = (list: ReadonlyArray<Command>, everyNth: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      const copy = `${path}-copy`
      const chaos = new Chaos(2, { stampStep: 1 })
      let saved = chaos.state
      let writes = 0
      const checks: Array<string> = []
      const store = yield* Store.open({
        path,
        onWrite: (sql) => {
          if (sql.startsWith("create") || writes++ % everyNth !== 0) return
          const found = Effect.runSync(readCopy(copyOf(path, copy), chaos.arns))
          assert.deepStrictEqual(found, viewOf(saved, Service.executions(saved)), `killed before: ${sql}`)
          checks.push(sql)
        }
      })
      chaos.onApplied = (before, applied) => {
        store.save(before, applied)
        saved = applied.state
      }
      for (const command of list) chaos.run(command)
      assert.deepStrictEqual(readAll(store, chaos.arns), viewOf(saved, Service.executions(saved)))
      return { checks, executions: chaos.arns.length, closed: chaos.closed.length }
    })
  )

describe("A database", () => {
  it("holds exactly what was acknowledged, at whichever write its engine is killed", () => {
    const lists = fc.sample(commands, { numRuns: 30, seed: 7 })
    const list = lists.reduce((longest, other) => (other.length > longest.length ? other : longest))
    const { checks } = Effect.runSync(runStored(list, 4))
    assert.isAbove(checks.length, 50)
    for (const kind of ["begin", "insert into operations", "insert into events", "insert or replace", "commit"]) {
      assert.isTrue(
        checks.some((sql) => sql.startsWith(kind)),
        `nothing was killed at: ${kind}`
      )
    }
  })

  it("holds what any sequence of commands has made", () => {
    const total = { executions: 0, closed: 0 }
    fc.assert(
      fc.property(commands, (list) => {
        const { closed, executions } = Effect.runSync(runStored(list, 97))
        total.executions += executions
        total.closed += closed
      }),
      { seed, numRuns: 40 }
    )
    assert.isAbove(total.executions, 40)
    assert.isAbove(total.closed, 5)
  })
})

// --- What is wrong with a file ---------------------------------------------------------------------------------------

const open = (options: SqliteOptions): Effect.Effect<void, StorageError> =>
  Effect.scoped(Effect.asVoid(Store.open(options)))

const refusal = (options: SqliteOptions): Effect.Effect<StorageError, void> => Effect.flip(open(options))

const storageError = (thrown: unknown): StorageError => {
  if (thrown instanceof StorageError) return thrown
  throw thrown
}

/** Starts so many executions on a database, and answers with their ARNs. */
const fill = (options: SqliteOptions, count: number) =>
  Effect.scoped(
    Effect.map(Store.open(options), (store) => {
      const chaos = new Chaos(2, { stampStep: 1 })
      chaos.onApplied = (before, applied) => store.save(before, applied)
      for (let index = 0; index < count; index++) chaos.run({ do: "start", target: 0, name: null, timeout: null })
      return chaos.arns
    })
  )

describe("A file", () => {
  it.effect("and its folder can be read by nobody but their owner, and are no part of a repository", () =>
    Effect.gen(function* () {
      const hidden = join(yield* folder, ".durable")
      const path = join(hidden, "local.db")
      yield* fill({ path }, 1)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual(statSync(hidden).mode & 0o777, 0o700)
      assert.isTrue(existsSync(join(hidden, ".gitignore")))
    })
  )

  it.effect("that others could read is closed to them, its log included", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      writeFileSync(path, "", { mode: 0o644 })
      yield* Store.open({ path })
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual(statSync(`${path}-wal`).mode & 0o777, 0o600)
    })
  )

  it.effect("belongs to one engine at a time", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Store.open({ path })
          const { message, reason } = yield* refusal({ path })
          assert.strictEqual(reason, "locked")
          assert.include(message, "in use by another engine")
          // The engine that was refused here has not taken the lock away either, against other processes.
          const { stderr } = spawnSync(process.execPath, ["-e", beginIn, path], { encoding: "utf8" })
          assert.include(stderr, "database is locked")
        })
      )
      yield* open({ path })
    })
  )

  it.effect("with executions that others could read is closed to them too, its log included", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      yield* fill({ path }, 1)
      chmodSync(path, 0o644)
      yield* Store.open({ path })
      for (const file of [path, `${path}-wal`]) assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    })
  )

  it.effect("that is no database is left as it is", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "notes.txt")
      writeFileSync(path, "Buy milk.\n".repeat(100))
      const { message, reason } = yield* refusal({ path })
      assert.strictEqual(reason, "foreign")
      assert.include(message, "is not a database")
      assert.strictEqual(statSync(path).size, 1_000)
    })
  )

  it.effect("of another program is left as it is", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "other.db")
      const other = new DatabaseSync(path)
      other.exec("create table notes (text)")
      other.close()
      chmodSync(path, 0o644)
      const before = readFileSync(path)
      const { message, reason } = yield* refusal({ path })
      assert.strictEqual(reason, "foreign")
      assert.include(message, "another program")
      assert.isTrue(readFileSync(path).equals(before))
      assert.strictEqual(statSync(path).mode & 0o777, 0o644)
    })
  )

  it.effect("of another version says which", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      yield* fill({ path }, 1)
      const later = new DatabaseSync(path)
      later.exec("pragma user_version = 9")
      later.close()
      const { message, reason } = yield* refusal({ path })
      assert.strictEqual(reason, "foreign")
      assert.include(message, "has version 9 of the tables, and this engine reads version 1")
    })
  )

  it.effect("where no file can be made says so", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      mkdirSync(path)
      assert.strictEqual((yield* refusal({ path })).reason, "unusable")
    })
  )

  it.effect("with a damaged page ends with a sentence", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      yield* fill({ path }, 100)
      const file = openSync(path, "r+")
      for (let at = 4_096 * 2; at < statSync(path).size; at += 4_096) writeSync(file, "damage".repeat(20), at)
      closeSync(file)
      const error = yield* Effect.flip(
        Effect.scoped(
          Effect.flatMap(Store.open({ path }), (store) => Effect.try({ try: () => store.load(), catch: storageError }))
        )
      )
      assert.strictEqual(error.reason, "corrupt")
      assert.match(error.message, /is damaged: .*\. Put a copy back/)
    })
  )

  it.effect("with a row that nobody wrote ends with a sentence", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      yield* fill({ path }, 1)
      const other = new DatabaseSync(path)
      other.exec("update executions set progress = '{}'")
      other.close()
      const store = yield* Store.open({ path })
      assert.throws(() => store.load(), /a row of a table does not hold what was written into it/)
    })
  )

  it.effect("is not held by a list that is not read to its end, so that its log can be emptied", () =>
    Effect.gen(function* () {
      const sqlite = yield* Sqlite.open({ path: join(yield* folder, "local.db") })
      sqlite.takeOver()
      sqlite.script("create table some (n integer); insert into some values (1), (2), (3)")
      const rows = sqlite.each("select n from some order by n")
      for (const row of rows) {
        assert.strictEqual(row["n"], 1)
        break
      }
      sqlite.run("insert into some values (4)")
      // SQLite refuses this as long as a statement of the same connection reads.
      const emptied = sqlite.get("pragma wal_checkpoint(truncate)")
      assert.deepStrictEqual({ ...emptied }, { busy: 0, log: 0, checkpointed: 0 })
    })
  )

  it.effect("that cannot grow loses nothing that was stored", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "local.db")
      const arns: Array<string> = []
      const chaos = new Chaos(2, { stampStep: 1 })
      const error = yield* Effect.scoped(
        Effect.map(Store.open({ path, maxBytes: 200_000 }), (store) => {
          chaos.onApplied = (before, applied) => store.save(before, applied)
          try {
            for (;;) {
              chaos.run({ do: "start", target: 0, name: null, timeout: null })
              arns.push(...chaos.arns.slice(arns.length))
            }
          } catch (found) {
            return storageError(found)
          }
        })
      )
      assert.strictEqual(error.reason, "full")
      assert.include(error.message, "everything that it acknowledged is there")
      assert.isAbove(arns.length, 10)
      const store = yield* Store.open({ path })
      assert.deepStrictEqual(
        readAll(store, arns),
        viewOf(chaos.state, Service.executions(chaos.state)),
        "not what was acknowledged"
      )
    })
  )
})
