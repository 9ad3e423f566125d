/**
 * What the layers of this folder call the Lambda API through, whoever makes the requests: our own client, or AWS's.
 *
 * Owns: what a call is: an operation, its request and its answer, how long it may take, and what may have gone wrong.
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
 * How long to wait for an answer: as long as a request of the durable API may take, or as long as an execution may.
 */
export type Patience = "request" | "execution"

/** An answer that is good: its headers, by their names in lower case, and its body. */
export interface GoodAnswer {
  readonly header: (name: string) => string | undefined
  readonly body: Uint8Array
}

/** One call of the Lambda API, for either client. */
export interface Call {
  readonly operation: ApiOperationName
  /** The input as AWS's client takes it. */
  readonly input: object
  /** The request that our own client sends: the same. */
  readonly request: () => ApiRequest
  readonly patience?: Patience
  /** Texts of the input that no message may repeat. */
  readonly secrets?: ReadonlyArray<string>
  /** What AWS's client would make of a good answer, where that is not just its JSON. */
  readonly read?: (answer: GoodAnswer) => unknown
}

/** Calls the Lambda API. The answers are as AWS's client has them, but that a time may be a number. */
export class Connection extends Context.Service<
  Connection,
  { readonly call: (call: Call) => Effect.Effect<unknown, Failure> }
>()("effect-durable/lambda/Connection") {}
