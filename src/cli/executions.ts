/**
 * The executions that commands read: a complete one, its events so far and as they come, and its end.
 *
 * Owns: how often a service is polled, and the JSON that commands print, which is that of the API.
 * Does not own: which execution is read.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Stream from "effect/Stream"
import { DurableClient, outcomeOf, successorOf, type ClientError, type Outcome } from "../DurableClient.ts"
import { parseJson } from "../internal/json.ts"
import { errorLine } from "../view/Tree.ts"
import * as Api from "../wire/Api.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import { ApiHistoryEvent, type HistoryEvent } from "../wire/HistoryEvent.ts"
import * as Limits from "../wire/Limits.ts"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { contentOf } from "./flags.ts"
import { Output } from "./Output.ts"

// --- JSON of the API -----------------------------------------------------------------------------------------------------

/** Returns an execution in the form of GetDurableExecution. */
export const executionJson = SchemaParser.encodeSync(Api.GetDurableExecutionResponse)

/** Returns a list of executions in the form of ListDurableExecutionsByFunction. */
export const executionsJson = SchemaParser.encodeSync(Api.ListDurableExecutionsByFunctionResponse)

/** Returns an event in the form of GetDurableExecutionHistory. */
export const eventJson = SchemaParser.encodeSync(ApiHistoryEvent)

// --- Events --------------------------------------------------------------------------------------------------------------

/** Returns whether this event ends the execution. */
export const isEnd = ({ EventType }: HistoryEvent): boolean =>
  /^Execution(Succeeded|Failed|TimedOut|Stopped)$/.test(EventType)

/**
 * Streams the events of an execution as they come, to its last one. The service is polled again at once as long as there are
 * new events, and then less and less often.
 */
export const followed = (arn: string): Stream.Stream<HistoryEvent, ClientError, DurableClient> =>
  Stream.unwrap(
    Effect.map(DurableClient, (client) => {
      let pause = shortest
      let last = 0
      let page: string | undefined
      const look = (): Effect.Effect<ReadonlyArray<HistoryEvent>, ClientError> =>
        Effect.flatMap(
          client.history(arn, { marker: page, maxItems: Limits.maxPageItems }),
          ({ items, nextMarker }) => {
            const news = items.filter(({ EventId }) => EventId > last)
            last = news.at(-1)?.EventId ?? last
            page = nextMarker || page
            if (news.length > 0 || nextMarker) {
              pause = shortest
              return Effect.succeed(news)
            }
            const asleep = pause
            pause = Math.min(longest, pause * 1.5)
            return Effect.andThen(Effect.sleep(asleep), Effect.suspend(look))
          }
        )
      return Stream.paginate<undefined, HistoryEvent, ClientError>(undefined, () =>
        Effect.map(look(), (news) => [news, news.some(isEnd) ? Option.none() : Option.some(undefined)])
      )
    })
  )

/** Milliseconds between two polls. */
const shortest = 100
const longest = 2_000

// --- The end -------------------------------------------------------------------------------------------------------------

/** Waits for the end of an execution, or of the one that it handed over to. */
export const ended = (arn: string): Effect.Effect<Ended, ClientError, DurableClient> =>
  Effect.gen(function* () {
    const client = yield* DurableClient
    let current = arn
    let pause = shortest
    for (;;) {
      const execution = yield* client.get(current, { includeExecutionData: true })
      const outcome = outcomeOf(execution)
      const successor = outcome && successorOf(outcome)
      if (outcome !== undefined && successor === undefined) return { execution, outcome }
      if (successor !== undefined) current = successor
      else {
        yield* Effect.sleep(pause)
        pause = Math.min(longest, pause * 1.5)
      }
    }
  })

export interface Ended {
  readonly execution: Api.GetDurableExecutionResponse
  readonly outcome: Outcome
}

/** Prints how an execution ended, and fails if it did not succeed. */
export const printEnd = ({ execution, outcome }: Ended, json: boolean): Effect.Effect<void, CommandFailed, Output> =>
  Effect.flatMap(Output, ({ result }) => {
    if (json) result(JSON.stringify(executionJson(execution)))
    if (outcome.status !== "SUCCEEDED") {
      return Effect.fail(
        failed(`${execution.DurableExecutionName} ended as ${outcome.status}: ${errorLine(outcome.error)}`)
      )
    }
    if (!json) result(outcome.result ?? "null")
    return Effect.void
  })

// --- Errors --------------------------------------------------------------------------------------------------------------

/** Parses an error of the command line: an error object of the API as JSON, or a text that becomes its message. */
export const errorIn = (given: string | undefined): Effect.Effect<ErrorObject | undefined, CommandFailed> =>
  given === undefined
    ? Effect.undefined
    : Effect.flatMap(contentOf("error", given), (content) => {
        if (!content.trimStart().startsWith("{")) return Effect.succeed({ ErrorMessage: content.trim() })
        const read = Schema.decodeUnknownOption(ErrorObject)(parseJson(content))
        return Option.isSome(read) && Object.keys(read.value).length > 0
          ? Effect.succeed(read.value)
          : Effect.fail(
              misused(
                `--error takes a text, or JSON such as {"ErrorType":"Rejected","ErrorMessage":"too expensive"}. All of its fields are texts: ErrorType, ErrorMessage, ErrorData.`
              )
            )
      })
