/** Whose name our own client signs in. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "effect-durable"
import { LambdaCheckpoints } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import {
  credentialSource,
  type CredentialProvider,
  type Credentials
} from "../../../src/lambda/internal/own/credentials.ts"
import { environment, variables } from "../environment.ts"
import { loopback, refusal, region, type Received } from "../loopback.ts"

const root = join(import.meta.dirname, "../../..")
const page = { DurableExecutionArn: "arn", CheckpointToken: "dG9rZW4=", Marker: "m", MaxItems: 1 }
const empty = { body: { Operations: [] } }

const loadState = Effect.flatMap(CheckpointStore.CheckpointStore, (store) => store.loadState(page))

const keyOf = (id: number, expiration?: Date): Credentials => ({
  accessKeyId: `AKID${id}`,
  secretAccessKey: "secret",
  ...(expiration === undefined ? undefined : { expiration })
})

const minutes = (count: number): Date => new Date(Date.now() + count * 60_000)

describe("Credentials of the environment", () => {
  it.live("are read anew each time, so that a host may change them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const source = credentialSource(undefined)
        yield* variables({ AWS_ACCESS_KEY_ID: "one", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "" })
        assert.deepStrictEqual(source.find(), { accessKeyId: "one", secretAccessKey: "s" })
        yield* variables({ AWS_ACCESS_KEY_ID: "two", AWS_SESSION_TOKEN: "t" })
        assert.deepStrictEqual(source.find(), { accessKeyId: "two", secretAccessKey: "s", sessionToken: "t" })
      })
    )
  )

  it.live("do not count where others were handed over", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* environment(() => empty)
        yield* Effect.provide(loadState, LambdaCheckpoints.layerWith({ credentials: keyOf(7) }))
        yield* Effect.provide(loadState, LambdaCheckpoints.layerWith({ credentials: async () => keyOf(8) }))
        assert.deepStrictEqual(
          server.requests.map(({ headers }) => /Credential=(\w+)/.exec(String(headers["authorization"]))?.[1]),
          ["AKID7", "AKID8"]
        )
      })
    )
  )
})

describe("A function that finds credentials", () => {
  it("is asked once by requests that come at the same time, and not again while they hold", async () => {
    let asked = 0
    const source = credentialSource(async () => keyOf(++asked, minutes(60)))
    assert.deepStrictEqual(
      (await Promise.all([source.find(), source.find(), source.find()])).map(({ accessKeyId }) => accessKeyId),
      ["AKID1", "AKID1", "AKID1"]
    )
    assert.strictEqual((await source.find()).accessKeyId, "AKID1")
    assert.strictEqual(asked, 1)
  })

  it("is asked again in time before they expire", async () => {
    let asked = 0
    const source = credentialSource(async () => keyOf(++asked, minutes(asked === 1 ? 4 : 6)))
    await source.find()
    assert.strictEqual((await source.find()).accessKeyId, "AKID2")
    assert.strictEqual((await source.find()).accessKeyId, "AKID2")
  })

  it("is asked again when it has failed", async () => {
    let asked = 0
    const source = credentialSource(async () => {
      if (++asked === 1) throw new Error("no network yet")
      return keyOf(asked)
    })
    const reason = await Promise.resolve(source.find()).then(String, String)
    assert.include(reason, "no network yet")
    assert.strictEqual((await source.find()).accessKeyId, "AKID2")
  })

  it("is asked again when it has thrown before it returned a promise", async () => {
    let asked = 0
    const source = credentialSource(() => {
      if (++asked === 1) throw new Error("no file yet")
      return Promise.resolve(keyOf(asked))
    })
    const reason = await Promise.resolve(source.find()).then(String, String)
    assert.include(reason, "no file yet")
    assert.strictEqual((await source.find()).accessKeyId, "AKID2")
  })

  it("is asked for fresh ones, once, however many requests learn late that the last ones have expired", async () => {
    const asked: Array<unknown> = []
    const source = credentialSource(async (options?: { readonly forceRefresh: true }) => keyOf(asked.push(options)))
    const first = await source.find()
    source.refuse(first)
    const second = await source.find()
    source.refuse(first)
    assert.strictEqual(await source.find(), second)
    assert.deepStrictEqual(asked, [undefined, { forceRefresh: true }])
  })

  it.live("is asked again when the service says that they have expired", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let asked = 0
        const server = yield* loopback((_, count) =>
          count === 1
            ? { status: 403, headers: { "x-amzn-errortype": "ExpiredTokenException" }, body: { message: "expired" } }
            : empty
        )
        const layer = LambdaCheckpoints.layerWith({
          endpoint: server.url,
          region,
          credentials: async () => keyOf(++asked)
        })
        yield* Effect.gen(function* () {
          const expired = yield* Effect.flip(loadState)
          assert.strictEqual(expired._tag, "StoreUnavailable")
          yield* loadState
          yield* loadState
        }).pipe(Effect.provide(layer))
        assert.strictEqual(asked, 2)
      })
    )
  )

  it.live("fails the call when it fails, as something that may pass", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(() => refusal("ServiceException", "never"))
        const credentials = () => Promise.reject(new Error("Could not load credentials from any providers"))
        const error = yield* Effect.flip(
          Effect.provide(loadState, LambdaCheckpoints.layerWith({ endpoint: server.url, region, credentials }))
        )
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(error.message, "Could not load credentials")
        assert.lengthOf(server.requests, 0)
      })
    )
  )
})

/** Values of code without types. */
const [nothing, unset] = [cast<null, never>(null), cast<undefined, never>(undefined)]

describe("Incomplete credentials", () => {
  // What code without types passes, and `process.env.KEY!` where the variable is not set.
  for (const [what, credentials] of Object.entries<Credentials | CredentialProvider>({
    "without an id": { accessKeyId: unset, secretAccessKey: "the-secret" },
    "without a secret": { accessKeyId: "AKID", secretAccessKey: nothing },
    "with empty keys": { accessKeyId: "", secretAccessKey: "" },
    "that are none": nothing,
    "that a function finds": async () => ({ accessKeyId: "AKID", secretAccessKey: nothing }),
    "that a function does not find": async () => unset
  })) {
    it.live(`${what} sign nothing, and may be complete later`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(() => refusal("InvalidParameterValueException", "never"))
          const error = yield* Effect.flip(
            Effect.provide(loadState, LambdaCheckpoints.layerWith({ endpoint: server.url, region, credentials }))
          )
          assert.strictEqual(error._tag, "StoreUnavailable")
          assert.include(error.message, "Expected credentials with an accessKeyId and a secretAccessKey")
          assert.notInclude(error.message, "the-secret")
          assert.lengthOf(server.requests, 0)
        })
      )
    )
  }
})

describe("Credentials without a session token", () => {
  for (const sessionToken of ["", nothing, unset]) {
    it.live(`send none: ${JSON.stringify(sessionToken)}`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback((_, count) =>
            count % 2 === 1 ? refusal("InvalidParameterValueException", "no") : empty
          )
          const credentials = { accessKeyId: "AKID1", secretAccessKey: "secret", sessionToken }
          for (const layer of [
            LambdaCheckpoints.layerWith({ endpoint: server.url, region, credentials }),
            LambdaCheckpoints.layerAwsSdkWith({ client: server.client({ credentials }) })
          ]) {
            yield* Effect.andThen(Effect.flip(loadState), loadState).pipe(Effect.provide(layer))
          }
          assert.lengthOf(server.requests, 4)
          for (const { headers } of server.requests) assert.notProperty(headers, "x-amz-security-token")
        })
      )
    )
  }
})

/** What no other variable of the machine that runs the tests may change. */
const without = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined
}

describe("Without credentials in the environment", () => {
  it.live("those of a container are found by AWS's package", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const container = yield* loopback(() => ({
          headers: { "content-type": "application/json" },
          body: {
            AccessKeyId: "AKIDCONTAINER",
            SecretAccessKey: "secret",
            Token: "the-token-of-the-container",
            Expiration: minutes(60).toISOString()
          }
        }))
        const server = yield* environment(() => empty, {
          ...without,
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/role`,
          AWS_CONTAINER_AUTHORIZATION_TOKEN: "the-right-to-ask"
        })
        yield* Effect.provide(Effect.andThen(loadState, loadState), LambdaCheckpoints.layer)
        assert.deepStrictEqual(
          container.requests.map(({ headers, target }) => [target, headers["authorization"]]),
          [["/role", "the-right-to-ask"]]
        )
        for (const { headers } of server.requests) {
          assert.include(String(headers["authorization"]), "Credential=AKIDCONTAINER/")
          assert.strictEqual(headers["x-amz-security-token"], "the-token-of-the-container")
        }
      })
    )
  )

  it.live("those of a container are fetched anew when the service says that they have expired", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const container = yield* loopback((_, count) => ({
          headers: { "content-type": "application/json" },
          body: {
            AccessKeyId: `AKIDROTATED${count}`,
            SecretAccessKey: "secret",
            Token: "the-token-of-the-container",
            Expiration: minutes(60).toISOString()
          }
        }))
        const keyIn = ({ headers }: Received) => /Credential=(\w+)/.exec(String(headers["authorization"]))?.[1]
        let expired: string | undefined
        const server = yield* environment(
          (request) => {
            expired ??= keyIn(request)
            return keyIn(request) === expired
              ? { status: 403, headers: { "x-amzn-errortype": "ExpiredTokenException" }, body: { message: "expired" } }
              : empty
          },
          { ...without, AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/role` }
        )
        yield* Effect.gen(function* () {
          yield* Effect.all(
            Array.from({ length: 5 }, () => Effect.flip(loadState)),
            { concurrency: "unbounded" }
          )
          const before = container.requests.length
          yield* Effect.all(
            Array.from({ length: 5 }, () => loadState),
            { concurrency: "unbounded" }
          )
          yield* loadState
          assert.lengthOf(container.requests, before + 1)
        }).pipe(Effect.provide(LambdaCheckpoints.layer))
        assert.lengthOf(new Set(server.requests.slice(5).map(keyIn)), 1)
      })
    )
  )

  it("a missing package is told with advice", () => {
    const hooks = `
      import { registerHooks } from "node:module"
      registerHooks({
        resolve: (specifier, context, next) => {
          if (specifier.startsWith("@aws-sdk/")) throw new Error("There is no " + specifier)
          return next(specifier, context)
        }
      })`
    const code = `
      import { CheckpointStore } from "effect-durable"
      import { LambdaCheckpoints } from "effect-durable/lambda"
      import * as Effect from "effect/Effect"
      const loadState = Effect.flatMap(CheckpointStore.CheckpointStore, (store) => store.loadState(${JSON.stringify(page)}))
      const error = await Effect.runPromise(Effect.provide(Effect.flip(loadState), LambdaCheckpoints.layer))
      console.log(error._tag, error.message)`
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
      { cwd: root, encoding: "utf8", env: { PATH: process.env["PATH"], AWS_REGION: "eu-west-1" } }
    )
    assert.strictEqual(stderr, "")
    assert.match(stdout, /^StoreUnavailable CredentialsMissing: Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/)
    assert.include(stdout, "Set the two, install the package, or pass credentials with layerWith.")
    assert.include(stdout, "There is no @aws-sdk/credential-providers")
  })
})
