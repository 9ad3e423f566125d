/**
 * The cost of compiling a user's file: a workflow with an invoke, a step and a map, its handler and its test. The CPU
 * time is that of the whole TypeScript 7 process, which reads the declarations of everything that the file imports. It
 * is measured with `skipLibCheck`, which most projects set, and without.
 */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { failure, type Benchmark } from "../benchmark.ts"
import { spreadOf } from "../numbers.ts"
import { inTurns } from "../turns.ts"

const repository = join(import.meta.dirname, "../..")

export const types: Benchmark = async function* (options) {
  if (!options.wants("types")) return
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-types-"))
  try {
    prepare(folder, options.package)
    for (const skipLibCheck of [true, false]) {
      const { aws, ours } = await inTurns(options.rounds, (side) => compile(folder, side, skipLibCheck))
      const name = `types/${skipLibCheck ? "skipLibCheck" : "everything"}`
      yield { kind: "measured", name, unit: "ms", ours: spreadOf(ours), aws: spreadOf(aws) }
    }
  } catch (error) {
    yield failure("types", error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Creates a project with the programs, in which the built package is installed together with the packages of this
 * repository.
 */
const prepare = (folder: string, built: string): void => {
  const modules = join(folder, "node_modules")
  mkdirSync(modules)
  for (const name of readdirSync(join(repository, "node_modules")))
    if (!name.startsWith(".")) symlinkSync(join(repository, "node_modules", name), join(modules, name))
  symlinkSync(built, join(modules, "effect-durable"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  for (const side of ["ours", "aws"]) cpSync(join(repository, "bench/types", `${side}.ts`), join(folder, `${side}.ts`))
}

/** Compiles one program. Returns the CPU time of the compiler in milliseconds. */
const compile = (folder: string, side: string, skipLibCheck: boolean): number => {
  const compilerOptions = {
    target: "ES2024",
    lib: ["ES2024", "DOM"],
    module: "NodeNext",
    strict: true,
    noEmit: true,
    types: ["node"],
    skipLibCheck
  }
  const project = join(folder, `${side}.json`)
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [`${side}.ts`] }))
  const tsc = join(repository, "node_modules/typescript/bin/tsc")
  // The shell reports the CPU time of a process including its child processes.
  const timed = `TIMEFORMAT='%U %S'; time "${process.execPath}" "${tsc}" --project "${project}" 1>&2`
  const { status, stderr } = spawnSync("bash", ["-c", timed], { cwd: folder, encoding: "utf8" })
  const [times = "", ...problems] = stderr.trimEnd().split("\n").toReversed()
  const ownFault = problems.find((line) => line.startsWith(`${side}.ts`))
  if (ownFault !== undefined || (status !== 0 && side === "ours"))
    throw new Error(`Expected ${side}.ts to compile, found: ${ownFault ?? problems[0] ?? `exit code ${status}`}`)
  const [user = "", system = ""] = times.split(" ")
  const millis = (Number(user) + Number(system)) * 1_000
  if (!(millis > 0)) throw new Error(`Expected the times of the compiler, found "${times}".`)
  return millis
}
