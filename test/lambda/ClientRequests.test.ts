import { assert, describe, it } from "@effect/vitest"
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Refused } from "../../src/engine/Refused.ts"
import { fromEngine } from "../../src/hosting/client.ts"
import { apiErrors, isApiErrorName } from "../../src/wire/ApiError.ts"
import { essence, golden, loopback, refusal, type Loopback, type Reply, type Respond } from "./loopback.ts"
import { transports, type Configuration } from "./transports.ts"

const arn =
  "arn:aws:lambda:eu-west-1:210987654321:function:shipping:12/durable-execution/parcel-7/5d1f0c1e-77aa-4c3b-8f6e-0e9d6a1b2c33"
const callbackId = "cGFyY2VsLTcvY3VzdG9tcy9hOWYxKzc="

const apiErrorNames = Object.keys(apiErrors).filter(isApiErrorName)

type Client = DurableClient.DurableClient["Service"]

const started = { "x-amz-durable-execution-arn": arn, "x-amz-executed-version": "12" }

const execution = {
  DurableExecutionArn: arn,
  DurableExecutionName: "parcel-7",
  FunctionArn: "arn:aws:lambda:eu-west-1:210987654321:function:shipping:12",
  Status: "RUNNING",
  StartTimestamp: 1804464000.123
}

for (const transport of transports) {
  describe(transport.name, () => {
    /** Uses the client over a server that answers in this way. */
    const withClient = <A, E>(
      respond: Respond,
      use: (client: Client, server: Loopback) => Effect.Effect<A, E>,
      configuration?: Configuration
    ) =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(respond)
          return yield* Effect.flatMap(DurableClient.DurableClient, (client) => use(client, server)).pipe(
            Effect.provide(transport.client(server, configuration))
          )
        })
      )

    const answers = <A>(reply: Reply, call: (client: Client) => Effect.Effect<A, DurableClient.ClientError>) =>
      withClient(
        () => reply,
        (client) => call(client)
      )

    describe("what the client sends is what the service expects", () => {
      const calls: Readonly<Record<string, (client: Client) => Effect.Effect<unknown, DurableClient.ClientError>>> = {
        "start and wait, with everything": (client) =>
          client.start({
            functionName: "shipping",
            qualifier: "live",
            type: "RequestResponse",
            executionName: "parcel-7",
            tenantId: "acme",
            payload: '{"id":7,"city":"Malmö"}'
          }),
        "start without waiting": (client) =>
          client.start({
            functionName: "arn:aws:lambda:eu-west-1:210987654321:function:shipping:12",
            type: "Event",
            executionName: "parcel-8",
            payload: "[]"
          }),
        "start without a payload": (client) =>
          client.start({ functionName: "shipping:$LATEST", type: "Event", executionName: "parcel-9" }),
        get: (client) => client.get(arn),
        "get without data": (client) => client.get(arn, { includeExecutionData: false }),
        list: (client) => client.list("shipping"),
        "list with everything": (client) =>
          client.list("shipping", {
            qualifier: "live",
            executionName: "parcel-7",
            statuses: ["RUNNING", "STOPPED"],
            startedAfter: 1_804_464_000_123,
            startedBefore: 1_804_550_400_000,
            reverseOrder: true,
            marker: "m+1",
            maxItems: 25
          }),
        history: (client) => client.history(arn),
        "history with everything": (client) =>
          client.history(arn, { includeExecutionData: false, reverseOrder: true, marker: "e=9", maxItems: 1_000 }),
        stop: (client) => client.stop(arn),
        "stop with an error": (client) => client.stop(arn, { ErrorType: "Recall", ErrorMessage: "sent twice" }),
        "succeed a callback": (client) => client.succeedCallback(callbackId, '"signed by Zoë"'),
        "succeed a callback with nothing": (client) => client.succeedCallback(callbackId),
        "fail a callback": (client) =>
          client.failCallback(callbackId, {
            ErrorType: "Refused",
            ErrorMessage: "nobody home",
            ErrorData: '{"door":2}',
            StackTrace: ["porch"]
          }),
        "fail a callback with nothing": (client) => client.failCallback(callbackId),
        "heartbeat of a callback": (client) => client.heartbeatCallback(callbackId)
      }
      /** Good for every operation: each reads what it needs. */
      const reply = { headers: started, body: { ...execution, StopTimestamp: 1.5, Events: [] } }
      for (const expected of golden("client")) {
        it.live(expected.name, () =>
          withClient(
            () => reply,
            Effect.fnUntraced(function* (client, { requests }) {
              yield* calls[expected.name]?.(client) ?? Effect.die(`no call named ${expected.name}`)
              assert.lengthOf(requests, 1)
              assert.deepStrictEqual(essence(requests[0], expected), expected)
            })
          )
        )
      }

      it.live("a start without a name has one all the same, which stays when it is repeated", () =>
        withClient(
          (_, count) => (count === 1 ? "reset" : { status: 202, headers: started, body: "" }),
          Effect.fnUntraced(function* (client, { requests }) {
            yield* client.start({ functionName: "shipping:12", type: "Event" })
            yield* client.start({ functionName: "shipping:12", type: "Event" })
            const [first, second, third] = requests.map(({ headers }) =>
              String(headers["x-amz-durable-execution-name"])
            )
            assert.match(first ?? "", /^[a-z0-9-]{36}$/)
            assert.strictEqual(first, second)
            assert.notStrictEqual(first, third)
          }),
          { maxAttempts: 3 }
        )
      )
    })

    describe("what the client makes of answers", () => {
      it.live("an execution has times in milliseconds", () =>
        Effect.gen(function* () {
          const body = {
            ...execution,
            Status: "FAILED",
            EndTimestamp: 1804464007,
            InputPayload: "{}",
            Error: { ErrorType: "Lost", ErrorMessage: "at sea" },
            DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 3 }
          }
          assert.deepStrictEqual(yield* answers({ body }, (client) => client.get(arn)), {
            ...body,
            StartTimestamp: 1_804_464_000_123,
            EndTimestamp: 1_804_464_007_000
          })
        })
      )

      it.live("lists and histories are pages", () =>
        Effect.gen(function* () {
          const list = yield* answers({ body: { DurableExecutions: [execution], NextMarker: "more" } }, (client) =>
            client.list("shipping")
          )
          assert.deepStrictEqual(list, {
            items: [{ ...execution, StartTimestamp: 1_804_464_000_123 }],
            nextMarker: "more"
          })
          const event = { EventType: "StepStarted", EventId: 2, Id: "s", Name: "weigh", EventTimestamp: 1.5 }
          const history = yield* answers(
            { body: { Events: [{ ...event, StepStartedDetails: {} }], NextMarker: "" } },
            (client) => client.history(arn)
          )
          assert.isUndefined(history.nextMarker)
          assert.deepStrictEqual(
            history.items.map(({ EventTimestamp, EventType, Name }) => ({ EventTimestamp, EventType, Name })),
            [{ EventTimestamp: 1_500, EventType: "StepStarted", Name: "weigh" }]
          )
        })
      )

      it.live("a stop tells when the execution ended", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* answers({ body: { StopTimestamp: 7.007 } }, (client) => client.stop(arn)), 7_007)
        })
      )

      for (const body of ["", "{}", '{"Unknown":1}']) {
        it.live(`a callback is answered by ${body || "an empty body"}`, () =>
          Effect.gen(function* () {
            assert.isUndefined(yield* answers({ body }, (client) => client.succeedCallback(callbackId, "1")))
            assert.isUndefined(yield* answers({ body }, (client) => client.failCallback(callbackId)))
            assert.isUndefined(yield* answers({ body }, (client) => client.heartbeatCallback(callbackId)))
          })
        )
      }
    })

    describe("how a start ends", () => {
      const start = (client: Client) =>
        client.start({ functionName: "shipping:12", type: "RequestResponse", payload: "{}" })
      const failing = { ...started, "x-amz-function-error": "Unhandled" }
      const thrown = { errorType: "Lost", errorMessage: "at sea", trace: ["Lost: at sea", "at ship"] }

      for (const [name, body, result] of [
        ["a value", '{"van":4,"city":"Malmö"}', '{"van":4,"city":"Malmö"}'],
        ["null", "null", "null"],
        ["nothing", "", undefined]
      ] as const) {
        it.live(`with ${name}`, () =>
          Effect.gen(function* () {
            const answer = yield* answers({ headers: started, body }, start)
            assert.deepStrictEqual(answer, { executionArn: arn, outcome: { status: "SUCCEEDED", result } })
          })
        )
      }

      it.live("without an outcome when nobody waits for it", () =>
        Effect.gen(function* () {
          const answer = yield* answers({ status: 202, headers: started, body: "" }, (client) =>
            client.start({ functionName: "shipping:12", type: "Event" })
          )
          assert.deepStrictEqual(answer, { executionArn: arn })
        })
      )

      for (const status of ["FAILED", "TIMED_OUT", "STOPPED"] as const) {
        it.live(`${status}, with the whole error, which the answer does not hold`, () =>
          withClient(
            ({ method }) =>
              method === "POST"
                ? { headers: failing, body: thrown }
                : {
                    body: { ...execution, Status: status, Error: { ErrorType: "Lost", ErrorData: '{"sea":"North"}' } }
                  },
            Effect.fnUntraced(function* (client) {
              assert.deepStrictEqual(yield* start(client), {
                executionArn: arn,
                outcome: { status, error: { ErrorType: "Lost", ErrorData: '{"sea":"North"}' } }
              })
            })
          )
        )
      }

      it.live("not known when looking at the execution fails for now", () =>
        withClient(
          ({ method }) => (method === "POST" ? { headers: failing, body: thrown } : { status: 429, body: "" }),
          Effect.fnUntraced(function* (client) {
            const error = yield* Effect.flip(start(client))
            assert.strictEqual(error._tag, "ClientUnavailable")
            assert.include(error.message, arn)
          })
        )
      )

      it.live("FAILED, with the error in the answer, when the execution may not be looked at", () =>
        withClient(
          ({ method }) => (method === "POST" ? { headers: failing, body: thrown } : { status: 403, body: "" }),
          Effect.fnUntraced(function* (client) {
            const { outcome } = yield* start(client)
            assert.deepStrictEqual(outcome, {
              status: "FAILED",
              error: { ErrorType: "Lost", ErrorMessage: "at sea", StackTrace: thrown.trace }
            })
          })
        )
      )

      for (const [name, body] of Object.entries({
        text: "killed",
        "an empty body": "",
        "a list": "[1]",
        "a number": "7"
      })) {
        it.live(`FAILED, with a reason of ours, when the answer is ${name}`, () =>
          withClient(
            ({ method }) => (method === "POST" ? { headers: failing, body } : { status: 403, body: "" }),
            Effect.fnUntraced(function* (client) {
              const { outcome } = yield* start(client)
              assert.deepStrictEqual(outcome, {
                status: "FAILED",
                error: { ErrorType: "Unhandled", ErrorMessage: "The function failed, and its answer does not say why." }
              })
            })
          )
        )
      }

      it.live("without an outcome when the service stopped waiting and the execution runs on", () =>
        withClient(
          ({ method }) => (method === "POST" ? { headers: failing, body: thrown } : { body: execution }),
          Effect.fnUntraced(function* (client) {
            assert.isUndefined((yield* start(client)).outcome)
          })
        )
      )

      it.live("as a refusal when the function is not durable", () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(answers({ body: "1" }, start))
          assert.strictEqual(error._tag, "ClientRefused")
          assert.include(error.message, "DurableConfig")
        })
      )
    })

    describe("a refusal of the service is", () => {
      const table: ReadonlyArray<readonly [string, Reply, DurableClient.ClientError["_tag"]]> = [
        ["409", refusal("DurableExecutionAlreadyStartedException", "another payload"), "ExecutionAlreadyStarted"],
        ["404", refusal("ResourceNotFoundException", "no such thing"), "NotFound"],
        [
          "404 of an emulator",
          { status: 404, body: { Type: "ResourceNotFoundException", message: "none" } },
          "NotFound"
        ],
        ["a closed callback", refusal("CallbackTimeoutException", "already closed"), "CallbackClosed"],
        ["429", refusal("TooManyRequestsException", "Rate exceeded"), "ClientUnavailable"],
        ["500", refusal("ServiceException", "oops"), "ClientUnavailable"],
        ["504 without a body", { status: 504, body: "" }, "ClientUnavailable"],
        ["502 of a proxy", { status: 502, body: "<h1>Bad gateway</h1>" }, "ClientUnavailable"],
        ["a connection that breaks", "reset", "ClientUnavailable"],
        [
          "a function that is being updated",
          { status: 409, headers: { "x-amzn-errortype": "ResourceConflictException" }, body: { Message: "Pending" } },
          "ClientUnavailable"
        ],
        ["a key that is disabled", refusal("KMSDisabledException", "disabled"), "ClientRefused"],
        [
          "400",
          refusal("InvalidParameterValueException", `Value '${callbackId}' at 'callbackId' is odd`),
          "ClientRefused"
        ],
        ["400 without a body", { status: 400, body: "" }, "ClientRefused"],
        ["404 of a proxy", { status: 404, body: `<p>${callbackId}</p>` }, "ClientRefused"],
        ["413", refusal("RequestTooLargeException", "too large"), "ClientRefused"]
      ]
      const calls: ReadonlyArray<(client: Client) => Effect.Effect<unknown, DurableClient.ClientError>> = [
        (client) => client.get(arn),
        (client) => client.stop(arn),
        (client) => client.succeedCallback(callbackId, '"secret"')
      ]
      for (const [name, reply, expected] of table) {
        it.live(`${expected}: ${name}`, () =>
          withClient(
            () => reply,
            Effect.fnUntraced(function* (client, { requests }) {
              for (const call of calls) {
                const error = yield* Effect.flip(call(client))
                assert.strictEqual(error._tag, expected)
                assert.notStrictEqual(error.message, "")
                assert.notInclude(error.message, callbackId)
                assert.notInclude(error.message, "secret")
              }
              assert.lengthOf(requests, calls.length)
            })
          )
        )
      }

      for (const name of apiErrorNames) {
        it.live(`what the client of a test world says of it: ${name}`, () =>
          Effect.gen(function* () {
            const real = yield* Effect.flip(answers(refusal(name, "no"), (client) => client.get(arn)))
            const test = yield* Effect.flip(fromEngine(Result.fail(new Refused({ exception: name, message: "no" }))))
            assert.deepStrictEqual([real._tag, real.message], [test._tag, test.message])
          })
        )
      }

      for (const [name, body] of Object.entries({
        HTML: "<h1>hello</h1>",
        "another model": { Items: [] },
        nothing: ""
      })) {
        it.live(`ClientUnavailable: 200 with ${name}`, () =>
          Effect.gen(function* () {
            for (const call of calls.slice(0, 2)) {
              assert.strictEqual((yield* Effect.flip(answers({ body }, call)))._tag, "ClientUnavailable")
            }
          })
        )
      }

      it.live("tried three times before it counts, by the client", () =>
        withClient(
          () => refusal("ServiceException", "oops"),
          Effect.fnUntraced(function* (client, { requests }) {
            assert.strictEqual((yield* Effect.flip(client.get(arn)))._tag, "ClientUnavailable")
            assert.deepStrictEqual(
              requests.map(({ headers }) => headers["amz-sdk-request"]),
              ["attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3"]
            )
          }),
          { maxAttempts: 3 }
        )
      )
    })
  })
}
