/**
 * The unsigned headers, which intermediaries may change: the user agent, the length of the body, and the trace of the
 * request.
 *
 * @since 0.1.0
 */
import { version } from "../../../internal/version.ts"
import type { ApiRequest } from "../../../wire/Requests.ts"
import { propertyAt } from "../../../wire/internal/properties.ts"

/** Returns the unsigned headers. A request without a body states its length where a body is expected. */
export const unsignedHeaders = ({ body, method }: ApiRequest): Readonly<Record<string, string | number>> => {
  const trace = traceHeader()
  return {
    "user-agent": userAgent,
    ...(method === "GET" ? undefined : { "content-length": Buffer.byteLength(body ?? "") }),
    ...(trace === undefined ? undefined : { "x-amzn-trace-id": trace })
  }
}

const userAgent = `effect-durable/${version} ua/2.1 os/${process.platform} lang/js md/nodejs#${process.versions.node}`

/** Returns the trace of the running invocation, which Lambda needs to detect functions that call each other endlessly. */
const traceHeader = (): string | undefined => {
  if (!process.env["AWS_LAMBDA_FUNCTION_NAME"]) return undefined
  return traceOfRuntime() ?? (process.env["_X_AMZN_TRACE_ID"] || undefined)
}

/** Returns the trace from the runtime. Runtimes with concurrent invocations keep it outside of the environment. */
const traceOfRuntime = (): string | undefined => {
  const store = propertyAt(propertyAt(globalThis, "awslambda"), "InvokeStore")
  const ask = propertyAt(store, "getXRayTraceId")
  const trace: unknown = typeof ask === "function" ? Reflect.apply(ask, store, []) : undefined
  return typeof trace === "string" && trace !== "" ? trace : undefined
}
