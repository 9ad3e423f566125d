/**
 * A checkpoint service in this process that answers at once and believes everything: what is left to measure is the SDK.
 */
/** The part of an update that matters here, as either SDK writes it. */
interface Update {
  readonly Id?: string | undefined
  readonly ParentId?: string | undefined
  readonly Name?: string | undefined
  readonly SubType?: string | undefined
  readonly Action?: string | undefined
  readonly Payload?: string | undefined
}

/** An operation in the state. Times are milliseconds since the epoch. */
export interface Recorded {
  readonly Id: string
  readonly ParentId?: string | undefined
  readonly Name?: string | undefined
  readonly Type: "EXECUTION" | "STEP"
  readonly SubType?: string | undefined
  readonly Status: "STARTED" | "SUCCEEDED"
  readonly StartTimestamp: number
  readonly EndTimestamp?: number | undefined
  readonly ExecutionDetails?: { readonly InputPayload: string }
  readonly StepDetails?: { readonly Attempt: number; readonly Result: string | undefined }
}

export class Backend {
  requests = 0
  updates = 0
  readonly #operations = new Map<string, Recorded>()

  /** Applies updates of steps, and answers with the operations that they changed. */
  checkpoint(updates: ReadonlyArray<Update>): { readonly token: string; readonly operations: ReadonlyArray<Recorded> } {
    this.requests++
    this.updates += updates.length
    const changed = new Map<string, Recorded>()
    for (const update of updates) changed.set(update.Id ?? "", this.#apply(update))
    return { token: `token-${this.requests}`, operations: [...changed.values()] }
  }

  #apply({ Action, Id = "", Name, ParentId, Payload, SubType }: Update): Recorded {
    const started: Recorded = this.#operations.get(Id) ?? {
      Id,
      ParentId,
      Name,
      Type: "STEP",
      SubType,
      Status: "STARTED",
      StartTimestamp: Date.now()
    }
    const now: Recorded =
      Action === "SUCCEED"
        ? { ...started, Status: "SUCCEEDED", EndTimestamp: Date.now(), StepDetails: { Attempt: 1, Result: Payload } }
        : started
    this.#operations.set(Id, now)
    return now
  }
}

/** The event of the first invocation of an execution. */
export const firstEvent = {
  DurableExecutionArn:
    "arn:aws:lambda:us-east-1:123456789012:function:steps:1/durable-execution/bench/00000000-0000-4000-8000-000000000000",
  CheckpointToken: "token-0",
  InitialExecutionState: { Operations: [], NextMarker: "" }
}

export const executionOperation: Recorded = {
  Id: "00000000-0000-4000-8000-000000000000",
  Type: "EXECUTION",
  Status: "STARTED",
  StartTimestamp: Date.now(),
  ExecutionDetails: { InputPayload: "null" }
}

/** What the steps of an execution do: answer at once, or in a later turn of the event loop, as I/O does. */
export type Body = "immediate" | "asynchronous"

/** One execution of so many steps in a row, from event to answer, against a backend. */
export type Contestant = (count: number, body: Body, backend: Backend) => Promise<void>

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
