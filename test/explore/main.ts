/**
 * `npm run explore [-- NAME…] [--seed S] [--limit N] [--json]`
 *
 * Crashes examples at each of their checkpoints, on every side, and checks that they end as they would have ended. Prints the
 * seed first, which draws the crashes of an example that has more of them than the limit; for each example how many
 * checkpoints it has and what is wrong, with the crash that shows it; and last `N schedules, N failures`. Exits with 1 if
 * anything was wrong, and with 2 if the command makes no sense.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { exempt, explored } from "./explored.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: process.env["SEED"] ?? "1" },
    limit: { type: "string", default: "100" },
    json: { type: "boolean", default: false }
  }
})
const numbers = [values.seed, values.limit].map((text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined))
const [seed, limit] = numbers
const unknown = positionals.find((name) => !Object.hasOwn(examples, name))
if (seed === undefined || limit === undefined || unknown !== undefined) {
  console.error(
    `usage: npm run explore [-- NAME…] [--seed S] [--limit N] [--json], with names of ${Object.keys(examples).join(", ")}`
  )
  process.exit(2)
}

console.log(`SEED=${seed}`)
const results = []
for (const name of positionals.length === 0 ? Object.keys(examples) : positionals) {
  const reason = exempt[name]
  if (reason !== undefined) {
    if (!values.json) console.log(`${name}: left out, because ${reason}`)
    continue
  }
  const result = await Effect.runPromise(explored(name, { limit, seed }))
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
