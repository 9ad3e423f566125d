/**
 * How a command starts an execution and follows it: to its end, without waiting, or with every event.
 *
 * Owns: names for executions without one, and the messages meanwhile.
 * Does not own: what is started, and the drawings.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { DurableClient, type ClientError, type StartRequest } from "../DurableClient.ts"
import { isExecutionName, parseFunctionAddress } from "../wire/Constraints.ts"
import { misused, type CommandFailed } from "./CommandFailed.ts"
import { Endpoint, flagsTo } from "./connection.ts"
import { ended, printEnd } from "./executions.ts"
import { text, toggle } from "./flags.ts"
import { nameOf } from "./lookup.ts"
import { Output } from "./Output.ts"
import { watch } from "./watching.ts"

/** The flags of every command that starts an execution. */
export const starting = {
  name: text("name", "NAME", "The name of the execution. A name starts one execution, however often it is used"),
  event: toggle("event", "Print the ARN of the execution, and do not wait for its end"),
  follow: toggle("follow", "Show what happens until the execution ends")
}

export interface Starting {
  readonly name: string | undefined
  readonly event: boolean
  readonly follow: boolean
  readonly json: boolean
}

/** Starts an execution of a function with a payload, and follows it as the flags require. */
export const start = (
  functionName: string,
  payload: string | undefined,
  { event, follow, json, name }: Starting
): Effect.Effect<void, ClientError | CommandFailed, DurableClient | Endpoint | Output> =>
  Effect.gen(function* () {
    const { result, say } = yield* Output
    const { url } = yield* Endpoint
    const client = yield* DurableClient
    if (event && follow) return yield* misused("--event does not wait for what --follow would show: give one of them.")
    const request = yield* requestOf(functionName, payload, name)
    const { executionArn } = yield* client.start({ ...request, type: "Event" })
    if (event) {
      result(json ? JSON.stringify({ DurableExecutionArn: executionArn }) : executionArn)
      return
    }
    const waiting = Effect.gen(function* () {
      // A name may be that of an execution that has started before.
      const { Status } = name === undefined ? { Status: "RUNNING" } : yield* client.get(executionArn)
      say(`${nameOf(executionArn)} has ${Status === "RUNNING" ? "started" : "ended"}.`)
      return yield* Effect.andThen(attend(request), follow ? watch(executionArn) : ended(executionArn))
    })
    const end = yield* Effect.onInterrupt(Effect.scoped(waiting), () =>
      Effect.sync(() => {
        const name = nameOf(executionArn)
        // AWS looks for a name among the executions of one function only.
        say(`${name} continues. See: npx effect-durable show ${url === undefined ? executionArn : name}${flagsTo(url)}`)
      })
    )
    yield* printEnd(end, json)
  })

/** Returns the request. A durable function is called by a version, and only the user knows versions other than the latest. */
const requestOf = (
  functionName: string,
  payload: string | undefined,
  name: string | undefined
): Effect.Effect<Omit<StartRequest, "type">, CommandFailed> => {
  const address = parseFunctionAddress(functionName)
  if (address === undefined)
    return Effect.fail(misused(`"${functionName}" is neither the name nor the ARN of a function.`))
  if (name !== undefined && !isExecutionName(name)) {
    return Effect.fail(misused(`"${name}" is not a name: an execution is named with 1 to 64 letters, digits, - and _.`))
  }
  return Effect.succeed({
    functionName: address.qualifier === undefined ? `${functionName}:$LATEST` : functionName,
    payload,
    executionName: name ?? freshName(address.name)
  })
}

/** Returns a new name that is short enough to type. */
const freshName = (functionName: string): string =>
  `${functionName.replaceAll(/[^a-zA-Z0-9_-]/g, "-").slice(0, 50)}-${randomBytes(4).toString("hex")}`

/**
 * Waits at the service for the same execution: an engine that leaps over time does so for waiting clients. The answer is not
 * used, because the end is read in any case.
 */
const attend = (request: Omit<StartRequest, "type">) =>
  Effect.flatMap(DurableClient, (client) =>
    Effect.forkScoped(Effect.ignore(client.start({ ...request, type: "RequestResponse" })))
  )
