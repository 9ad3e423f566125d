/**
 * A runtime for functions in Node, as a process of its own: it requests calls from the Runtime API and runs an export of a
 * module. The arguments are the file and the name of the export; the environment is that of a Lambda function.
 *
 * Owns: the arguments of a handler, and that the process ends with its engine.
 * Does not own: which calls there are.
 *
 * @since 0.1.0
 */
import { request, Agent, type IncomingHttpHeaders } from "node:http"
import process from "node:process"
import type { InvocationContext } from "../lambda/LambdaContext.ts"
import { exportsOf, isImplementation } from "./exports.ts"
import * as InvokeStore from "./InvokeStore.ts"

type Handler = (event: unknown, context: InvocationContext) => unknown

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const environment = (name: string): string => process.env[name] ?? ""

const agent = new Agent({ keepAlive: true })
const base = `http://${environment("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime`

/** Ends the process: without an engine there is nothing to do or report. */
const leave = (): never => process.exit(1)

/** Sends a request. It does not use `fetch`, which gives up on an answer that takes long. */
const ask = (method: "GET" | "POST", path: string, body?: string): Promise<Answer> =>
  new Promise((resolve) => {
    const sent = request(`${base}/${path}`, { method, agent }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", leave)
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }))
    })
    sent.on("error", leave)
    sent.end(body)
  })

// --- The handler -------------------------------------------------------------------------------------------------------

const handlerIn = async (file: string, name: string): Promise<Handler> => {
  const found = (await exportsOf(file))[name]
  if (isImplementation(found)) return (await import("./implementation.ts")).handlerOf(found)
  if (typeof found === "function") return (event, context) => Reflect.apply(found, undefined, [event, context])
  throw new Error(`The module ${file} exports no handler "${name}".`)
}

// --- Calls -------------------------------------------------------------------------------------------------------------

const contextOf = (headers: IncomingHttpHeaders): InvocationContext => {
  const text = (name: string): string | undefined => {
    const value = headers[`lambda-runtime-${name}`]
    return typeof value === "string" ? value : undefined
  }
  const deadline = Number(text("deadline-ms"))
  const client = text("client-context")
  const context = {
    awsRequestId: text("aws-request-id") ?? "",
    invokedFunctionArn: text("invoked-function-arn") ?? "",
    functionName: environment("AWS_LAMBDA_FUNCTION_NAME"),
    functionVersion: environment("AWS_LAMBDA_FUNCTION_VERSION"),
    memoryLimitInMB: environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    logGroupName: environment("AWS_LAMBDA_LOG_GROUP_NAME"),
    logStreamName: environment("AWS_LAMBDA_LOG_STREAM_NAME"),
    tenantId: text("aws-tenant-id"),
    xRayTraceId: text("trace-id"),
    // Other handlers may read these.
    clientContext: client === undefined ? undefined : JSON.parse(client),
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now())
  }
  return context
}

/** Describes what a handler threw. A handler may throw values that refuse to be read; the process serves other calls, too. */
const errorBody = (thrown: unknown): string => {
  try {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const data: unknown = Reflect.get(error, "errorData")
    const stack: unknown = error.stack
    return JSON.stringify({
      errorType: error.name,
      errorMessage: error.message,
      ...(typeof data === "string" && { errorData: data }),
      stackTrace: typeof stack === "string" ? stack.split("\n") : []
    })
  } catch {
    return JSON.stringify({ errorType: "Error", errorMessage: "The function threw a value that cannot be read." })
  }
}

const serveCalls = async (handler: Handler): Promise<never> => {
  for (;;) {
    const { body, headers } = await ask("GET", "invocation/next")
    const path = `invocation/${String(headers["lambda-runtime-aws-request-id"])}`
    try {
      const context = contextOf(headers)
      const result: unknown = await InvokeStore.within(context, () => handler(JSON.parse(body), context))
      await ask("POST", `${path}/response`, JSON.stringify(result) ?? "null")
    } catch (error) {
      await ask("POST", `${path}/error`, errorBody(error))
    }
  }
}

const main = async (file: string, name: string): Promise<void> => {
  // The channel closes when the engine ends, however it ends.
  process.on("disconnect", leave)
  process.channel?.unref()
  // Ctrl-C in a terminal reaches this process too. The engine ends it, with a moment to release its resources.
  process.on("SIGINT", () => {})
  InvokeStore.install()
  try {
    const handler = await handlerIn(file, name)
    const lanes = Number(environment("AWS_LAMBDA_MAX_CONCURRENCY")) || 1
    await Promise.all(Array.from({ length: lanes }, () => serveCalls(handler)))
  } catch (error) {
    await ask("POST", "init/error", errorBody(error))
    throw error
  }
}

await main(process.argv[2] ?? "", process.argv[3] ?? "handler")
