import { assert, describe, it } from "@effect/vitest"
import type * as Schema from "effect/Schema"
import * as Api from "../../src/wire/Api.ts"
import { apiErrors, decodeApiError, encodeApiError, isApiErrorName } from "../../src/wire/ApiError.ts"
import { ErrorObject } from "../../src/wire/ErrorObject.ts"
import { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import { InvocationAnswer, InvocationEvent } from "../../src/wire/Invocation.ts"
import { InvokeHeaders, InvokeQuery, InvokeResponseHeaders } from "../../src/wire/InvokeApi.ts"
import { decode, encode, golden, roundTrip } from "./support.ts"

const messages: Record<string, Schema.Codec<unknown, unknown>> = {
  "invocation-events": InvocationEvent,
  "invocation-answers": InvocationAnswer,
  "checkpoint-requests": Api.CheckpointDurableExecutionBody,
  "checkpoint-responses": Api.CheckpointDurableExecutionResponse,
  "state-pages": Api.GetDurableExecutionStateResponse,
  executions: Api.GetDurableExecutionResponse,
  histories: Api.GetDurableExecutionHistoryResponse,
  "execution-lists": Api.ListDurableExecutionsByFunctionResponse,
  "stop-responses": Api.StopDurableExecutionResponse,
  "error-objects": ErrorObject,
  "invoke-headers": InvokeHeaders,
  "invoke-response-headers": InvokeResponseHeaders
}

describe("a message decodes and encodes to itself", () => {
  for (const [kind, schema] of Object.entries(messages)) {
    for (const sample of golden(kind)) {
      it(`${kind}: ${sample.name}`, () => {
        roundTrip(schema, sample.wire)
      })
    }
  }
})

describe("a message with fields that we do not know", () => {
  const withExtras = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(withExtras)
      : typeof value === "object" && value !== null
        ? { ...mapValues(value, withExtras), FieldOfALaterService: { a: [1] } }
        : value

  for (const [kind, schema] of Object.entries(messages)) {
    it(`${kind}: decodes as if they were not there`, () => {
      for (const { wire } of golden(kind)) {
        assert.deepStrictEqual(decode(schema, withExtras(wire)), decode(schema, wire))
      }
    })
  }
})

describe("a message with null or undefined where a field may be absent", () => {
  for (const [kind, schema] of Object.entries(messages)) {
    it(`${kind}: decodes as if the fields were absent, and emits none`, () => {
      for (const { wire } of golden(kind)) {
        for (const blank of [null, undefined]) {
          const decoded = decode(schema, withBlanks(wire, blank))
          assert.deepStrictEqual(decoded, decode(schema, wire))
          assert.deepStrictEqual(encode(schema, decoded), wire)
        }
      }
    })
  }
})

describe("times", () => {
  it("are whole epoch milliseconds, whichever way they came", () => {
    const [page] = golden("state-pages")
    const { Operations } = decode(Api.GetDurableExecutionStateResponse, page?.wire)
    assert.strictEqual(Operations[0]?.StartTimestamp, 1804507200123)
    const [event] = golden("invocation-events")
    const { InitialExecutionState } = decode(InvocationEvent, event?.wire)
    assert.strictEqual(InitialExecutionState.Operations[0]?.StartTimestamp, 1804507200123)
  })

  it("decode alike from the service's JSON and from AWS's client, which has made Dates of them", () => {
    for (const kind of ["checkpoint-responses", "state-pages", "executions", "histories", "execution-lists"]) {
      const schema = messages[kind]
      assert.isDefined(schema)
      for (const { wire } of golden(kind)) {
        assert.deepStrictEqual(decode(schema, withDates(wire)), decode(schema, wire), kind)
      }
    }
  })

  it("of an event are milliseconds where we store it", () => {
    const [history] = golden("histories")
    for (const event of decode(Api.GetDurableExecutionHistoryResponse, history?.wire).Events) {
      const stored = encode(HistoryEvent, event)
      assert.deepStrictEqual(decode(HistoryEvent, JSON.parse(JSON.stringify(stored))), event)
      assert.include(JSON.stringify(stored), `"EventTimestamp":${event.EventTimestamp}`)
    }
  })
})

describe("requests", () => {
  const queries: Partial<Record<Api.ApiOperationName, Schema.Codec<unknown, unknown>>> = {
    GetDurableExecution: Api.GetDurableExecutionQuery,
    GetDurableExecutionHistory: Api.GetDurableExecutionHistoryQuery,
    GetDurableExecutionState: Api.GetDurableExecutionStateQuery,
    ListDurableExecutionsByFunction: Api.ListDurableExecutionsByFunctionQuery,
    Invoke: InvokeQuery
  }

  const requests = golden("requests")

  it("cover every operation", () => {
    assert.sameMembers([...new Set(requests.map((request) => request.operation))], Object.keys(Api.routes))
  })

  for (const { label, operation, query, target } of requests) {
    it(`${operation}: ${target.slice(0, 60)}…`, () => {
      const [path, search] = target.split("?")
      assert.strictEqual(Api.pathOf(operation, label), path)
      if (query === undefined) return
      const schema = queries[operation]
      assert.isDefined(schema)
      const parameters = parametersOf(search ?? "")
      assert.deepStrictEqual(decode(schema, parameters), query)
      assert.deepStrictEqual(encode(schema, query), parameters)
    })
  }
})

describe("headers", () => {
  for (const { decoded, name, wire } of golden("invoke-headers")) {
    it(`of a request: ${name}`, () => {
      assert.deepStrictEqual<unknown>(decode(InvokeHeaders, wire), decoded)
    })
  }

  for (const { decoded, name, wire } of golden("invoke-response-headers")) {
    it(`of an answer: ${name}`, () => {
      assert.deepStrictEqual<unknown>(decode(InvokeResponseHeaders, wire), decoded)
    })
  }
})

describe("refusals", () => {
  for (const { failure, name, response } of golden("api-errors")) {
    it(`are understood: ${name}`, () => {
      assert.deepStrictEqual(
        { ...decodeApiError(response) },
        { name: undefined, retryAfterSeconds: undefined, ...failure }
      )
    })
  }

  it("are understood as they were written, every exception of the API", () => {
    for (const name of Object.keys(apiErrors)) {
      assert.isTrue(isApiErrorName(name))
      if (!isApiErrorName(name)) continue
      const written = encodeApiError({ name, message: "why not", retryAfterSeconds: 3, reason: "Because" })
      assert.deepStrictEqual(decodeApiError(written), {
        status: apiErrors[name].status,
        name,
        message: "why not",
        retryAfterSeconds: 3
      })
    }
  })

  it("are written as the service writes them", () => {
    assert.deepStrictEqual(
      encodeApiError({ name: "InvalidParameterValueException", message: "Invalid checkpoint token" }),
      {
        status: 400,
        headers: { "x-amzn-errortype": "InvalidParameterValueException" },
        body: { Type: "User", message: "Invalid checkpoint token" }
      }
    )
    assert.deepStrictEqual(encodeApiError({ name: "ServiceException", message: "sorry" }), {
      status: 500,
      headers: { "x-amzn-errortype": "ServiceException" },
      body: { Type: "Service", Message: "sorry" }
    })
  })
})

/** The parameters of a query: a list where a key is repeated. */
const parametersOf = (search: string): Record<string, string | Array<string>> => {
  const all = new URLSearchParams(search)
  return Object.fromEntries(
    [...new Set(all.keys())].map((key) => {
      const values = all.getAll(key)
      return [key, values.length === 1 ? (values[0] ?? "") : values]
    })
  )
}

/** Every optional field that the message does not have, present and blank. */
const withBlanks = (value: unknown, blank: null | undefined): unknown =>
  Array.isArray(value)
    ? value.map((item) => withBlanks(item, blank))
    : typeof value === "object" && value !== null
      ? {
          ...Object.fromEntries(optionalFields.map((key) => [key, blank])),
          ...mapValues(value, (v) => withBlanks(v, blank))
        }
      : value

const optionalFields = [
  ..."ParentId Name SubType EndTimestamp NextMarker CheckpointTokenOfNobody ClientToken UpdatedOperationIds".split(" "),
  ..."Payload Truncated StackTrace ErrorData NextAttemptTimestamp Attempt KMSKeyArn TraceHeader DurableConfig".split(
    " "
  ),
  ..."ExecutionDetails ContextDetails StepDetails WaitDetails CallbackDetails ChainedInvokeDetails".split(" "),
  ..."ContextOptions StepOptions WaitOptions CallbackOptions ChainedInvokeOptions x-amz-tenant-id".split(" ")
]

/** The same message with Dates for every time in epoch seconds. */
const withDates = (value: unknown, key = ""): unknown =>
  Array.isArray(value)
    ? value.map((item) => withDates(item))
    : typeof value === "object" && value !== null
      ? mapValues(value, withDates)
      : key.endsWith("Timestamp") && typeof value === "number"
        ? new Date(Math.round(value * 1000))
        : value

const mapValues = (value: object, f: (value: unknown, key: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, f(item, key)]))
