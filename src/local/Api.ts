/**
 * The ten operations of the durable API in an engine on this machine: each converts a request to a command or query of the
 * engine, and the engine's answer to a reply.
 *
 * Owns: the mapping of API operations to commands and queries of the engine, and the size limits of requests.
 * Does not own: HTTP, the answers of the engine, and how functions run.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Struct from "effect/Struct"
import * as Service from "../engine/Service.ts"
import { parseJson } from "../internal/json.ts"
import * as Api from "../wire/Api.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import { invocationTypes, InvokeHeaders, InvokeQuery, InvokeResponseHeaders } from "../wire/InvokeApi.ts"
import * as Limits from "../wire/Limits.ts"
import { reader } from "../wire/Malformed.ts"
import type { Functions } from "./Functions.ts"
import type { Machine } from "./Machine.ts"

/** A request without the parts of HTTP. */
export interface Ask {
  /** The label in the path: an execution, a function or a callback. */
  readonly label: string
  readonly query: Readonly<Record<string, string | ReadonlyArray<string>>>
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** An answer without the parts of HTTP. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** The body; absent if it is empty. */
  readonly body?: string | undefined
}

/** One call of a function that is not a durable execution. */
export interface PlainCall {
  readonly functionName: string
  readonly version: string
  readonly payload: string | undefined
  readonly tenantId: string | undefined
  /** The context of the client, as JSON. */
  readonly clientContext: string | undefined
}

/** The dependencies of the operations. */
export interface Backend {
  readonly machine: Machine
  /** The functions of the engine. */
  readonly functions: Pick<Functions, "names" | "find">
  /**
   * Begins a call. The call continues even if its request ends: as in the cloud, a client that disconnects does not end
   * the function.
   */
  readonly call: (call: PlainCall) => Effect.Effect<Fiber.Fiber<Service.TargetEnd>>
}

interface Operation {
  /** The largest body, in bytes. A larger one is not read to its end. */
  readonly maxBytes: number
  readonly run: (backend: Backend, ask: Ask) => Effect.Effect<Reply, Service.Refused>
}

/** Room for the parts around a payload. */
const slack = 64 * 1_024

/** The most bytes of JSON for one byte of a text, such as `\u0000`. */
const longestEscape = 6

/** Every operation by its name. */
export const operations: Readonly<Record<Api.ApiOperationName, Operation>> = {
  CheckpointDurableExecution: {
    maxBytes: longestEscape * Limits.maxWirePayload + slack,
    run: ({ machine }, { body, label }) =>
      settle(
        jsonOf(body, readCheckpoint),
        (request) => machine.command(Service.checkpoint, { ...request, DurableExecutionArn: label }),
        Api.CheckpointDurableExecutionResponse
      )
  },
  GetDurableExecution: {
    maxBytes: slack,
    run: ({ machine }, { label, query }) =>
      settle(
        queryOf(query, readGet),
        (request) => machine.query(Service.getExecution, { ...request, DurableExecutionArn: label }),
        Api.GetDurableExecutionResponse
      )
  },
  GetDurableExecutionHistory: {
    maxBytes: slack,
    run: ({ machine }, { label, query }) =>
      settle(
        queryOf(query, readHistory),
        (request) => machine.query(Service.getHistory, { ...request, DurableExecutionArn: label }),
        Api.GetDurableExecutionHistoryResponse
      )
  },
  GetDurableExecutionState: {
    maxBytes: slack,
    run: ({ machine }, { label, query }) =>
      settle(
        queryOf(query, readState),
        (request) => machine.query(Service.getState, { ...request, DurableExecutionArn: label }),
        Api.GetDurableExecutionStateResponse
      )
  },
  ListDurableExecutionsByFunction: {
    maxBytes: slack,
    run: ({ machine }, { label, query }) =>
      settle(
        queryOf(query, readList),
        (request) => machine.list({ ...request, FunctionName: label }),
        Api.ListDurableExecutionsByFunctionResponse
      )
  },
  SendDurableExecutionCallbackSuccess: {
    maxBytes: Limits.maxWirePayload + slack,
    run: ({ machine }, { body, label }) =>
      done(machine.command(Service.succeedCallback, { callbackId: label, ...(body !== "" && { result: body }) }))
  },
  SendDurableExecutionCallbackFailure: {
    maxBytes: 2 * slack,
    run: ({ machine }, { body, label }) =>
      done(
        Result.flatMap(errorIn(body), (error) =>
          machine.command(Service.failCallback, { callbackId: label, ...(error !== undefined && { error }) })
        )
      )
  },
  SendDurableExecutionCallbackHeartbeat: {
    maxBytes: slack,
    run: ({ machine }, { label }) => done(machine.command(Service.heartbeatCallback, { callbackId: label }))
  },
  StopDurableExecution: {
    maxBytes: 2 * slack,
    run: ({ machine }, { body, label }) =>
      settle(
        errorIn(body),
        (error) =>
          machine.command(Service.stopExecution, { executionArn: label, ...(error !== undefined && { error }) }),
        Api.StopDurableExecutionResponse
      )
  },
  Invoke: { maxBytes: Limits.maxWirePayload + slack, run: (backend, ask) => Effect.suspend(() => invoke(backend, ask)) }
}

/** The names of all operations. */
export const operationNames: ReadonlyArray<Api.ApiOperationName> = Struct.keys(operations)

// --- Requests and answers --------------------------------------------------------------------------------------------

type Read<A> = Result.Result<A, Service.Refused>

const readCheckpoint = reader("body of CheckpointDurableExecution", Api.CheckpointDurableExecutionBody)
const readGet = reader("query of GetDurableExecution", Api.GetDurableExecutionQuery)
const readHistory = reader("query of GetDurableExecutionHistory", Api.GetDurableExecutionHistoryQuery)
const readState = reader("query of GetDurableExecutionState", Api.GetDurableExecutionStateQuery)
const readList = reader("query of ListDurableExecutionsByFunction", Api.ListDurableExecutionsByFunctionQuery)
const readError = reader("error object", ErrorObject)
const readInvokeQuery = reader("query of Invoke", InvokeQuery)
const readInvokeHeaders = reader("headers of Invoke", InvokeHeaders)

const invalid = (message: string): Service.Refused =>
  new Service.Refused({ exception: "InvalidParameterValueException", message })

const queryOf = <A>(query: Ask["query"], read: ReturnType<typeof reader<A>>): Read<A> =>
  Result.mapError(read(query), ({ message }) => invalid(message))

const jsonOf = <A>(body: string, read: ReturnType<typeof reader<A>>): Read<A> =>
  Result.flatMap(parse(body), (json) => Result.mapError(read(json), ({ message }) => invalid(message)))

const parse = (body: string): Read<unknown> => {
  try {
    return Result.succeed(JSON.parse(body))
  } catch {
    return Result.fail(
      new Service.Refused({
        exception: "InvalidRequestContentException",
        message: "Could not parse request body into json."
      })
    )
  }
}

/** Returns the error in a request that fails a callback or stops an execution: the body itself, or none if it is empty. */
const errorIn = (body: string): Read<ErrorObject | undefined> =>
  body === ""
    ? Result.succeed(undefined)
    : Result.map(jsonOf(body, readError), (error) => (Object.keys(error).length === 0 ? undefined : error))

const settle = <Request, Answer>(
  read: Read<Request>,
  carryOut: (request: Request) => Result.Result<Answer, Service.Refused>,
  schema: Schema.Codec<Answer, unknown>
): Effect.Effect<Reply, Service.Refused> =>
  Effect.map(Effect.fromResult(Result.flatMap(read, carryOut)), (answer) => ({
    body: JSON.stringify(SchemaParser.encodeSync(schema)(answer))
  }))

const done = (result: Result.Result<void, Service.Refused>): Effect.Effect<Reply, Service.Refused> =>
  Effect.map(Effect.fromResult(result), () => ({ body: "{}" }))

// --- Invoke ----------------------------------------------------------------------------------------------------------

interface Invocation {
  readonly entry: Service.FunctionEntry
  readonly ask: Ask
  readonly qualifier: string | undefined
  readonly headers: InvokeHeaders
  readonly payload: string | undefined
}

const invoke = (backend: Backend, ask: Ask): Effect.Effect<Reply, Service.Refused> =>
  Effect.flatMap(Effect.fromResult(readInvocation(backend, ask)), (invocation) => {
    const type = invocationTypes.find((known) => known === (invocation.headers.InvocationType ?? "RequestResponse"))
    if (type === undefined) return Effect.fail(invalid(`InvocationType must be one of ${invocationTypes.join(", ")}.`))
    if (type === "DryRun") return Effect.succeed({ status: 204 })
    return invocation.entry.kind === "durable"
      ? start(backend, invocation, type)
      : call(backend, invocation, invocation.entry, type)
  })

const readInvocation = ({ machine }: Backend, ask: Ask): Read<Invocation> =>
  Result.gen(function* () {
    const { Qualifier: qualifier } = yield* queryOf(ask.query, readInvokeQuery)
    const headers = yield* Result.mapError(readInvokeHeaders(ask.headers), ({ message }) => invalid(message))
    const { entry } = yield* Service.resolveFunction(machine.config, ask.label, qualifier)
    const payload = ask.body === "" ? undefined : ask.body
    if (payload !== undefined) yield* parse(payload)
    return { entry, ask, qualifier, headers, payload }
  })

const start = (
  { machine }: Backend,
  { ask, headers, payload, qualifier }: Invocation,
  invocationType: "RequestResponse" | "Event"
): Effect.Effect<Reply, Service.Refused> => {
  const traceHeader = ask.headers["x-amzn-trace-id"]
  const request: Service.StartRequest = {
    functionName: ask.label,
    invocationType,
    ...(qualifier !== undefined && { qualifier }),
    ...(payload !== undefined && { payload }),
    ...(headers.DurableExecutionName !== undefined && { executionName: headers.DurableExecutionName }),
    ...(headers.TenantId !== undefined && { tenantId: headers.TenantId }),
    ...(traceHeader !== undefined && { traceHeader })
  }
  return Effect.flatMap(
    Effect.fromResult(startOnce(machine, request, ask.headers["amz-sdk-invocation-id"])),
    ({ executedVersion, executionArn }) => {
      const answer = answerOf({ ExecutedVersion: executedVersion, DurableExecutionArn: executionArn })
      if (invocationType === "Event") return Effect.succeed({ status: 202, headers: answer })
      return Effect.map(machine.ended(executionArn), (outcome): Reply =>
        outcome?.status === "SUCCEEDED"
          ? { headers: answer, body: outcome.result }
          : failed(answer, outcome?.error ?? { ErrorMessage: "The execution is no longer kept." })
      )
    }
  )
}

/** Starts an execution once for all attempts of one call of an AWS client, also for a call without a name. */
const startOnce = (
  machine: Machine,
  request: Service.StartRequest,
  invocationId: string | undefined
): Read<Pick<Service.Started, "executionArn" | "executedVersion">> => {
  const note = invocationId === undefined || request.executionName !== undefined ? undefined : invocationId
  const known = note === undefined ? undefined : machine.startedBy(note)
  if (known === undefined) {
    return machine.command(Service.startExecution, request, ({ executionArn }) =>
      note === undefined ? undefined : { invocationId: note, arn: executionArn }
    )
  }
  return Result.map(
    machine.query(Service.getExecution, { DurableExecutionArn: known, IncludeExecutionData: false }),
    ({ Version }) => ({ executionArn: known, executedVersion: Version ?? "$LATEST" })
  )
}

const call = (
  backend: Backend,
  { ask, headers: { DurableExecutionName, TenantId: tenantId }, payload }: Invocation,
  entry: Service.FunctionEntry,
  type: "RequestResponse" | "Event"
): Effect.Effect<Reply, Service.Refused> =>
  Effect.gen(function* () {
    if (DurableExecutionName !== undefined) {
      return yield* Effect.fail(
        invalid(`The function ${entry.name} is not a durable function, and its calls have no names.`)
      )
    }
    yield* Effect.fromResult(Service.checkInvoke({ invocationType: type, payload, tenantId }))
    const clientContext = yield* Effect.fromResult(clientContextIn(ask.headers["x-amz-client-context"]))
    const { name: functionName, version } = entry
    const answer = answerOf({ ExecutedVersion: version })
    const running = yield* backend.call({ functionName, version, payload, tenantId, clientContext })
    if (type === "Event") return { status: 202, headers: answer }
    const end = yield* Fiber.join(running)
    return end._tag === "Succeeded"
      ? { headers: answer, body: end.result ?? "null" }
      : failed(answer, end.error ?? { ErrorMessage: "The function did not end." })
  })

const clientContextIn = (given: string | undefined): Read<string | undefined> => {
  if (given === undefined || given === "") return Result.succeed(undefined)
  const json = Buffer.from(given, "base64").toString()
  return parseJson(json) === undefined
    ? Result.fail(
        new Service.Refused({
          exception: "InvalidRequestContentException",
          message: "ClientContext must be an object as JSON, encoded in Base64."
        })
      )
    : Result.succeed(json)
}

const answerOf = (headers: InvokeResponseHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(SchemaParser.encodeSync(InvokeResponseHeaders)(headers)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string"
    )
  )

/** Returns the answer of a call whose function failed. Lambda answers it with status 200. */
const failed = (headers: Readonly<Record<string, string>>, error: ErrorObject): Reply => ({
  headers: { ...headers, ...answerOf({ FunctionError: "Unhandled" }) },
  body: JSON.stringify({
    errorType: error.ErrorType ?? "Error",
    errorMessage: error.ErrorMessage ?? "",
    ...(error.ErrorData !== undefined && { errorData: error.ErrorData }),
    ...(error.StackTrace !== undefined && { trace: error.StackTrace })
  })
})
