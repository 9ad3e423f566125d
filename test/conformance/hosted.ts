/**
 * The handlers of a pack as functions in processes of the local engine: `CONFORMANCE_PACK` says of which pack, the name of the
 * execution which handler of it. What they print, the driver finds in the file `CONFORMANCE_LOG`.
 */
import { appendFileSync } from "node:fs"
import process from "node:process"
import type { AnyHandler } from "./backend.ts"
import type { Pack } from "./driver.ts"
import { targets } from "./handlers/invoke.ts"

const log = process.env["CONFORMANCE_LOG"] ?? ""

for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk: unknown) => {
    appendFileSync(log, String(chunk))
    return true
  }
}

const pack: Pack = process.env["CONFORMANCE_PACK"] === "aws" ? await import("./awsPack.ts") : await import("./pack.ts")

/** The handler of the requirement that the name of the execution begins with. */
export const handler: AnyHandler = (event, context) => {
  const id = /\/durable-execution\/(\d+-\d+)_/.exec(JSON.stringify(event))?.[1] ?? ""
  const found = pack.handlers[id]
  if (found === undefined) throw new Error(`There is no handler for the requirement "${id}".`)
  return found(event, context)
}

export const echo = targets["target-echo"]
export const echoOfTenant = targets["target-echo-tenant"]
export const error = targets["target-error"]
