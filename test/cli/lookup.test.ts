/** Which execution and which callback a name means, on services that only list by function. */
import { assert, describe, it } from "@effect/vitest"
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Endpoint } from "../../src/cli/connection.ts"
import { findExecution } from "../../src/cli/lookup.ts"
import { Output } from "../../src/cli/Output.ts"

const arnOf = (functionName: string, id: string): string =>
  `arn:aws:lambda:eu-west-1:123456789012:function:${functionName}:7/durable-execution/order-1/${id}`

const unasked = () => Effect.die(new Error("Nobody asked for this."))

/** A service that knows executions of one name. */
const service = (said: Array<string>, found: ReadonlyArray<readonly [id: string, started: number]>) =>
  Layer.mergeAll(
    Layer.succeed(DurableClient.DurableClient, {
      start: unasked,
      get: unasked,
      history: unasked,
      stop: unasked,
      succeedCallback: unasked,
      failCallback: unasked,
      heartbeatCallback: unasked,
      list: (functionName) =>
        Effect.succeed({
          items: found.map(([id, started]) => ({
            DurableExecutionArn: arnOf(functionName, id),
            DurableExecutionName: "order-1",
            FunctionArn: "",
            Status: "RUNNING",
            StartTimestamp: started
          }))
        })
    }),
    Layer.succeed(Endpoint, { url: undefined }),
    Layer.succeed(Output, {
      result: unasked,
      say: (line) => void said.push(line),
      draw: unasked,
      terminal: undefined,
      colors: { result: false, said: false }
    })
  )

describe("The name of an execution", () => {
  it.effect("means the newest of those that have had it, and that is said", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const found = service(said, [
        ["a", 1],
        ["b", 3],
        ["c", 2]
      ])
      const arn = yield* findExecution("order-1", "order").pipe(Effect.provide(found))
      assert.strictEqual(arn, arnOf("order", "b"))
      assert.deepStrictEqual(said, [`3 executions are called "order-1". This is the newest: ${arn}`])
    })
  )

  it.effect("needs a function at AWS, and an ARN needs nothing", () =>
    Effect.gen(function* () {
      const aws = service([], [])
      const refused = yield* Effect.flip(findExecution("order-1", undefined)).pipe(Effect.provide(aws))
      assert.strictEqual(
        refused.message,
        "This service lists executions by function only: add --function NAME, or give the ARN."
      )
      const unknown = yield* Effect.flip(findExecution("order-1", "order")).pipe(Effect.provide(aws))
      assert.strictEqual(unknown.message, `There is no execution of the function order called "order-1".`)
      assert.strictEqual(
        yield* findExecution(arnOf("order", "a"), undefined).pipe(Effect.provide(aws)),
        arnOf("order", "a")
      )
    })
  )
})
