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
import { isHistoryOnly, needsCrash, type Requirement } from "../conformance/requirement.ts"
import { requirements } from "../conformance/requirements.ts"
import { dice, type Dice } from "../simulation/kit/dice.ts"
import { everywhere, showSchedule, type Kill } from "../simulation/kit/kill.ts"
import type { Explored } from "./explored.ts"

/** Real milliseconds after which an execution that has not ended counts as stuck. */
const patience = 600_000

/** Requirements whose handler comes to an end that the requirement names, and dies of nothing but what is done to it here. */
const explorable: ReadonlyMap<string, Requirement> = new Map(
  requirements.flatMap((requirement) =>
    requirement.id in pack.handlers && !needsCrash(requirement) && !isHistoryOnly(requirement)
      ? [[requirement.id, requirement]]
      : []
  )
)

export const handlers: ReadonlyArray<string> = [...explorable.keys()]

/** Kills a handler at every checkpoint, or at so many of them. */
export const exploredHandler = async (
  id: string,
  { limit, seed }: { readonly limit: number; readonly seed: number }
): Promise<Explored> => {
  const requirement = explorable.get(id)
  if (requirement === undefined) throw new Error(`There is no requirement ${id} to explore.`)
  const memory = mkdtempSync(join(tmpdir(), "effect-durable-explore-"))
  const before = process.env["HARNESS_STATE_DIR"]
  process.env["HARNESS_STATE_DIR"] = memory
  const watch = watchProcess()
  try {
    const clean = await run(requirement, watch)
    const all = everywhere(clean.checkpoints).flat()
    const kills = all.length <= limit ? all : drawn(all, limit, dice(seed))
    for (const kill of kills) {
      const { end } = await run(requirement, watch, kill)
      if (end === clean.end) continue
      const failure = `killed ${showSchedule([kill])}: expected that it ends as ${clean.end}, found ${end}`
      return { schedules: kills.length, checkpoints: clean.checkpoints, failure }
    }
    return { schedules: kills.length, checkpoints: clean.checkpoints, failure: undefined }
  } finally {
    watch.stop()
    if (before === undefined) delete process.env["HARNESS_STATE_DIR"]
    else process.env["HARNESS_STATE_DIR"] = before
    rmSync(memory, { recursive: true })
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

/** Runs a handler to its end, killed or not. */
const run = async (
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
    mayCrash: false,
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
