/**
 * Holds a program written for this library against the same program as AWS's own SDK has run it.
 */
import type { Common } from "./common.ts"
import { runOurs } from "./ours.ts"
import { assertAlike, type Seen } from "./seen.ts"

/** In what the two differ, if they do. */
export const differenceOf = async (program: Common, theirs: Seen): Promise<string | undefined> => {
  const ours = await runOurs(program)
  try {
    assertAlike(program, ours, theirs)
    return undefined
  } catch (error) {
    const { actual, expected } = Object(error)
    const shown =
      actual === undefined ? "" : `\n  ours   ${JSON.stringify(actual)}\n  theirs ${JSON.stringify(expected)}`
    return `${error instanceof Error ? error.message.slice(0, 300) : String(error)}${shown}`
  }
}
