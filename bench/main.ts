/**
 * Measures the library: `npm run bench -- steps [--count N] [--rounds N] [--async] [--json]`.
 *
 * With `--async` the body of a step takes a turn of the event loop, as one with I/O does.
 *
 * The last line sums up: `steps: warm A µs, AWS B µs, ratio C`. With `--json` the line before it is the whole report.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import { parseArgs } from "node:util"
import { countOrder, printOrder } from "./order.ts"
import { printSteps, steps } from "./steps.ts"

const usage = "Use: npm run bench -- steps [--count N] [--rounds N] [--async] [--json]"

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string", default: "1000" },
      rounds: { type: "string", default: "5" },
      async: { type: "boolean", default: false },
      json: { type: "boolean", default: false }
    }
  })
  if (positionals.join(" ") !== "steps") throw new Error(`There is no benchmark "${positionals.join(" ")}".`)
  const report = steps({
    count: positive("--count", values.count),
    rounds: positive("--rounds", values.rounds),
    body: values.async ? "asynchronous" : "immediate"
  })
  const order = await Effect.runPromise(countOrder)
  if (values.json) {
    console.log(JSON.stringify({ ...report, order }))
  } else {
    printSteps(report)
    printOrder(order)
  }
  console.log(`steps: warm ${report.ours.warm} µs, AWS ${report.aws.warm} µs, ratio ${report.ratio.warm}`)
}

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} must be a whole number of at least 1, found ${text}.`)
  return value
}

try {
  await main()
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  process.exitCode = 2
}
