/**
 * `ls`: the executions of functions, the newest first.
 *
 * Owns: its flags, and the form of a list.
 * Does not own: which functions there are.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { executions } from "../DurableClient.ts"
import { dateTime } from "../view/moments.ts"
import { executionStatuses, type ExecutionSummary } from "../wire/Api.ts"
import { parseDurableExecutionArn } from "../wire/Constraints.ts"
import { misused, type CommandFailed } from "./CommandFailed.ts"
import { connected, connection } from "./connection.ts"
import { currentTime } from "./control.ts"
import { executionsJson } from "./executions.ts"
import { count, json, text } from "./flags.ts"
import { functionsToList, newestFirst } from "./lookup.ts"
import { Output } from "./Output.ts"
import { duration, table } from "./words.ts"

export const ls = Command.make(
  "ls",
  {
    target: Argument.String("FUNCTION").pipe(
      Argument.withDescription("The function; on a local engine without it all of them"),
      Argument.optional
    ),
    status: text("status", "STATUS,…", `Only executions with one of these statuses: ${executionStatuses.join(", ")}`),
    name: text("name", "NAME", "Only executions of this name"),
    limit: count("limit", "N", "The maximum number of executions [50]"),
    json,
    ...connection
  },
  ({ json, limit = 50, name, status, target, ...flags }) =>
    Effect.gen(function* () {
      const { result, say } = yield* Output
      if (limit < 1) return yield* misused(`--limit takes 1 or more, and not ${limit}.`)
      const statuses = yield* statusesIn(status)
      const functions = yield* functionsToList(Option.getOrUndefined(target), "name one, as in: ls FUNCTION")
      const listed = yield* Effect.forEach(
        functions,
        (functionName) =>
          executions(functionName, { statuses, executionName: name, pageItems: Math.min(limit, 1_000) }).pipe(
            Stream.take(limit),
            Stream.runCollect
          ),
        { concurrency: 4 }
      )
      const found = newestFirst(listed.flat()).slice(0, limit)
      if (json) return result(JSON.stringify(executionsJson({ DurableExecutions: found })))
      if (found.length === 0) return say("There are no such executions.")
      const now = yield* currentTime
      for (const line of table([heads, ...found.map((execution) => rowOf(execution, now))])) result(line)
    }).pipe(connected(flags))
).pipe(Command.withDescription("List executions, the newest first"))

const statusesIn = (status: string | undefined): Effect.Effect<ReadonlyArray<string> | undefined, CommandFailed> => {
  const statuses = status?.split(",").map((one) => one.trim().toUpperCase())
  const unknown = statuses?.find((one) => !executionStatuses.some((known) => known === one))
  return unknown === undefined
    ? Effect.succeed(statuses)
    : Effect.fail(misused(`"${unknown}" is not a status. The statuses are ${executionStatuses.join(", ")}.`))
}

const heads = ["NAME", "FUNCTION", "STATUS", "STARTED", "DURATION"]

const rowOf = (execution: ExecutionSummary, now: number): ReadonlyArray<string> => [
  execution.DurableExecutionName,
  parseDurableExecutionArn(execution.DurableExecutionArn)?.functionName ?? execution.FunctionArn,
  execution.Status,
  dateTime(execution.StartTimestamp),
  duration((execution.EndTimestamp ?? now) - execution.StartTimestamp)
]
