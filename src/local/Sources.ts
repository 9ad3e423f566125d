/**
 * The sources of the functions that an engine serves.
 *
 * Owns: the kinds of sources, and the resulting names of functions.
 * Does not own: how a function runs.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import type { Scope } from "effect/Scope"
import { basename, extname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as DurableFunction from "../DurableFunction.ts"
import type { DurableClient } from "../DurableClient.ts"
import { kindOf } from "../internal/found.ts"
import { optionsOf, withinExecution } from "../internal/options.ts"
import type { Requirements } from "../lambda/LambdaHandler.ts"
import * as Targets from "../Targets.ts"
import { parseFunctionAddress } from "../wire/Constraints.ts"
import type { Guest } from "./InProcess.ts"
import { FunctionsError, lookInto, nodeCommand, type Definition } from "./Processes.ts"

/**
 * The options of a function.
 *
 * @category models
 * @since 0.1.0
 */
export interface FunctionOptions {
  /** The time-out of an execution: `"2 hours"`, or milliseconds. Default: 366 days. */
  readonly executionTimeout?: Duration.Input | undefined
  /** The time-out of one invocation, after which its process is killed. Default: 15 minutes, the maximum of Lambda. */
  readonly timeout?: Duration.Input | undefined
  /**
   * The number of concurrent calls of the function's process. Default: 10 for handlers in Node, and 1 for a command, whose
   * runtime decides how many calls it takes.
   */
  readonly concurrency?: number | undefined
  /** Environment variables, in addition to those of the engine itself. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

/**
 * The options of a handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandlerOptions extends FunctionOptions {
  /** The name of the function. Default: the name of the file up to its first dot. */
  readonly name?: string | undefined
  /** The name of the export. Default: `handler`. */
  readonly export?: string | undefined
  /** Whether it is a durable function, or a plain one. Default: `"durable"`. */
  readonly kind?: "durable" | "plain" | undefined
}

/**
 * The options of functions in the process of the engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface InProcessOptions<R, E> extends Pick<FunctionOptions, "executionTimeout" | "timeout"> {
  /**
   * The services that the functions require; `Layer.empty` for none. The layer is built once for all of them, and lasts as
   * long as the engine.
   */
  readonly layer: Layer.Layer<R, E>
}

/**
 * The services that an implementation requires from the layer of functions in the process of the engine. The engine provides
 * its client.
 *
 * @category models
 * @since 0.1.0
 */
export type InProcessRequirements<I> = Exclude<Requirements<I>, DurableClient>

/**
 * A source of functions for an engine.
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
  | {
      readonly _tag: "InProcess"
      readonly implementations: ReadonlyArray<DurableFunction.AnyImplementation>
      readonly options: InProcessOptions<never, unknown>
    }

/**
 * Serves all suitable exports of a module: implementations of contracts under their names, and under those of their targets;
 * and an export `handler` under the name of the file.
 *
 * `file` is a path or a `file:` URL. A separate process inspects the module, and a function's process starts with its first
 * call. The process restarts when it has crashed and when the file has changed.
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
 * Serves a Lambda handler: any function that takes an event and answers, created by `LambdaHandler`, by AWS's own SDK, or by
 * hand.
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
 * Serves a program in any language that has a runtime for Lambda: it requests its calls from the Runtime API at
 * `AWS_LAMBDA_RUNTIME_API`.
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
): FunctionSource => {
  if (Array.isArray(command)) return { _tag: "Command", name, command, options }
  throw new TypeError(
    `Expected the command of LocalEngine.command to be a list, found ${kindOf(command)}. Write ["node", "file.js"].`
  )
}

/**
 * Serves implementations in the process of the engine itself, for a debugger, a demonstration or a test. Their checkpoints
 * still go over HTTP. A function that does not end within its `timeout`, a duration such as `"2 hours"` or milliseconds, is
 * interrupted; a function that ends the process ends the engine.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { LocalEngine } from "effect-durable/local"
 * import * as Layer from "effect/Layer"
 *
 * const Remind = DurableFunction.make("remind")
 * const remind = Remind.implement(() => Durable.wait("a day", "1 day"))
 *
 * export const functions = LocalEngine.inProcess([remind], { layer: Layer.empty })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const inProcess = <
  const I extends ReadonlyArray<DurableFunction.AnyImplementation>,
  R extends InProcessRequirements<I[number]>,
  E
>(
  implementations: I,
  options: InProcessOptions<R | InProcessRequirements<I[number]>, E>
): FunctionSource => {
  const isImplemented = Array.isArray(implementations) && implementations.every(isImplementation)
  if (isImplemented && Layer.isLayer(options?.layer)) return { _tag: "InProcess", implementations, options }
  const [what, found] = isImplemented ? ["layer", options?.layer] : ["implementations", implementations]
  throw new TypeError(
    `Expected LocalEngine.inProcess(implementations, { layer }), found ${kindOf(found)} as the ${what}. Pass a list of the results of implement, and a Layer.`
  )
}

const isImplementation = (found: unknown): boolean =>
  hasProperty(found, "contract") && DurableFunction.isDurableFunction(found.contract)

const pathOf = (file: string | URL): string => {
  if (typeof file !== "string" && !(file instanceof URL))
    throw new TypeError(`Expected the file of a function to be a path or a URL, found ${kindOf(file)}.`)
  return file instanceof URL || file.startsWith("file:") ? fileURLToPath(file) : resolve(file)
}

// --- The served functions ------------------------------------------------------------------------------------------------

/** The functions, by the place where they run. */
export interface Served {
  readonly definitions: ReadonlyArray<Definition>
  readonly guests: ReadonlyArray<Guest>
}

/** Returns the functions of all sources. Fails if one of them cannot be loaded, or if two have the same name. */
export const servedBy = (
  sources: ReadonlyArray<FunctionSource>,
  nodeArgs: ReadonlyArray<string> | undefined
): Effect.Effect<Served, FunctionsError, Scope> =>
  Effect.gen(function* () {
    const guests: Array<Guest> = []
    const found = yield* Effect.forEach(
      sources,
      (source) =>
        source._tag === "InProcess"
          ? Effect.map(guestsOf(source), (some) => (guests.push(...some), []))
          : definitionsOf(source, nodeArgs),
      { concurrency: 2 }
    )
    const definitions = found.flat()
    yield* checkNames([...definitions, ...guests].flatMap(({ aliases, name }) => [name, ...aliases]))
    return { definitions, guests }
  })

/** Refuses what a caller without types may give in place of the sources. */
export const checkSources = (sources: ReadonlyArray<FunctionSource>): Effect.Effect<void, FunctionsError> => {
  const say = (expected: string, found: unknown) =>
    refused(`Expected the functions of LocalEngine.layer to be ${expected}, found ${kindOf(found)}. ${sourcesAdvice}`)
  if (!Array.isArray(sources)) return say("a list", sources)
  const at = sources.findIndex((source) => !hasProperty(source, "_tag"))
  return at < 0 ? Effect.void : say(`sources, and so that at index ${at}`, sources[at])
}

const sourcesAdvice = "Use LocalEngine.module, LocalEngine.handler, LocalEngine.command and LocalEngine.inProcess."

const checkNames = (names: ReadonlyArray<string>): Effect.Effect<void, FunctionsError> => {
  const bad = names.find((name) => parseFunctionAddress(name)?.name !== name)
  if (bad !== undefined) {
    return refused(
      `A function cannot be called "${bad}": names have 1 to 64 letters, digits, hyphens or underscores. Give it a name.`
    )
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return twice === undefined
    ? Effect.void
    : refused(`Two functions are called "${twice}". Give one of them another name.`)
}

const refused = (message: string): Effect.Effect<never, FunctionsError> => Effect.fail(new FunctionsError({ message }))

const definitionsOf = (
  source: Exclude<FunctionSource, { readonly _tag: "InProcess" }>,
  nodeArgs: ReadonlyArray<string> | undefined
): Effect.Effect<ReadonlyArray<Definition>, FunctionsError> => {
  switch (source._tag) {
    case "Command": {
      const { command, name, options } = source
      const kind = options.kind ?? "durable"
      return Effect.succeed([{ ...settingsOf(options, 1), name, aliases: [], kind, command, watched: undefined }])
    }
    case "Handler": {
      const { file, options } = source
      return Effect.succeed([
        {
          ...settingsOf(options, 10),
          name: options.name ?? nameOf(file),
          aliases: [],
          kind: options.kind ?? "durable",
          command: nodeCommand(file, options.export ?? "handler", nodeArgs),
          watched: file
        }
      ])
    }
    default:
      return definitionsIn(source, nodeArgs)
  }
}

const definitionsIn = (
  { file, options }: Extract<FunctionSource, { readonly _tag: "Module" }>,
  nodeArgs: ReadonlyArray<string> | undefined
): Effect.Effect<ReadonlyArray<Definition>, FunctionsError> => {
  const settings = settingsOf(options, 10)
  return Effect.flatMap(lookInto(file, settings.env, nodeArgs), ({ hasHandler, implementations }) => {
    const handler = { export: "handler", name: nameOf(file), kind: "durable", target: undefined } as const
    const found = hasHandler ? [...implementations, handler] : implementations
    return found.length === 0
      ? refused(`The module ${file} exports nothing to serve: no implementation of a contract, and no handler.`)
      : Effect.succeed(
          found.map(({ export: exported, kind, name, target }) => ({
            ...settings,
            name,
            aliases: aliasesOf(name, target),
            kind,
            command: nodeCommand(file, exported, nodeArgs),
            watched: file
          }))
        )
  })
}

const guestsOf = ({
  implementations,
  options
}: Extract<FunctionSource, { readonly _tag: "InProcess" }>): Effect.Effect<
  ReadonlyArray<Guest>,
  FunctionsError,
  Scope
> =>
  Effect.gen(function* () {
    const services = yield* Effect.catch(Layer.build(options.layer), (error) =>
      refused(
        `The layer of functions in this process cannot be built: ${error instanceof Error ? error.message : String(error)}`
      )
    )
    const { executionTimeoutSeconds, timeoutSeconds } = settingsOf(options, 0)
    return yield* Effect.forEach(implementations, (implementation) =>
      Effect.map(
        Effect.option(Effect.provideContext(Targets.resolve(implementation.contract), services)),
        (target) => ({
          name: implementation.contract.name,
          aliases: aliasesOf(implementation.contract.name, Option.getOrUndefined(target)?.address),
          kind: implementation.contract.kind,
          implementation,
          services,
          executionTimeoutSeconds,
          timeoutSeconds
        })
      )
    )
  })

/** Returns the name in the address of a function, if it differs. */
const aliasesOf = (name: string, address: string | undefined): ReadonlyArray<string> => {
  const found = address === undefined ? undefined : parseFunctionAddress(address)?.name
  return found === undefined || found === name ? [] : [found]
}

const nameOf = (file: string): string => basename(file, extname(file)).replace(/\..*$/, "")

const read = optionsOf("a function of LocalEngine")

const settingsOf = ({ concurrency, env = {}, executionTimeout, timeout }: FunctionOptions, lanes: number) => ({
  executionTimeoutSeconds: secondsOf(read.millis("executionTimeout", executionTimeout, withinExecution, undefined)),
  timeoutSeconds: secondsOf(read.millis("timeout", timeout, withinExecution, 900_000)),
  concurrency: read.count("concurrency", concurrency, { atLeast: 1, atMost: 1_000 }, lanes),
  env
})

const secondsOf = <M extends number | undefined>(millis: M): M => cast(millis === undefined ? millis : millis / 1_000)
