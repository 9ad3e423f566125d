/** How our own client finds the service, keeps to its time-outs and shares its connections. */
import { LambdaClient as AwsClient } from "@aws-sdk/client-lambda"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, DurableClient } from "effect-durable"
import { LambdaCheckpoints, LambdaClient } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Agent, type ClientRequestArgs } from "node:http"
import { Socket, createConnection } from "node:net"
import process from "node:process"
import type { Duplex } from "node:stream"
import { version } from "../../../src/internal/version.ts"
import { Connection, type Patience } from "../../../src/lambda/internal/connection.ts"
import { endpointOf } from "../../../src/lambda/internal/own/endpoint.ts"
import type { Limits } from "../../../src/lambda/internal/own/exchange.ts"
import { layerOf } from "../../../src/lambda/internal/own/connection.ts"
import * as Requests from "../../../src/wire/Requests.ts"
import { environment, variables } from "../environment.ts"
import { accessKey, loopback, region, type Loopback } from "../loopback.ts"
import { transports } from "../transports.ts"

const page = { DurableExecutionArn: "arn", CheckpointToken: "dG9rZW4tb2YtdGhl", Marker: "m", MaxItems: 1 }
const empty = { body: { Operations: [], DurableExecutions: [] } }

const loadState = Effect.flatMap(CheckpointStore.CheckpointStore, (store) => store.loadState(page))
const list = Effect.flatMap(DurableClient.DurableClient, (client) => client.list("f"))

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    holds()
      ? Effect.void
      : Effect.andThen(
          Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
          until(holds)
        )
  )

describe("Our own client", () => {
  it.live("is configured by the environment, says who calls, and shares one connection", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* environment(() => empty, { AWS_SESSION_TOKEN: "the-session-token" })
        yield* Effect.andThen(Effect.andThen(loadState, loadState), Effect.andThen(list, list)).pipe(
          Effect.provide(Layer.mergeAll(LambdaCheckpoints.layer, LambdaClient.layer))
        )
        assert.lengthOf(server.requests, 4)
        for (const { headers } of server.requests) {
          assert.match(
            String(headers["user-agent"]),
            new RegExp(`^effect-durable/${version} .*nodejs#${process.versions.node}$`)
          )
          assert.match(
            String(headers["authorization"]),
            /^AWS4-HMAC-SHA256 Credential=AKIDENVIRONMENT\/\d{8}\/eu-north-1\/lambda\/aws4_request, SignedHeaders=[a-z0-9;-]*;x-amz-security-token, Signature=[a-f0-9]{64}$/
          )
          assert.strictEqual(headers["x-amz-security-token"], "the-session-token")
          assert.strictEqual(headers["amz-sdk-request"], "attempt=1; max=3")
        }
        assert.strictEqual(server.connections().made, 1)
        // Both layers are closed now.
        yield* until(() => server.connections().open === 0)
      })
    )
  )

  it.live("tries as often as the environment says", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* environment(() => "reset", { AWS_MAX_ATTEMPTS: "2" })
        yield* Effect.flip(Effect.provide(loadState, LambdaCheckpoints.layer))
        assert.deepStrictEqual(
          server.requests.map(({ headers }) => headers["amz-sdk-request"]),
          ["attempt=1; max=2", "attempt=2; max=2"]
        )
      })
    )
  )

  it.live("fails calls, and not the layer, where the configuration is wrong", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* variables({ AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined })
        const wrong = (options: LambdaCheckpoints.ConnectionOptions) =>
          Effect.flip(Effect.provide(loadState, LambdaCheckpoints.layerWith({ credentials: accessKey, ...options })))
        const nowhere = yield* wrong({})
        assert.strictEqual(nowhere._tag, "StoreUnavailable")
        assert.include(nowhere.message, "Expected a region of AWS, such as eu-west-1")
        assert.include(nowhere.message, "found none")
        const strange = yield* wrong({ region: "eu-west-1.example.com/" })
        assert.include(strange.message, 'found "eu-west-1.example.com/"')
        const address = yield* wrong({ region, endpoint: "localhost:4566" })
        assert.include(address.message, 'found "localhost:4566"')
      })
    )
  )

  it.live("fails with a reason when nobody listens", () =>
    Effect.gen(function* () {
      const { url: endpoint } = yield* Effect.scoped(loopback(() => ({})))
      const refused = yield* Effect.flip(
        Effect.provide(
          loadState,
          LambdaCheckpoints.layerWith({ endpoint, region, credentials: accessKey, maxAttempts: 1 })
        )
      )
      assert.strictEqual(refused._tag, "StoreUnavailable")
      assert.include(refused.message, "ECONNREFUSED")
    })
  )

  it.live("does not send what would be a request of another kind", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* environment(() => empty)
        for (const name of ["", ".", ".."]) {
          const error = yield* DurableClient.DurableClient.pipe(
            Effect.flatMap((client) => client.get(name)),
            Effect.flip,
            Effect.provide(LambdaClient.layer)
          )
          assert.include(error.message, `found ${JSON.stringify(name)}`)
        }
        assert.lengthOf(server.requests, 0)
      })
    )
  )
})

describe("An endpoint", () => {
  const cases = [
    "us-east-1",
    "mx-central-1",
    "us-gov-west-1",
    "cn-north-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "us-isof-south-1",
    "eu-isoe-west-1",
    "xx-future-1"
  ].flatMap((name) => [false, true].flatMap((fips) => [false, true].map((dual) => ({ name, fips, dual }))))
  for (const { dual, fips, name } of cases) {
    it.live(`of ${name}${fips ? ", FIPS" : ""}${dual ? ", both stacks" : ""} is that of AWS's client`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* variables({
            AWS_REGION: name,
            AWS_ENDPOINT_URL: undefined,
            AWS_ENDPOINT_URL_LAMBDA: undefined,
            AWS_USE_FIPS_ENDPOINT: String(fips),
            AWS_USE_DUALSTACK_ENDPOINT: String(dual)
          })
          const client = new AwsClient({})
          const { url } = client.config.endpointProvider({ Region: name, UseFIPS: fips, UseDualStack: dual })
          client.destroy()
          const { host, hostname, port, prefix, secure } = endpointOf({})
          assert.deepStrictEqual(
            { host, hostname, port, prefix, secure },
            { host: url.host, hostname: url.hostname, port: 443, prefix: "", secure: true }
          )
        })
      )
    )
  }

  it.live("may be named by the environment, for Lambda or for all, and by an option, which comes first", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* variables({ AWS_ENDPOINT_URL: "http://all:1", AWS_ENDPOINT_URL_LAMBDA: undefined, AWS_REGION: region })
        assert.strictEqual(endpointOf({}).host, "all:1")
        yield* variables({ AWS_ENDPOINT_URL_LAMBDA: "http://lambda:2" })
        assert.strictEqual(endpointOf({}).host, "lambda:2")
        assert.strictEqual(endpointOf({ endpoint: "http://option:3" }).host, "option:3")
        yield* variables({ AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" })
        assert.strictEqual(endpointOf({}).host, "lambda.eu-west-1.amazonaws.com")
      })
    )
  )

  it("has parts that Node understands", () => {
    const partsOf = (endpoint: string) => endpointOf({ region, endpoint })
    assert.deepInclude(partsOf("http://[::1]:8080"), { hostname: "::1", host: "[::1]:8080", port: 8080, secure: false })
    assert.deepInclude(partsOf("https://example.com/stage//one/"), {
      host: "example.com",
      port: 443,
      prefix: "/stage/one"
    })
    assert.deepInclude(partsOf("http://example.com/"), { port: 80, prefix: "" })
  })

  for (const transport of transports) {
    it.live(`may have a path, ${transport.name}`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(() => empty)
          const below: Loopback = {
            ...server,
            url: `${server.url}/stage`,
            client: (configuration) => server.client({ ...configuration, endpoint: `${server.url}/stage` })
          }
          yield* Effect.provide(loadState, transport.checkpoints(below))
          assert.match(server.requests[0]?.target ?? "", /^\/stage\/2025-12-01\/durable-executions\/arn\/state\?/)
        })
      )
    )
  }
})

/** An agent that leads everywhere else, as one for a proxy does. */
class Detour extends Agent {
  readonly wanted: Array<string> = []
  readonly #port: number

  constructor(url: string) {
    super({ keepAlive: true })
    this.#port = Number(new URL(url).port)
  }

  override createConnection(options: ClientRequestArgs): Duplex {
    this.wanted.push(`${options.host}:${options.port}`)
    return createConnection(this.#port, "127.0.0.1")
  }
}

describe("An agent", () => {
  it.live("makes every connection, and is not closed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => empty)
        const agent = new Detour(server.url)
        const layer = LambdaCheckpoints.layerWith({
          agent,
          endpoint: "http://lambda.internal:8080",
          region,
          credentials: accessKey
        })
        yield* Effect.provide(Effect.andThen(loadState, loadState), layer)
        yield* Effect.provide(loadState, Layer.fresh(layer))
        assert.deepStrictEqual(agent.wanted, ["lambda.internal:8080"])
        assert.strictEqual(server.requests[0]?.headers["host"], "lambda.internal:8080")
        assert.deepStrictEqual(server.connections(), { made: 1, open: 1 })
        agent.destroy()
      })
    )
  )

  it("is one of Node's", () => {
    assert.throws(() => LambdaCheckpoints.layerWith({ agent: { destroy: () => {} } }), /Expected the option agent/)
  })
})

const call = (patience: Patience) =>
  Effect.flatMap(Connection, ({ call }) =>
    call({ operation: "GetDurableExecutionState", input: page, request: () => Requests.getState(page), patience })
  )

const none: Limits = { connect: 0, idle: 0, total: 0 }

const limited = (endpoint: string, limits: Partial<Limits>, agent?: Agent) =>
  layerOf(
    { endpoint, region, credentials: accessKey, maxAttempts: 2, ...(agent === undefined ? undefined : { agent }) },
    { request: { ...none, ...limits }, execution: none }
  )

/** Counts the connections that it makes: one for each request, as none of them is answered. */
class Counted extends Agent {
  made = 0

  override createConnection(...options: Parameters<Agent["createConnection"]>): ReturnType<Agent["createConnection"]> {
    this.made++
    return super.createConnection(...options)
  }
}

/** Never gets anywhere. */
class Nowhere extends Agent {
  override createConnection(): Duplex {
    return Object.defineProperty(new Socket(), "connecting", { value: true })
  }
}

describe("A time-out", () => {
  for (const [what, limits, message] of [
    ["an answer that does not come", { total: 20 }, "There was no answer within 20 ms."],
    ["a silent connection", { idle: 20 }, "The connection was silent for 20 ms."]
  ] as const) {
    it.live(`ends ${what}, and the request is repeated`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(() => "silence")
          const agent = new Counted()
          const failure = yield* Effect.flip(Effect.provide(call("request"), limited(server.url, limits, agent)))
          assert.deepStrictEqual(failure, { name: "TimeoutError", message })
          // On a busy machine a request is given up before the server knows of it.
          assert.strictEqual(agent.made, 2)
          yield* until(() => server.connections().open === 0)
          assert.deepStrictEqual(agent.sockets, {})
        })
      )
    )
  }

  it.live("ends a connection that does not come about", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        Effect.provide(call("request"), limited("http://127.0.0.1:1", { connect: 20 }, new Nowhere()))
      )
      assert.deepStrictEqual(failure, { name: "TimeoutError", message: "There was no connection within 20 ms." })
    })
  )

  it.live("lets an execution take its time", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback((_, count) => (count === 1 ? "silence" : empty))
        const both = Effect.gen(function* () {
          const patient = yield* Effect.forkChild(call("execution"))
          yield* until(() => server.requests.length === 1)
          assert.deepStrictEqual(yield* call("request"), empty.body)
          const hasEnded = patient.pollUnsafe() !== undefined
          yield* Fiber.interrupt(patient)
          return hasEnded
        })
        assert.isFalse(yield* Effect.provide(both, limited(server.url, { total: 60_000, idle: 60_000 })))
      })
    )
  )

  it.live("is not used up by requests that wait for the connections of executions, however many run", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback((_, count) => (count <= 50 ? "silence" : empty))
        const both = Effect.gen(function* () {
          const patient = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(call("execution")))
          yield* until(() => server.requests.length === 50)
          // Once nothing has come of it for a while, this fails.
          assert.deepStrictEqual(yield* call("request"), empty.body)
          yield* Fiber.interruptAll(patient)
        })
        yield* Effect.provide(both, limited(server.url, { total: 2_000 }))
        yield* until(() => server.connections().open === 0)
      })
    )
  )
})

describe("A call that is given up", () => {
  it.live("sends nothing more, when it waits to be repeated", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => ({ status: 503, headers: { "retry-after": "4" }, body: "" }))
        const fiber = yield* Effect.forkChild(Effect.provide(call("request"), limited(server.url, {})))
        yield* until(() => server.requests.length === 1 && server.connections().open === 1)
        yield* Fiber.interrupt(fiber)
        yield* until(() => server.connections().open === 0)
        assert.lengthOf(server.requests, 1)
      })
    )
  )

  it.live("sends nothing at all, when it waits for credentials", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => empty)
        let found: (() => void) | undefined
        const credentials = () =>
          new Promise<LambdaCheckpoints.Credentials>((resolve) => {
            found = () => resolve(accessKey)
          })
        const layer = LambdaCheckpoints.layerWith({ endpoint: server.url, region, credentials })
        const fiber = yield* Effect.forkChild(Effect.provide(loadState, layer))
        yield* until(() => found !== undefined)
        yield* Fiber.interrupt(fiber)
        found?.()
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        assert.lengthOf(server.requests, 0)
        assert.strictEqual(server.connections().made, 0)
      })
    )
  )
})

describe("The trace of an invocation goes along, so that Lambda finds functions that call each other for ever,", () => {
  for (const transport of transports) {
    it.live(transport.name, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(() => empty)
          const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:2b3c:4"
          yield* variables({ AWS_LAMBDA_FUNCTION_NAME: "shipping", _X_AMZN_TRACE_ID: trace })
          yield* Effect.provide(loadState, transport.checkpoints(server))
          yield* variables({ AWS_LAMBDA_FUNCTION_NAME: undefined })
          yield* Effect.provide(loadState, transport.checkpoints(server))
          assert.deepStrictEqual(
            server.requests.map(({ headers }) => headers["x-amzn-trace-id"]),
            [trace, undefined]
          )
        })
      )
    )
  }
})
