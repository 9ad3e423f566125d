import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { LimitExceeded } from "../../src/DurableError.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { Usage } from "../../src/execution/Usage.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { actions, eventOf, invokeOnce } from "../operations/support.ts"

const operation = (more: Partial<Operation>): Operation => ({
  Id: "a",
  Type: "STEP",
  Status: "SUCCEEDED",
  StartTimestamp: 0,
  ...more
})

const update = (more: Partial<OperationUpdate>): OperationUpdate => ({
  Id: "a",
  Type: "STEP",
  Action: "SUCCEED",
  ...more
})

const usageOf = (
  loaded: ReadonlyArray<Operation>,
  quotas: { readonly maxOperations?: number; readonly maxStorage?: number }
) => {
  const warnings: Array<string> = []
  const usage = new Usage(
    loaded,
    { maxOperations: 1_000, maxStorage: 1_000, ...quotas },
    (message) => void warnings.push(message)
  )
  return { usage, warnings }
}

/** One invocation, and the warnings that it logged. */
const invoked = (body: Effect.Effect<unknown, never, Durable.Execution>, options: Parameters<typeof invokeOnce>[1]) => {
  const warnings: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (logLevel === "Warn") warnings.push(String(message))
  })
  return Effect.map(Effect.provide(invokeOnce(body, options), Logger.layer([logger])), (ran) => ({ ...ran, warnings }))
}

const errorOf = ({ answer }: Effect.Success<ReturnType<typeof invoked>>) =>
  answer?.Status === "FAILED" ? answer.Error : undefined

const write = (name: string, bytes: number) => Durable.step(name, Effect.succeed("x".repeat(bytes - 2)))

describe("The usage of an execution", () => {
  it("is what the loaded state shows: operations, attempts, payloads and errors", () => {
    const error = { ErrorType: "E", ErrorMessage: "é" }
    const errorBytes = JSON.stringify(error).length + 1
    const { usage } = usageOf(
      [
        operation({ Type: "EXECUTION", Status: "STARTED", ExecutionDetails: { InputPayload: "12é" } }),
        operation({ StepDetails: { Attempt: 3, Result: "12345" } }),
        operation({ Status: "PENDING", StepDetails: { Attempt: 2, Error: error } }),
        operation({ Status: "STARTED" }),
        operation({ Type: "CONTEXT", Status: "FAILED", ContextDetails: { Error: error } }),
        operation({ Type: "CHAINED_INVOKE", ChainedInvokeDetails: { Result: "1" } }),
        operation({ Type: "CALLBACK", CallbackDetails: { Result: "12" } })
      ],
      {}
    )
    assert.strictEqual(usage.operations, 7 + 2 + 2)
    assert.strictEqual(usage.bytes, 4 + 5 + 1 + 2 + 2 * errorBytes)
  })

  it("grows by new operations, attempts and what updates write", () => {
    const { usage } = usageOf([], {})
    usage.addOperation("a")
    usage.addUpdate("a", update({ Action: "START" }))
    usage.addUpdate("a", update({ Action: "RETRY", Error: {} }))
    usage.addUpdate("a", update({ Payload: "12é" }))
    assert.deepStrictEqual([usage.operations, usage.bytes], [2, 6])
  })

  it("is worth one warning, from 80 % of either quota on", () => {
    const operations = usageOf([], { maxOperations: 5 })
    for (const name of ["a", "b", "c"]) operations.usage.addOperation(name)
    assert.deepStrictEqual(operations.warnings, [])
    for (const name of ["d", "e"]) operations.usage.addOperation(name)
    assert.lengthOf(operations.warnings, 1)
    assert.include(operations.warnings[0], "at least 4 of 5 operations")

    const storage = usageOf([], { maxStorage: 10 })
    storage.usage.addUpdate("a", update({ Payload: "1234567" }))
    assert.deepStrictEqual(storage.warnings, [])
    storage.usage.addUpdate("a", update({ Payload: "8" }))
    storage.usage.addUpdate("a", update({ Payload: "9" }))
    assert.lengthOf(storage.warnings, 1)
    assert.include(storage.warnings[0], "at least 8 of 10 bytes")
    for (const cure of ["larger steps", "references", "Durable.continueWith"]) assert.include(storage.warnings[0], cure)
  })

  it("ends at the quotas, and what was refused does not count", () => {
    const { usage } = usageOf([], { maxOperations: 1, maxStorage: 3 })
    usage.addOperation("a")
    assert.throws(() => usage.addOperation("b"), LimitExceeded, `"b" would be one more`)
    assert.throws(() => usage.addUpdate("b", update({ Action: "RETRY" })), LimitExceeded)
    usage.addUpdate("a", update({ Payload: "123" }))
    assert.throws(() => usage.addUpdate("c", update({ Payload: "4" })), LimitExceeded, `"c" would write 1 more after 3`)
    usage.addUpdate("d", update({}))
    assert.deepStrictEqual([usage.operations, usage.bytes], [1, 3])
  })
})

describe("An invocation", () => {
  it.effect("warns once when 80 % of the operations are passed, and says what to do", () =>
    Effect.gen(function* () {
      const loaded = eventOf(
        Array.from({ length: 2_396 }, (_, i) => ({ Id: `other-${i}`, Type: "WAIT", Status: "STARTED" }))
      )
      const steps = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }, (_, i) => `s${i}`),
          (name) => write(name, 10)
        )
      const below = yield* invoked(steps(2), { event: loaded })
      assert.deepStrictEqual(below.warnings, [])
      const { warnings } = yield* invoked(steps(5), { event: loaded })
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], "2400 of 3000 operations")
    })
  )

  it.effect("does not warn when all it does is replay", () =>
    Effect.gen(function* () {
      const event = eventOf([
        { Id: operationId("", "a", 0), Name: "a", Type: "STEP", SubType: "Step", StepDetails: { Result: `"12345678"` } }
      ])
      const { answer, warnings } = yield* invoked(write("a", 10), { event, run: { maxStorage: 10, maxOperations: 2 } })
      assert.strictEqual(answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(warnings, [])
    })
  )

  it.effect("warns at 80 % of the bytes, and is LimitExceeded before it sends one more than fit", () =>
    Effect.gen(function* () {
      const writing = Effect.forEach(["a", "b", "c", "d"], (name) => write(name, 30))
      const ran = yield* invoked(writing, { run: { maxStorage: 100 } })
      assert.strictEqual(errorOf(ran)?.ErrorType, "LimitExceeded")
      assert.include(errorOf(ran)?.ErrorMessage, `"d" would write 30 more after 90`)
      assert.deepStrictEqual(
        actions(ran.updates).filter((action) => action.startsWith("SUCCEED")),
        ["SUCCEED a", "SUCCEED b", "SUCCEED c"]
      )
      assert.lengthOf(ran.warnings, 1)
      assert.include(ran.warnings[0], "90 of 100 bytes")
    })
  )

  it.effect("is LimitExceeded for the payload of an invoke and the error of a child too", () =>
    Effect.gen(function* () {
      const Ask = DurableFunction.plain("ask", { payload: Schema.String })
      const bodies: Record<string, Effect.Effect<unknown, never, Durable.Execution>> = {
        ask: Effect.orDie(Durable.invoke(Ask, "x".repeat(100))),
        child: Durable.child("child", Effect.die("x".repeat(100)))
      }
      for (const [name, body] of Object.entries(bodies)) {
        const ran = yield* invoked(body, { run: { maxStorage: 100 } })
        assert.strictEqual(errorOf(ran)?.ErrorType, "LimitExceeded", name)
        assert.notInclude(JSON.stringify(ran.updates), "xxx")
      }
    })
  )

  it.effect("is LimitExceeded before one retry too many is recorded", () =>
    Effect.gen(function* () {
      const flaky = Durable.step("flaky", Effect.die("no"), {
        retry: RetryPolicy.fixed({ maxAttempts: 9, delay: "1 second" })
      })
      const ran = yield* invoked(flaky, { run: { maxOperations: 2 } })
      assert.strictEqual(errorOf(ran)?.ErrorType, "LimitExceeded")
      assert.deepStrictEqual(
        actions(ran.updates).filter((action) => action.startsWith("RETRY")),
        []
      )
    })
  )
})
