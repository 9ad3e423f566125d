import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { decodeInvocationEvent, InvocationAnswer, MalformedEvent, NotDurable } from "../../src/wire/Invocation.ts"
import { MalformedMessage, reader } from "../../src/wire/Malformed.ts"
import { failureOf, golden } from "./support.ts"

const token = "c2VjcmV0LXRva2VuLW9mLWEtY2hlY2twb2ludA=="
const operation = { Id: "a", Type: "STEP", Status: "STARTED", StartTimestamp: 1 }
const event = (Operations: unknown, more?: object) => ({
  DurableExecutionArn: "0f8fad5b-d9cb-469f-a165-70867728950e",
  CheckpointToken: token,
  InitialExecutionState: { Operations, ...more }
})

const malformed = (input: unknown): MalformedEvent => {
  const failure = failureOf(decodeInvocationEvent(input))
  assert.instanceOf(failure, MalformedEvent)
  return failure instanceof MalformedEvent ? failure : new MalformedEvent({ path: "", problem: "" })
}

describe("a durable event", () => {
  it("may name its execution by something that is no ARN, as emulators do", () => {
    assert.isTrue(Result.isSuccess(decodeInvocationEvent(event([operation]))))
  })

  it("need not hold the EXECUTION operation: the state may be on the next page", () => {
    const decoded = Result.getOrThrow(decodeInvocationEvent(event([], { NextMarker: "page 2" })))
    assert.deepStrictEqual(decoded.InitialExecutionState, { Operations: [], NextMarker: "page 2" })
  })

  it("has no next page when the marker is empty, null or absent", () => {
    for (const more of [{ NextMarker: "" }, { NextMarker: null }, { NextMarker: undefined }, {}]) {
      const decoded = Result.getOrThrow(decodeInvocationEvent(event([operation], more)))
      assert.deepStrictEqual(decoded.InitialExecutionState, { Operations: [operation] })
    }
  })

  it("without any operation, here or on another page, is malformed: every invocation would begin the workflow anew", () => {
    for (const more of [{ NextMarker: "" }, { NextMarker: null }, { NextMarker: undefined }, {}]) {
      const failure = malformed(event([], more))
      assert.deepStrictEqual(
        [failure.path, failure.problem],
        [
          "InitialExecutionState.Operations",
          "expected the operation of the execution, or a NextMarker, found an empty array"
        ]
      )
    }
  })

  it("may come as an instance of somebody's class, with undefined fields and Dates", () => {
    class Input {
      readonly durableExecutionClient = { checkpoint: () => undefined }
      readonly DurableExecutionArn = "execution-1"
      readonly CheckpointToken = token
      readonly InitialExecutionState = {
        Operations: [{ ...operation, Name: undefined, StartTimestamp: new Date(5), EndTimestamp: undefined }],
        NextMarker: ""
      }
      readonly UpdatedOperationIds = undefined
    }
    assert.deepStrictEqual(Result.getOrThrow(decodeInvocationEvent(new Input())), {
      DurableExecutionArn: "execution-1",
      CheckpointToken: token,
      InitialExecutionState: { Operations: [{ ...operation, StartTimestamp: 5 }] }
    })
  })

  it("is not changed by being read", () => {
    for (const { wire } of golden("invocation-events")) {
      const before = structuredClone(wire)
      decodeInvocationEvent(deepFreeze(wire))
      assert.deepStrictEqual(wire, before)
    }
  })
})

describe("an event of a function that was not invoked durably", () => {
  const cases: ReadonlyArray<readonly [input: unknown, found: string]> = [
    [undefined, "nothing"],
    [null, "null"],
    ["{}", "a string"],
    [7, "a number"],
    [[{}], "an array"],
    [{}, "an object without DurableExecutionArn and CheckpointToken"],
    [{ orderId: 7, password: "hunter2" }, "an object without DurableExecutionArn and CheckpointToken"],
    [{ DurableExecutionArn: "a" }, "an object without CheckpointToken"],
    [{ DurableExecutionArn: "a", CheckpointToken: "" }, "an object without CheckpointToken"],
    [{ DurableExecutionArn: null, CheckpointToken: token }, "an object without DurableExecutionArn"]
  ]

  for (const [input, found] of cases) {
    it(`is NotDurable: ${found} (${JSON.stringify(input)})`, () => {
      const failure = failureOf(decodeInvocationEvent(input))
      assert.instanceOf(failure, NotDurable)
      assert.strictEqual(failure instanceof NotDurable && failure.found, found)
    })
  }

  it("says what was found and what to change", () => {
    const { message } = failureOf(decodeInvocationEvent({ password: "hunter2" }))
    for (const words of [
      "an object without DurableExecutionArn and CheckpointToken",
      "DurableConfig",
      "ExecutionTimeout",
      "version, an alias or $LATEST"
    ]) {
      assert.include(message, words)
    }
    assert.notInclude(message, "hunter2")
    assert.notInclude(message, "password")
  })
})

describe("a durable event that is wrong", () => {
  const state = "InitialExecutionState"
  const deepError = { StepDetails: { Error: { StackTrace: ["ok", { secret: 1 }] } } }
  const cases: ReadonlyArray<readonly [input: unknown, path: string, problem: string]> = [
    [{ DurableExecutionArn: "a", CheckpointToken: token }, state, "it is missing"],
    [{ ...event([]), InitialExecutionState: null }, state, "it is missing"],
    [{ ...event([]), InitialExecutionState: "secret" }, state, "expected object, found a string"],
    [{ ...event([]), DurableExecutionArn: 5 }, "DurableExecutionArn", "expected string, found a number"],
    [{ ...event([]), CheckpointToken: { secret: 1 } }, "CheckpointToken", "expected string, found an object"],
    [event(undefined), `${state}.Operations`, "it is missing"],
    [event({}), `${state}.Operations`, "expected array, found an object"],
    [event([null]), `${state}.Operations[0]`, "expected object, found null"],
    [event([operation, {}]), `${state}.Operations[1].Id`, "it is missing"],
    [event([{ ...operation, Status: 4 }]), `${state}.Operations[0].Status`, "expected string, found a number"],
    [event([{ ...operation, Name: ["secret"] }]), `${state}.Operations[0].Name`, "expected string, found an array"],
    [
      event([{ ...operation, EndTimestamp: "secret" }]),
      `${state}.Operations[0].EndTimestamp`,
      "expected a point in time: epoch milliseconds, ISO-8601 text or a Date, found a string"
    ],
    [
      event([{ ...operation, StepDetails: { Attempt: Number.NaN } }]),
      `${state}.Operations[0].StepDetails.Attempt`,
      "expected a finite number, found a number"
    ],
    [
      event([{ ...operation, ...deepError }]),
      `${state}.Operations[0].StepDetails.Error.StackTrace[1]`,
      "expected string, found an object"
    ],
    [event([], { NextMarker: 2 }), `${state}.NextMarker`, "expected string, found a number"],
    [{ ...event([]), UpdatedOperationIds: "secret" }, "UpdatedOperationIds", "expected array, found a string"]
  ]

  for (const [input, path, problem] of cases) {
    it(`is MalformedEvent at ${path}: ${problem}`, () => {
      const failure = malformed(input)
      assert.deepStrictEqual([failure.path, failure.problem], [path, problem])
      assert.include(failure.message, path)
      assert.notInclude(failure.message, "secret")
      assert.notInclude(failure.message, token)
    })
  }

  it("names the first of many faults, in a short message", () => {
    const { message, path } = malformed(event(Array.from({ length: 10_000 }, () => ({ ...operation, Id: 7 }))))
    assert.strictEqual(path, "InitialExecutionState.Operations[0].Id")
    assert.isBelow(message.length, 2_000)
  })
})

describe("hostile events", () => {
  const deep = (depth: number): unknown => {
    let value: unknown = "bottom"
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { Operations: value }
    return value
  }
  const cycle: Record<string, unknown> = { ...event([]) }
  cycle["InitialExecutionState"] = cycle
  cycle["Operations"] = [cycle]
  const throws = (key: string) =>
    Object.defineProperty({ ...event([operation]) }, key, {
      enumerable: true,
      get: () => {
        throw new Error(`secret ${token}`)
      }
    })
  const trapped = new Proxy(
    {},
    {
      get: () => {
        throw new Error("secret")
      },
      has: () => {
        throw new Error("secret")
      },
      ownKeys: () => {
        throw new Error("secret")
      }
    }
  )
  const cases: Record<string, unknown> = {
    "nested 10,000 levels deep": deep(10_000),
    "with operations nested 10,000 levels deep": event(deep(10_000)),
    "with an operation that is a cycle": cycle,
    "with an accessor that throws for the ARN": throws("DurableExecutionArn"),
    "with an accessor that throws for the state": throws("InitialExecutionState"),
    "with an accessor that throws for the ids": throws("UpdatedOperationIds"),
    "with an accessor that throws in an operation": event([
      Object.defineProperty({ ...operation }, "StepDetails", {
        enumerable: true,
        get: () => {
          throw new TypeError("secret")
        }
      })
    ]),
    "that is a proxy": trapped,
    "that is a revoked proxy": revoked(),
    "with a proxy for its state": { ...event([]), InitialExecutionState: trapped },
    "with a proxy for its operations": event(trapped),
    "with a revoked proxy": event([revoked()]),
    "with a function for its operations": event(() => []),
    "with a sparse array of a million": event(Array.from({ length: 1 }).concat(Array(1_000_000))),
    "with symbols and big integers": event([{ ...operation, Id: 1n, Name: Symbol("secret") }])
  }

  for (const [name, input] of Object.entries(cases)) {
    it(`${name}: a typed failure with a short message and no content`, () => {
      const failure = failureOf(decodeInvocationEvent(input))
      assert.isTrue(failure instanceof MalformedEvent || failure instanceof NotDurable)
      assert.isBelow(failure.message.length, 2_000)
      assert.notInclude(failure.message, "secret")
      assert.notInclude(failure.message, token)
    })
  }

  it("with deep nesting where nobody looks: are read", () => {
    assert.isTrue(Result.isSuccess(decodeInvocationEvent({ ...event([operation]), extra: deep(10_000) })))
  })

  it("with __proto__, constructor and prototype among their keys: are read, and pollute nothing", () => {
    const text = JSON.stringify(event([{ ...operation, Name: null, StepDetails: { Attempt: 1, Result: null } }]))
    const poison = `"__proto__":{"polluted":"yes","Name":"evil"},"constructor":{"prototype":{"polluted":"yes"}},`
    const decoded = Result.getOrThrow(decodeInvocationEvent(JSON.parse(text.replaceAll("{", `{${poison}`))))
    const [first] = decoded.InitialExecutionState.Operations
    assert.deepStrictEqual(first, { ...operation, StepDetails: { Attempt: 1 } })
    assert.strictEqual(Object.getPrototypeOf(first), Object.prototype)
    assert.isUndefined(Reflect.get({}, "polluted"))
  })

  it("with lone surrogates: are read, and the text is kept", () => {
    const [first] = Result.getOrThrow(
      decodeInvocationEvent(event([{ ...operation, StepDetails: { Result: '"\ud800"' } }]))
    ).InitialExecutionState.Operations
    assert.strictEqual(first?.StepDetails?.Result, '"\ud800"')
  })
})

describe("an answer", () => {
  const read = reader("answer of the handler", InvocationAnswer)

  it("is one of three", () => {
    for (const { wire } of golden("invocation-answers"))
      assert.deepStrictEqual<unknown>(Result.getOrThrow(read(wire)), wire)
    assert.deepStrictEqual(Result.getOrThrow(read({ Status: "SUCCEEDED", Result: null, Error: undefined })), {
      Status: "SUCCEEDED"
    })
  })

  const cases: ReadonlyArray<readonly [input: unknown, path: string]> = [
    [{ Status: "SUCCEEDED", Error: { ErrorMessage: "secret" } }, "Error"],
    [{ Status: "FAILED", Result: "secret" }, "Result"],
    [{ Status: "SUCCEEDED", Result: { secret: 1 } }, "Result"],
    [{ Status: "FAILED", Error: { ErrorType: 1 } }, "Error.ErrorType"],
    [{ Status: "DONE" }, ""],
    [{}, ""],
    [undefined, ""],
    ["PENDING", ""]
  ]

  for (const [input, path] of cases) {
    it(`is refused: ${JSON.stringify(input)}`, () => {
      const failure = failureOf(read(input))
      assert.instanceOf(failure, MalformedMessage)
      assert.strictEqual(failure.path, path)
      assert.include(failure.message, "The answer of the handler is malformed")
      assert.notInclude(failure.message, "secret")
    })
  }
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
