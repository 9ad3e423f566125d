/**
 * Runs an example on the in-memory engine: `npm start [-- NAME [JSON]]`.
 *
 * It prints the operations of the execution with their times and attempts, and in its last line the result as JSON. Time
 * is virtual: hours pass at once. It exits with 1 when the input is bad or the execution fails, and with 2 when it is
 * called wrongly; both times it says so in a sentence.
 */
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { examples } from "./all.ts"
import { draw } from "./tree.ts"

/** What a person reads when there is no result, and the exit code. */
class Failed extends Schema.TaggedError<Failed>()("Failed", { message: Schema.String, exitCode: Schema.Int }) {}

const main = Effect.fn("main")(function* (name = "order", input?: string, ...rest: ReadonlyArray<string>) {
  const example = Object.hasOwn(examples, name) ? examples[name] : undefined
  if (example === undefined || rest.length > 0) {
    const problem = rest.length > 0 ? "There are too many arguments" : `There is no example "${name}"`
    const names = Object.keys(examples).join(", ")
    return yield* new Failed({
      message: `${problem}. Use: npm start -- NAME [JSON], with NAME one of ${names}.`,
      exitCode: 2
    })
  }
  const payload = input === undefined ? JSON.stringify(example.payload) : yield* checkJson(input)
  return yield* Effect.provide(run(name, example.functionName, payload), example.engine)
})

const checkJson = (input: string) =>
  Effect.try({
    try: () => (JSON.parse(input), input),
    catch: (error) => failure(`The input is not JSON: ${error instanceof Error ? error.message : String(error)}.`)
  })

/** Runs an execution to its end, and answers with its result. */
const run = Effect.fnUntraced(function* (name: string, functionName: string, payload: string) {
  const client = yield* DurableClient.DurableClient
  const { executionArn, outcome } = yield* client.start({
    functionName,
    qualifier: "$LATEST",
    name,
    payload,
    type: "RequestResponse"
  })
  for (const line of yield* draw(executionArn)) console.log(line)
  if (outcome?.status === "SUCCEEDED") return outcome.result ?? "null"
  return yield* failure(outcome?.error.ErrorMessage ?? `The execution ended as ${outcome?.status ?? "nothing"}.`)
})

const failure = (message: string) => new Failed({ message, exitCode: 1 })

await Effect.runPromise(
  main(...process.argv.slice(2)).pipe(
    Effect.catchDefect((defect) => failure(defect instanceof Error ? defect.message : String(defect))),
    Effect.match({
      onSuccess: (result) => console.log(result),
      onFailure: (error) => {
        console.error(error.message.replaceAll(/\s+/g, " "))
        process.exitCode = error._tag === "Failed" ? error.exitCode : 1
      }
    })
  )
)
