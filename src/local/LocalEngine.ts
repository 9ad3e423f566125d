/**
 * The durable part of Lambda on one machine, for development: AWS's API over HTTP, on a database of SQLite that survives
 * `kill -9`, with functions in processes of their own.
 *
 * AWS's own clients, its command line and handlers that are written with AWS's SDKs use it unchanged: they need no more than
 * `AWS_ENDPOINT_URL_LAMBDA` and any credentials. Needs `@effect/platform-node`, and Node 22.19 or later.
 *
 * Owns: what people give to an engine and get from it.
 * Does not own: any of its parts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { basename, extname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { CheckpointStore, storeError } from "../CheckpointStore.ts"
import { DurableClient } from "../DurableClient.ts"
import * as Service from "../engine/Service.ts"
import { makeClient } from "../hosting/client.ts"
import { parseFunctionAddress } from "../wire/Constraints.ts"
import { assemble, type Assembled } from "./Assembly.ts"
import type { Machine } from "./Machine.ts"
import { FunctionsError, lookInto, nodeCommand, processes, type Definition } from "./Processes.ts"
import type { StorageError } from "./Sqlite.ts"

export { FunctionsError } from "./Processes.ts"
export { StorageError } from "./Sqlite.ts"

// --- Functions -----------------------------------------------------------------------------------------------------------

/**
 * What a function may be told besides what it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface FunctionOptions {
  /** How long an execution may take: `"2 hours"`, or milliseconds. Default: 366 days. */
  readonly executionTimeout?: Duration.Input
  /** How long one invocation may take, before its process is killed. Default: 15 minutes, as long as Lambda gives. */
  readonly timeout?: Duration.Input
  /**
   * Calls that the process of the function takes at the same time. Default: 10 for handlers in Node, and 1 for a command,
   * whose runtime says how many it takes.
   */
  readonly concurrency?: number
  /** Variables of the environment, besides those that the engine itself has. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Options of a handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandlerOptions extends FunctionOptions {
  /** The name of the function. Default: that of the file, without what follows its first dot. */
  readonly name?: string
  /** The name of the export. Default: `handler`. */
  readonly export?: string
  /** Whether it is a durable function, or one that only answers. Default: `"durable"`. */
  readonly kind?: "durable" | "plain"
}

/**
 * Functions that an engine serves.
 *
 * @category models
 * @since 0.1.0
 */
export type FunctionSource =
  | { readonly _tag: "Module"; readonly file: string; readonly options: FunctionOptions }
  | { readonly _tag: "Handler"; readonly file: string; readonly options: HandlerOptions }
  | {
      readonly _tag: "Command"
      readonly name: string
      readonly command: readonly [string, ...ReadonlyArray<string>]
      readonly options: Omit<HandlerOptions, "name" | "export">
    }

/**
 * Everything that a module exports and that can be served: implementations of contracts under their names, and an export
 * `handler` under the name of the file.
 *
 * `file` is a path or a `file:` URL. The module is loaded by a process of its own, and a function's process starts with its
 * first call. The process begins anew when it has crashed and when the file has changed.
 *
 * @example
 * ```ts
 * import { LocalEngine } from "effect-durable/local"
 *
 * export const orders = LocalEngine.module("./src/orders.ts", { executionTimeout: "2 hours" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const module = (file: string | URL, options: FunctionOptions = {}): FunctionSource => ({
  _tag: "Module",
  file: pathOf(file),
  options
})

/**
 * A handler of Lambda: any function that takes an event and answers, made by `LambdaHandler`, by AWS's own SDK, or by hand.
 *
 * @example
 * ```ts
 * import { LocalEngine } from "effect-durable/local"
 *
 * export const thumbnails = LocalEngine.handler("./src/thumbnails.js", { kind: "plain", export: "main" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const handler = (file: string | URL, options: HandlerOptions = {}): FunctionSource => ({
  _tag: "Handler",
  file: pathOf(file),
  options
})

/**
 * A program in any language that has a runtime for Lambda: it asks the Runtime API at `AWS_LAMBDA_RUNTIME_API` for its calls.
 *
 * @example
 * ```ts
 * import { LocalEngine } from "effect-durable/local"
 *
 * export const resize = LocalEngine.command("resize", ["python3", "-m", "awslambdaric", "resize.handler"], { kind: "plain" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const command = (
  name: string,
  command: readonly [string, ...ReadonlyArray<string>],
  options: Omit<HandlerOptions, "name" | "export"> = {}
): FunctionSource => ({ _tag: "Command", name, command, options })

const pathOf = (file: string | URL): string =>
  file instanceof URL || file.startsWith("file:") ? fileURLToPath(file) : resolve(file)

// --- The engine ----------------------------------------------------------------------------------------------------------

/**
 * How an engine is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What to serve. A name that two of them have is refused. */
  readonly functions: ReadonlyArray<FunctionSource>
  /** The file of the database, or `":memory:"`. Default: `.durable/local.db`. */
  readonly database?: string
  /** How large the database may become, in bytes. Default: as large as the disk lets it. */
  readonly maxDatabaseBytes?: number
  /** The port of the API, from 1 to 65,535, or 0 for a free one. Default: 9177. */
  readonly port?: number
  /** Which of this machine's two names for itself to listen at. Default: `127.0.0.1`. */
  readonly host?: "127.0.0.1" | "::1"
  /** Days for which executions that are over are kept, from 1 to 90. Default: 14. */
  readonly retentionDays?: number
  /** The region of every ARN. Default: `us-east-1`. */
  readonly region?: string
  /** The account of every ARN. Default: `123456789012`. */
  readonly account?: string
  /** How long to wait before an invocation that failed is repeated: the first time, and at most. Default: 1 second, 5 minutes. */
  readonly retry?: { readonly initial?: Duration.Input; readonly max?: Duration.Input }
  /** Whether functions get the AWS credentials of the engine's environment, and not made-up ones. Default: no. */
  readonly useAwsCredentials?: boolean
  /** Options for the Node of functions. Default: those of this process that say how modules are found. */
  readonly nodeArgs?: ReadonlyArray<string>
}

/**
 * A running engine.
 *
 * @category services
 * @since 0.1.0
 */
export class LocalEngine extends Context.Service<
  LocalEngine,
  {
    /** Where the API is, such as `http://127.0.0.1:9177`. */
    readonly url: string
    /** Variables by which clients of AWS find the engine. */
    readonly environment: Readonly<Record<string, string>>
    /** The names of the functions. */
    readonly functions: ReadonlyArray<string>
    /** How many executions of an earlier engine go on. */
    readonly resumed: number
    /** Never ends, but for the failure of the database, after which the engine carries out nothing any more. */
    readonly failure: Effect.Effect<never, StorageError>
  }
>()("effect-durable/local/LocalEngine") {}

/**
 * An engine that runs until its scope closes, the client for it, and the store for programs that run invocations themselves.
 *
 * Fails with `StorageError` when the database cannot be opened, with `FunctionsError` when a function cannot be served, and
 * with `ServeError` when the port is taken.
 *
 * @example
 * ```ts
 * import { LocalEngine } from "effect-durable/local"
 * import * as Layer from "effect/Layer"
 *
 * export const engine = LocalEngine.layer({
 *   functions: [LocalEngine.module(new URL("./orders.ts", import.meta.url))],
 *   database: ":memory:",
 *   port: 0
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<LocalEngine | DurableClient | CheckpointStore, StorageError | FunctionsError | ServeError> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const definitions = yield* definitionsOf(options)
      const assembled = yield* assemble({
        database: options.database ?? ".durable/local.db",
        maxDatabaseBytes: options.maxDatabaseBytes,
        host: options.host ?? "127.0.0.1",
        port: options.port ?? 9_177,
        engine: engineOptions(options),
        functions: (url) =>
          processes({
            definitions,
            url,
            host: options.host ?? "127.0.0.1",
            region: options.region ?? "us-east-1",
            useAwsCredentials: options.useAwsCredentials ?? false
          })
      })
      return Context.make(LocalEngine, engineOf(assembled)).pipe(
        Context.add(DurableClient, clientOf(assembled.machine)),
        Context.add(CheckpointStore, storeOf(assembled.machine))
      )
    })
  )

const engineOf = ({ functions, machine, resumed, url }: Assembled): LocalEngine["Service"] => ({
  url,
  environment: {
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_REGION: machine.config.region
  },
  functions: functions.names,
  resumed,
  failure: Deferred.await(machine.failed)
})

const engineOptions = ({ account, region, retentionDays, retry }: Options) => ({
  ...(region !== undefined && { region }),
  ...(account !== undefined && { account }),
  ...(retentionDays !== undefined && { retentionDays }),
  ...(retry !== undefined && {
    invocationRetry: {
      initialSeconds: seconds(retry.initial ?? "1 second"),
      factor: 2,
      maxSeconds: seconds(retry.max ?? "5 minutes")
    }
  })
})

const seconds = (duration: Duration.Input): number => Duration.toSeconds(Duration.fromInputUnsafe(duration))

const clientOf = (machine: Machine): DurableClient["Service"] =>
  makeClient({
    command: machine.command,
    query: machine.query,
    list: machine.list,
    ended: (executionArn) =>
      Effect.flatMap(machine.ended(executionArn), (outcome) =>
        outcome === undefined ? Effect.never : Effect.succeed({ outcome })
      )
  })

const storeOf = (machine: Machine): CheckpointStore["Service"] => ({
  checkpoint: (request) => Effect.suspend(() => answered(machine.command(Service.checkpoint, request))),
  loadState: (request) => Effect.suspend(() => answered(machine.query(Service.getState, request))),
  ordered: true
})

const answered = <A>(result: Result.Result<A, Service.Refused>) =>
  Effect.fromResult(
    Result.mapError(result, (refused) =>
      storeError({ status: refused.status, name: refused.exception, message: refused.message })
    )
  )

// --- What it serves ------------------------------------------------------------------------------------------------------

const definitionsOf = (options: Options): Effect.Effect<ReadonlyArray<Definition>, FunctionsError> =>
  Effect.gen(function* () {
    const definitions = (yield* Effect.forEach(options.functions, (source) => definitionsIn(source, options), {
      concurrency: 2
    })).flat()
    const taken = new Set<string>()
    for (const { name } of definitions) {
      const address = parseFunctionAddress(name)
      if (address?.name !== name) {
        return yield* new FunctionsError({
          message: `A function cannot be called "${name}": names have 1 to 64 letters, digits, hyphens or underscores. Give it a name.`
        })
      }
      if (taken.has(name)) {
        return yield* new FunctionsError({
          message: `Two functions are called "${name}". Give one of them another name.`
        })
      }
      taken.add(name)
    }
    return definitions
  })

const definitionsIn = (
  source: FunctionSource,
  { nodeArgs }: Options
): Effect.Effect<ReadonlyArray<Definition>, FunctionsError> => {
  switch (source._tag) {
    case "Command": {
      const { command, name, options } = source
      const settings = settingsOf(options, 1)
      return Effect.succeed([{ ...settings, name, kind: options.kind ?? "durable", command, watched: undefined }])
    }
    case "Handler": {
      const { file, options } = source
      return Effect.succeed([
        {
          ...settingsOf(options, 10),
          name: options.name ?? nameOf(file),
          kind: options.kind ?? "durable",
          command: nodeCommand(file, options.export ?? "handler", nodeArgs),
          watched: file
        }
      ])
    }
    default: {
      const { file, options } = source
      const settings = settingsOf(options, 10)
      return Effect.flatMap(lookInto(file, settings.env, nodeArgs), ({ hasHandler, implementations }) => {
        const found = hasHandler
          ? [...implementations, { export: "handler", name: nameOf(file), kind: "durable" as const }]
          : implementations
        return found.length === 0
          ? Effect.fail(
              new FunctionsError({
                message: `The module ${file} exports nothing to serve: no implementation of a contract, and no handler.`
              })
            )
          : Effect.succeed(
              found.map(({ export: name, ...function_ }) => ({
                ...settings,
                ...function_,
                command: nodeCommand(file, name, nodeArgs),
                watched: file
              }))
            )
      })
    }
  }
}

const nameOf = (file: string): string => basename(file, extname(file)).replace(/\..*$/, "")

const settingsOf = ({ concurrency, env = {}, executionTimeout, timeout }: FunctionOptions, lanes: number) => ({
  executionTimeoutSeconds: executionTimeout === undefined ? undefined : seconds(executionTimeout),
  timeoutSeconds: seconds(timeout ?? "15 minutes"),
  concurrency: concurrency ?? lanes,
  env
})
