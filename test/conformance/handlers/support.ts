/** What the handlers of all suites share. */
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import type { LambdaHandler } from "../../../src/lambda/index.ts"

/** The options of a handler whose workflow needs nothing. */
export const alone = { layer: Layer.empty }

/** A step or a workflow that fails, because its requirement says so. */
export class Failure extends Schema.TaggedError<Failure>()("Failure", { message: Schema.String }) {}

/** A failure that is worth another attempt. */
export class TransientError extends Schema.TaggedError<TransientError>()("TransientError", {
  message: Schema.String
}) {}

/**
 * A handler whose log lines are JSON with the ARN of the execution, as the log service wants them. The ARN is a fact of the
 * invocation, so the handler is made when the invocation arrives.
 */
export const correlated =
  (make: (options: { readonly layer: Layer.Layer<never> }) => LambdaHandler.Handler): LambdaHandler.Handler =>
  (event, context) =>
    make({ layer: Logger.layer([jsonLines(arnOf(event))]) })(event, context)

const jsonLines = (executionArn: string) =>
  Logger.withConsoleLog(
    Logger.make(({ date, logLevel, message }) =>
      JSON.stringify({
        timestamp: date.toISOString(),
        level: logLevel.toUpperCase(),
        executionArn,
        message: Array.isArray(message) ? message.map(String).join(" ") : String(message)
      })
    )
  )

const arnOf = (event: unknown): string =>
  typeof event === "object" && event !== null ? String(Reflect.get(event, "DurableExecutionArn")) : ""
