/** The engine's own routes: what they answer, and whom. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, played } from "./support.ts"

describe("The engine's own routes", () => {
  it.live("tell which functions there are", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const { json, status } = yield* ask(url, { path: "/_local/functions" })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json.functions, [
        { name: "orders", kind: "durable" },
        { name: "payments", kind: "durable" },
        { name: "email", kind: "plain" },
        { name: "other", kind: "plain" }
      ])
    }).pipe(Effect.scoped)
  )

  it.live("tell the time of the engine", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const before = Date.now()
      const { json, status } = yield* ask(url, { path: "/_local/time" })
      assert.strictEqual(status, 200)
      assert.isAtLeast(json.now, before)
      assert.isAtMost(json.now, Date.now())
    }).pipe(Effect.scoped)
  )

  it.live("skip nothing where nobody waits for time, and say so of an execution", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played()
      const skip = (body: string) => ask(url, { method: "POST", path: "/_local/time/skip", body })
      assert.deepStrictEqual((yield* skip("{}")).json, { skipped: [] })
      yield* ask(url, {
        method: "POST",
        path: "/2015-03-31/functions/orders:$LATEST/invocations",
        headers: { "x-amz-invocation-type": "Event" }
      })
      const { event } = yield* stage.next
      const refused = yield* skip(JSON.stringify({ executionArn: event.DurableExecutionArn }))
      assert.strictEqual(refused.status, 400)
      assert.include(refused.text, "waits for no timer")
      assert.strictEqual((yield* skip(JSON.stringify({ executionArn: "nobody" }))).status, 404)
    }).pipe(Effect.scoped)
  )

  it.live("refuse bodies that say something else, and routes that there are not", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      for (const body of ["", "no json", '{"executionArn":1}', "[]"]) {
        const { headers, status } = yield* ask(url, { method: "POST", path: "/_local/time/skip", body })
        assert.strictEqual(status, 400, body)
        assert.strictEqual(headers["x-amzn-errortype"], "InvalidParameterValueException")
      }
      const long = yield* ask(url, { method: "POST", path: "/_local/time/skip", body: " ".repeat(20_000) })
      assert.strictEqual(long.status, 413)
      for (const path of ["/_local/", "/_local/constructor", "/_local/functions/", "/_local/time/skip"]) {
        assert.strictEqual((yield* ask(url, { path })).status, 404, path)
      }
    }).pipe(Effect.scoped)
  )

  it.live("let in nobody whom AWS's routes turn away", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const strangers: ReadonlyArray<Readonly<Record<string, string>>> = [
        { authorization: "" },
        { host: "evil.example" },
        { origin: "https://evil.example" },
        { "sec-fetch-site": "cross-site" }
      ]
      for (const headers of strangers) {
        for (const request of [
          { path: "/_local/functions" },
          { method: "POST", path: "/_local/time/skip", body: "{}" }
        ]) {
          assert.strictEqual((yield* ask(url, { ...request, headers })).status, 403, JSON.stringify(headers))
        }
      }
    }).pipe(Effect.scoped)
  )
})
