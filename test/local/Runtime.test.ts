/** The Runtime API of one function, as processes come and go. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { FunctionCall } from "../../src/local/Functions.ts"
import { Runtime } from "../../src/local/Runtime.ts"

const call: FunctionCall = {
  requestId: "r-1",
  functionName: "orders",
  version: "$LATEST",
  functionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST",
  payload: "{}"
}

const scene = (timeoutSeconds = 60) => {
  let started = 0
  let killed = 0
  const runtime = new Runtime({ timeoutSeconds, onWaiting: () => void started++, onTimeout: () => void killed++ })
  /** A process asks for a call. */
  const next = Effect.provideService(
    runtime.api(9_000),
    HttpServerRequest.HttpServerRequest,
    HttpServerRequest.fromWeb(
      new Request("http://127.0.0.1:9000/2018-06-01/runtime/invocation/next", { headers: { host: "127.0.0.1:9000" } })
    )
  )
  return { runtime, next, started: () => started, killed: () => killed }
}

describe("A call", () => {
  it.effect("is handed over to the process that asks", () =>
    Effect.gen(function* () {
      const { next, runtime, started } = scene()
      const asked = yield* Effect.forkChild(next, { startImmediately: true })
      yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      const { headers } = yield* Fiber.join(asked)
      assert.strictEqual(headers["lambda-runtime-aws-request-id"], "r-1")
      assert.strictEqual(started(), 0)
    })
  )

  it.effect("is not handed over to a process that has ended, although its connection has not", () =>
    Effect.gen(function* () {
      const { next, runtime, started } = scene()
      const dead = yield* Effect.forkChild(next, { startImmediately: true })
      runtime.exited("exit status 7")
      const ended = yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      assert.strictEqual(started(), 1, "another process is asked for")
      assert.isUndefined(dead.pollUnsafe())
      const { headers } = yield* next
      assert.strictEqual(headers["lambda-runtime-aws-request-id"], "r-1")
      yield* Fiber.interrupt(ended)
    })
  )

  it.effect("is not handed over to a process that is killed, whenever that one asks", () =>
    Effect.gen(function* () {
      const { next, runtime } = scene()
      const before = yield* Effect.forkChild(next, { startImmediately: true })
      runtime.killed()
      const after = yield* Effect.forkChild(next, { startImmediately: true })
      const ended = yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      assert.isUndefined(before.pollUnsafe())
      assert.isUndefined(after.pollUnsafe())
      runtime.exited("signal: SIGKILL")
      const { headers } = yield* next
      assert.strictEqual(headers["lambda-runtime-aws-request-id"], "r-1")
      yield* Fiber.interrupt(ended)
    })
  )

  it.effect("fails with a process that cannot start, and waits for the next if that one was replaced", () =>
    Effect.gen(function* () {
      const { next, runtime } = scene()
      const first = yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      runtime.exited("signal: SIGKILL", true)
      assert.isUndefined(first.pollUnsafe())
      const { headers } = yield* next
      assert.strictEqual(headers["lambda-runtime-aws-request-id"], "r-1")
      runtime.exited("exit status 1")
      assert.strictEqual((yield* Fiber.join(first))._tag, "Exited")
      const second = yield* Effect.forkChild(runtime.run({ ...call, requestId: "r-2" }), { startImmediately: true })
      runtime.exited("exit status 1")
      assert.strictEqual((yield* Fiber.join(second))._tag, "Exited")
    })
  )

  it.effect("is handed over whatever its client has sent beside the payload", () =>
    Effect.gen(function* () {
      const { next, runtime } = scene()
      const odd = "a\r\nb\u0000\u007f\u009b é \u{1F600} \u2028"
      const clientContext = JSON.stringify({ custom: { odd } }, undefined, "\t")
      yield* Effect.forkChild(runtime.run({ ...call, traceHeader: odd, tenantId: odd, clientContext }), {
        startImmediately: true
      })
      const { headers } = yield* next
      for (const name of ["trace-id", "aws-tenant-id", "client-context"]) {
        assert.match(headers[`lambda-runtime-${name}`] ?? "", /^[\x20-\x7e]+$/, name)
      }
      assert.deepStrictEqual(JSON.parse(headers["lambda-runtime-client-context"] ?? ""), { custom: { odd } })
    })
  )

  it.effect("does not wait for ever for a process that never asks", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const { killed, next, runtime, started } = scene(600)
      const first = yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      yield* Effect.promise(() => vi.advanceTimersByTimeAsync(600_000))
      assert.strictEqual((yield* Fiber.join(first))._tag, "TimedOut")
      assert.strictEqual(killed(), 1)
      runtime.exited("signal: SIGKILL")
      // The next process has the whole time again, and one that asks may be busy for as long as it likes.
      const second = yield* Effect.forkChild(runtime.run({ ...call, requestId: "r-2" }), { startImmediately: true })
      assert.strictEqual(started(), 2)
      yield* Effect.promise(() => vi.advanceTimersByTimeAsync(599_000))
      yield* next
      yield* Effect.forkChild(runtime.run({ ...call, requestId: "r-3" }), { startImmediately: true })
      yield* Effect.promise(() => vi.advanceTimersByTimeAsync(599_000))
      assert.isUndefined(second.pollUnsafe())
      assert.strictEqual(killed(), 1)
    })
  )

  it.effect("waits longer for a process that starts than a short call may take", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const { next, runtime } = scene(3)
      yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
      yield* Effect.promise(() => vi.advanceTimersByTimeAsync(60_000))
      const { headers } = yield* next
      assert.strictEqual(headers["lambda-runtime-aws-request-id"], "r-1")
    })
  )

  it.effect("has the time that it is given, however long", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      for (const days of [1, 24, 25, 366]) {
        const { next, runtime } = scene(days * 86_400)
        const running = yield* Effect.forkChild(runtime.run(call), { startImmediately: true })
        yield* next
        yield* Effect.promise(() => vi.advanceTimersByTimeAsync(86_399_000))
        assert.isUndefined(running.pollUnsafe(), `${days} days`)
      }
    })
  )
})
