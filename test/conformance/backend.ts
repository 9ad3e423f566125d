/** What the driver needs of a backend: it starts an execution of any Lambda handler and tells what has become of it. */
import type { Ended, Json } from "./matcher.ts"
import type { CallbackAction } from "./requirement.ts"

/** A durable Lambda handler, made by whatever library. */
export type AnyHandler = (event: never, context: never) => Promise<unknown>

/** The functions that a requirement needs. */
export interface Functions {
  readonly handler: AnyHandler
  /** Plain functions that may be invoked, by name. */
  readonly targets: Readonly<Record<string, (event: unknown) => Promise<unknown>>>
  /** Durable functions that may be invoked, by name. */
  readonly durableTargets: Readonly<Record<string, AnyHandler>>
}

export interface Start extends Functions {
  /** The id of the requirement. */
  readonly id: string
  /** Whether `process.exit` is expected, and means that the process of the handler dies. */
  readonly mayCrash: boolean
  /** The payload as JSON. */
  readonly input: string
  /** What an outsider does about the callback that this event has started: asked then, and again after each heartbeat. */
  readonly onCallback: (started: Json, history: ReadonlyArray<Json>) => CallbackAction | undefined
  /** The service would not have it. */
  readonly onRefused: (started: Json, action: CallbackAction, error: unknown) => void
}

export interface Run {
  readonly executionArn: () => string
  /** The history so far, by EventId. */
  readonly events: () => ReadonlyArray<Json>
  /** How it has ended, if it has. */
  readonly ended: () => Ended | undefined
  /** Lets go of an execution, ended or not. */
  readonly stop: () => void
}

export interface Backend {
  readonly name: string
  /** How many executions may run at once. */
  readonly width: number
  /** Milliseconds by which events may become known later than the end of an execution. */
  readonly lateness: number
  readonly start: (start: Start) => Promise<Run>
  readonly close: () => Promise<void>
}

/** A result as the service holds it. */
export const parseResult = (text: string | undefined): unknown =>
  text === undefined || text === "" ? null : JSON.parse(text)

/** The text that the sender of a callback sends. */
export const sentPayload = ({ Payload }: CallbackAction): string =>
  typeof Payload === "string" ? JSON.stringify(Payload) : pythonJson(Payload ?? null)

/** The error that the sender of a callback sends. */
export const sentError = ({ Payload }: CallbackAction): Json =>
  typeof Payload === "object" && Payload !== null
    ? Object.fromEntries(Object.entries(Payload))
    : { ErrorMessage: typeof Payload === "string" ? Payload : "failed" }

/** JSON with the white space that Python puts into it: senders of callbacks are scripts, and history keeps their text. */
const pythonJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}: ${pythonJson(part)}`)
    .join(", ")}}`
}
