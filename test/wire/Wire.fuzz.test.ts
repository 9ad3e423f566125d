import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as fc from "fast-check"
import * as Api from "../../src/wire/Api.ts"
import { decodeApiError } from "../../src/wire/ApiError.ts"
import { ApiHistoryEvent } from "../../src/wire/HistoryEvent.ts"
import {
  decodeInvocationEvent,
  InvocationAnswer,
  InvocationEvent,
  MalformedEvent,
  NotDurable
} from "../../src/wire/Invocation.ts"
import { InvokeHeaders } from "../../src/wire/InvokeApi.ts"
import { MalformedMessage, reader } from "../../src/wire/Malformed.ts"
import { ApiOperation, Operation } from "../../src/wire/Operation.ts"
import { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { decode, encode, golden, seed } from "./support.ts"

console.log(`seed ${seed}`)
const runs = (numRuns: number) => ({ seed, numRuns })

/** Stands for every token and payload: it must never be seen in a message. */
const canary = "canary-7f3a"

/** Any value of JavaScript, now and then with a canary in it. */
const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true
  }),
  fc.constantFrom<unknown>(
    canary,
    [canary],
    { [canary]: canary },
    null,
    undefined,
    Number.NaN,
    -1,
    "",
    "\ud800",
    {},
    []
  )
)

/** A message with a few of its parts replaced, removed or doubled. */
const damaged = (kind: string): fc.Arbitrary<unknown> =>
  fc
    .record({
      wire: fc.constantFrom(...golden(kind).map((sample) => sample.wire)),
      damages: fc.array(fc.record({ at: fc.nat(), how: fc.nat(3), by: anything }), { minLength: 1, maxLength: 4 })
    })
    .map(({ damages, wire }) => {
      const copy: unknown = structuredClone(wire)
      const places = placesIn(copy)
      for (const { at, by, how } of damages) {
        const place = places[at % Math.max(1, places.length)]
        if (place === undefined) continue
        const [holder, key] = place
        if (how === 0) Reflect.deleteProperty(holder, key)
        else if (how === 1 && Array.isArray(holder)) holder.push(by)
        else Reflect.set(holder, key, by)
      }
      return copy
    })

const placesIn = (value: unknown): ReadonlyArray<readonly [holder: object, key: string]> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => [[value, key] as const, ...placesIn(item)])
    : []

const assertHarmless = (failure: { readonly message: string }) => {
  assert.isAtMost(failure.message.length, 2_000)
  assert.notInclude(failure.message, canary)
  assert.isUndefined(Reflect.get({}, "polluted"))
}

/** Messages that are as they should be are read without their schema: nobody may notice. */
const assertAsSchema = (
  schema: Schema.Codec<unknown, unknown>,
  input: unknown,
  result: Result.Result<unknown, { readonly _tag: string }>
) => {
  if (Result.isFailure(result) && result.failure._tag === "NotDurable") return
  const expected = readBySchema(schema, input)
  assert.strictEqual(Result.isSuccess(result), expected !== undefined && Result.isSuccess(expected))
  if (Result.isSuccess(result) && expected !== undefined) {
    assert.deepStrictEqual(result.success, Result.getOrThrow(expected))
  }
}

/** Nothing if the input throws while it is read. */
const readBySchema = <Type>(schema: Schema.Codec<Type, unknown>, input: unknown) => {
  try {
    return SchemaParser.decodeUnknownResult(schema)(input)
  } catch {
    return undefined
  }
}

describe("decodeInvocationEvent", () => {
  /** The schema lets an event without any operation pass, which belongs to no execution. */
  const isEmpty = (input: unknown): boolean => {
    const read = readBySchema(InvocationEvent, input)
    if (read === undefined || Result.isFailure(read)) return false
    const { NextMarker, Operations } = read.success.InitialExecutionState
    return Operations.length === 0 && NextMarker === undefined
  }

  const check = (input: unknown) => {
    const result = decodeInvocationEvent(input)
    if (isEmpty(input)) assert.isTrue(Result.isFailure(result))
    else assertAsSchema(InvocationEvent, input, result)
    if (Result.isSuccess(result)) {
      // What was understood once is understood again.
      const again = JSON.parse(JSON.stringify(encode(InvocationEvent, result.success)))
      assert.deepStrictEqual(Result.getOrThrow(decodeInvocationEvent(again)), result.success)
      return
    }
    assert.isTrue(result.failure instanceof NotDurable || result.failure instanceof MalformedEvent)
    assertHarmless(result.failure)
  }

  it("reads anything at all, or fails with one of its two errors", () => {
    fc.assert(fc.property(anything, check), runs(1_000))
  })

  it("reads anything in the place of the state, or fails with one of its two errors", () => {
    const event = fc.record({
      DurableExecutionArn: fc.constant(canary),
      CheckpointToken: fc.constant(canary),
      InitialExecutionState: fc.oneof(anything, fc.record({ Operations: fc.oneof(anything, fc.array(anything)) }))
    })
    fc.assert(fc.property(event, check), runs(1_000))
  })

  it("reads damaged events, or fails with one of its two errors", () => {
    fc.assert(fc.property(damaged("invocation-events"), check), runs(1_000))
  })

  it("reads JSON with hostile keys without polluting anything", () => {
    const key = fc.constantFrom("__proto__", "constructor", "prototype", "Operations", "Id", "NextMarker", "toString")
    const json = fc.letrec<{ readonly value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>(null, 1, "x", { polluted: true }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie("value")), { maxLength: 4 })
      )
    })).value
    const text = json.map(
      (state) => `{"DurableExecutionArn":"a","CheckpointToken":"t","InitialExecutionState":${hostileJson(state)}}`
    )
    fc.assert(
      fc.property(text, (event) => check(JSON.parse(event))),
      runs(500)
    )
  })
})

describe("every other reader", () => {
  const messages: Record<string, readonly [kind: string, schema: Schema.Codec<unknown, unknown>]> = {
    answers: ["invocation-answers", InvocationAnswer],
    "checkpoint requests": ["checkpoint-requests", Api.CheckpointDurableExecutionBody],
    "checkpoint answers": ["checkpoint-responses", Api.CheckpointDurableExecutionResponse],
    "pages of state": ["state-pages", Api.GetDurableExecutionStateResponse],
    executions: ["executions", Api.GetDurableExecutionResponse],
    histories: ["histories", Api.GetDurableExecutionHistoryResponse],
    "lists of executions": ["execution-lists", Api.ListDurableExecutionsByFunctionResponse],
    "headers of an invoke": ["invoke-headers", InvokeHeaders]
  }

  for (const [name, [kind, schema]] of Object.entries(messages)) {
    it(`of ${name} reads anything, or fails with MalformedMessage`, () => {
      const read = reader(name, schema)
      fc.assert(
        fc.property(fc.oneof(anything, damaged(kind)), (input) => {
          const result = read(input)
          assertAsSchema(schema, input, result)
          if (Result.isSuccess(result)) return
          assert.instanceOf(result.failure, MalformedMessage)
          assertHarmless(result.failure)
        }),
        runs(300)
      )
    })
  }

  it("of refusals reads anything", () => {
    const headers = fc.dictionary(fc.constantFrom("x-amzn-errortype", "retry-after", "x"), fc.string())
    fc.assert(
      fc.property(fc.nat(999), headers, anything, (status, headers, body) => {
        assert.isAbove(decodeApiError({ status, headers, body }).message.length, 0)
      }),
      runs(500)
    )
  })
})

describe("what we write", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "\ud800", "__proto__", '{"a":1}'))
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 })
  const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const error = fc.record(
    { ErrorMessage: text, ErrorType: text, ErrorData: text, StackTrace: fc.array(text, { maxLength: 3 }) },
    { requiredKeys: [] }
  )
  const outcome = { Result: text, Error: error }
  const operation: fc.Arbitrary<Operation> = fc.record(
    {
      Id: text,
      ParentId: some(text),
      Name: some(text),
      Type: text,
      SubType: some(text),
      Status: text,
      StartTimestamp: time,
      EndTimestamp: some(time),
      ExecutionDetails: fc.record({ InputPayload: text }, { requiredKeys: [] }),
      ContextDetails: fc.record({ ReplayChildren: fc.boolean(), ...outcome }, { requiredKeys: [] }),
      StepDetails: fc.record({ Attempt: fc.nat(), NextAttemptTimestamp: time, ...outcome }, { requiredKeys: [] }),
      WaitDetails: fc.record({ ScheduledEndTimestamp: time }, { requiredKeys: [] }),
      CallbackDetails: fc.record({ CallbackId: text, ...outcome }, { requiredKeys: [] }),
      ChainedInvokeDetails: fc.record(outcome, { requiredKeys: [] })
    },
    { requiredKeys: ["Id", "Type", "Status", "StartTimestamp"] }
  )
  const update: fc.Arbitrary<OperationUpdate> = fc.record(
    {
      Id: text,
      ParentId: some(text),
      Name: some(text),
      Type: text,
      SubType: some(text),
      Action: text,
      Payload: some(text),
      Error: some(error),
      ContextOptions: fc.record({ ReplayChildren: fc.boolean() }, { requiredKeys: [] }),
      StepOptions: fc.record({ NextAttemptDelaySeconds: fc.nat() }, { requiredKeys: [] }),
      WaitOptions: fc.record({ WaitSeconds: fc.nat() }, { requiredKeys: [] }),
      CallbackOptions: fc.record({ TimeoutSeconds: fc.nat(), HeartbeatTimeoutSeconds: fc.nat() }, { requiredKeys: [] }),
      ChainedInvokeOptions: fc.record(
        { FunctionName: text, TenantId: text, XAmznTraceId: text },
        { requiredKeys: ["FunctionName"] }
      )
    },
    { requiredKeys: ["Id", "Type", "Action"] }
  )

  const survives = <T>(schema: Schema.Codec<T, unknown>, value: T) => {
    const wire = encode(schema, value)
    const json = JSON.stringify(wire)
    assert.notInclude(json, ":null")
    assert.deepStrictEqual(wire, JSON.parse(json), "no field is present and undefined")
    assert.deepStrictEqual<unknown>(decode(schema, JSON.parse(json)), withoutUndefined(value))
  }

  it("is what we read: operations, in both encodings of time", () => {
    fc.assert(
      fc.property(operation, (value) => {
        survives(Operation, value)
        survives(ApiOperation, value)
      }),
      runs(300)
    )
  })

  it("is what we read: updates", () => {
    fc.assert(
      fc.property(update, (value) => survives(OperationUpdate, value)),
      runs(300)
    )
  })

  it("is what we read: events of types nobody knows", () => {
    const unknown = fc.record({ EventType: text, EventId: fc.nat(), EventTimestamp: time.map((t) => t / 1000) })
    fc.assert(
      fc.property(unknown, (wire) => {
        assert.deepStrictEqual(encode(ApiHistoryEvent, decode(ApiHistoryEvent, wire)), {
          ...wire,
          EventTimestamp: Math.round(wire.EventTimestamp * 1000) / 1000
        })
      }),
      runs(300)
    )
  })
})

/** JSON text of a value in which lists of pairs stand for objects, so that keys may be __proto__ or come twice. */
function hostileJson(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value)
  const pairs =
    value.length > 0 && value.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === "string")
  return pairs
    ? `{${value.map(([key, item]) => `${JSON.stringify(key)}:${hostileJson(item)}`).join(",")}}`
    : `[${value.map(hostileJson).join(",")}]`
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)])
  )
}
