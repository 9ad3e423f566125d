/**
 * The headers that no signature covers, because others on the way may change them: who calls, how much there is to read, and
 * which trace the request belongs to.
 *
 * @since 0.1.0
 */
import { version } from "../../../internal/version.ts"
import type { ApiRequest } from "../../../wire/Requests.ts"
import { propertyAt } from "../../../wire/internal/properties.ts"

/** A request without a body says so, where one is expected. */
export const unsignedHeaders = ({ body, method }: ApiRequest): Readonly<Record<string, string | number>> => {
  const trace = traceHeader()
  return {
    "user-agent": userAgent,
    ...(method === "GET" ? undefined : { "content-length": Buffer.byteLength(body ?? "") }),
    ...(trace === undefined ? undefined : { "x-amzn-trace-id": trace })
  }
}

const userAgent = `effect-durable/${version} ua/2.1 os/${process.platform} lang/js md/nodejs#${process.versions.node}`

/** What Lambda needs to find functions that call each other for ever: the trace of the invocation that is running. */
const traceHeader = (): string | undefined => {
  if (!process.env["AWS_LAMBDA_FUNCTION_NAME"]) return undefined
  return traceOfRuntime() ?? (process.env["_X_AMZN_TRACE_ID"] || undefined)
}

/** Runtimes that run several invocations at once keep the trace beside the environment. */
const traceOfRuntime = (): string | undefined => {
  const store = propertyAt(propertyAt(globalThis, "awslambda"), "InvokeStore")
  const ask = propertyAt(store, "getXRayTraceId")
  const trace: unknown = typeof ask === "function" ? Reflect.apply(ask, store, []) : undefined
  return typeof trace === "string" && trace !== "" ? trace : undefined
}
