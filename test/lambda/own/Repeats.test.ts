/** What our own client sends again, and when it stops. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "effect-durable"
import { LambdaCheckpoints } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import process from "node:process"
import type { Answer } from "../../../src/lambda/internal/own/exchange.ts"
import { Allowance, delayOf } from "../../../src/lambda/internal/own/repeats.ts"
import { accessKey, loopback, refusal, region, type Loopback, type Reply } from "../loopback.ts"
import { transports } from "../transports.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const page = { DurableExecutionArn: "arn", CheckpointToken: "dG9rZW4=", Marker: "m", MaxItems: 1 }
const empty = { body: { Operations: [] } }
const loadState = Effect.flatMap(CheckpointStore.CheckpointStore, (store) => store.loadState(page))

const says = (status: number, name: string, message = "no"): Reply => ({
  status,
  headers: { "x-amzn-errortype": name },
  body: { message }
})

const hour = 3_600_000

describe("Both clients send the same requests again", () => {
  const table: Readonly<Record<string, readonly [reply: Reply, times: number]>> = {
    "429": [refusal("TooManyRequestsException", "slow down"), 2],
    "500": [refusal("ServiceException", "oops"), 2],
    "501": [{ status: 501, body: "" }, 1],
    "502 of a key": [refusal("KMSDisabledException", "disabled"), 2],
    "502 in HTML": [{ status: 502, body: "<h1>" }, 2],
    "503": [{ status: 503, body: "" }, 2],
    "504": [{ status: 504, body: "" }, 2],
    "505": [{ status: 505, body: "" }, 1],
    "400": [refusal("InvalidParameterValueException", "no"), 1],
    "400 that is too much": [says(400, "ThrottlingException"), 2],
    "400 of a request that came too slowly": [says(400, "RequestTimeoutException"), 2],
    "403": [says(403, "AccessDeniedException"), 1],
    "403 of a signature": [says(403, "InvalidSignatureException"), 1],
    "403 of a signature that has expired": [says(403, "InvalidSignatureException", "Signature expired: now"), 2],
    "403 of a token that has expired": [says(403, "ExpiredTokenException"), 1],
    "404": [refusal("ResourceNotFoundException", "no"), 1],
    "408": [{ status: 408, body: "" }, 1],
    "409": [says(409, "ResourceConflictException"), 1],
    "413": [refusal("RequestTooLargeException", "no"), 1],
    "200 in HTML": [{ body: "<h1>" }, 1],
    "a connection that breaks": ["reset", 2],
    "an answer that is cut": ["cut", 2]
  }
  for (const transport of transports) {
    describe.concurrent(transport.name, () => {
      for (const [what, [reply, times]] of Object.entries(table)) {
        it.live(`${what}: ${times === 1 ? "not again" : "again"}`, () =>
          Effect.scoped(
            Effect.gen(function* () {
              const server = yield* loopback(() => reply)
              yield* Effect.flip(Effect.provide(loadState, transport.checkpoints(server, { maxAttempts: 2 })))
              assert.lengthOf(server.requests, times)
            })
          )
        )
      }
    })
  }
})

describe("A clock that is off", () => {
  const dated = (offset: number, reply: Exclude<Reply, string>): Reply => ({
    ...reply,
    headers: { ...reply.headers, date: new Date(Date.now() + offset).toUTCString() }
  })
  const signedAt = (server: Loopback): ReadonlyArray<number> =>
    server.requests.map(({ headers }) => {
      const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers["x-amz-date"])) ?? []
      const [year = 0, month = 0, day, hours, minutes, seconds] = parts.slice(1).map(Number)
      return Date.UTC(year, month - 1, day, hours, minutes, seconds)
    })
  const about = (time: number) => ({
    is: (other: number) => assert.isBelow(Math.abs(time - other), hour / 10)
  })

  for (const transport of transports) {
    it.live(`is set right by the refusal, and stays so, ${transport.name}`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback((_, count) =>
            dated(
              hour,
              count === 1
                ? {
                    status: 403,
                    headers: { "x-amzn-errortype": "InvalidSignatureException" },
                    body: { message: "Signature not yet current" }
                  }
                : empty
            )
          )
          yield* Effect.provide(Effect.andThen(loadState, loadState), transport.checkpoints(server, { maxAttempts: 2 }))
          const [first = 0, second = 0, third = 0] = signedAt(server)
          about(first).is(Date.now())
          about(second).is(Date.now() + hour)
          about(third).is(Date.now() + hour)
        })
      )
    )
  }

  const own = (server: Loopback) =>
    LambdaCheckpoints.layerWith({ endpoint: server.url, region, credentials: accessKey, maxAttempts: 3 })

  it.live("is set right once: a refusal at the right time is one", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => dated(-hour, { status: 403, body: { message: "no" } }))
        const error = yield* Effect.flip(Effect.provide(loadState, own(server)))
        assert.strictEqual(error._tag, "StoreRefused")
        assert.lengthOf(server.requests, 2)
      })
    )
  )

  it.live("is not off because an answer is old, or two minutes away", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback((_, count) =>
          count === 1 ? dated(hour, { ...empty, headers: { age: "3600" } }) : dated(120_000, empty)
        )
        // Requests are signed by the second.
        const earliest = Date.now() - 1_000
        yield* Effect.provide(Effect.andThen(loadState, Effect.andThen(loadState, loadState)), own(server))
        for (const time of signedAt(server)) {
          assert.isAtLeast(time, earliest)
          assert.isAtMost(time, Date.now())
        }
      })
    )
  )
})

describe("The delay before a repeat", () => {
  const answer = (headers: Readonly<Record<string, string>>): Answer => ({
    status: 429,
    header: (name) => headers[name],
    body: Buffer.alloc(0)
  })

  it("grows with the repeats and has a bound", () => {
    fc.assert(
      fc.property(fc.constantFrom("throttled" as const, "transient" as const), fc.nat(40), (kind, repeats) => {
        const delay = delayOf(kind, repeats, undefined)
        assert.isAtLeast(delay, 0)
        assert.isAtMost(delay, Math.min((kind === "throttled" ? 1_000 : 50) * 2 ** repeats, 20_000))
      }),
      { seed }
    )
  })

  it("is what the service asks for, within reason", () => {
    const asked = (headers: Readonly<Record<string, string>>) => delayOf("transient", 0, answer(headers))
    assert.strictEqual(asked({ "retry-after": "2" }), 2_000)
    assert.strictEqual(asked({ "x-amz-retry-after": "1500" }), 1_500)
    const until = asked({ "retry-after": new Date(Date.now() + 3_000).toUTCString() })
    assert.isAtLeast(until, 1_000)
    assert.isAtMost(until, 3_000)
    assert.isAtLeast(asked({ "retry-after": "3600" }), 5_000)
    assert.isBelow(asked({ "retry-after": "3600" }), 5_050)
    assert.isBelow(asked({ "retry-after": "soon" }), 50)
    assert.isBelow(asked({ "x-amz-retry-after": "soon" }), 50)
    assert.isBelow(asked({ "retry-after": new Date(0).toUTCString() }), 50)
  })
})

describe("The allowance of repeats", () => {
  it("is used up by an outage, and filled again by good answers", () => {
    const allowance = new Allowance()
    const takes = (): number => {
      let count = 0
      while (allowance.take("transient") !== undefined) count++
      return count
    }
    assert.strictEqual(takes(), 35)
    assert.strictEqual(allowance.take("throttled"), 5)
    for (let answers = 0; answers < 14; answers++) allowance.give()
    assert.strictEqual(takes(), 1)
    allowance.give(14)
    assert.strictEqual(takes(), 1)
    for (let answers = 0; answers < 1_000; answers++) allowance.give()
    assert.strictEqual(takes(), 35)
  })

  it.live("ends a call at its first failure when it is used up", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => "reset")
        const layer = LambdaCheckpoints.layerWith({
          endpoint: server.url,
          region,
          credentials: accessKey,
          maxAttempts: 2
        })
        yield* Effect.gen(function* () {
          yield* Effect.forEach(Array.from({ length: 35 }), () => Effect.flip(loadState), { concurrency: 35 })
          assert.lengthOf(server.requests, 70)
          yield* Effect.flip(loadState)
          assert.lengthOf(server.requests, 71)
        }).pipe(Effect.provide(layer))
      })
    )
  )
})
