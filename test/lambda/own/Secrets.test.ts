/** What nobody may read in an error or a log: signatures, credentials and tokens, also when the service repeats them. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableClient, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fc from "fast-check"
import process from "node:process"
import { inspect } from "node:util"
import { vi } from "vitest"
import { LambdaCheckpoints, LambdaClient } from "effect-durable/lambda"
import { environment } from "../environment.ts"
import { eventOf, firstToken } from "../invocations.ts"
import { loopback, region, type Received, type Reply } from "../loopback.ts"
import { contextOf } from "../support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)

const credentials = {
  accessKeyId: "AKIDTHATNOBODYSEES",
  secretAccessKey: "secret/access+key/that/nobody/sees",
  sessionToken: "session/token+that/nobody=="
}
const checkpointToken = "Y2hlY2twb2ludA+/token=="
const callbackId = "Y2FsbGJhY2s+/id=="

const signatureOf = ({ headers }: Received): string =>
  /Signature=([a-f0-9]{64})/.exec(String(headers["authorization"]))?.[1] ?? ""

/** Everything that a request knows, as a service would repeat it that is careless, or that explains a signature. */
const knownTo = (request: Received): ReadonlyArray<string> => [
  ...Object.values(credentials),
  signatureOf(request),
  String(request.headers["authorization"]),
  `${request.method} ${request.target}`,
  ...[checkpointToken, callbackId].filter((token) => decodeURIComponent(request.target + request.body).includes(token))
]

const secretsOf = (requests: ReadonlyArray<Received>): ReadonlyArray<string> =>
  [...Object.values(credentials), checkpointToken, callbackId, ...requests.map(signatureOf)].flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1)
  ])

/** A value in every form in which it may be printed. */
const printed = (value: unknown): string =>
  [inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value), String(value)].join("\n")

const assertQuiet = (text: string, requests: ReadonlyArray<Received>): void => {
  assert.isAbove(requests.length, 0)
  for (const secret of secretsOf(requests)) assert.notInclude(text, secret)
}

/** Where an answer may say it. */
const places = ["x-amzn-errortype", "message", "Message", "Type", "__type", "code", "Reason", "HTML"] as const

interface Echo {
  readonly status: number
  readonly place: (typeof places)[number]
  readonly which: number
  readonly before: string
}

const repeating =
  ({ before, place, status, which }: Echo) =>
  (request: Received): Reply => {
    const known = knownTo(request)
    const text = `${before}${known[which % known.length]} and ${known[(which + 1) % known.length]}`
    if (place === "HTML") return { status, body: `<p>${text}</p>` }
    if (place === "x-amzn-errortype") return { status, headers: { [place]: text }, body: { message: text } }
    return { status, body: { [place]: place === "Type" ? `${text}Exception` : text } }
  }

const echo: fc.Arbitrary<Echo> = fc.record({
  status: fc.constantFrom(200, 400, 403, 404, 413, 429, 500, 502),
  place: fc.constantFrom(...places),
  which: fc.nat(20),
  before: fc.string({ maxLength: 20 })
})

describe("No error holds a secret", () => {
  it("that the service repeats", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          let one: Echo | undefined
          const server = yield* loopback((request) => (one === undefined ? {} : repeating(one)(request)))
          const options = { endpoint: server.url, region, credentials, maxAttempts: 1 }
          const failing = Effect.gen(function* () {
            const { checkpoint, loadState } = yield* CheckpointStore.CheckpointStore
            const { get, succeedCallback } = yield* DurableClient.DurableClient
            const execution = { DurableExecutionArn: "arn", CheckpointToken: checkpointToken }
            return yield* Effect.all([
              Effect.exit(checkpoint({ ...execution, Updates: [], ClientToken: "c" })),
              Effect.exit(loadState({ ...execution, Marker: "m", MaxItems: 1 })),
              Effect.exit(get("arn")),
              Effect.exit(succeedCallback(callbackId, "1"))
            ])
          }).pipe(Effect.provide(Layer.merge(LambdaCheckpoints.layerWith(options), LambdaClient.layerWith(options))))
          yield* Effect.promise(() =>
            fc.assert(
              fc.asyncProperty(echo, async (next) => {
                one = next
                const exits = await Effect.runPromise(failing)
                if (next.status !== 200) assert.isTrue(exits.every(({ _tag }) => _tag === "Failure"))
                assertQuiet(exits.map(printed).join("\n"), server.requests.slice(-4))
              }),
              { seed, numRuns: 150 }
            )
          )
        })
      )
    ))

  it("when there is no answer, or none can be asked for", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(() => "reset")
          const store = (options: LambdaCheckpoints.ConnectionOptions) =>
            CheckpointStore.CheckpointStore.pipe(
              Effect.flatMap(({ loadState }) =>
                loadState({ DurableExecutionArn: "arn", CheckpointToken: checkpointToken, Marker: "m", MaxItems: 1 })
              ),
              Effect.provide(LambdaCheckpoints.layerWith({ region, credentials, maxAttempts: 1, ...options })),
              Effect.exit
            )
          const exits = [
            yield* store({ endpoint: server.url }),
            yield* store({ endpoint: "http://127.0.0.1:1" }),
            yield* store({ endpoint: `http://${credentials.sessionToken}` }),
            // Node refuses a header with such a token.
            yield* store({
              endpoint: server.url,
              credentials: { ...credentials, sessionToken: `${credentials.sessionToken}\n` }
            }),
            yield* store({
              endpoint: server.url,
              credentials: { ...credentials, secretAccessKey: `${credentials.secretAccessKey}\0é` }
            })
          ]
          assert.isTrue(exits.every(({ _tag }) => _tag === "Failure"))
          assertQuiet(exits.map(printed).join("\n"), server.requests)
        })
      )
    ))
})

describe("No line of a handler's log holds a secret", () => {
  const Work = DurableFunction.make("work")
  const work = Work.implement(() =>
    DurableClient.DurableClient.pipe(
      Effect.flatMap(({ get }) => get("arn")),
      Effect.tapCause((cause) => Effect.logError("There is no execution", cause)),
      Effect.ignore,
      Effect.andThen(Durable.step("a", Effect.void))
    )
  )

  for (const status of [400, 403, 500]) {
    it.live(`when its checkpoints are answered with ${status}`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const secrets = { ...credentials, sessionToken: "session/token+of-the-sandbox" }
          const server = yield* environment(
            (request) => ({
              status,
              body: {
                message: `${String(request.headers["authorization"])} ${secrets.sessionToken} ${secrets.secretAccessKey} ${request.body.includes(firstToken) ? firstToken : ""}`
              }
            }),
            {
              AWS_ACCESS_KEY_ID: secrets.accessKeyId,
              AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
              AWS_SESSION_TOKEN: secrets.sessionToken,
              AWS_LAMBDA_LOG_LEVEL: "TRACE",
              AWS_MAX_ATTEMPTS: "1"
            }
          )
          const written: Array<string> = []
          const spies = (["stdout", "stderr"] as const).map((stream) =>
            vi.spyOn(process[stream], "write").mockImplementation((text) => written.push(String(text)) > 0)
          )
          yield* Effect.addFinalizer(() => Effect.sync(() => spies.forEach((spy) => spy.mockRestore())))
          const handler = LambdaHandler.make(work, { layer: LambdaClient.layer })
          const ended = yield* Effect.promise(() => handler(eventOf(), contextOf()).then(printed, printed))
          assert.include(written.join(""), "There is no execution")
          const text = [ended, ...written].join("\n")
          assertQuiet(text, server.requests)
          assert.notInclude(text, secrets.sessionToken)
          assert.notInclude(text, firstToken)
        })
      )
    )
  }
})
