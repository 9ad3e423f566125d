/**
 * The engine's own routes, in addition to AWS's API, for the command line of this library: all of them below `/_local/`.
 *
 * Owns: those routes, and their answers.
 * Does not own: access control, which is the same as for AWS's routes, and HTTP.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Service from "../engine/Service.ts"
import { reader } from "../wire/Malformed.ts"
import type { Backend, Reply } from "./Api.ts"

interface Route {
  readonly name: string
  /** The largest body, in bytes. */
  readonly maxBytes: number
  readonly run: Run
}

type Run = (backend: Backend, body: string) => Effect.Effect<Reply, Service.Refused>

/** The prefix of the routes. */
const prefix = "/_local/"

const runs: Readonly<Record<string, Run>> = {
  "GET functions": ({ functions }) =>
    Effect.sync(() => ({
      body: JSON.stringify({ functions: functions.names.map((name) => ({ name, kind: functions.find(name)?.kind })) })
    })),
  "GET time": ({ machine }) => Effect.sync(() => ({ body: JSON.stringify({ now: machine.now() }) })),
  "POST time/skip": ({ machine }, body) =>
    Effect.gen(function* () {
      const { executionArn } = yield* Effect.fromResult(readSkip(body))
      if (executionArn !== undefined) {
        const timer = yield* Effect.fromResult(machine.command(Service.skipTimer, { executionArn }))
        return { body: JSON.stringify({ skipped: [skippedBy(machine, timer)] }) }
      }
      // Executions that wait for no time are refused and skipped.
      const timers = machine.inMemory().flatMap((arn) => {
        const skipped = machine.command(Service.skipTimer, { executionArn: arn })
        return Result.isSuccess(skipped) ? [skippedBy(machine, skipped.success)] : []
      })
      return { body: JSON.stringify({ skipped: timers }) }
    })
}

/** Returns the own route of a request, if there is one. */
export const controlRoute = (method: string, url: string): Route | undefined => {
  const [path = ""] = url.split("?")
  if (!path.startsWith(prefix)) return undefined
  const name = `${method} ${path.slice(prefix.length)}`
  const run = Object.hasOwn(runs, name) ? runs[name] : undefined
  return run && { name, maxBytes: 16 * 1_024, run }
}

// --- Time ----------------------------------------------------------------------------------------------------------------

const SkipRequest = Schema.Struct({ executionArn: Schema.optionalKey(Schema.String) })

const read = reader("body of time/skip", Schema.fromJsonString(SkipRequest))

const readSkip = (body: string): Result.Result<typeof SkipRequest.Type, Service.Refused> =>
  Result.mapError(
    read(body),
    ({ message }) => new Service.Refused({ exception: "InvalidParameterValueException", message })
  )

/** Returns the ended timer in a form for people. A timer of the execution itself has no name. */
const skippedBy = (machine: Backend["machine"], { executionArn, operationId }: Service.Timer) => {
  const operations = Result.getOrElse(
    machine.query((state) => Result.succeed(Service.operations(state, executionArn)), { executionArn }),
    () => []
  )
  return { executionArn, operation: operations.find(({ Id }) => Id === operationId)?.Name }
}
