/**
 * The check of the compiler options: that the compiler finds the errors that it can find, and that Node can run the code
 * that it checks.
 *
 * Owns: which options matter, and why.
 * Does not own: how options are written; the compiler itself reports them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import type { CommandFailed } from "../CommandFailed.ts"
import { advice, type Finding, ok, problem } from "./Finding.ts"
import { find, fits } from "./packages.ts"

const about = "tsconfig.json"

export const compilerFindings: Effect.Effect<ReadonlyArray<Finding>, CommandFailed> = Effect.gen(function* () {
  if (!existsSync(about))
    return [advice(about, "is not there. Without types, most mistakes show when a workflow runs.")]
  // Where packages share their dependencies, it is in a folder above.
  const compiler = yield* find("typescript", process.cwd())
  if (compiler === undefined) return [advice(about, "cannot be read: TypeScript is not installed. npm i -D typescript")]
  const { folder, version } = compiler
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [join(folder, "bin", "tsc"), "--showConfig", "-p", "."],
    { encoding: "utf8" }
  )
  if (status !== 0) return [problem(about, `is refused by the compiler: ${(stdout + stderr).trim().split("\n")[0]}`)]
  const { compilerOptions = {} }: { readonly compilerOptions?: Options } = JSON.parse(stdout)
  const options = fits(version, ">=6.0.0") ? { ...defaults, ...compilerOptions } : compilerOptions
  const found = rules.flatMap((rule) => rule(options))
  return found.length === 0 ? [ok(about, "has what is needed")] : found
})

/** The defaults since TypeScript 6, which the compiler does not show. Before, they were the opposite. */
const defaults: Options = { strict: true, module: "esnext" }

type Options = Readonly<Record<string, unknown>>

const rules: ReadonlyArray<(options: Options) => ReadonlyArray<Finding>> = [
  ({ strict, strictNullChecks }) =>
    strict === true || strictNullChecks === true
      ? []
      : [problem(about, `lacks "strict": true. Without it the types of contracts and errors say nothing.`)],
  ({ module }) =>
    typeof module === "string" && /^(node16|node18|node20|nodenext|esnext|es20\d\d|preserve)$/i.test(module)
      ? []
      : [problem(about, `lacks "module": "NodeNext". The package is of ES modules.`)],
  ({ moduleResolution }) =>
    typeof moduleResolution === "string" && /^(node|node10|classic)$/i.test(moduleResolution)
      ? [problem(about, `has "moduleResolution": "${moduleResolution}", which does not find effect-durable/testing.`)]
      : [],
  ({ erasableSyntaxOnly }) =>
    erasableSyntaxOnly === true
      ? []
      : [
          advice(
            about,
            `lacks "erasableSyntaxOnly": true. Node, which runs TypeScript by itself, cannot run all of it.`
          )
        ]
]
