/**
 * Handlers whose layer cannot be built because configuration is missing.
 *
 * Owns: which failures of a layer are those of a `Config`, and their messages, which name variables and never contain their
 * values.
 * Does not own: when a layer is built, and every other failure of it.
 *
 * @since 0.1.0
 */
import type { ConfigError } from "effect/Config"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidConfiguration, InvocationFailed } from "../../DurableError.ts"
import { failureIn } from "../../internal/cause.ts"
import type { InvocationAnswer } from "../../wire/Invocation.ts"

/**
 * Builds a layer, and returns the answer of an invocation whose layer lacks configuration. A missing or malformed value is
 * the same for every invocation of this version, so the execution ends, unless it may wait for another version. A source
 * that cannot be read may become readable. Any other failure passes through.
 */
export const configured = <A, E, R>(
  build: Effect.Effect<A, E, R>,
  { mayWait, operation }: { readonly mayWait: boolean; readonly operation: string }
): Effect.Effect<{ readonly built: A } | { readonly answer: InvocationAnswer }, E | InvocationFailed, R> =>
  Effect.matchCauseEffectEager(build, {
    onSuccess: (built) => Effect.succeed({ built }),
    onFailure: (cause): Effect.Effect<{ readonly answer: InvocationAnswer }, E | InvocationFailed> => {
      const error = cause.reasons.map(failureIn).find(isConfigError)
      if (error === undefined) return Effect.failCause(cause)
      const message = sentence(error)
      return mayWait || error.cause._tag === "SourceError"
        ? Effect.fail(new InvocationFailed({ reason: "configuration", message }))
        : Effect.succeed({ answer: failedWith(new InvalidConfiguration({ operation, message })) })
    }
  })

// A structural check, because the class would bring all of Config into every bundle.
const isConfigError = (error: unknown): error is ConfigError =>
  Predicate.isTagged(error, "ConfigError") && Predicate.hasProperty(error, "cause")

const failedWith = ({ _tag, message, operation }: InvalidConfiguration): InvocationAnswer => ({
  Status: "FAILED",
  Error: {
    ErrorType: _tag,
    ErrorMessage: message,
    ErrorData: JSON.stringify({ _tag, operation, message }),
    StackTrace: []
  }
})

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const sentence = ({ cause }: ConfigError): string => {
  if (cause._tag === "SourceError")
    return "The layer of the handler could not be built, because the source of its configuration cannot be read."
  const paths = format(cause.issue).issues.map(({ path = [] }) =>
    path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join("_")
  )
  const names = Array.from(new Set(paths.filter((path) => path !== "")), (path) => JSON.stringify(path))
  const what = names.length === 0 ? "a value of its configuration" : names.join(", ")
  return `The layer of the handler could not be built: expected ${what} in the configuration of the function, found nothing or not what its Config reads. Set it, and publish another version.`
}
