/**
 * The second generator of whole workflows, with its judge. It was written from the documentation alone, by somebody who had
 * not seen the runtime: what the first one takes for granted, this one may not.
 */
import type { Fuzzer } from "../kit/campaign.ts"
import type { Dice } from "../kit/dice.ts"
import { drawSchedule, everywhere, type Schedule } from "../kit/kill.ts"
import { observe } from "../kit/world.ts"
import { draw } from "./draw.ts"
import { workflowOf } from "./interpret.ts"
import { judge, type Judged, type Kind } from "./judge.ts"
import { outside } from "./leaves.ts"
import { grammar, type Node, type Program } from "./program.ts"
import { Trace } from "./trace.ts"

export const fuzzer: Fuzzer<Program, Node, Judged, Kind> = {
  script: "simulate:second",
  draw,
  title: ({ isSteady, sharesNames }) =>
    `a program ${isSteady ? "that crashes cannot change" : "in which times lie close"}${sharesNames ? ", with shared names" : ""}`,
  grammar,
  run: async (program, schedule, undisturbed) => {
    const trace = new Trace()
    const seen = await observe((kit) => workflowOf(program, trace, kit), schedule, outside)
    return judge(program, trace, seen, undisturbed)
  },
  schedules: (dice, requests) => [
    ...singles(dice, requests),
    ...Array.from({ length: 4 }, () => drawSchedule(dice, requests))
  ]
}

/** One kill at every request on each of its sides, or at some if there are many. */
const singles = (dice: Dice, requests: number): ReadonlyArray<Schedule> => {
  const all = everywhere(requests)
  const most = 18
  return all.length <= most ? all : all.filter(() => dice.below(all.length) < most)
}
