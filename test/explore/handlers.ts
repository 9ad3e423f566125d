/** Explores the handlers that this library makes for AWS's requirements: killed at a checkpoint, each has to end as it did. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setTimeout } from "node:timers/promises"
import { Outsiders } from "../conformance/driver.ts"
import { bindVariables, substitute } from "../conformance/matcher.ts"
import { apiError, memory, type Around } from "../conformance/memory.ts"
import * as pack from "../conformance/pack.ts"
import { watchProcess, type Watch } from "../conformance/process.ts"
import { needsCrash, type Requirement } from "../conformance/requirement.ts"
import { requirements } from "../conformance/requirements.ts"
import { dice, type Dice } from "../simulation/kit/dice.ts"
import { everywhere, showSchedule, type Kill } from "../simulation/kit/kill.ts"
import type { Explored } from "./explored.ts"

/** Real milliseconds after which an execution that has not ended counts as stuck. */
const patience = 600_000

/** Requirements of which nothing is said here, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  "1-18": "a crash in its second attempt, which may not run twice, uses up its attempts: it may end otherwise"
}

const explorable: ReadonlyMap<string, Requirement> = new Map(
  requirements.flatMap((requirement) => (requirement.id in leftOut ? [] : [[requirement.id, requirement]]))
)

export const handlers: ReadonlyArray<string> = [...explorable.keys()]

/** Kills a handler at every checkpoint, or at so many of them. */
export const exploredHandler = async (
  id: string,
  { limit, seed }: { readonly limit: number; readonly seed: number }
): Promise<Explored> => {
  const requirement = explorable.get(id)
  if (requirement === undefined) throw new Error(`There is no requirement ${id} to explore.`)
  const watch = watchProcess()
  try {
    const clean = await run(requirement, watch)
    const all = everywhere(clean.checkpoints).flat()
    const kills = all.length <= limit ? all : drawn(all, limit, dice(seed))
    for (const [index, kill] of kills.entries()) {
      const { end } = await run(requirement, watch, kill)
      if (end === clean.end) continue
      const failure = `killed ${showSchedule([kill])}: expected that it ends as ${clean.end}, found ${end}`
      return { schedules: index + 1, checkpoints: clean.checkpoints, failure }
    }
    return { schedules: kills.length, checkpoints: clean.checkpoints, failure: undefined }
  } finally {
    watch.stop()
  }
}

const drawn = <A>(all: ReadonlyArray<A>, count: number, { below }: Dice): ReadonlyArray<A> => {
  const left = [...all]
  return Array.from({ length: count }, () => left.splice(below(left.length), 1)).flat()
}

const stale = apiError({
  exception: "InvalidParameterValueException",
  message: "Invalid checkpoint token",
  status: 400
})
const lost = apiError({ exception: "ServiceException", message: "The answer was lost.", status: 500 })

/** Runs a handler to its end, killed or not, with a folder of its own for what it remembers when its process dies. */
const run: typeof runIn = async (...args) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-explore-"))
  const before = process.env["HARNESS_STATE_DIR"]
  process.env["HARNESS_STATE_DIR"] = folder
  try {
    return await runIn(...args)
  } finally {
    if (before === undefined) delete process.env["HARNESS_STATE_DIR"]
    else process.env["HARNESS_STATE_DIR"] = before
    rmSync(folder, { recursive: true })
  }
}

const runIn = async (
  requirement: Requirement,
  watch: Watch,
  kill?: Kill
): Promise<{ readonly end: string; readonly checkpoints: number }> => {
  let checkpoints = 0
  const around: Around = (send) => {
    if (++checkpoints !== kill?.at) return send()
    if (kill.side === "before") throw stale
    send()
    throw kill.side === "after" ? stale : lost
  }
  const variables = bindVariables(requirement, () => 0.5)
  const outsiders = new Outsiders(requirement, variables)
  const backend = memory(watch, around)
  const execution = await backend.start({
    handler: pack.handlers[requirement.id]!,
    targets: pack.targets,
    durableTargets: pack.durableTargets,
    id: requirement.id,
    mayCrash: needsCrash(requirement),
    input: JSON.stringify(substitute(requirement.Input ?? null, variables)),
    onCallback: outsiders.ask,
    onRefused: outsiders.refused
  })
  const began = performance.now()
  while (execution.ended() === undefined && performance.now() - began < patience) await setTimeout(1)
  const ended = execution.ended()
  execution.stop()
  await backend.close()
  return { end: ended === undefined ? "never" : JSON.stringify(ended), checkpoints }
}
