/**
 * `npm run explore [-- NAME…] [--orders] [--seed S] [--limit N] [--json]`
 *
 * Crashes the examples, and the handlers for AWS's requirements by their ids, at each of their checkpoints, on every side, and
 * checks that they end as they would have ended. With `--orders` every order of what is due at the same time is tried of the
 * examples as well. Prints the seed first, which draws what is tried of one that has more than the limit; for each how many
 * checkpoints it has and what is wrong, with the crash or the order that shows it; what is left out, and why; and last `N schedules, N failures`. Exits with 1
 * if anything was wrong, and with 2 if the command makes no sense.
 */
import process from "node:process"
import * as Effect from "effect/Effect"
import { commandLine, count, flag, names, seed as seedPart } from "../../scripts/commandLine.ts"
import { examples } from "../../examples/lib/all.ts"
import { explored } from "./explored.ts"
import { exploredHandler, handlers, leftOut } from "./handlers.ts"

const all = [...Object.keys(examples), ...handlers]
const { values } = commandLine("explore", {
  names: names(all),
  orders: flag,
  seed: seedPart(1),
  limit: count(100),
  json: flag
})
const { limit, orders, seed } = values

console.log(`SEED=${seed}`)
const results = []
for (const name of values.names.length === 0 ? all : values.names) {
  const example = examples[name]
  const result = example
    ? await Effect.runPromise(explored(example, { limit, orders, seed }))
    : await exploredHandler(name, { limit, seed })
  results.push({ name, ...result })
  if (values.json) continue
  console.log(
    result.failure === undefined
      ? `${name}: ${result.checkpoints} checkpoints, ${result.schedules} schedules`
      : `${name}: WRONG: ${result.failure}`
  )
}
if (values.json) console.log(JSON.stringify({ seed, results, leftOut }))
else if (values.names.length === 0) {
  console.log("Left out:")
  for (const [id, why] of Object.entries(leftOut)) console.log(`  ${id}: ${why}`)
}
const schedules = results.reduce((sum, result) => sum + result.schedules, 0)
const failures = results.filter(({ failure }) => failure !== undefined).length
console.log(`${schedules} schedules, ${failures} failures`)
process.exit(failures === 0 ? 0 : 1)
