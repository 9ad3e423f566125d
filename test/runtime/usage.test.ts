import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/execution/Identity.ts"
import { actions, eventOf, invokeOnce } from "../operations/support.ts"
import { eventHolding, filledThen } from "./filled.ts"

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

describe("An invocation", () => {
  it.effect("warns once when 80 % of the operations are passed, and says what to do", () =>
    Effect.gen(function* () {
      const loaded = eventHolding(2_396)
      const steps = (count: number) =>
        filledThen(
          Effect.forEach(
            Array.from({ length: count }, (_, i) => `s${i}`),
            (name) => write(name, 10)
          )
        )
      const below = yield* invoked(steps(2), { event: loaded })
      assert.deepStrictEqual(below.warnings, [])
      const { warnings } = yield* invoked(steps(5), { event: loaded })
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], "2400 of 3000 operations")
    })
  )

  it.effect(
    "goes on beyond 3,000 operations where it is told that there may be more, and then warns of that number",
    () =>
      Effect.gen(function* () {
        const event = eventHolding(3_050)
        const body = filledThen(write("one more", 10))
        const refused = yield* invoked(body, { event })
        assert.strictEqual(errorOf(refused)?.ErrorType, "LimitExceeded")
        assert.notInclude(errorOf(refused)?.ErrorMessage, "The option maxOperations")
        const { answer, warnings } = yield* invoked(body, { event, run: { maxOperations: 3_800 } })
        assert.strictEqual(answer?.Status, "SUCCEEDED")
        assert.lengthOf(warnings, 1)
        assert.include(warnings[0], "of 3800 operations")
        assert.include(warnings[0], "The option maxOperations of the handler sets that number of operations.")
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
