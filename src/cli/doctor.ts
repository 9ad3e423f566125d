/**
 * `doctor`: the problems of a project, and how to solve them.
 *
 * Owns: the command, and how findings are shown.
 * Does not own: the checks.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { defaultDatabase } from "../internal/engineDefaults.ts"
import { failed } from "./CommandFailed.ts"
import { database } from "./dev.ts"
import { environmentFindings } from "./doctor/environment.ts"
import { contractFindings } from "./doctor/contracts.ts"
import type { Finding } from "./doctor/Finding.ts"
import { packageFindings } from "./doctor/packages.ts"
import { compilerFindings } from "./doctor/compiler.ts"
import { json } from "./flags.ts"
import { Output } from "./Output.ts"
import { table } from "./words.ts"

export const doctor = Command.make(
  "doctor",
  {
    files: Argument.String("FILE").pipe(
      Argument.withDescription("Modules whose contracts to check as well"),
      Argument.variadic()
    ),
    db: database,
    json
  },
  ({ db = defaultDatabase, files, json }) =>
    Effect.gen(function* () {
      const { result } = yield* Output
      const found: ReadonlyArray<Finding> = [
        ...(yield* packageFindings),
        ...(yield* compilerFindings),
        ...(yield* environmentFindings(db)),
        ...(yield* contractFindings(files))
      ]
      const problems = found.filter(({ verdict }) => verdict === "problem").length
      if (json) result(JSON.stringify({ findings: found, problems }))
      else for (const line of table(found.map(({ about, says, verdict }) => [verdict, about, says]))) result(line)
      if (problems > 0) return yield* failed(`${problems} problem${problems === 1 ? "" : "s"} found.`)
    })
).pipe(Command.withDescription("Check the project in this folder"))
