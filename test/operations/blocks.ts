/** What the tests of blocks of operations share. */
import type { Ran } from "./support.ts"

/** The names of the recorded contexts, in the order in which they were started. */
export const contextNames = (ran: Pick<Ran<unknown, unknown>, "operations">): ReadonlyArray<string | undefined> =>
  ran.operations.filter((operation) => operation.Type === "CONTEXT").map((operation) => operation.Name)
