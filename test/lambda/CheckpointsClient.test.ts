import type * as AwsSdk from "@aws-sdk/client-lambda"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { CheckpointStore, DurableClient } from "effect-durable"
import { LambdaCheckpoints, LambdaClient } from "effect-durable/lambda"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { vi } from "vitest"
import manifest from "../../package.json" with { type: "json" }
import { version } from "../../src/internal/version.ts"
import { environment } from "./environment.ts"
import { loopback } from "./loopback.ts"

const root = join(import.meta.dirname, "../..")

/** The configurations of the clients that were made, and how many of them were closed. */
const made: Array<object> = []
let closed = 0

vi.mock("@aws-sdk/client-lambda", async (original) => {
  const sdk = await original<typeof AwsSdk>()
  return {
    ...sdk,
    LambdaClient: class extends sdk.LambdaClient {
      constructor(configuration: AwsSdk.LambdaClientConfig) {
        super(configuration)
        made.push(configuration)
      }
      override destroy(): void {
        closed++
        super.destroy()
      }
    }
  }
})

beforeEach(() => {
  made.length = 0
  closed = 0
})

const page = { DurableExecutionArn: "arn", CheckpointToken: "dG9rZW4=", Marker: "m", MaxItems: 1 }

describe("The client that the layers make", () => {
  it.live("is configured by the environment, says who calls, and gives up in time", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* environment(() => ({ body: { Operations: [] } }))
        yield* Effect.flatMap(CheckpointStore.CheckpointStore, (store) =>
          Effect.all([store.loadState(page), store.loadState(page)], { concurrency: 2 })
        ).pipe(Effect.provide(LambdaCheckpoints.layerAwsSdk))
        const headers = server.requests[0]?.headers ?? {}
        assert.include(String(headers["user-agent"]), ` effect-durable/${version}`)
        assert.include(String(headers["authorization"]), "Credential=AKIDENVIRONMENT/")
        assert.include(String(headers["authorization"]), "/eu-north-1/lambda/aws4_request")
        assert.strictEqual(headers["amz-sdk-request"], "attempt=1; max=3")
        assert.deepStrictEqual(made, [
          {
            customUserAgent: [["effect-durable", version]],
            requestHandler: {
              connectionTimeout: 5_000,
              socketTimeout: 50_000,
              requestTimeout: 55_000,
              throwOnRequestTimeout: true
            }
          }
        ])
        assert.strictEqual(closed, 1)
      })
    )
  )

  it.live("is made when it is needed first, and is one for both layers", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* environment(() => ({ body: { Operations: [], DurableExecutions: [] } }))
        yield* Effect.gen(function* () {
          const store = yield* CheckpointStore.CheckpointStore
          const client = yield* DurableClient.DurableClient
          assert.lengthOf(made, 0)
          yield* store.loadState(page)
          yield* client.list("f")
          assert.lengthOf(made, 1)
        }).pipe(Effect.provide(Layer.mergeAll(LambdaCheckpoints.layerAwsSdk, LambdaClient.layerAwsSdk)))
        assert.strictEqual(closed, 1)
      })
    )
  )

  it.live("waits for the end of an execution as long as it takes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* environment(() => ({ headers: { "x-amz-durable-execution-arn": "arn" }, body: "1" }))
        yield* Effect.flatMap(DurableClient.DurableClient, (client) =>
          client.start({ functionName: "f:1", type: "RequestResponse" })
        ).pipe(Effect.provide(LambdaClient.layerAwsSdk))
        assert.deepStrictEqual(made, [
          {
            customUserAgent: [["effect-durable", version]],
            requestHandler: { connectionTimeout: 5_000, socketTimeout: 0, requestTimeout: 0 }
          }
        ])
      })
    )
  )

  it.live("fails with a reason when nobody listens, or there are no credentials", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* Effect.scoped(loopback(() => ({})))
        const failing = (client: AwsSdk.LambdaClient) =>
          Effect.flip(
            Effect.flatMap(CheckpointStore.CheckpointStore, (store) => store.loadState(page)).pipe(
              Effect.provide(LambdaCheckpoints.layerAwsSdkWith({ client }))
            )
          )
        const refused = yield* failing(server.client())
        assert.strictEqual(refused._tag, "StoreUnavailable")
        assert.include(refused.message, "ECONNREFUSED")
        const anonymous = yield* failing(
          server.client({
            credentials: () => Promise.reject(new Error("Could not load credentials from any providers"))
          })
        )
        assert.strictEqual(anonymous._tag, "StoreUnavailable")
        assert.include(anonymous.message, "Could not load credentials")
        assert.strictEqual(closed, 0)
      })
    )
  )
})

/** Runs a module in a Node of its own, in which the AWS client is something else. */
const inNode = (sdk: string | undefined, code: string): string => {
  const hooks = `
    import { registerHooks } from "node:module"
    registerHooks({
      resolve: (specifier, context, next) => {
        if (specifier !== "@aws-sdk/client-lambda") return next(specifier, context)
        console.log("loaded")
        ${sdk === undefined ? "return next('effect-durable-has-no-such-package', context)" : `return { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(sdk)}`)}, shortCircuit: true }`}
      }
    })`
  const { stderr, stdout } = spawnSync(
    process.execPath,
    [
      "--conditions=effect-durable-source",
      "--import",
      `data:text/javascript,${encodeURIComponent(hooks)}`,
      "--input-type=module",
      "--eval",
      code
    ],
    { cwd: root, encoding: "utf8" }
  )
  return stdout + stderr
}

const use = `
  import { CheckpointStore } from "effect-durable"
  import { LambdaCheckpoints } from "effect-durable/lambda"
  import * as Effect from "effect/Effect"
  const program = Effect.flatMap(CheckpointStore.CheckpointStore, (store) => {
    console.log("built")
    return Effect.flip(store.loadState(${JSON.stringify(page)}))
  })
  const error = await Effect.runPromise(Effect.provide(program, LambdaCheckpoints.layerAwsSdk))
  console.log(error._tag, error.message)`

describe("The package of the AWS client", () => {
  it("is loaded at the first call, and missed with advice", () => {
    const [built, loaded, error] = inNode(undefined, use).split("\n")
    assert.strictEqual(built, "built")
    assert.strictEqual(loaded, "loaded")
    assert.match(error ?? "", /^StoreUnavailable The package @aws-sdk\/client-lambda could not be loaded\. Install it/)
  })

  it("is refused with advice when it is too old", () => {
    const output = inNode("export class LambdaClient { destroy() {} }", use)
    assert.match(
      output,
      /StoreUnavailable .*has no GetDurableExecutionStateCommand.*Install version 3\.1100\.0 or later/
    )
  })

  it("is in no declaration that we ship, so that nobody needs it to compile", () => {
    const outDir = join(root, "node_modules/.cache/effect-durable-declarations")
    spawnSync(
      join(root, "node_modules/.bin/tsc"),
      ["-p", "tsconfig.build.json", "--emitDeclarationOnly", "--declarationMap", "false", "--outDir", outDir],
      { cwd: root }
    )
    const files = globSync("**/*.d.ts", { cwd: outDir })
    assert.include(files, "lambda/LambdaCheckpoints.d.ts")
    const code = (file: string): string => readFileSync(join(outDir, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "")
    assert.deepStrictEqual(
      files.filter((file) => code(file).includes("@aws-sdk")),
      []
    )
  })

  it("is told the version of ours", () => {
    assert.strictEqual(version, manifest.version)
  })
})

describe("Two configurations in one program", () => {
  /** A client that has a name, and notes it at every call. */
  const named = (calls: Array<string>, name: string) => ({
    send: () => {
      calls.push(name)
      return Promise.resolve({ Operations: [], DurableExecutions: [] })
    }
  })

  /** The services of two layers that share what they have in common. */
  const together = <A>(layers: readonly [Layer.Layer<A>, Layer.Layer<A>]) =>
    Effect.gen(function* () {
      const memoMap = yield* Layer.makeMemoMap
      const scope = yield* Effect.scope
      return yield* Effect.forEach(layers, (layer) => Layer.buildWithMemoMap(layer, memoMap, scope))
    })

  it.effect("are two stores", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const { layerAwsSdkWith } = LambdaCheckpoints
      const contexts = yield* together([
        layerAwsSdkWith({ client: named(calls, "here") }),
        layerAwsSdkWith({ client: named(calls, "there") })
      ])
      for (const context of contexts) yield* Context.get(context, CheckpointStore.CheckpointStore).loadState(page)
      assert.deepStrictEqual(calls, ["here", "there"])
    })
  )

  it.effect("are two clients", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const { layerAwsSdkWith } = LambdaClient
      const contexts = yield* together([
        layerAwsSdkWith({ client: named(calls, "here") }),
        layerAwsSdkWith({ client: named(calls, "there") })
      ])
      for (const context of contexts) yield* Context.get(context, DurableClient.DurableClient).list("greeter")
      assert.deepStrictEqual(calls, ["here", "there"])
    })
  )
})
