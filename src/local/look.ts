/**
 * Inspects a module, in a process of its own, and reports to the engine over the channel what it can serve. The argument is
 * the file.
 *
 * Owns: the one message. Does not own: its use.
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
  // A module may keep timers and connections; the process does not wait for them.
  () => process.exit(0)
)
