import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { callSiteOf, CaptureCallSites, noted, placeOf } from "../../src/execution/CallSite.ts"

const look = Effect.withFiber((fiber) => Effect.succeed(placeOf(callSiteOf(fiber))))

/** As the operations of users are: they note the place of whoever asks for them. */
const operation = () => noted(look)

describe("The place at which an operation is asked for", () => {
  it.effect("is the line of the user's code", () =>
    Effect.gen(function* () {
      const place = yield* Effect.provideService(
        Effect.suspend(() => operation()),
        CaptureCallSites,
        true
      )
      assert.match(place ?? "", /CallSite\.test\.ts:\d+:\d+$/)
    })
  )

  it.effect("is noted only where somebody asks for it", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* Effect.suspend(() => operation()))
    })
  )

  it("is none of this library, of Effect or of Node", () => {
    const site = new Error("here")
    site.stack = [
      "Error: here",
      `    at noted (${new URL("../../src/operations/typed.ts", import.meta.url).pathname}:5:1)`,
      "    at Effect.gen (/app/node_modules/effect/dist/Effect.js:1:1)",
      "    at process.processTicks (node:internal/process/task_queues:1:1)",
      "    at workflow (/app/src/orders.ts:12:3)",
      "    at /app/src/main.ts:1:1"
    ].join("\n")
    assert.strictEqual(placeOf(site), "/app/src/orders.ts:12:3")
    site.stack = "Error: here\n    at /app/src/main.ts:1:1"
    assert.strictEqual(placeOf(site), "/app/src/main.ts:1:1")
    assert.isUndefined(placeOf(undefined))
  })
})
