/**
 * `show`: an execution as the tree of its operations, and what it waits for.
 *
 * Owns: the text around the tree, and the document.
 * Does not own: the tree.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { read } from "../view/Families.ts"
import { waitsFor, type Row, type Subject } from "../view/Timeline.ts"
import { draw, type Family } from "../view/Tree.ts"
import { dateTime } from "../view/moments.ts"
import { parseDurableExecutionArn } from "../wire/Constraints.ts"
import { connected, connection, Endpoint, flagsTo } from "./connection.ts"
import { currentTime } from "./control.ts"
import { count, execution, functionName, json, toggle } from "./flags.ts"
import { findExecution } from "./lookup.ts"
import { Output } from "./Output.ts"
import { duration } from "./words.ts"

export const show = Command.make(
  "show",
  {
    reference: execution,
    function: functionName,
    payloads: toggle("payloads", "Show payloads and results, too"),
    most: count("most", "N", "The maximum number of operations drawn under one parent [100]"),
    json,
    ...connection
  },
  ({ function: among, json, most = 100, payloads, reference, ...flags }) =>
    Effect.gen(function* () {
      const { result } = yield* Output
      const { url } = yield* Endpoint
      const family = yield* Effect.flatMap(findExecution(reference, among), (arn) => read(arn))
      if (json) return result(JSON.stringify(documentOf(family)))
      const { execution } = family.timeline
      const now = yield* currentTime
      const waiting = lineage(family).flatMap((one) => waits(one, now, flagsTo(url)))
      result(
        [
          titleOf(execution, now),
          execution.arn,
          "",
          ...draw(family, { times: true, errors: true, payloads, most }),
          ...(waiting.length === 0 ? [] : ["", ...waiting])
        ].join("\n")
      )
    }).pipe(connected(flags))
).pipe(Command.withDescription("Show an execution as the tree of its operations, and what it waits for"))

/** Returns the timeline of an execution, and those of the executions that it led to. */
const documentOf = ({ invoked, successor, timeline }: Family): object => ({
  ...timeline,
  invoked: Object.fromEntries(Array.from(invoked, ([id, family]) => [id, documentOf(family)])),
  ...(successor !== undefined && { successor: documentOf(successor) })
})

const titleOf = ({ arn, end, name, start, status }: Subject, now: number): string =>
  `${name} of ${parseDurableExecutionArn(arn)?.functionName ?? "an unknown function"}: ${status}, started ${dateTime(start)}, ${
    end === undefined ? `${duration(now - start)} ago` : `took ${duration(end - start)}`
  }`

/** Returns an execution, and all that it led to. */
const lineage = (family: Family): ReadonlyArray<Family> => [
  family,
  ...Array.from(family.invoked.values()).flatMap(lineage),
  ...(family.successor === undefined ? [] : lineage(family.successor))
]

/**
 * Describes what an execution waits for, in sentences. An invoked execution describes its own waits. `flags` lead a command
 * to the service.
 */
const waits = ({ timeline }: Family, now: number, flags: string): ReadonlyArray<string> =>
  waitsFor(timeline).flatMap((row) => sentencesOf(row, timeline.execution, now, flags))

const sentencesOf = (row: Row, { name }: Subject, now: number, flags: string): ReadonlyArray<string> => {
  const { detail } = row
  switch (detail._tag) {
    case "Callback": {
      const limit = detail.timeoutAt === undefined ? "" : `, for ${duration(detail.timeoutAt - now)} more`
      const given = detail.callbackId ?? `${name}/${row.name ?? row.id}`
      return [
        `Waits for the callback "${row.name ?? row.id}"${limit}: npx effect-durable callback succeed ${given} --result JSON${flags}`
      ]
    }
    case "Wait":
      return [`Waits in "${row.name ?? row.id}"${detail.until === undefined ? "" : until(detail.until, now)}.`]
    case "Step": {
      const next = detail.attempts.at(-1)?.nextAttemptAt
      return [`Tries "${row.name ?? row.id}" again${next === undefined ? "" : until(next, now)}.`]
    }
    default:
      return []
  }
}

const until = (time: number, now: number): string => ` in ${duration(time - now)}, at ${dateTime(time)}`
