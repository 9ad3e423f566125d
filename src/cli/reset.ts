/**
 * `reset`: deletes executions of a local engine, or its whole database.
 *
 * Owns: the command, and which files a database has.
 * Does not own: their content.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { existsSync, rmSync } from "node:fs"
import { defaultDatabase } from "../internal/engineDefaults.ts"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { database } from "./dev.ts"
import { json, text } from "./flags.ts"
import { Output } from "./Output.ts"

export const reset = Command.make(
  "reset",
  {
    db: database,
    olderThan: text(
      "older-than",
      "AGE",
      "Delete only executions that ended longer ago than this: 7d, 12h, 30m. Without it the whole database is deleted"
    ),
    json
  },
  ({ db = defaultDatabase, json, olderThan }) =>
    Effect.gen(function* () {
      const { result, say } = yield* Output
      const age = olderThan === undefined ? undefined : yield* ageIn(olderThan)
      const there = existsSync(db)
      const now = yield* Clock.currentTimeMillis
      const deleted = there ? yield* wiped(db, age === undefined ? undefined : now - age) : 0
      if (there && age === undefined) for (const file of [db, `${db}-wal`, `${db}-shm`]) rmSync(file, { force: true })
      if (json) return result(JSON.stringify({ database: db, deleted }))
      say(there ? `Deleted ${deleted} execution${deleted === 1 ? "" : "s"} of ${db}.` : `There is no database ${db}.`)
    })
).pipe(Command.withDescription("Delete the executions of a local engine, which must not run"))

/**
 * Deletes executions. A running engine holds the lock of its database. SQLite is loaded only here, because some versions of
 * Node print a warning.
 */
const wiped = (path: string, endedBefore: number | undefined): Effect.Effect<number, CommandFailed> =>
  Effect.gen(function* () {
    const { Store } = yield* Effect.promise(() => import("../local/Store.ts"))
    const { toStorageError } = yield* Effect.promise(() => import("../local/Sqlite.ts"))
    const store = yield* Store.open({ path })
    return yield* Effect.try({ try: () => store.wipe(endedBefore), catch: (error) => toStorageError(path, error) })
  }).pipe(
    Effect.scoped,
    Effect.mapError(({ message }) => failed(message))
  )

const units: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }

/** Parses an age, in milliseconds. */
const ageIn = (given: string): Effect.Effect<number, CommandFailed> => {
  const [, number, unit = ""] = /^(\d+)\s*([wdhms])$/.exec(given) ?? []
  return number === undefined
    ? Effect.fail(misused(`--older-than takes an age such as 2w, 7d, 12h, 30m or 90s, and not "${given}".`))
    : Effect.succeed(Number(number) * (units[unit] ?? 0))
}
