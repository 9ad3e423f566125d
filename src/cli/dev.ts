/**
 * `dev`: an engine on this machine that serves files and programs until it is stopped.
 *
 * Owns: its flags, the functions that they select, and the first screen.
 * Does not own: the engine.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"
import { defaultDatabase, defaultPort } from "../internal/engineDefaults.ts"
import type * as LocalEngine from "../local/LocalEngine.ts"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { flagsTo } from "./connection.ts"
import { durableFunctions } from "./control.ts"
import { count, json, text, texts, toggle } from "./flags.ts"
import { Output } from "./Output.ts"
import { wordsOf } from "./shellWords.ts"
import { messageOf } from "./words.ts"

/** The flag for the database of an engine. Commands that work on the database use it too. */
export const database = text("db", "FILE", `The file of the database [${defaultDatabase}]`)

/** Stands for all functions in `--plain`. No name contains a star. */
const all = "*"

const flags = {
  files: Argument.String("FILE").pipe(
    Argument.withDescription("A module: every implementation that it exports, and its export `handler`"),
    Argument.variadic()
  ),
  functions: texts(
    "function",
    "NAME[=FILE[#EXPORT]]",
    "A function: a handler in a file, or with --command a program. May be repeated"
  ),
  commands: texts("command", "COMMAND", "A program in any language that asks Lambda's Runtime API for its calls"),
  plain: Flag.String("plain").pipe(
    Flag.withDescription("The functions of --function are not durable; --plain=NAME marks one of them"),
    Flag.withMetavar("NAME"),
    Flag.withOptionalValue(all),
    Flag.atLeast(0)
  ),
  port: count("port", "PORT", `The port of the API, 0 for a free one [${defaultPort}]`),
  db: database,
  memory: toggle("memory", "Keep nothing on disk"),
  skipTime: toggle("skip-time", "Skip waits while a client waits for the end of an execution"),
  noUi: toggle("no-ui", "Serve no page"),
  open: toggle("open", "Open the page in a browser"),
  useAwsCredentials: toggle("use-aws-credentials", "Functions get the AWS credentials of this environment"),
  json
}

export const dev = Command.make("dev", flags, (given) =>
  Effect.gen(function* () {
    const { db, json, memory, noUi, open, port, skipTime, useAwsCredentials } = given
    if (memory && db !== undefined) return yield* misused("--memory and --db contradict each other: give one of them.")
    if (port !== undefined && (port < 0 || port > 65_535)) return yield* misused(`There is no port ${port}.`)
    if (noUi && open) return yield* misused("--open has nothing to open with --no-ui: give one of them.")
    const engine = yield* loadModule<Engine>(() => import("../local/LocalEngine.ts"))
    const functions = yield* sourcesIn(given, engine)
    const database = memory ? ":memory:" : (db ?? defaultDatabase)
    const serving = Effect.gen(function* () {
      const running = yield* engine.LocalEngine
      const page = noUi ? undefined : `${running.url}/_ui/`
      yield* greet(running, page, json)
      if (open && page !== undefined) openInBrowser(page)
      return yield* running.failure
    })
    return yield* serving.pipe(
      Effect.provide(engine.layer({ functions, database, port, skipTime, useAwsCredentials, ui: !noUi })),
      Effect.catchTag(["FunctionsError", "StorageError"], ({ message }) => Effect.fail(failed(message))),
      Effect.catchTag("ServeError", (error) => Effect.fail(notServed(error, port)))
    )
  })
).pipe(
  Command.withDescription("Serve functions with an engine on this machine, until Ctrl-C"),
  Command.withExamples([
    { command: "effect-durable dev order.ts", description: "Everything that a module exports" },
    { command: "effect-durable dev --function thumbnails=thumbnails.js#main --plain", description: "A plain handler" },
    {
      command: "effect-durable dev --function resize --command 'python3 -m awslambdaric resize.handler'",
      description: "A program"
    }
  ])
)

/** The engine's own code, which only an engine needs. */
type Engine = typeof LocalEngine

/** Loads code that requires the optional package of engines. */
export const loadModule = <A>(load: () => Promise<A>): Effect.Effect<A, CommandFailed> =>
  Effect.tryPromise({
    try: load,
    catch: (error) =>
      failed(
        Reflect.get(Object(error), "code") === "ERR_MODULE_NOT_FOUND"
          ? "An engine needs the package @effect/platform-node, which is not installed: npm i -D @effect/platform-node"
          : `The engine cannot be loaded: ${messageOf(error)}`
      )
  })

// --- Functions -----------------------------------------------------------------------------------------------------------

interface Given {
  readonly files: ReadonlyArray<string>
  readonly functions: ReadonlyArray<string>
  readonly commands: ReadonlyArray<string>
  readonly plain: ReadonlyArray<string>
}

const sourcesIn = (
  { commands, files, functions, plain }: Given,
  engine: Engine
): Effect.Effect<ReadonlyArray<LocalEngine.FunctionSource>, CommandFailed> =>
  Effect.gen(function* () {
    const named = functions.map(parts)
    const programs = named.filter(({ file }) => file === undefined)
    if (files.length + functions.length === 0) {
      return yield* misused("There is nothing to serve: name a file, as in: effect-durable dev order.ts")
    }
    if (programs.length !== commands.length) {
      return yield* misused(
        `${programs.length} of --function have no file, and ${commands.length} have a --command. Write --function NAME=FILE, or --function NAME --command "…".`
      )
    }
    const missing = [...files, ...named.flatMap(({ file }) => file ?? [])].find((file) => !existsSync(file))
    if (missing !== undefined) return yield* failed(`There is no file ${missing}.`)
    const unknown = plain.find((name) => name !== all && !named.some((one) => one.name === name))
    if (unknown !== undefined) return yield* misused(`--plain=${unknown} is about no --function of this command.`)
    const kindOf = (name: string) => (plain.includes(all) || plain.includes(name) ? "plain" : "durable")
    const handlers = named.flatMap(({ export: exported, file, name }) =>
      file === undefined ? [] : [engine.handler(file, { name, export: exported, kind: kindOf(name) })]
    )
    const others = yield* Effect.forEach(programs, ({ name }, at) =>
      Effect.map(wordsOf(commands[at] ?? ""), (words) => engine.command(name, words, { kind: kindOf(name) }))
    )
    return [...files.map((file) => engine.module(file)), ...handlers, ...others]
  })

/** Parses `NAME=FILE#EXPORT`. */
const parts = (given: string) => {
  const [, name = "", file, exported] = /^([^=]*)(?:=([^#]*)(?:#(.*))?)?$/.exec(given) ?? []
  return { name, file, export: exported }
}

/** Returns the reason why the server cannot start. */
const notServed = ({ cause }: ServeError, port = defaultPort): CommandFailed =>
  failed(
    Reflect.get(Object(cause), "code") === "EADDRINUSE"
      ? `The port ${port} is taken, perhaps by another engine. Stop that one, or take a free port: --port 0.`
      : `The engine cannot listen at the port ${port}: ${Cause.pretty(Cause.fail(cause))}`
  )

// --- The first screen ----------------------------------------------------------------------------------------------------

/** Prints the first screen. The first line of the output is for programs, the rest for people. */
const greet = (
  { environment, functions, resumed, url }: LocalEngine.LocalEngine["Service"],
  page: string | undefined,
  json: boolean
): Effect.Effect<void, never, Output> =>
  Effect.gen(function* () {
    const { result, say } = yield* Output
    if (json) return result(JSON.stringify({ url, page, functions, resumed, environment }))
    result(`listening ${url}`)
    const durable = yield* Effect.orElseSucceed(durableFunctions(url), () => undefined)
    const [first = "FUNCTION"] = durable ?? []
    const flags = flagsTo(url)
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    say(
      [
        ...(page === undefined ? [] : [`page       ${page}`]),
        `functions  ${functions.join(", ")}`,
        ...(resumed === 0 ? [] : [`resumed    ${resumed} open execution${resumed === 1 ? "" : "s"}`]),
        "",
        "In another terminal:",
        `  npx effect-durable invoke ${first} --payload JSON --follow${flags}`,
        `  npx effect-durable ls${flags}`,
        "",
        "AWS's clients and its command line find the engine with:",
        `  export ${variables.join(" ")}`,
        `  aws lambda invoke --function-name '${first}:$LATEST' --payload JSON --cli-binary-format raw-in-base64-out /dev/stdout`,
        "",
        "Ctrl-C stops the engine. Open executions continue when it starts again."
      ].join("\n")
    )
  })

/** Opens the page. Without a browser the printed address remains. */
const openInBrowser = (page: string): void => {
  const [file, ...args] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["cmd", "/c", "start"] : ["xdg-open"]
  const child = spawn(file ?? "", [...args, page], { stdio: "ignore", detached: true })
  child.on("error", () => undefined)
  child.unref()
}
