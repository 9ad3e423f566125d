/**
 * What people give to an engine to be served, and which functions that is.
 *
 * Owns: the kinds of sources, and the names that functions have by them.
 * Does not own: how a function is run.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { basename, extname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type * as DurableFunction from "../DurableFunction.ts"
import type { DurableClient } from "../DurableClient.ts"
import { optionsOf, withinExecution } from "../internal/options.ts"
import type { Requirements } from "../lambda/LambdaHandler.ts"
import * as Targets from "../Targets.ts"
import { parseFunctionAddress } from "../wire/Constraints.ts"
import type { Guest } from "./InProcess.ts"
import { FunctionsError, lookInto, nodeCommand, type Definition } from "./Processes.ts"

/**
 * What a function may be told besides what it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface FunctionOptions {
  /** How long an execution may take: `"2 hours"`, or milliseconds. Default: 366 days. */
  readonly executionTimeout?: Duration.Input | undefined
  /** How long one invocation may take, before its process is killed. Default: 15 minutes, as long as Lambda gives. */
  readonly timeout?: Duration.Input | undefined
  /**
   * Calls that the process of the function takes at the same time. Default: 10 for handlers in Node, and 1 for a command,
   * whose runtime says how many it takes.
   */
  readonly concurrency?: number | undefined
  /** Variables of the environment, besides those that the engine itself has. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

/**
 * Options of a handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandlerOptions extends FunctionOptions {
  /** The name of the function. Default: that of the file, without what follows its first dot. */
  readonly name?: string | undefined
  /** The name of the export. Default: `handler`. */
  readonly export?: string | undefined
  /** Whether it is a durable function, or one that only answers. Default: `"durable"`. */
  readonly kind?: "durable" | "plain" | undefined
}

/**
 * Options of functions in the process of the engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface InProcessOptions<R, E> extends Pick<FunctionOptions, "executionTimeout" | "timeout"> {
  /** What the functions require; `Layer.empty` for nothing. It is built once for all of them, and lasts as long as the engine. */
  readonly layer: Layer.Layer<R, E>
}

/**
 * What an implementation requires of the layer of functions in the process of the engine. The client of the engine is there.
 *
 * @category models
 * @since 0.1.0
 */
export type InProcessRequirements<I> = Exclude<Requirements<I>, DurableClient>

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
  | {
      readonly _tag: "InProcess"
      readonly implementations: ReadonlyArray<DurableFunction.AnyImplementation>
      readonly options: InProcessOptions<never, unknown>
    }

/**
 * Everything that a module exports and that can be served: implementations of contracts under their names, and under those of
 * their targets; and an export `handler` under the name of the file.
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

/**
 * Implementations that run in the process of the engine itself, for a debugger, a demonstration or a test. Their checkpoints go
 * over HTTP all the same. A function that does not end within its `timeout`, a duration such as `"2 hours"` or milliseconds, is
 * interrupted, and one that ends the process ends the engine.
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
): FunctionSource => ({ _tag: "InProcess", implementations, options })

const pathOf = (file: string | URL): string =>
  file instanceof URL || file.startsWith("file:") ? fileURLToPath(file) : resolve(file)

// --- What is served ------------------------------------------------------------------------------------------------------

/** Functions by where they run. */
export interface Served {
  readonly definitions: ReadonlyArray<Definition>
  readonly guests: ReadonlyArray<Guest>
}

/** The functions of all sources. Fails when one of them cannot be had, and when two have one name. */
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

/** The name in the address of a function, if it is another one. */
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
