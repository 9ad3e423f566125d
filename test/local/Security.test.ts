/**
 * Who is let in and who is not: a test for every rule that keeps pages of the web, and too much of anything, out of the
 * engine.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import { guard } from "../../src/local/Guard.ts"
import { patience } from "../../src/local/Http.ts"
import { ask, clientOf, type Json, played, returned, signature } from "./support.ts"
import { CheckpointDurableExecutionCommand, InvokeCommand } from "@aws-sdk/client-lambda"

const list = "/2025-12-01/functions/orders/durable-executions"

const portOf = (url: string): number => Number(new URL(url).port)

/** Whether somebody answers at an address. */
const answers = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect({ host, port })
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", () => resume(Effect.succeed(false)))
  })

/** Sends bytes and reads until the other side closes. */
const raw = (port: number, text: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const socket = connect({ host: "127.0.0.1", port })
    let read = ""
    socket.on("data", (chunk) => (read += chunk.toString()))
    socket.on("close", () => resume(Effect.succeed(read)))
    socket.on("error", () => undefined)
    socket.write(text)
  })

describe("The engine", () => {
  it.live("listens on this machine only", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const port = portOf(url)
      assert.isTrue(yield* answers("127.0.0.1", port))
      const others = Object.values(networkInterfaces()).flatMap((addresses) =>
        (addresses ?? []).filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address)
      )
      for (const address of others) assert.isFalse(yield* answers(address, port), address)
    })
  )

  it.live("answers to its own names only, so that a name that is bound anew leads nowhere", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const port = portOf(url)
      const statusOf = (host: string) => Effect.map(ask(url, { path: list, headers: { host } }), ({ status }) => status)
      for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"]) {
        assert.strictEqual(yield* statusOf(`${name}:${port}`), 200, name)
      }
      for (const host of [
        `evil.example:${port}`,
        "localhost",
        `127.0.0.1.evil.example:${port}`,
        `localhost:${port + 1}`
      ]) {
        assert.strictEqual(yield* statusOf(host), 403, host)
      }
      assert.match(yield* raw(port, `GET ${list} HTTP/1.0\r\nauthorization: ${signature}\r\n\r\n`), /^HTTP\/1\.1 403/)
    })
  )

  it("has names without a port at the port of HTTP, and only there", () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "localhost:80"]) {
      const headers = { host, origin: `http://${host}` }
      assert.isUndefined(guard(80)({ method: "GET", headers }), host)
    }
    assert.isDefined(guard(80)({ method: "GET", headers: { host: "evil.example" } }))
    assert.isDefined(guard(80)({ method: "GET", headers: { host: "localhost", origin: "http://evil.example" } }))
    assert.isDefined(guard(8080)({ method: "GET", headers: { host: "localhost" } }))
  })

  it.live("takes nothing that a page of another site sends", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const statusOf = (headers: Readonly<Record<string, string>>) =>
        Effect.map(ask(url, { path: list, headers }), ({ status }) => status)
      assert.strictEqual(yield* statusOf({ origin: "https://evil.example" }), 403)
      assert.strictEqual(yield* statusOf({ origin: "null" }), 403)
      assert.strictEqual(yield* statusOf({ origin: `http://localhost:${portOf(url) + 1}` }), 403)
      assert.strictEqual(yield* statusOf({ "sec-fetch-site": "cross-site" }), 403)
      assert.strictEqual(yield* statusOf({ "sec-fetch-site": "same-site" }), 403)
      assert.strictEqual(yield* statusOf({ origin: url, "sec-fetch-site": "same-origin" }), 200)
      assert.strictEqual(yield* statusOf({}), 200)
    })
  )

  it.live("gives no page leave to ask", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const headers = { "access-control-request-method": "POST", "access-control-request-headers": "authorization" }
      const answer = yield* ask(url, { method: "OPTIONS", path: list, headers })
      assert.strictEqual(answer.status, 403)
      const names = Object.keys((yield* ask(url, { path: list })).headers).concat(Object.keys(answer.headers))
      assert.deepStrictEqual(
        names.filter((name) => name.startsWith("access-control-")),
        []
      )
    })
  )

  it.live("takes signed requests only, which a page cannot send as a simple one", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played()
      const path = "/2015-03-31/functions/orders%3A%24LATEST/invocations"
      for (const authorization of ["", "Basic bG9jYWw6bG9jYWw=", "AWS4-HMAC-SHA256"]) {
        const { headers, status } = yield* ask(url, {
          method: "POST",
          path,
          headers: { authorization, "content-type": "text/plain", "x-amz-invocation-type": "Event" },
          body: "{}"
        })
        assert.strictEqual(status, 403, authorization)
        assert.strictEqual(headers["x-amzn-errortype"], "MissingAuthenticationTokenException")
      }
      yield* ask(url, { method: "POST", path, headers: { "x-amz-invocation-type": "Event" }, body: `"signed"` })
      const { event } = yield* stage.next
      assert.strictEqual(event.InitialExecutionState.Operations[0].ExecutionDetails.InputPayload, `"signed"`)
    })
  )

  it.live("reads no more of a body than its operation takes", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const stop = "/2025-12-01/durable-executions/x/stop"
      const { headers, status } = yield* ask(url, { method: "POST", path: stop, body: "x".repeat(200_000) })
      assert.strictEqual(status, 413)
      assert.strictEqual(headers["x-amzn-errortype"], "RequestTooLargeException")
      const endless =
        `POST ${stop} HTTP/1.1\r\nhost: 127.0.0.1:${portOf(url)}\r\nauthorization: ${signature}\r\n` +
        `transfer-encoding: chunked\r\nconnection: close\r\n\r\n` +
        `10000\r\n${"x".repeat(65_536)}\r\n`.repeat(3)
      assert.match(yield* raw(portOf(url), endless), /^HTTP\/1\.1 413[\s\S]*RequestTooLargeException/)
    })
  )

  it.live("answers what is no HTTP and what has too many headers in its own shape", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const odd = `GET ${list} HTTP/1.1\r\nhost: 127.0.0.1:${portOf(url)}\r\nexpect: miracles\r\nconnection: close\r\n\r\n`
      assert.match(yield* raw(portOf(url), odd), /x-amzn-errortype: MissingAuthenticationTokenException/)
      const nonsense = yield* raw(portOf(url), "What is the time?\r\n\r\n")
      assert.match(nonsense, /^HTTP\/1\.1 400[\s\S]*x-amzn-errortype: InvalidRequestContentException/)
      const tooMany = yield* raw(portOf(url), `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}\r\n\r\n`)
      assert.match(tooMany, /^HTTP\/1\.1 431[\s\S]*x-amzn-requestid: /)
    })
  )

  it.live("gives clients ten seconds for their headers, and a minute for a request", () =>
    Effect.sync(() => assert.deepStrictEqual(patience, { headers: 10_000, request: 60_000 }))
  )

  it.live("gives up on headers and bodies that do not come, and says so in its own shape", () =>
    Effect.gen(function* () {
      const { url } = yield* played({ patience: { headers: 1_000, request: 2_000 } })
      const port = portOf(url)
      const head = `POST /2015-03-31/functions/orders%3A%24LATEST/invocations HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`
      const slow = [
        "POST /2015",
        head,
        `${head}authorization: ${signature}\r\ncontent-length: 100\r\n\r\n{"id":`,
        `${head}authorization: ${signature}\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`
      ]
      const given = yield* Effect.forEach(slow, (request) => raw(port, request), { concurrency: "unbounded" })
      for (const answer of given) {
        assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
        assert.include(answer, "x-amzn-errortype: InvalidRequestContentException")
        assert.deepInclude(JSON.parse(answer.slice(answer.indexOf("{"))), {
          message: "The request did not arrive in time."
        })
      }
      const { json } = yield* ask(url, { path: list })
      assert.deepStrictEqual(json.DurableExecutions, [], "nothing was started")
    })
  )

  it.live("has all the time for an answer that its client has", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played({ patience: { headers: 1_000, request: 2_000 } })
      const path = "/2015-03-31/functions/orders%3A%24LATEST/invocations"
      const waiting = yield* Effect.forkChild(ask(url, { method: "POST", path, body: "{}" }))
      const { end } = yield* stage.next
      // By the time that these two are given up, the one that waits would have been.
      for (let index = 0; index < 2; index++) yield* raw(portOf(url), "POST /2015")
      yield* end(returned({ Status: "SUCCEEDED", Result: "7" }))
      assert.strictEqual((yield* Fiber.join(waiting)).text, "7")
    })
  )

  it.live("keeps connections between requests, however long a function computes before its next one", () =>
    Effect.gen(function* () {
      const { url } = yield* played()
      const { headers } = yield* ask(url, { path: list })
      assert.strictEqual(headers.connection, "keep-alive")
      assert.isUndefined(headers["keep-alive"], "an end after some seconds")
    })
  )

  it.live("logs no header, payload, token or id of a callback", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ cause, fiber, message }) => {
      lines.push(JSON.stringify([message, fiber.getRef(References.CurrentLogAnnotations), cause]))
    })
    const secret = "a-payload-that-nobody-may-read"
    return Effect.gen(function* () {
      const { stage, url } = yield* played()
      const client = yield* clientOf(url)
      const running = yield* Effect.forkChild(
        Effect.promise(() =>
          client.send(new InvokeCommand({ FunctionName: "orders:$LATEST", Payload: JSON.stringify(secret) }))
        )
      )
      const call = yield* stage.next
      const answer: Json = yield* Effect.promise(() =>
        client.send(
          new CheckpointDurableExecutionCommand({
            DurableExecutionArn: call.event.DurableExecutionArn,
            CheckpointToken: call.event.CheckpointToken,
            Updates: [{ Id: "c1", Type: "CALLBACK", Action: "START" }]
          })
        )
      )
      const callbackId: string = answer.NewExecutionState.Operations[0].CallbackDetails.CallbackId
      yield* ask(url, {
        method: "POST",
        path: `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbackId)}/succeed`,
        body: secret
      })
      yield* call.end(returned({ Status: "SUCCEEDED", Result: JSON.stringify(secret) }))
      yield* Fiber.join(running)
      const log = lines.join("\n")
      assert.include(log, "CheckpointDurableExecution")
      assert.include(log, "SendDurableExecutionCallbackSuccess")
      const secrets = [secret, "AWS4-HMAC", answer.CheckpointToken, call.event.CheckpointToken, callbackId]
      for (const text of [...secrets, ...secrets.map(encodeURIComponent)]) assert.notInclude(log, text)
    }).pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "All"))
  })

  it.live("gives ids and tokens of 128 random bits that say nothing", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played()
      const path = "/2015-03-31/functions/orders%3A%24LATEST/invocations"
      const headers = { "x-amz-invocation-type": "Event" }
      const tokens = new Set<string>()
      for (let index = 0; index < 50; index++) {
        yield* ask(url, { method: "POST", path, headers, body: "{}" })
        const { event } = yield* stage.next
        const token = Buffer.from(event.CheckpointToken, "base64").toString()
        assert.match(token, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
        tokens.add(token.replaceAll("-", ""))
      }
      // Every one of the 128 bits is sometimes set and sometimes not.
      const bits = Array.from(tokens, (token) => BigInt(`0x${token}`))
      const all = (1n << 128n) - 1n
      assert.strictEqual(
        bits.reduce((a, b) => a | b),
        all
      )
      assert.strictEqual(
        bits.reduce((a, b) => a & b),
        0n
      )
    })
  )

  it.live("never looks for a function outside", () =>
    Effect.gen(function* () {
      const { stage, url } = yield* played()
      const client = yield* clientOf(url)
      const result = yield* Effect.forkChild(
        Effect.promise(() => client.send(new InvokeCommand({ FunctionName: "orders:$LATEST" })))
      )
      const call = yield* stage.next
      const update = {
        Id: "i1",
        Type: "CHAINED_INVOKE" as const,
        Action: "START" as const,
        ChainedInvokeOptions: { FunctionName: "arn:aws:lambda:us-east-1:123456789012:function:elsewhere:live" }
      }
      const answer: Json = yield* Effect.promise(() =>
        client.send(
          new CheckpointDurableExecutionCommand({
            DurableExecutionArn: call.event.DurableExecutionArn,
            CheckpointToken: call.event.CheckpointToken,
            Updates: [update]
          })
        )
      )
      const [operation] = answer.NewExecutionState.Operations
      assert.strictEqual(operation.Status, "FAILED")
      assert.strictEqual(operation.ChainedInvokeDetails.Error.ErrorType, "ResourceNotFoundException")
      assert.include(operation.ChainedInvokeDetails.Error.ErrorMessage, "never calls functions in AWS")
      yield* call.end(returned({ Status: "SUCCEEDED" }))
      yield* Fiber.join(result)
    })
  )
})
