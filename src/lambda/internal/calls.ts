/**
 * The API calls that start, inspect and stop executions and answer callbacks, for both clients.
 *
 * @since 0.1.0
 */
import type { ApiOperationName } from "../../wire/Routes.ts"
import * as Requests from "../../wire/ClientRequests.ts"
import type { ApiRequest } from "../../wire/Requests.ts"
import type { Call, GoodAnswer } from "./connection.ts"

const call =
  <Input extends object>(operation: ApiOperationName, write: (input: Input) => ApiRequest) =>
  (input: Input): Call => ({ operation, input, request: () => write(input) })

/** Creates the call that answers a callback. The id of the callback is a secret: it grants permission to answer. */
const callbackCall =
  <Input extends { readonly CallbackId: string }>(operation: ApiOperationName, write: (input: Input) => ApiRequest) =>
  (input: Input): Call => ({ ...call(operation, write)(input), secrets: [input.CallbackId] })

export const get = call("GetDurableExecution", Requests.get)
export const list = call("ListDurableExecutionsByFunction", Requests.list)
export const history = call("GetDurableExecutionHistory", Requests.history)
export const stop = call("StopDurableExecution", Requests.stop)
export const succeedCallback = callbackCall("SendDurableExecutionCallbackSuccess", Requests.succeedCallback)
export const failCallback = callbackCall("SendDurableExecutionCallbackFailure", Requests.failCallback)
export const heartbeatCallback = callbackCall("SendDurableExecutionCallbackHeartbeat", Requests.heartbeatCallback)

export const invoke = (input: Parameters<typeof Requests.invoke>[0]): Call => ({
  ...call("Invoke", Requests.invoke)(input),
  patience: input.InvocationType === "Event" ? "request" : "execution",
  read: readInvoke
})

/** Reads an answer to Invoke: its body is raw bytes, and the rest is in its headers. */
const readInvoke = ({ body, header }: GoodAnswer): unknown => ({
  DurableExecutionArn: header("x-amz-durable-execution-arn"),
  FunctionError: header("x-amz-function-error"),
  Payload: body
})
