/**
 * A requirement of the conformance suite: what to start, and what must be seen then. Its YAML form is AWS's; tests of this
 * repository write the same in TypeScript.
 */
import * as Schema from "effect/Schema"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { parse } from "yaml"

const Mapping = Schema.Record(Schema.String, Schema.Unknown)

/** What an outsider does to a callback after `Delay` seconds. The payload of a failure is its error. */
const CallbackAction = Schema.Struct({
  CallbackName: Schema.String,
  Operation: Schema.Literals(["success", "failure", "heartbeat"]),
  Payload: Schema.optionalKey(Schema.Unknown),
  Delay: Schema.optionalKey(Schema.Finite)
})

export type CallbackAction = typeof CallbackAction.Type

/** Lines of the log that must be there; at least one unless it says how many. */
const ExpectedLog = Schema.Struct({
  match: Mapping,
  count: Schema.optionalKey(Schema.Finite),
  min_count: Schema.optionalKey(Schema.Finite),
  max_count: Schema.optionalKey(Schema.Finite),
  before: Schema.optionalKey(Schema.Array(Mapping)),
  after: Schema.optionalKey(Schema.Array(Mapping))
})

export type ExpectedLog = typeof ExpectedLog.Type

const Expectations = Schema.Struct({
  /** Its failure is no failure of the suite. */
  optional: Schema.optionalKey(Schema.Boolean),
  Variables: Schema.optionalKey(Mapping),
  Input: Schema.optionalKey(Schema.Unknown),
  AsyncInvoke: Schema.optionalKey(Schema.Boolean),
  ExpectedResult: Schema.optionalKey(
    Schema.Struct({ ExecutionStatus: Schema.String, Result: Schema.optionalKey(Schema.Unknown) })
  ),
  ExpectedExecutionHistory: Schema.optionalKey(Schema.Array(Mapping)),
  CallbackActions: Schema.optionalKey(Schema.Array(CallbackAction)),
  ExpectedLogs: Schema.optionalKey(Schema.Array(ExpectedLog))
})

export type Expectations = typeof Expectations.Type

export interface Requirement extends Expectations {
  readonly id: string
  readonly suite: string
}

const decode = Schema.decodeUnknownSync(Expectations)

/** All requirements of a folder and its subfolders, in the order of their ids: none when there is no such folder. */
export const readRequirements = (folder: string): ReadonlyArray<Requirement> =>
  (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [])
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => ({
      id: basename(file, ".yaml"),
      suite: basename(dirname(join(folder, file))),
      // The core schema of YAML 1.2: the key `n` is no boolean.
      ...decode(parse(readFileSync(join(folder, file), "utf8"), { version: "1.2", schema: "core" }))
    }))
    .sort((a, b) => compareIds(a.id, b.id))

/** `2-10` comes after `2-9`. */
export const compareIds = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true })

/** Whether the process of the handler has to die on the way. */
export const needsCrash = (requirement: Requirement): boolean =>
  JSON.stringify(requirement.ExpectedExecutionHistory ?? []).includes("Runtime.ExitError")

/** Whether it is met as soon as its history is: the execution may go on then. */
export const isHistoryOnly = (requirement: Requirement): boolean =>
  requirement.AsyncInvoke === true && requirement.ExpectedResult === undefined
