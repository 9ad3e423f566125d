/**
 * Measures the bundle of the smallest durable function: `npm run size [-- --update]`.
 *
 * Prints the size of each bundle in bytes, the size recorded in `bench/sizes.json`, and its ten largest parts. Fails if
 * a size is above its budget, or differs from the recorded one by more than 1 %. `--update` records the sizes, so the
 * history of that file shows which commit made the package grow. Run `npm run build` first.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { commandLine, flag } from "./commandLine.ts"
import { bundled, type Bundle, type Bundler, type Program } from "../bench/bundle.ts"

const { update } = commandLine("size", { update: flag }).values

/** In bytes. The goal is 130,000 and 45,000; lower the budget with every step on the way there. */
const budget = { bytes: 278_500, gzip: 98_000 }

interface Subject {
  readonly program: Program
  readonly bundler: Bundler
  /** Whether the budget applies to the bundle. The other bundles show what to avoid. */
  readonly limited: boolean
}

/**
 * The code that a function with only steps must not contain: the other operations, the client for programs, AWS's
 * client.
 */
const strangers = /@aws-sdk|DurableClient|LambdaClient|awsSdk|operations\/(batch|race|callback|invoke|map|parallel)\.js/

const subjects: ReadonlyArray<Subject> = [
  { program: "hello", bundler: "esbuild", limited: true },
  { program: "hello", bundler: "rolldown", limited: true },
  { program: "namespaces", bundler: "esbuild", limited: false },
  { program: "namespaces", bundler: "rolldown", limited: true },
  { program: "barrel", bundler: "esbuild", limited: false },
  { program: "barrel", bundler: "rolldown", limited: true }
]

type Sizes = Readonly<Record<string, { readonly bytes: number; readonly gzip: number }>>

const file = join(import.meta.dirname, "../bench/sizes.json")
const recorded: Sizes = JSON.parse(readFileSync(file, "utf8"))

const count = (value: number): string => value.toLocaleString("en")

/** Returns the problems of a bundle. */
const problemsOf = (name: string, { bytes, gzip, parts }: Bundle, limited: boolean): ReadonlyArray<string> => {
  const before = recorded[name]
  const differs = (now: number, then: number | undefined) => then === undefined || Math.abs(now - then) > then / 100
  const carried = limited ? parts.map(([part]) => part).filter((part) => strangers.test(part)) : []
  return [
    ...carried.map((part) => `${name} carries ${part}, and does not use it.`),
    ...(limited && bytes > budget.bytes ? [`${name} has ${count(bytes)} bytes, above ${count(budget.bytes)}.`] : []),
    ...(limited && gzip > budget.gzip
      ? [`${name} has ${count(gzip)} bytes compressed, above ${count(budget.gzip)}.`]
      : []),
    ...(differs(bytes, before?.bytes) || differs(gzip, before?.gzip)
      ? [`${name} is not as recorded. Record it with: npm run size -- --update`]
      : [])
  ]
}

const main = async (): Promise<ReadonlyArray<string>> => {
  const sizes: Record<string, { readonly bytes: number; readonly gzip: number }> = {}
  const problems: Array<string> = []
  for (const { bundler, limited, program } of subjects) {
    const name = `${program}, ${bundler}`
    const bundle = await bundled(program, { bundler })
    const { bytes, gzip, parts } = bundle
    sizes[name] = { bytes, gzip }
    const before = recorded[name]
    console.log(
      `${name}: ${count(bytes)} bytes, ${count(gzip)} compressed (recorded ${count(before?.bytes ?? 0)}, ${count(before?.gzip ?? 0)})`
    )
    console.log(
      `  ${parts
        .slice(0, 10)
        .map(([part, size]) => `${part} ${count(size)}`)
        .join(", ")}`
    )
    problems.push(...problemsOf(name, bundle, limited))
  }
  if (!update) return problems
  writeFileSync(file, `${JSON.stringify(sizes, undefined, 2)}\n`)
  return problems.filter((problem) => !problem.includes("--update"))
}

const problems = await main()
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? "size: within the budget" : `size: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
