/**
 * Runs an example on the local engine: `npm start [-- NAME [JSON] [--crash POINT] [--memory]]`.
 *
 * It prints the operations of the execution with their times and attempts, and in the last line the result as JSON. The
 * engine skips all waits: hours pass at once. With `--memory` the example runs on the test engine, in virtual time,
 * without a database and HTTP. With `--crash` an invocation is killed at a checkpoint, such as `before:3` or
 * `after:charge`, and the output shows which operations were replayed and which ran again. The exit code is 1 when the
 * input is invalid or the execution fails, and 2 for a wrong call. In both cases a sentence gives the reason.
 */
import { DurableClient } from "effect-durable"
import { Faults, Tree } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { examples, type Example } from "./all.ts"
import { Crash } from "./crash.ts"

/** The message when there is no result, and the exit code. */
class Failed extends Schema.TaggedError<Failed>()("Failed", { message: Schema.String, exitCode: Schema.Int }) {}

const main = Effect.fn("main")(function* (args: ReadonlyArray<string>) {
  const inMemory = args.includes("--memory")
  const { crash, words } = yield* parseArguments(
    args.filter((word) => word !== "--memory"),
    inMemory
  )
  const [name = "order", input, ...rest] = words
  const example = Object.hasOwn(examples, name) ? examples[name] : undefined
  if (example === undefined) return yield* misuse(`There is no example "${name}"`)
  if (rest.length > 0) return yield* misuse("There are too many arguments")
  const payload = input === undefined ? JSON.stringify(example.payload) : yield* checkJson(input)
  const engine =
    crash === undefined ? engineOf(example, inMemory) : engineOf(example, inMemory, crash.text, crash.watch)
  return yield* Effect.provide(run(name, example.functionName, payload, crash), engine)
})

const engineOf = (example: Example, inMemory: boolean, crash?: string, watch?: Crash) =>
  inMemory
    ? example.memory({ crash, faults: { onCrash: watch?.onCrash } })
    : example.local({ crash, onCrash: watch?.onCrash })

interface Due {
  readonly text: string
  readonly watch: Crash
}

/** Returns the arguments without the flag `--crash`, and the requested crash. */
const parseArguments = Effect.fnUntraced(function* (args: ReadonlyArray<string>, inMemory: boolean) {
  const at = args.indexOf("--crash")
  if (at === -1) return { words: args, crash: undefined }
  const text = args[at + 1] ?? ""
  const points = yield* Effect.try({ try: () => Faults.crashes(text), catch: messageOf }).pipe(
    Effect.catch((problem) => misuse(`--crash: ${problem.replace(/\.$/, "")}`))
  )
  if (!inMemory && points.some(({ side }) => side === "twice"))
    return yield* misuse(`--crash ${text} delivers an event twice, which only the test engine does: add --memory`)
  const crash: Due = { text, watch: new Crash() }
  return { words: args.toSpliced(at, 2), crash }
})

const misuse = (problem: string) => {
  const names = Object.keys(examples).join(", ")
  const message = `${problem}. Use: npm start -- NAME [JSON] [--crash POINT] [--memory], with NAME one of ${names}.`
  return new Failed({ message, exitCode: 2 })
}

const checkJson = (input: string) =>
  Effect.try({
    try: () => (JSON.parse(input), input),
    catch: (error) => failure(`The input is not JSON: ${error instanceof Error ? error.message : String(error)}.`)
  })

/** Runs an execution to its end, and returns its result. */
const run = Effect.fnUntraced(function* (name: string, functionName: string, payload: string, crash?: Due) {
  const client = yield* DurableClient.DurableClient
  if (crash !== undefined) yield* Deferred.succeed(crash.watch.client, client)
  const { executionArn, outcome } = yield* client.start({
    functionName,
    qualifier: "$LATEST",
    executionName: name,
    payload,
    type: "RequestResponse"
  })
  if (crash !== undefined) {
    const { report } = crash.watch
    if (report === undefined)
      return yield* failure(`The execution ended and has no ${crash.text}, so nothing was killed.`)
    console.log(`${report}\n`)
  }
  const noteOf = (arn: string, operationId: string) => crash?.watch.noteOf(arn, operationId)
  console.log(yield* Tree.render({ executionArn }, { noteOf }))
  if (outcome?.status === "SUCCEEDED") return outcome.result ?? "null"
  return yield* failure(outcome?.error.ErrorMessage ?? `The execution ended as ${outcome?.status ?? "nothing"}.`)
})

const failure = (message: string) => new Failed({ message, exitCode: 1 })

const program = main(process.argv.slice(2)).pipe(
  Effect.catchDefect((defect) => failure(defect instanceof Error ? defect.message : String(defect))),
  Effect.match({
    onSuccess: (result) => console.log(result),
    onFailure: (error) => {
      console.error(messageOf(error).replaceAll(/\s+/g, " "))
      process.exitCode = error instanceof Failed ? error.exitCode : 1
    }
  })
)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// A process that is asked to end must clean up too. The listeners have to be there before anything is acquired.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => fiber.interruptUnsafe())
const fiber = Effect.runFork(program)
fiber.addObserver((exit) => {
  if (Exit.isFailure(exit)) process.exitCode = 130
})
