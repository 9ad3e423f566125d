/**
 * The content of the columns: values of the type of each column, and Schemas that check the JSON columns when they are read.
 *
 * Owns: how a column is read, and the text form of the parts of the engine's state.
 * Does not own: the tables.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { Execution, TimerKind } from "../engine/Service.ts"
import type { Head, StoredOperation } from "../engine/Stored.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import { HistoryEvent } from "../wire/HistoryEvent.ts"
import { Operation } from "../wire/Operation.ts"
import type { Row } from "./Sqlite.ts"

type Identity = Omit<Execution["identity"], "payload">

const optional = Schema.optionalKey

const Identity: Schema.Codec<Identity, unknown> = Schema.Struct({
  arn: Schema.String,
  id: Schema.String,
  name: Schema.String,
  functionName: Schema.String,
  version: Schema.String,
  functionArn: Schema.String,
  tenantId: optional(Schema.String),
  traceHeader: optional(Schema.String),
  startTimestamp: Schema.Finite,
  executionTimeoutSeconds: Schema.Finite,
  parent: optional(Schema.Struct({ executionArn: Schema.String, operationId: Schema.String }))
})

const Gate: Schema.Codec<Execution["gate"], unknown> = Schema.Union([
  Schema.Struct({ _tag: Schema.Literals(["Ready", "Suspended", "BackingOff"]) }),
  Schema.Struct({
    _tag: Schema.Literal("InFlight"),
    invocationId: Schema.String,
    startTimestamp: Schema.Finite,
    token: Schema.String
  })
])

const Progress: Schema.Codec<Omit<Head, "outcome">, unknown> = Schema.Struct({
  gate: Gate,
  failures: Schema.Struct({ inARow: Schema.Int, withNothingPending: Schema.Int }),
  usage: Schema.Struct({ operations: Schema.Int, bytes: Schema.Int }),
  undelivered: Schema.Array(Schema.String)
})

const Outcome: Schema.Codec<NonNullable<Head["outcome"]>, unknown> = Schema.Union([
  Schema.Struct({
    status: Schema.Literal("SUCCEEDED"),
    result: optional(Schema.String),
    endTimestamp: Schema.Finite
  }),
  Schema.Struct({
    status: Schema.Literals(["FAILED", "TIMED_OUT", "STOPPED"]),
    error: ErrorObject,
    endTimestamp: Schema.Finite
  })
])

const Stored: Schema.Codec<Pick<StoredOperation, "operation" | "hidden">, unknown> = Schema.Struct({
  operation: Operation,
  hidden: Schema.Struct({ heartbeatSeconds: optional(Schema.Finite), childArn: optional(Schema.String) })
})

const TimerKind: Schema.Codec<TimerKind, unknown> = Schema.Literals([
  "Wait",
  "StepRetry",
  "CallbackTimeout",
  "HeartbeatTimeout",
  "InvocationRetry",
  "ExecutionTimeout"
])

/** Reads each kind of text. Throws if the text is not what was written. */
export const read = {
  identity: SchemaParser.decodeUnknownSync(Identity),
  progress: SchemaParser.decodeUnknownSync(Progress),
  outcome: SchemaParser.decodeUnknownSync(Outcome),
  operation: SchemaParser.decodeUnknownSync(Stored),
  event: SchemaParser.decodeUnknownSync(HistoryEvent),
  status: SchemaParser.decodeUnknownSync(Schema.Literals(["SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"])),
  timerKind: SchemaParser.decodeUnknownSync(TimerKind)
}

// --- Columns -------------------------------------------------------------------------------------------------------------

export const number = (row: Row | undefined, column: string): number => {
  const value = row?.[column]
  if (typeof value !== "number") throw new TypeError(`${column} is no number`)
  return value
}

export const text = (row: Row | undefined, column: string): string => {
  const value = row?.[column]
  if (typeof value !== "string") throw new TypeError(`${column} is no text`)
  return value
}

export const json = (row: Row, column: string): unknown => JSON.parse(text(row, column))
