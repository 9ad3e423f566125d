/** The measured package, as users install it. */
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import process from "node:process"

const repository = join(import.meta.dirname, "..")

/**
 * Returns the folder of the built package: the requested one, or this repository, which is built again if it has
 * changed.
 */
export const builtPackage = (asked: string | undefined): string => {
  const folder = asked === undefined ? repository : resolve(asked)
  if (asked === undefined && isStale()) build()
  if (!existsSync(join(folder, "dist/index.js"))) throw new Error(`There is no built package in ${folder}.`)
  return folder
}

const isStale = (): boolean => {
  const built = join(repository, "dist/index.js")
  if (!existsSync(built)) return true
  const { mtimeMs } = statSync(built)
  return globSync("src/**/*.ts", { cwd: repository }).some((file) => statSync(join(repository, file)).mtimeMs > mtimeMs)
}

const build = (): void => {
  // The output of the build does not belong in the output of the benchmarks.
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: repository, stdio: ["ignore", 2, 2] })
}

/** Returns the versions of the compared packages, as the measured package finds them installed. */
export const versionsIn = (folder: string): string => {
  const version = (place: string): string => JSON.parse(readFileSync(join(place, "package.json"), "utf8")).version
  const effect = join(createRequire(join(folder, "package.json")).resolve("effect/package.json"), "..")
  const aws = join(repository, "node_modules/@aws/durable-execution-sdk-js")
  return `effect-durable ${version(folder)} in ${folder} with effect ${version(effect)}, AWS's SDK ${version(aws)}`
}
