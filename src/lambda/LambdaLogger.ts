/**
 * The default logging of a function, unless the layer of its handler overrides it: one line of JSON per record, with the
 * execution and the operation at the top level, where the log service finds them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

/**
 * Formats a record as one line of JSON: `timestamp`, `level`, `message`, `cause` if one was logged, `traceId` and `spanId`
 * if there is a span, and the annotations: `requestId`, `executionArn`, `operation`, `operationId`, `parentId`, `attempt`,
 * and your own. A record that throws when it is written is replaced by a message that says so.
 *
 * @example
 * ```ts
 * import { LambdaLogger } from "effect-durable/lambda"
 * import * as Logger from "effect/Logger"
 *
 * export const ToStderr = Logger.layer([Logger.map(LambdaLogger.format, (line) => console.error(line))])
 * ```
 *
 * @category loggers
 * @since 0.1.0
 */
export const format: Logger.Logger<unknown, string> = Logger.make((options) => {
  try {
    return formatRecord(options)
  } catch {
    return formatRefused(options)
  }
})

const formatRecord = (options: Logger.Options<unknown>): string => {
  const { annotations, cause, level, message, timestamp } = Logger.formatStructured.log(options)
  const span = Context.getOrUndefined(options.fiber.context, Tracer.ParentSpan)
  const record = {
    timestamp,
    level,
    message,
    ...(cause === undefined ? undefined : { cause }),
    ...(span === undefined ? undefined : { traceId: span.traceId, spanId: span.spanId })
  }
  return Formatter.formatJson({ ...record, ...annotations, ...record })
}

/** Formats a record that throws when it is written. A value that is only logged must not fail a workflow. */
const formatRefused = ({ date, fiber, logLevel }: Logger.Options<unknown>): string => {
  const texts = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).filter(
    ([, value]) => typeof value === "string" || typeof value === "number"
  )
  return JSON.stringify({
    ...Object.fromEntries(texts),
    timestamp: date.toISOString(),
    level: logLevel.toUpperCase(),
    message: "Expected a value that can be written as JSON, found one that throws when it is. Log plain data."
  })
}

/**
 * Writes lines of JSON directly to the standard output, because Lambda's runtime changes lines of the console.
 *
 * @category loggers
 * @since 0.1.0
 */
export const json: Logger.Logger<unknown, void> = Logger.map(format, (line) => void process.stdout.write(`${line}\n`))

/**
 * The default logging of a handler: {@link json}, span events as in every Effect program, and the level in the function's
 * configuration (`AWS_LAMBDA_LOG_LEVEL`; without one `Info`).
 *
 * @example
 * ```ts
 * import { LambdaLogger } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 *
 * // For a program that is no handler and is to log as one does.
 * export const main = Effect.log("hello").pipe(Effect.provide(LambdaLogger.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.suspend(() => {
  const level = levels.get(process.env["AWS_LAMBDA_LOG_LEVEL"] ?? "")
  const loggers = Logger.layer([json, Logger.tracerLogger])
  return level === undefined ? loggers : Layer.merge(loggers, Layer.succeed(References.MinimumLogLevel, level))
})

/** The levels of Lambda's configuration. */
const levels: ReadonlyMap<string, LogLevel.LogLevel> = new Map([
  ["TRACE", "Trace"],
  ["DEBUG", "Debug"],
  ["INFO", "Info"],
  ["WARN", "Warn"],
  ["ERROR", "Error"],
  ["FATAL", "Fatal"]
])
