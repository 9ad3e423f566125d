/**
 * Functions in processes, each with its runtime and its sandbox.
 *
 * Owns: the names of functions, and the environment that passes them to their processes.
 * Does not own: calls and processes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { extname } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { gone, type Functions } from "./Functions.ts"
import { serve } from "./Http.ts"
import { Runtime } from "./Runtime.ts"
import { Sandbox } from "./Sandbox.ts"

/** The settings of a function. */
export interface FunctionSettings {
  /** The time-out of an execution in seconds. Default: the engine's own. */
  readonly executionTimeoutSeconds?: number | undefined
  /** The time-out of one invocation in seconds. */
  readonly timeoutSeconds: number
  /** The number of concurrent calls of its process. */
  readonly concurrency: number
  readonly env: Readonly<Record<string, string>>
}

/** A function that can run in a process. */
export interface Definition extends FunctionSettings {
  readonly name: string
  /** The other names that lead to it. */
  readonly aliases: ReadonlyArray<string>
  readonly kind: "durable" | "plain"
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly watched: string | undefined
}

/**
 * The error of an engine whose functions cannot be served.
 *
 * @category errors
 * @since 0.1.0
 */
export class FunctionsError extends Schema.TaggedError<FunctionsError>()("FunctionsError", {
  message: Schema.String
}) {}

export interface ProcessOptions {
  readonly definitions: ReadonlyArray<Definition>
  /** The address of the engine. */
  readonly url: Effect.Effect<string>
  readonly host: "127.0.0.1" | "::1"
  readonly region: string
  readonly useAwsCredentials: boolean
}

/** Runs functions until the scope closes. Each process starts with its first call. */
export const processes = (options: ProcessOptions): Effect.Effect<Functions, never, Scope.Scope> =>
  Effect.gen(function* () {
    // Processes end at the same time, because each of them has a moment for it.
    const scope = yield* Scope.fork(yield* Effect.scope, "parallel")
    const started = new Map<string, Effect.Effect<Runtime>>()
    const byName = new Map<string, Definition>()
    for (const definition of options.definitions) {
      const start = yield* Effect.cached(
        Effect.orDie(Effect.flatMap(Scope.fork(scope), (own) => Scope.provide(startFunction(definition, options), own)))
      )
      for (const name of [definition.name, ...definition.aliases]) {
        started.set(name, start)
        byName.set(name, definition)
      }
    }
    return {
      names: options.definitions.map(({ name }) => name),
      find: (name) => byName.get(name),
      run: (call) => {
        const runtime = started.get(call.functionName)
        return runtime === undefined ? Effect.succeed(gone(call)) : Effect.flatMap(runtime, ({ run }) => run(call))
      }
    }
  })

const startFunction = (
  definition: Definition,
  { host, region, url, useAwsCredentials }: ProcessOptions
): Effect.Effect<Runtime, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const { command, timeoutSeconds, watched } = definition
    const runtime = new Runtime({
      timeoutSeconds,
      onWaiting: () => sandbox.start(),
      onTimeout: () => sandbox.kill()
    })
    const { hangUp, port } = yield* serve(host, 0, runtime.api)
    const sandbox = new Sandbox({
      command,
      watched,
      useAwsCredentials,
      env: environmentOf(definition, `${host === "::1" ? "[::1]" : host}:${port}`, yield* url, region),
      onKill: () => runtime.killed(),
      onExit: (how, isReplaced) => {
        // Requests that the old process has sent must not receive calls of the next one.
        hangUp()
        runtime.exited(how, isReplaced)
      }
    })
    yield* Effect.addFinalizer(() => Effect.promise(() => sandbox.close()))
    return runtime
  })

/** Returns the environment of a Lambda function, with the variables that runtimes and handlers read. */
const environmentOf = (
  { concurrency, env, name }: Definition,
  api: string,
  url: string,
  region: string
): Readonly<Record<string, string>> => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  ...env,
  AWS_LAMBDA_RUNTIME_API: api,
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: "local",
  AWS_LAMBDA_MAX_CONCURRENCY: String(concurrency),
  AWS_ENDPOINT_URL_LAMBDA: url,
  _HANDLER: name
})

// --- Modules -----------------------------------------------------------------------------------------------------------

/**
 * Returns the path of a file in this folder that is a process of its own: a source in a checkout, and JavaScript in the
 * package.
 */
const sibling = (name: string): string =>
  fileURLToPath(new URL(`./${name}${extname(fileURLToPath(import.meta.url))}`, import.meta.url))

/** Returns the Node options with which a process loads what this one loads. */
const nodeOptions = (nodeArgs: ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  nodeArgs ?? inheritedOptions(process.execArgv)

/**
 * Returns the options of a process that affect how modules are found. The value of an option may be a separate argument, as
 * Vitest writes it.
 */
export const inheritedOptions = (execArgv: ReadonlyArray<string>): ReadonlyArray<string> =>
  execArgv.filter(
    (argument, at) =>
      /^(--conditions|-C|--import|--loader|--experimental-)/.test(argument) ||
      /^(--conditions|-C|--import|--(experimental-)?loader)$/.test(execArgv[at - 1] ?? "")
  )

/** Returns the command that runs an export of a module. */
export const nodeCommand = (
  file: string,
  name: string,
  nodeArgs: ReadonlyArray<string> | undefined
): Definition["command"] => [process.execPath, ...nodeOptions(nodeArgs), sibling("bootstrap"), file, name]

const contract = {
  name: Schema.String,
  kind: Schema.Literals(["durable", "plain"]),
  target: Schema.optionalKey(Schema.String)
}

/** The servable exports of a module and all of its contracts, as the inspecting process reports them. */
const Looked = Schema.Struct({
  implementations: Schema.Array(Schema.Struct({ export: Schema.String, ...contract })),
  contracts: Schema.Array(Schema.Struct(contract)),
  hasHandler: Schema.Boolean
})

const readLooked = Schema.decodeUnknownOption(Looked)

/** Inspects a module in a process of its own. */
export const lookInto = (
  file: string,
  env: Readonly<Record<string, string>>,
  nodeArgs: ReadonlyArray<string> | undefined
): Effect.Effect<typeof Looked.Type, FunctionsError> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [...nodeOptions(nodeArgs), sibling("look"), file], {
      env: { ...process.env, ...env },
      stdio: ["ignore", process.stderr, "pipe", "ipc"]
    })
    let errors = ""
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    // The module itself may send messages, too.
    child.on("message", (message) => {
      const looked = readLooked(message)
      if (Option.isSome(looked)) resume(Effect.succeed(looked.value))
    })
    child.on("error", (error) => resume(Effect.fail(notLoaded(file, error.message))))
    // A message that is still on its way comes before the channel closes.
    child.on("close", () => resume(Effect.fail(notLoaded(file, errors.trim() || "it ended its process"))))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

const notLoaded = (file: string, reason: string): FunctionsError =>
  new FunctionsError({ message: `The module ${file} cannot be loaded: ${reason}` })
