/**
 * What the tests of the command line share: an engine with a few functions, commands in this process or in one of their own,
 * and what they printed.
 */
import { Durable, DurableFunction } from "effect-durable"
import { LocalEngine } from "effect-durable/local"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { Output } from "../../src/cli/Output.ts"
import { run } from "../../src/cli/Program.ts"

// --- Functions -----------------------------------------------------------------------------------------------------------

class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

const Order = DurableFunction.make("order", {
  payload: Schema.Struct({ item: Schema.String }),
  success: Schema.String,
  error: Declined
})
const Approve = DurableFunction.make("approve", { success: Schema.String })
const Nap = DurableFunction.make("nap", { success: Schema.String })
const Parent = DurableFunction.make("parent", { success: Schema.String, error: Declined })
const Hello = DurableFunction.plain("hello", { success: Schema.String })

const functions = [
  Order.implement(
    Effect.fn("order")(function* ({ item }) {
      if (item === "poison") return yield* new Declined({ reason: "not sold here" })
      return yield* Durable.step("charge", Effect.succeed(`sold ${item}`))
    })
  ),
  Approve.implement(() =>
    Durable.child(
      "review",
      Durable.waitForCallback("approval", () => Effect.void, { success: Schema.String })
    )
  ),
  Nap.implement(() => Effect.as(Durable.wait("a day", "1 day"), "rested")),
  Parent.implement(() => Durable.invoke(Order, { item: "tea" })),
  Hello.implement(() => Effect.succeed("hello"))
]

/** An engine in this process. */
export const engine = (options: Partial<LocalEngine.Options> = {}) =>
  Effect.map(
    Layer.build(
      LocalEngine.layer({
        functions: [LocalEngine.inProcess(functions, { layer: Layer.empty })],
        database: ":memory:",
        port: 0,
        ...options
      })
    ),
    (context) => Context.get(context, LocalEngine.LocalEngine)
  )

// --- Commands in this process --------------------------------------------------------------------------------------------

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Streams {
  readonly isTerminal?: boolean
  /** Told what is said as soon as it is. */
  readonly onSaid?: (text: string) => void
}

/** Runs a command. */
export const command = (...args: ReadonlyArray<string>): Effect.Effect<Ran> => commandOn({}, ...args)

/** Runs a command whose streams are of some kind. */
export const commandOn = ({ isTerminal, onSaid }: Streams, ...args: ReadonlyArray<string>): Effect.Effect<Ran> =>
  Effect.suspend(() => {
    let out = ""
    let err = ""
    const said = (text: string): void => {
      err += text
      onSaid?.(text)
    }
    const output: Output["Service"] = {
      result: (line) => void (out += `${line}\n`),
      say: (line) => said(`${line}\n`),
      draw: said,
      terminal: isTerminal === true ? { columns: () => 100, rows: () => 30 } : undefined,
      colors: { result: false, said: false }
    }
    return run(args).pipe(
      Effect.provideService(Output, output),
      Effect.map((code) => ({ code, out, err }))
    )
  })

/** Runs a command in a folder, in which this process is meanwhile, with these variables. */
export const commandIn = (
  { cwd, env = {} }: Pick<ProcessOptions, "cwd" | "env">,
  ...args: ReadonlyArray<string>
): Effect.Effect<Ran> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = { cwd: process.cwd(), env: { ...process.env } }
      process.chdir(cwd)
      Object.assign(process.env, env)
      return before
    }),
    () => command(...args),
    (before) =>
      Effect.sync(() => {
        process.chdir(before.cwd)
        for (const name of Object.keys(env)) delete process.env[name]
        Object.assign(process.env, before.env)
      })
  )

// --- Commands in processes of their own ----------------------------------------------------------------------------------

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

interface ProcessOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Options for Node. */
  readonly node?: ReadonlyArray<string> | undefined
}

/** Starts a command, which is killed when the scope closes. */
export const spawned = ({ cwd, env = {}, node = [] }: ProcessOptions, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--conditions=effect-durable-source", ...node, main, ...args], {
        cwd,
        env: { ...process.env, NO_COLOR: "1", ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const text = { out: "", err: "" }
      const watchers = new Set<() => void>()
      const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)))
      for (const [name, stream] of [["out", child.stdout] as const, ["err", child.stderr] as const]) {
        stream.on("data", (chunk: Buffer) => {
          text[name] += chunk.toString()
          for (const watcher of watchers) watcher()
        })
      }
      /** What a pattern finds in what was printed, as soon as it does. */
      const printed = (pattern: RegExp, where: "out" | "err" = "out"): Effect.Effect<string> =>
        Effect.callback<string>((resume) => {
          const watcher = (): void => {
            const found = pattern.exec(text[where])
            if (found === null) return
            watchers.delete(watcher)
            resume(Effect.succeed(found[1] ?? found[0]))
          }
          watchers.add(watcher)
          watcher()
          void ended.then(() => resume(Effect.die(new Error(`It has ended:\n${text.out}${text.err}`))))
        })
      return { child, printed, ended: Effect.promise(async (): Promise<Ran> => ({ code: await ended, ...text })) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Runs a command to its end. */
export const inProcessOfItsOwn = (options: ProcessOptions, ...args: ReadonlyArray<string>): Effect.Effect<Ran> =>
  Effect.scoped(Effect.flatMap(spawned(options, ...args), ({ ended }) => ended))
