/**
 * `npm run explore [-- NAME…] [--orders] [--seed S] [--limit N] [--json]`
 *
 * Crashes the examples, and the handlers for AWS's requirements by their ids, at each of their checkpoints, on every side, and
 * checks that they end as they would have ended. With `--orders` every order of what is due at the same time is tried of the
 * examples as well. Prints the seed first, which draws what is tried of one that has more than the limit; for each how many
 * checkpoints it has and what is wrong, with the crash or the order that shows it; and last `N schedules, N failures`. Exits with 1
 * if anything was wrong, and with 2 if the command makes no sense.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { explored } from "./explored.ts"
import { exploredHandler, handlers } from "./handlers.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: process.env["SEED"] ?? "1" },
    limit: { type: "string", default: "100" },
    orders: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})
const numbers = [values.seed, values.limit].map((text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined))
const [seed, limit] = numbers
const { orders } = values
const all = [...Object.keys(examples), ...handlers]
const unknown = positionals.find((name) => !all.includes(name))
if (seed === undefined || limit === undefined || unknown !== undefined) {
  console.error(
    `usage: npm run explore [-- NAME…] [--orders] [--seed S] [--limit N] [--json], with names of ${all.join(", ")}`
  )
  process.exit(2)
}

console.log(`SEED=${seed}`)
const results = []
for (const name of positionals.length === 0 ? all : positionals) {
  const result = Object.hasOwn(examples, name)
    ? await Effect.runPromise(explored(name, { limit, orders, seed }))
    : await exploredHandler(name, { limit, seed })
  results.push({ name, ...result })
  if (values.json) continue
  console.log(
    result.failure === undefined
      ? `${name}: ${result.checkpoints} checkpoints, ${result.schedules} schedules`
      : `${name}: WRONG: ${result.failure}`
  )
}
if (values.json) console.log(JSON.stringify({ seed, results }))
const schedules = results.reduce((sum, result) => sum + result.schedules, 0)
const failures = results.filter(({ failure }) => failure !== undefined).length
console.log(`${schedules} schedules, ${failures} failures`)
process.exit(failures === 0 ? 0 : 1)
