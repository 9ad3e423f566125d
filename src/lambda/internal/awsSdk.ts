/**
 * The Lambda API through AWS's own client. The client is loaded at its first use and shared. Only its shape is declared
 * here, so that users do not need the types of a package that is an optional peer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import { kindOf } from "../../internal/found.ts"
import { version } from "../../internal/version.ts"
import type { ApiOperationName } from "../../wire/Routes.ts"
import { Connection, type Patience } from "./connection.ts"
import { describeFailure, type Failure } from "./failure.ts"

/**
 * The part of a Lambda client that is used here: a `LambdaClient` of `@aws-sdk/client-lambda`.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwsClient {
  // This is a method, because the parameter of the real client is narrower: it accepts only commands.
  send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>
}

interface MadeClient extends AwsClient {
  destroy(): void
}

/** Time-outs in milliseconds. The requests of a running invocation have to fail while there is time left to repeat them. */
const timeouts: Readonly<Record<Patience, object>> = {
  request: { connectionTimeout: 5_000, socketTimeout: 50_000, requestTimeout: 55_000, throwOnRequestTimeout: true },
  execution: { connectionTimeout: 5_000, socketTimeout: 0, requestTimeout: 0 }
}

/** A connection over clients created here, which the environment configures as it does every AWS client. */
export const layer: Layer.Layer<Connection> = /* @__PURE__ */ Layer.effect(
  Connection,
  Effect.gen(function* () {
    const clients = new Map<Patience, MadeClient>()
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const client of clients.values()) client.destroy()
        clients.clear()
      })
    )
    return over((aws, patience) => {
      let client = clients.get(patience)
      if (client === undefined) {
        client = new aws.LambdaClient({
          customUserAgent: [["effect-durable", version]],
          requestHandler: timeouts[patience]
        })
        clients.set(patience, client)
      }
      return client
    })
  })
)

/** A connection over a client that the caller configured and closes. */
export const layerOf = (client: AwsClient): Layer.Layer<Connection> => {
  if (hasProperty(client, "send"))
    return Layer.succeed(
      Connection,
      over(() => client)
    )
  throw new TypeError(
    `Expected layerAwsSdkWith({ client }), found ${kindOf(client)} as the client. Pass a LambdaClient of @aws-sdk/client-lambda.`
  )
}

const over = (clientOf: (aws: Aws, patience: Patience) => AwsClient): Connection["Service"] => ({
  call: ({ input, operation, patience = "request", secrets = [] }) =>
    Effect.flatMap(loadAws, (aws) =>
      Effect.tryPromise({
        try: (abortSignal) => clientOf(aws, patience).send(new (aws.command(operation))(input), { abortSignal }),
        catch: (error) => describeFailure(error, secrets)
      })
    )
})

// --- The package of the AWS client -----------------------------------------------------------------------------------

interface Aws {
  readonly LambdaClient: new (configuration: object) => MadeClient
  readonly command: (operation: ApiOperationName) => new (input: object) => object
}

/** Loads the package. The module system caches the module; a package that is missing today may be installed later. */
const loadAws: Effect.Effect<Aws, Failure> = Effect.map(
  Effect.tryPromise({
    try: (): Promise<object> =>
      // Bundlers treat an import with a rejection handler as optional, and so do not require a package that is not used.
      // oxlint-disable-next-line no-restricted-imports -- this is the backend that may import it, and the one place
      import("@aws-sdk/client-lambda").catch((error: unknown) => Promise.reject(asError(error))),
    catch: (error) => ({ message: notLoaded(asError(error).message) })
  }),
  (module): Aws => ({
    get LambdaClient() {
      return memberOf(module, "LambdaClient", isClientClass)
    },
    command: (operation) => memberOf(module, `${operation}Command`, isCommandClass)
  })
)

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

const notLoaded = (reason: string): string =>
  "The package @aws-sdk/client-lambda could not be loaded. " +
  (reason.startsWith("Dynamic require of")
    ? "Its CommonJS half was bundled into an ES module. Bundle with --main-fields=module,main, or leave the package out " +
      "with --external:@aws-sdk/client-lambda. "
    : "Install it beside effect-durable, or leave it to the Node runtime of Lambda, which has it. ") +
  reason

const memberOf = <A>(module: object, name: string, is: (value: unknown) => value is A): A => {
  const member: unknown = Reflect.get(module, name)
  if (is(member)) return member
  throw new Error(
    `The package @aws-sdk/client-lambda that is installed has no ${name}: it is older than durable functions. Install version 3.1100.0 or later.`
  )
}

const isClientClass = (value: unknown): value is Aws["LambdaClient"] => typeof value === "function"

const isCommandClass = (value: unknown): value is ReturnType<Aws["command"]> => typeof value === "function"
