/**
 * The generator of programs that fail and have to be undone, with its judge.
 */
import type { Fuzzer, Ran } from "../kit/campaign.ts"
import { drawSchedule } from "../kit/kill.ts"
import { observe } from "../kit/world.ts"
import { draw } from "./draw.ts"
import { workflowOf } from "./interpret.ts"
import { judge, type Kind } from "./judge.ts"
import { Notes } from "./notes.ts"
import { grammar, type Node, type Program } from "./program.ts"

export const fuzzer: Fuzzer<Program, Node, Ran<Kind>, Kind> = {
  script: "undo",
  draw,
  title: ({ end, sharesNames }) => `a program that ends with ${end}${sharesNames ? ", with shared names" : ""}`,
  grammar,
  run: async (program, schedule) => {
    const notes = new Notes()
    const seen = await observe((kit) => workflowOf(program, notes, kit), schedule)
    return judge(program, notes, seen)
  },
  schedules: (dice, requests) => Array.from({ length: 6 }, () => drawSchedule(dice, requests))
}
