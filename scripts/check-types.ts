/**
 * Checks that the package compiles in its users' projects: with every compiler that they have, and with every compiler
 * setting that changes how declarations are read.
 *
 * `npm run check:types -- [--typescript 7] [--pairs] [--skip-unreachable] [--json]`
 *
 * It packs the package, installs it with `effect` into an empty project and compiles the programs of
 * `test/package/programs` there, once for each combination of compiler, resolution and `exactOptionalPropertyTypes`.
 * With `--pairs` it compiles half of the combinations, in which each two settings meet. In each combination it first
 * compiles a library, whose declarations the compiler writes from inferred types, and then a program that uses these
 * declarations. In `consumer/refused.ts` the compiler must find the errors that the markers name, and no others.
 *
 * Run `npm run build` first. The older compilers come from a registry; without one their combinations fail, or with
 * `--skip-unreachable` are reported as skipped. The check prints a line for each combination and every problem, and
 * exits with 1 if there is a problem. With `--json` it prints the same as JSON. The last line is `types: N passed, N
 * failed`, followed by the number of skipped combinations, if there are any.
 */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { commandLine, flag, parsed } from "./commandLine.ts"
import { install, pack, run } from "./npm/packed.ts"

const root = join(import.meta.dirname, "..")

/** The last version of each major line of compilers. The newest is the compiler of this repository. */
const compilers = ["5.9.3", "6.0.3", manifest.devDependencies.typescript]

const { values } = commandLine("check:types", {
  typescript: parsed(compilers.join("|"), (asked) =>
    compilers.some((version) => version.startsWith(asked)) ? asked : undefined
  ),
  pairs: flag,
  "skip-unreachable": flag,
  json: flag
})

const folder = mkdtempSync(join(tmpdir(), "effect-durable-types-"))
const project = join(folder, "project")

interface Combination {
  readonly typescript: string
  readonly resolution: "nodenext" | "bundler"
  readonly exact: boolean
}

const combinations: ReadonlyArray<Combination> = compilers.flatMap((typescript) =>
  (["nodenext", "bundler"] as const).flatMap((resolution) =>
    [true, false].map((exact) => ({ typescript, resolution, exact }))
  )
)

/**
 * Returns whether a combination is in the half in which each two settings meet: the setting of optional properties
 * changes with the compiler and with the resolution.
 */
const isOfPairs = ({ exact, resolution, typescript }: Combination): boolean =>
  exact === ((compilers.indexOf(typescript) % 2 === 0) === (resolution === "nodenext"))

const nameOf = ({ exact, resolution, typescript }: Combination): string =>
  `TypeScript ${typescript}, ${resolution}, exactOptionalPropertyTypes ${exact ? "on" : "off"}`

// --- The project -----------------------------------------------------------------------------------------------------

const prepare = (): void => install(project, pack(root, folder).file, `effect@${manifest.devDependencies.effect}`)

const marker = "// @ts-expect-error"

/** Creates a folder with the programs of a combination, in which the package is found. */
const configured = (combination: Combination): string => {
  const { exact, resolution } = combination
  const place = join(project, nameOf(combination).replaceAll(/[^a-zA-Z0-9.]+/g, "-"))
  cpSync(join(root, "test/package/programs"), place, { recursive: true })
  // In this program the compiler must report errors.
  const refused = join(place, "consumer/refused.ts")
  writeFileSync(refused, readFileSync(refused, "utf8").replaceAll(marker, "//"))
  const compilerOptions = {
    target: "ES2024",
    lib: ["ES2024", "DOM"],
    types: [],
    module: resolution === "nodenext" ? "nodenext" : "esnext",
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: exact,
    skipLibCheck: false,
    declaration: true,
    composite: true,
    rewriteRelativeImportExtensions: true,
    rootDir: ".."
  }
  const write = (name: string, more: object): void =>
    writeFileSync(join(place, name, "tsconfig.json"), JSON.stringify({ include: ["*.ts"], ...more }))
  // The consumer checks all declarations that this program reads, and once is enough.
  write("library", { compilerOptions: { ...compilerOptions, skipLibCheck: true, outDir: "../out" } })
  write("consumer", {
    compilerOptions: { ...compilerOptions, outDir: "../out" },
    references: [{ path: "../library" }]
  })
  return place
}

// --- What the compiler says ------------------------------------------------------------------------------------------

interface Finding {
  readonly file: string
  readonly line: number
  readonly message: string
}

const compile = async (place: string, compiler: string, name: string): Promise<ReadonlyArray<Finding>> => {
  const { error, stderr, stdout } = await executed(place, compiler, "-p", name, "--pretty", "false")
  const found = findings(stdout)
  if (error !== null && found.length === 0)
    throw new Error(`The compiler failed.\n${stdout}${stderr}`, { cause: error })
  return found
}

const executed = (cwd: string, ...args: ReadonlyArray<string>) =>
  new Promise<{ readonly error: Error | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const options = { cwd, encoding: "utf8", maxBuffer: 2 ** 26 } as const
    execFile(process.execPath, args, options, (error, stdout, stderr) => resolve({ error, stdout, stderr }))
  })

/** A finding is a line with a place, and the indented ones below it. */
const findings = (output: string): ReadonlyArray<Finding> =>
  output.split(/\n(?! )/).flatMap((text) => {
    const [, file = "", line, message = ""] =
      /^(?:(.+)\((\d+),\d+\): )?((?:error|fatal)\b.*)$/s.exec(text.trimEnd()) ?? []
    return message === "" ? [] : [{ file, line: Number(line ?? 0), message }]
  })

interface Expectation {
  readonly line: number
  readonly sentence: string
}

/** Returns the errors that the markers of `consumer/refused.ts` name. */
const expectations: ReadonlyArray<Expectation> = readFileSync(
  join(root, "test/package/programs/consumer/refused.ts"),
  "utf8"
)
  .split("\n")
  .flatMap((text, index) =>
    text.trimStart().startsWith(marker)
      ? [{ line: index + 2, sentence: text.trimStart().slice(marker.length).trim() }]
      : []
  )

const problemsOf = async (combination: Combination, compiler: string): Promise<ReadonlyArray<string>> => {
  const place = configured(combination)
  const library = await compile(place, compiler, "library")
  if (library.length > 0) return library.map(told)
  const consumer = await compile(place, compiler, "consumer")
  const refused = consumer.filter(({ file }) => file === "consumer/refused.ts")
  return [
    ...consumer.filter((finding) => !refused.includes(finding)).map(told),
    ...refused.filter(({ line }) => !expectations.some((expected) => expected.line === line)).map(told),
    ...expectations.flatMap((expected) =>
      missed(
        expected,
        refused.filter(({ line }) => line === expected.line)
      )
    )
  ]
}

const told = ({ file, line, message }: Finding): string => `${file}:${line} ${message}`

const missed = ({ line, sentence }: Expectation, found: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const place = `consumer/refused.ts:${line}`
  if (found.length === 0) return [`${place} compiles, and should say: ${sentence}`]
  if (found.length > 1) return [`${place} is reported ${found.length} times:\n${found.map(told).join("\n")}`]
  const [{ message } = { message: "" }] = found
  return message.replaceAll('\\"', '"').includes(sentence)
    ? []
    : [`${place} should say: ${sentence}\nIt says: ${message}`]
}

// --- All of them -----------------------------------------------------------------------------------------------------

interface Result extends Combination {
  readonly seconds: number
  readonly problems: ReadonlyArray<string>
  /** The reason why nothing was compiled. */
  readonly skipped?: string
}

/** Returns the path of the compiler of a version, or the reason why it is missing. */
const installed = new Map<string, string | Error>()

const compilerOf = (version: string): string => {
  const found = installed.get(version) ?? installCompiler(version)
  installed.set(version, found)
  if (typeof found === "string") return found
  throw found
}

/** A compiler that cannot be installed, because the registry does not answer. */
class Unreachable extends Error {}

const installCompiler = (version: string): string | Error => {
  const isOurs = version === manifest.devDependencies.typescript
  const place = isOurs ? root : join(folder, `typescript-${version}`)
  try {
    if (!isOurs) install(place, `typescript@${version}`)
    const compiler = join(place, "node_modules/typescript/bin/tsc")
    const says = run(place, process.execPath, compiler, "--version").stdout.trim()
    return says === `Version ${version}` ? compiler : new Error(`TypeScript ${version} says that it is ${says}.`)
  } catch (error) {
    return new Unreachable(
      `TypeScript ${version} cannot be installed, so nothing is known of it. Is the registry within reach? ${said(error)}`
    )
  }
}

const check = async (combination: Combination, mayBeSkipped: boolean): Promise<Result> => {
  const start = performance.now()
  const compiled = await (async (): Promise<Pick<Result, "problems" | "skipped">> => {
    try {
      return { problems: await problemsOf(combination, compilerOf(combination.typescript)) }
    } catch (error) {
      return mayBeSkipped && error instanceof Unreachable
        ? { problems: [], skipped: error.message }
        : { problems: [said(error)] }
    }
  })()
  return { ...combination, seconds: Math.round((performance.now() - start) / 100) / 10, ...compiled }
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Checks as many combinations at once as there are processors, and reports each when it is done. */
const checkAll = async (wanted: ReadonlyArray<Combination>, mayBeSkipped: boolean): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  const left = wanted.values()
  const work = async (): Promise<void> => {
    for (const combination of left) {
      const result = await check(combination, mayBeSkipped)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return results
}

const report = (result: Result): void => {
  const { problems, seconds, skipped } = result
  const verdict = skipped === undefined ? (problems.length === 0 ? "ok     " : "FAILED ") : "skipped"
  console.log(`${verdict} ${nameOf(result)} (${seconds} s)`)
  if (skipped !== undefined) console.log(skipped.replaceAll(/^/gm, "        "))
  for (const problem of problems) console.log(problem.replaceAll(/^/gm, "        "))
}

const main = async (): Promise<number> => {
  const wanted = combinations.filter(
    (combination) =>
      combination.typescript.startsWith(values.typescript ?? "") && (!values.pairs || isOfPairs(combination))
  )
  try {
    prepare()
  } catch (error) {
    throw new Error(
      `The package cannot be installed, so nothing is known of any compiler. Is the registry within reach? ${said(error)}`,
      { cause: error }
    )
  }
  const results = await checkAll(wanted, values["skip-unreachable"])
  const failed = results.filter(({ problems }) => problems.length > 0).length
  const skipped = results.filter((result) => result.skipped !== undefined).length
  if (values.json) console.log(JSON.stringify({ results, failed, skipped }))
  console.log(
    `types: ${results.length - failed - skipped} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`
  )
  return failed === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.log(`FAILED  ${said(error)}\ntypes: 0 passed, 1 failed`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
