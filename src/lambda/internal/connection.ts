/**
 * The connection through which the layers of this folder call the Lambda API, with this library's client or with AWS's.
 *
 * Owns: the definition of a call: an operation, its request and its answer, its time-out, and its possible failures.
 * Does not own: how a call is made.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ApiRequest } from "../../wire/Requests.ts"
import type { ApiOperationName } from "../../wire/Routes.ts"
import type { Failure } from "./failure.ts"

/**
 * The time-out for an answer: as long as a request of the durable API may take, or as long as an execution may take.
 */
export type Patience = "request" | "execution"

/** A good answer: its headers, by lower-case names, and its body. */
export interface GoodAnswer {
  readonly header: (name: string) => string | undefined
  readonly body: Uint8Array
}

/** One call of the Lambda API, for either client. */
export interface Call {
  readonly operation: ApiOperationName
  /** The input in the form of AWS's client. */
  readonly input: object
  /** The same request in the form of this library's client. */
  readonly request: () => ApiRequest
  readonly patience?: Patience
  /** Texts of the input that must not appear in messages. */
  readonly secrets?: ReadonlyArray<string>
  /** Reads a good answer as AWS's client would return it, if that is not just its JSON. */
  readonly read?: (answer: GoodAnswer) => unknown
}

/** Calls the Lambda API. The answers have the form of AWS's client, except that a time may be a number. */
export class Connection extends Context.Service<
  Connection,
  { readonly call: (call: Call) => Effect.Effect<unknown, Failure> }
>()("effect-durable/lambda/Connection") {}
