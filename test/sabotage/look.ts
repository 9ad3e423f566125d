/**
 * `node look.ts JUDGE SEED SEEDS`: looks with one judge for what is wrong with the source beside it. Prints a line of JSON for
 * each seed, and stops with the first in which something is wrong.
 */
import process from "node:process"
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { explored } from "../explore/explored.ts"
import { judge as simulated } from "../simulation/judge.ts"
import { judge, type Fuzzer, type Ran } from "../simulation/kit/campaign.ts"
import type { Tree } from "../simulation/kit/tree.ts"
import { fuzzer as second } from "../simulation/second/fuzzer.ts"
import { fuzzer as undo } from "../simulation/undo/fuzzer.ts"

/** What is wrong in the program of a seed, if anything is. */
type Judge = (seed: number) => Promise<string | undefined>

const drawn =
  <P extends { readonly root: N }, N extends Tree<N>, R extends Ran<Kind>, Kind extends string>(
    fuzzer: Fuzzer<P, N, R, Kind>
  ): Judge =>
  async (seed) => {
    const { failure } = await judge(fuzzer, seed, { patience: 0 })
    return failure?.problems[0]
  }

const judges: Readonly<Record<string, Judge>> = {
  simulate: async (seed) => (await simulated(seed, { isSmallest: false })).violation?.problem,
  undo: drawn(undo),
  second: drawn(second),
  explore: async (seed) => {
    for (const [name, example] of Object.entries(examples)) {
      const { failure } = await Effect.runPromise(explored(example, { limit: 4, seed }))
      if (failure !== undefined) return `${name}: ${failure}`
    }
    return undefined
  },
  /** A single run of every example, without anything that disturbs it: what they end with, as text. */
  examples: async () => {
    const ends = Object.values(examples).map(({ functionName, memory, payload }) =>
      Effect.flatMap(DurableClient.DurableClient, (client) =>
        client.start({
          functionName,
          qualifier: "$LATEST",
          executionName: "single",
          payload: JSON.stringify(payload),
          type: "RequestResponse"
        })
      ).pipe(
        Effect.map(({ outcome }) =>
          outcome?.status === "SUCCEEDED" ? outcome.result : `${outcome?.status} ${outcome?.error.ErrorType}`
        ),
        Effect.provide(memory())
      )
    )
    return JSON.stringify(await Effect.runPromise(Effect.forEach(ends, (end) => Effect.orDie(end))))
  }
}

const [name = "", seed = "", seeds = ""] = process.argv.slice(2)
const look = judges[name]
if (look === undefined) throw new Error(`There is no judge "${name}".`)
for (let number = 0; number < Number(seeds); number++) {
  const problem = await look((Number(seed) + number) % 2 ** 32)
  console.log(JSON.stringify({ seeds: number + 1, problem }))
  if (problem !== undefined) break
}
// What a program that is stuck has left behind must not keep the process alive.
process.exit(0)
