/**
 * One invocation of a workflow over a history that the test writes by hand, also one that no service would write.
 */
import { DurableFunction, type Durable, type DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CheckpointStore, type StoreError } from "../../src/CheckpointStore.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { invoke } from "../../src/invocation/Invocation.ts"
import type { InvokeOptions } from "../../src/invocation/Invocation.ts"
import type { InvocationAnswer } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

const Workflow = DurableFunction.make("workflow", { success: Schema.Unknown })

const executionArn = "arn:aws:lambda:us-east-1:123456789012:function:workflow:1/durable-execution/run/id"

interface Named {
  readonly Name: string
}

/** A recorded operation of the root: its name, type and status, and whatever else matters. */
export const operation = (
  fields: Partial<Omit<Operation, "Id" | "Name">> & Pick<Operation, "Type" | "Status"> & Named
): Operation => ({
  Id: operationId("", fields.Name, 0),
  SubType: fields.Type === "CHAINED_INVOKE" ? "ChainedInvoke" : fields.Type === "WAIT" ? "Wait" : "Step",
  StartTimestamp: 1_000,
  ...fields
})

/** A chained invoke of the root. */
export const invoked = (
  name: string,
  fields: Pick<Operation, "Status"> & Partial<Omit<Operation, "Id" | "Type" | "Name">>
): Operation => operation({ ...fields, Name: name, Type: "CHAINED_INVOKE" })

export interface Turn {
  /** Absent when the invocation failed instead. */
  readonly answer: InvocationAnswer | undefined
  readonly failure: DurableError.InvocationFailed | undefined
  /** What it sent, in order. */
  readonly updates: ReadonlyArray<OperationUpdate>
}

/** Runs one invocation on a history. The store accepts everything, unless the test says how it answers. */
export const oneInvocation = <A>(
  workflow: Effect.Effect<A, DurableError.OperationError, Durable.Execution>,
  history: ReadonlyArray<Operation>,
  refuse: (updates: ReadonlyArray<OperationUpdate>) => StoreError | undefined = () => undefined,
  options: Partial<InvokeOptions> = { warnAboutTargets: false }
): Effect.Effect<Turn> =>
  Effect.gen(function* () {
    const updates: Array<OperationUpdate> = []
    let requests = 0
    const implementation: DurableFunction.AnyImplementation = Workflow.implement(() => workflow)
    const invocation = invoke(
      implementation,
      {
        DurableExecutionArn: executionArn,
        CheckpointToken: "dG9rZW4w",
        InitialExecutionState: {
          Operations: [
            { Id: "execution", Type: "EXECUTION", Status: "STARTED", StartTimestamp: 1_000, ExecutionDetails: {} },
            ...history
          ]
        }
      },
      options
    )
    const result = yield* Effect.result(
      Effect.provideService(invocation, CheckpointStore, {
        checkpoint: (request) => {
          const refused = refuse(request.Updates)
          if (refused !== undefined) return Effect.fail(refused)
          updates.push(...request.Updates)
          return Effect.succeed({
            CheckpointToken: `dG9rZW4${++requests}`,
            NewExecutionState: { Operations: request.Updates.flatMap(started) }
          })
        },
        loadState: () => Effect.succeed({ Operations: [] })
      })
    )
    return Result.isSuccess(result)
      ? { answer: result.success.answer, failure: undefined, updates }
      : { answer: undefined, failure: result.failure, updates }
  })

const started = (update: OperationUpdate): ReadonlyArray<Operation> =>
  update.Action === "START"
    ? [
        {
          Id: update.Id,
          Type: update.Type,
          Status: "STARTED",
          StartTimestamp: 2_000,
          ...(update.Name === undefined ? undefined : { Name: update.Name }),
          ...(update.SubType === undefined ? undefined : { SubType: update.SubType }),
          ...(update.ParentId === undefined ? undefined : { ParentId: update.ParentId })
        }
      ]
    : []
