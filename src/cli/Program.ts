/**
 * The commands put together, and how the process ends with them.
 *
 * Owns: the tree of commands, the exit code, and what is said of wrong calls and of failures.
 * Does not own: any command.
 *
 * 1. The standard output has the result of a command in it and nothing else.
 * 2. Whoever interrupts a command waits until what it has open is closed.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Runtime from "effect/Runtime"
import process from "node:process"
import { version } from "../internal/version.ts"
import { callback } from "./callback.ts"
import { dev } from "./dev.ts"
import { doctor } from "./doctor.ts"
import { environment } from "./environment.ts"
import { export as exported, history } from "./history.ts"
import { init } from "./init.ts"
import { invoke, rerun } from "./invoke.ts"
import { ls } from "./list.ts"
import * as Output from "./Output.ts"
import { reset } from "./reset.ts"
import { show } from "./show.ts"
import { stop } from "./stop.ts"
import { time } from "./time.ts"

export const root = Command.make("effect-durable").pipe(
  Command.withDescription("Durable functions on this machine and on AWS"),
  Command.withSubcommands([dev, init, invoke, ls, show, history, stop, callback, rerun, time, exported, reset, doctor])
)

const running = Command.runWith(root, { version })

/** Runs a command, and answers with the exit code. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<number, never, Output.Output> =>
  running(args).pipe(
    Effect.as(0),
    Effect.catch((error) =>
      Effect.map(Output.Output, ({ say }) => {
        if (error._tag !== "CommandFailed") return 2
        say(error.message)
        return error.exitCode
      })
    ),
    Effect.provide(Layer.mergeAll(environment, settings, printing)),
    Effect.provideService(Logger.LogToStderr, true)
  )

/** Help that somebody asked for is a result. Where a call is wrong, what is wrong is said, and where to read more. */
const presenter = Layer.effect(
  CliOutput.Presenter,
  Effect.map(Output.Output, ({ colors, result, say }) => ({
    present: (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Version":
            return result(event.version)
          case "InvalidInvocation": {
            const formatter = CliOutput.defaultFormatter({ colors: colors.said })
            say(formatter.formatErrors(event.errors).trim())
            return say(`See: ${event.commandPath.join(" ")} --help`)
          }
          case "Help": {
            const asked = event.reason === "Requested"
            const formatter = CliOutput.defaultFormatter({ colors: asked ? colors.result : colors.said })
            return (asked ? result : say)(formatter.formatHelpDoc(event.helpDoc))
          }
        }
      })
  }))
)

/** Completions are printed by Effect itself. */
const printing = Layer.effect(
  Console.Console,
  Effect.map(Output.Output, ({ result }) => ({
    ...globalThis.console,
    log: (...args: ReadonlyArray<unknown>) => result(args.join(" "))
  }))
)

const settings = Layer.merge(
  presenter,
  CliConfig.layer({
    builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
  })
)

/** Runs a command as the process. Whoever interrupts it twice does not want to wait. */
export const main = (args: ReadonlyArray<string>): void => {
  const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
    let asked = false
    const onSignal = (): void => {
      if (asked) process.exit(130)
      asked = true
      fiber.interruptUnsafe(fiber.id)
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal)
    // What is still on its way to a pipe arrives.
    fiber.addObserver((exit) => teardown(exit, (code) => process.stdout.write("", () => process.exit(code))))
  })
  runMain(Effect.provide(run(args), Output.layer), {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit)) return onExit(Number(exit.value))
      // To stop an engine is how one ends it.
      if (Cause.hasInterruptsOnly(exit.cause)) return onExit(args[0] === "dev" ? 0 : 130)
      process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      onExit(1)
    }
  })
}
