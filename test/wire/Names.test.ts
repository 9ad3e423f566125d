import { assert, describe, it } from "@effect/vitest"
import { executionStatuses } from "../../src/wire/Api.ts"
import { apiErrors } from "../../src/wire/ApiError.ts"
import { eventTypes } from "../../src/wire/HistoryEvent.ts"
import { invocationTypes } from "../../src/wire/InvokeApi.ts"
import { operationStatuses, operationTypes } from "../../src/wire/Operation.ts"
import { operationActions } from "../../src/wire/OperationUpdate.ts"
import { SubType } from "../../src/wire/SubType.ts"

// The words below are the service's. Changing one breaks executions that are on their way, so each is written out here.
describe("the words of the wire", () => {
  const pinned: Record<string, readonly [actual: ReadonlyArray<string>, expected: string]> = {
    "types of operations": [operationTypes, "EXECUTION CONTEXT STEP WAIT CALLBACK CHAINED_INVOKE"],
    "states of operations": [operationStatuses, "STARTED PENDING READY SUCCEEDED FAILED CANCELLED TIMED_OUT STOPPED"],
    "actions of updates": [operationActions, "START SUCCEED FAIL RETRY CANCEL"],
    "states of executions": [executionStatuses, "RUNNING SUCCEEDED FAILED TIMED_OUT STOPPED"],
    "sub-types": [
      Object.values(SubType),
      "Step Wait Callback RunInChildContext Map MapIteration Parallel ParallelBranch WaitForCallback WaitForCondition ChainedInvoke"
    ],
    "types of events": [
      eventTypes,
      "ExecutionStarted ExecutionSucceeded ExecutionFailed ExecutionTimedOut ExecutionStopped " +
        "ContextStarted ContextSucceeded ContextFailed WaitStarted WaitSucceeded WaitCancelled " +
        "StepStarted StepSucceeded StepFailed " +
        "ChainedInvokeStarted ChainedInvokeSucceeded ChainedInvokeFailed ChainedInvokeTimedOut ChainedInvokeStopped " +
        "CallbackStarted CallbackSucceeded CallbackFailed CallbackTimedOut InvocationCompleted"
    ],
    "types of invocations": [invocationTypes, "RequestResponse Event DryRun"],
    exceptions: [
      Object.entries(apiErrors).map(([name, { status }]) => `${name}:${status}`),
      "InvalidParameterValueException:400 InvalidRequestContentException:400 CallbackTimeoutException:400 " +
        "ResourceNotFoundException:404 DurableExecutionAlreadyStartedException:409 RequestTooLargeException:413 " +
        "TooManyRequestsException:429 ServiceException:500 KMSAccessDeniedException:502 KMSDisabledException:502 " +
        "KMSInvalidStateException:502 KMSNotFoundException:502"
    ]
  }

  for (const [what, [actual, expected]] of Object.entries(pinned)) {
    it(`${what} are ${expected.slice(0, 50)}…`, () => {
      assert.deepStrictEqual(actual, expected.split(" "))
    })
  }

  it("name every sub-type after itself", () => {
    for (const [key, value] of Object.entries(SubType)) assert.strictEqual(value, key)
  })
})
