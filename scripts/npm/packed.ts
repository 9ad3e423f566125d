/**
 * Packs packages and installs them into empty projects, for the scripts that check what users get.
 *
 * Owns: how a command is run, and how npm is called. Does not own: the use of the results.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A package as `npm pack` wrote it. */
export interface Packed {
  /** The path of the archive. */
  readonly file: string
  readonly size: number
  readonly unpackedSize: number
  /** The paths of the files in the archive. */
  readonly files: ReadonlyArray<string>
}

/** Runs a command, and returns how it ended. */
export const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (error !== undefined) throw error
  return { ok: status === 0, stdout, stderr }
}

/** Returns the output of a command. Throws if the command fails. */
export const capture = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { ok, stderr, stdout } = run(cwd, command, ...args)
  if (!ok) throw new Error(`${[command, ...args].join(" ")} failed.\n${stdout}${stderr}`)
  return stdout
}

/**
 * Packs the build of a folder into another folder. It also builds the reference, because the pages of the package link
 * to it.
 */
export const pack = (from: string, to: string): Packed => {
  const [packed] = JSON.parse(capture(from, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", to))
  const files: ReadonlyArray<string> = packed.files.map((file: { readonly path: string }) => file.path)
  if (!files.includes("docs/reference/README.md")) {
    throw new Error("The package has no docs/reference, which its other pages link to. Run npm run reference.")
  }
  return { file: join(to, packed.filename), size: packed.size, unpackedSize: packed.unpackedSize, files }
}

/** Creates an empty project with these packages, from npm's cache if it has them. */
export const install = (project: string, ...packages: ReadonlyArray<string>): void => {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }))
  capture(project, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages)
}
