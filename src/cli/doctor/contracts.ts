/**
 * The check whether the contracts of modules declare the addresses of their deployed functions.
 *
 * Owns: the advice.
 * Does not own: how modules are inspected, and the form of an address.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import process from "node:process"
import type { CommandFailed } from "../CommandFailed.ts"
import { loadModule } from "../dev.ts"
import { advice, type Finding, ok, problem } from "./Finding.ts"

export const contractFindings = (files: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Finding>, CommandFailed> =>
  files.length === 0
    ? Effect.succeed([])
    : Effect.gen(function* () {
        const { lookInto } = yield* loadModule(() => import("../../local/Processes.ts"))
        const found = yield* Effect.forEach(files, (file) =>
          Effect.match(lookInto(resolve(file), {}, undefined), {
            onSuccess: ({ contracts }) => findingsOf(file, contracts),
            onFailure: ({ message }) => [problem(file, `cannot be loaded: ${reasonIn(message)}`)]
          })
        )
        return found.flat()
      })

/** Returns the message of a thrown error without its location. */
const reasonIn = (message: string): string => {
  const lines = message.split("\n")
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines[0] ?? ""
}

interface Contract {
  readonly name: string
  readonly kind: "durable" | "plain"
  readonly target?: string
}

/**
 * Returns the findings about contracts. A durable function that is called without a version of its own may change its
 * version between two calls.
 */
const findingsOf = (file: string, contracts: ReadonlyArray<Contract>): ReadonlyArray<Finding> => {
  const configured = addresses()
  const without = contracts.filter(
    ({ kind, name, target }) => kind === "durable" && target === undefined && !configured.includes(name)
  )
  return without.length === 0
    ? [ok(file, contracts.length === 0 ? "exports no contract" : `exports ${contracts.length} contracts`)]
    : without.map(({ name }) =>
        advice(
          file,
          `The contract "${name}" has no target. Once it is deployed, callers call ${name}:$LATEST: give it a target such as "${name}:live", or an entry in DURABLE_TARGETS.`
        )
      )
}

/** Returns the names that have addresses in the environment. */
const addresses = (): ReadonlyArray<string> => {
  try {
    return Object.keys(Object(JSON.parse(process.env["DURABLE_TARGETS"] ?? "{}")))
  } catch {
    return []
  }
}
