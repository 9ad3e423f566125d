/** What the handlers of all suites share. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { DurableFunction, type BatchResult } from "../../../src/index.ts"

/** The options of a handler whose workflow needs nothing. */
export const alone = { layer: Layer.empty }

/** A step or a workflow that fails, because its requirement says so. */
export class Failure extends Schema.TaggedError<Failure>()("Failure", { message: Schema.String }) {}

/** A failure that is worth another attempt. */
export class TransientError extends Schema.TaggedError<TransientError>()("TransientError", {
  message: Schema.String
}) {}

/** A function that takes and gives whatever its requirement says. */
export const Open = DurableFunction.make("open", { payload: Schema.Unknown, success: Schema.Unknown, error: Failure })

/** The name of an operation whose requirement lets the input name it. */
export const nameIn = (input: unknown): string => (typeof input === "string" ? input : "operation")

export const nobodyKnows = Effect.fail(new Failure({ message: "this always fails" }))

type Fact = "completionReason" | "status" | "successCount" | "failureCount" | "totalCount"

/** How a batch has ended, its status aside. */
export const counts = ["completionReason", "successCount", "failureCount", "totalCount"] as const

/** How a batch has ended. */
export const everything = ["status", ...counts] as const

export const factsOf = (batch: Pick<BatchResult.BatchResult<unknown, unknown>, Fact>, facts: ReadonlyArray<Fact>) =>
  Object.fromEntries(facts.map((fact) => [fact, batch[fact]]))
