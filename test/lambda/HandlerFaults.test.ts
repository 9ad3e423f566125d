/** A handler whose requests suffer the faults of a test, as docs/testing.md writes it. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { Faults } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Lambda } from "./support.ts"

const Order = DurableFunction.make("order", { success: Schema.Boolean })

describe("Faults in a handler", () => {
  const deployed = (options: Faults.Options) => {
    const lambda = new Lambda()
    const ran: Array<string> = []
    const step = (name: string) =>
      Durable.step(
        name,
        Effect.sync(() => void ran.push(name))
      )
    const order = Order.implement(() =>
      Effect.gen(function* () {
        yield* step("book")
        yield* Durable.wait("a day", "1 day")
        yield* step("ship")
        return yield* Durable.step(
          "is ahead",
          Effect.map(Clock.currentTimeMillis, (now) => now > Date.now() + 60_000)
        )
      })
    )
    const handler = LambdaHandler.make(order, {
      layer: Faults.clock({ ahead: "3 minutes" }),
      checkpoints: Layer.provide(Faults.layer(options), lambda.checkpoints)
    })
    lambda.deploy("order", handler)
    return { handler, lambda, ran }
  }

  it("kill it at a request, and its clock is that of its layer", async () => {
    const { handler, lambda, ran } = deployed({ crash: "before:ship" })
    assert.deepInclude(await lambda.run("order"), { status: "SUCCEEDED", result: "true" })
    assert.deepStrictEqual(ran, ["book", "ship", "ship"])
    await handler.dispose()
  })

  it("fail its disposal when a crash has not come about", async () => {
    const { handler, lambda } = deployed({ crash: "before:mail" })
    assert.deepInclude(await lambda.run("order"), { status: "SUCCEEDED" })
    const failure = await handler.dispose().then(() => "disposed", String)
    assert.include(failure, 'Expected the crash "before:mail" to happen')
  })
})
