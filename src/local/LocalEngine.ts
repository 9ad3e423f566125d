/**
 * Lambda's durable functions on one machine, for development: AWS's API over HTTP, on a SQLite database that survives `kill
 * -9`, with functions in processes of their own.
 *
 * AWS's own clients, its command line and handlers that are written with AWS's SDKs use it unchanged: they need only
 * `AWS_ENDPOINT_URL_LAMBDA` and any credentials. It requires `@effect/platform-node`, and Node 22.19 or later.
 *
 * Owns: the options and the interface of an engine.
 * Does not own: its parts.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { CheckpointStore } from "../CheckpointStore.ts"
import { DurableClient } from "../DurableClient.ts"
import * as Service from "../engine/Service.ts"
import { makeClient } from "../hosting/client.ts"
import { defaultDatabase, defaultPort } from "../internal/engineDefaults.ts"
import { optionsOf } from "../internal/options.ts"
import { storeError } from "../StoreFailure.ts"
import * as Limits from "../wire/Limits.ts"
import { assemble, type Assembled } from "./Assembly.ts"
import { together } from "./Functions.ts"
import { hosted } from "./InProcess.ts"
import type { Machine } from "./Machine.ts"
import { processes, type FunctionsError } from "./Processes.ts"
import { checkSources, servedBy, type FunctionSource } from "./Sources.ts"
import type { StorageError } from "./Sqlite.ts"
import { clockOf } from "./Time.ts"

export { FunctionsError } from "./Processes.ts"
export { command, handler, inProcess, module } from "./Sources.ts"
export type {
  FunctionOptions,
  FunctionSource,
  HandlerOptions,
  InProcessOptions,
  InProcessRequirements
} from "./Sources.ts"
export { StorageError } from "./Sqlite.ts"

// --- The engine ----------------------------------------------------------------------------------------------------------

/**
 * The options of an engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The functions to serve. A name that two of them have is refused. */
  readonly functions: ReadonlyArray<FunctionSource>
  /** The file of the database, or `":memory:"`. Default: `.durable/local.db`. */
  readonly database?: string | undefined
  /** The maximum size of the database, in bytes. Default: limited only by the disk. */
  readonly maxDatabaseBytes?: number | undefined
  /** The port of the API, from 1 to 65,535, or 0 for a free one. Default: 9177. */
  readonly port?: number | undefined
  /** The loopback address to listen at. Default: `127.0.0.1`. */
  readonly host?: "127.0.0.1" | "::1" | undefined
  /** The days for which closed executions are kept, from 1 to 90. Default: 14. */
  readonly retentionDays?: number | undefined
  /** The region of every ARN. Default: `us-east-1`. */
  readonly region?: string | undefined
  /** The account of every ARN. Default: `123456789012`. */
  readonly account?: string | undefined
  /** The delay before a failed invocation is repeated: the first, and the maximum. Default: 1 second, 5 minutes. */
  readonly retry?: { readonly initial?: Duration.Input; readonly max?: Duration.Input } | undefined
  /**
   * Whether time leaps to the end of waits and of pauses between attempts, so that a workflow of days takes no longer than
   * its code. Time leaps when no function runs, and while a client waits for the end of an execution. It never leaps over a
   * limit, such as the time-out of a callback, because an answer may be about to come. Default: no.
   */
  readonly skipTime?: boolean | undefined
  /** Whether there is a web page for people, at `/_ui/`. Default: yes. */
  readonly ui?: boolean | undefined
  /** Whether functions get the AWS credentials of the engine's environment instead of fake ones. Default: no. */
  readonly useAwsCredentials?: boolean | undefined
  /** The Node options of functions. Default: those of this process that affect how modules are found. */
  readonly nodeArgs?: ReadonlyArray<string> | undefined
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
    /** The address of the API, such as `http://127.0.0.1:9177`. */
    readonly url: string
    /** The environment variables with which clients of AWS find the engine. */
    readonly environment: Readonly<Record<string, string>>
    /** The names of the functions. */
    readonly functions: ReadonlyArray<string>
    /** The number of executions of an earlier engine that continue. */
    readonly resumed: number
    /** The engine's clock, for an Effect that simulates an external system and sleeps in the engine's time: see `skipTime`. */
    readonly clock: Clock.Clock
    /** Never succeeds; it fails with the failure of the database, after which the engine executes no more commands. */
    readonly failure: Effect.Effect<never, StorageError>
  }
>()("effect-durable/local/LocalEngine") {}

/**
 * Starts an engine that runs until its scope closes, with its client, and with the store for programs that run invocations
 * themselves.
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
      yield* checkSources(options?.functions)
      const { useAwsCredentials = false } = options
      const host = read.choice("host", options.host, ["127.0.0.1", "::1"], "127.0.0.1")
      const region = read.text("region", options.region, regions, "us-east-1")
      const { definitions, guests } = yield* servedBy(options.functions, options.nodeArgs)
      const assembled = yield* assemble({
        database: options.database ?? defaultDatabase,
        maxDatabaseBytes: read.count("maxDatabaseBytes", options.maxDatabaseBytes, sizes, undefined, "bytes"),
        host,
        port: read.count("port", options.port, { atLeast: 0, atMost: 65_535 }, defaultPort),
        skipTime: options.skipTime,
        ui: options.ui,
        engine: { ...engineOptions(options), region },
        functions: (url) =>
          Effect.map(
            Effect.all([
              processes({ definitions, url, host, region, useAwsCredentials }),
              hosted({ guests, url, region })
            ]),
            together
          )
      })
      return Context.make(LocalEngine, engineOf(assembled)).pipe(
        Context.add(DurableClient, clientOf(assembled.machine)),
        Context.add(CheckpointStore, storeOf(assembled.machine))
      )
    })
  )

const engineOf = ({ functions, machine, resumed, time, url }: Assembled): LocalEngine["Service"] => ({
  url,
  environment: {
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_REGION: machine.config.region
  },
  functions: functions.names,
  resumed,
  clock: clockOf({ now: machine.now, later: time.later }),
  failure: Deferred.await(machine.failed)
})

const read = optionsOf("LocalEngine.layer")
const regions = { pattern: /^[a-z\d]+(-[a-z\d]+)+$/, said: "a region such as eu-west-1" }
const accounts = { pattern: /^\d{12}$/, said: "a number of 12 digits in a text" }
const sizes = { atLeast: 1, atMost: Infinity }
const pauses = { atLeast: 1, atMost: 86_400_000, said: "from 1 millisecond to 1 day" }

const engineOptions = ({ account, retentionDays, retry }: Options) => ({
  account: read.text("account", account, accounts, "123456789012"),
  retentionDays: read.count(
    "retentionDays",
    retentionDays,
    { atLeast: 1, atMost: Limits.maxRetentionDays },
    Limits.defaultRetentionDays,
    "days"
  ),
  invocationRetry: {
    initialSeconds: read.millis("retry.initial", retry?.initial, pauses, 1_000) / 1_000,
    factor: 2,
    maxSeconds: read.millis("retry.max", retry?.max, pauses, 300_000) / 1_000
  }
})

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
