/**
 * Packs packages and installs them into empty projects, for the scripts that look at what users get.
 *
 * Owns: how a command is run, and how npm is called. Does not own: what is made of it.
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
  /** The paths of what it holds. */
  readonly files: ReadonlyArray<string>
}

/** Runs a command, and says how it ended. */
export const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (error !== undefined) throw error
  return { ok: status === 0, stdout, stderr }
}

/** What a command prints. Throws if it fails. */
export const capture = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { ok, stderr, stdout } = run(cwd, command, ...args)
  if (!ok) throw new Error(`${[command, ...args].join(" ")} failed.\n${stdout}${stderr}`)
  return stdout
}

/** Packs what was built in a folder into another one. The pages of the package link to its reference, which is built as well. */
export const pack = (from: string, to: string): Packed => {
  const [packed] = JSON.parse(capture(from, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", to))
  const files: ReadonlyArray<string> = packed.files.map((file: { readonly path: string }) => file.path)
  if (!files.includes("docs/reference/README.md")) {
    throw new Error("The package has no docs/reference, which its other pages link to. Run npm run reference.")
  }
  return { file: join(to, packed.filename), size: packed.size, unpackedSize: packed.unpackedSize, files }
}

/** Makes an empty project with these packages, from the cache of npm where that has them. */
export const install = (project: string, ...packages: ReadonlyArray<string>): void => {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }))
  capture(project, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages)
}
