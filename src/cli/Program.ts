/**
 * The commands together, and the end of the process.
 *
 * Owns: the tree of commands, the exit code, and the messages about wrong calls and failures.
 * Does not own: the commands.
 *
 * Invariants:
 * 1. The standard output contains only the result of a command.
 * 2. An interrupted command ends once its open resources are closed.
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

/** Runs a command, and returns the exit code. */
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

/** Prints requested help as a result. For a wrong call it prints the error, and where to read more. */
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

/** Prints completions, which Effect itself writes to the console. */
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

/** Runs a command as the process. A second interruption ends it at once. */
export const main = (args: ReadonlyArray<string>): void => {
  const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
    let asked = false
    const onSignal = (): void => {
      if (asked) process.exit(130)
      asked = true
      fiber.interruptUnsafe(fiber.id)
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal)
    // Pending output to a pipe is flushed.
    fiber.addObserver((exit) => teardown(exit, (code) => process.stdout.write("", () => process.exit(code))))
  })
  runMain(Effect.provide(run(args), Output.layer), {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit)) return onExit(Number(exit.value))
      // Interrupting an engine is the regular way to stop it.
      if (Cause.hasInterruptsOnly(exit.cause)) return onExit(args[0] === "dev" ? 0 : 130)
      process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      onExit(1)
    }
  })
}
