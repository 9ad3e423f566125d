/**
 * Looks into a module, as a process of its own, and tells the engine over the channel what it can serve of it. The argument is
 * the file.
 *
 * Owns: the one message. Does not own: what is made of it.
 *
 * @since 0.1.0
 */
import process from "node:process"
import { contractsIn, exportsOf, implementationsIn } from "./exports.ts"

const exports = await exportsOf(process.argv[2] ?? "")

process.send?.(
  {
    implementations: implementationsIn(exports),
    contracts: contractsIn(exports),
    hasHandler: typeof exports["handler"] === "function"
  },
  // A module may keep timers and connections; nobody waits for them here.
  () => process.exit(0)
)
