/**
 * The check of a project's environment on this machine: the service that Lambda clients reach, and whether an engine can use
 * its database.
 *
 * Owns: the checks.
 * Does not own: the database.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import process from "node:process"
import { defaultEndpoint } from "../connection.ts"
import { durableFunctions } from "../control.ts"
import { advice, type Finding, ok, problem } from "./Finding.ts"

export const environmentFindings = (database: string): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(Effect.all([endpoint, databaseFinding(database)]), (found) => found.flat())

/** Checks whether a service answers at the address of the commands. */
const endpoint: Effect.Effect<ReadonlyArray<Finding>> = Effect.suspend(() => {
  const configured = process.env["AWS_ENDPOINT_URL_LAMBDA"] || undefined
  const url = configured ?? defaultEndpoint
  return Effect.match(durableFunctions(url), {
    onSuccess: (functions) => [
      functions === undefined
        ? ok("engine", `${url} is another service, and answers`)
        : ok("engine", `runs at ${url}, with ${functions.length === 0 ? "no durable function" : functions.join(", ")}`)
    ],
    onFailure: () => [
      configured === undefined
        ? ok("engine", "none runs. Start one with: npx effect-durable dev FILE")
        : advice("engine", `AWS_ENDPOINT_URL_LAMBDA leads to ${url}, and nothing answers there`)
    ]
  })
})

/** Checks the database. A locked database is used by an engine, which is fine. */
const databaseFinding = (path: string): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    if (!existsSync(path)) return []
    const { Store } = yield* Effect.promise(() => import("../../local/Store.ts"))
    return yield* Effect.match(Effect.scoped(Store.open({ path })), {
      onSuccess: () => [ok("database", `${path} can be used`)],
      onFailure: ({ message, reason }) =>
        reason === "locked" ? [ok("database", `${path} is in use by an engine`)] : [problem("database", message)]
    })
  })
