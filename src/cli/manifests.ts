/**
 * `package.json`: that of this package, and those of projects.
 *
 * Owns: how they are read, and where this package was installed from.
 * Does not own: how they are used.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { version } from "../internal/version.ts"
import { failed, type CommandFailed } from "./CommandFailed.ts"
import { messageOf } from "./words.ts"

type Packages = Readonly<Record<string, string>>

/** The fields of a `package.json` that are used. */
export interface Manifest {
  readonly [field: string]: unknown
  readonly version?: string
  readonly type?: string
  readonly scripts?: Packages
  readonly dependencies?: Packages
  readonly devDependencies?: Packages
  readonly peerDependencies?: Packages
}

/** Returns the manifest in a file, or undefined if there is no such file. */
export const readManifest = (file: string): Effect.Effect<Manifest | undefined, CommandFailed> =>
  Effect.try({
    try: () => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined),
    catch: (error) => failed(`${file} cannot be read: ${messageOf(error)}`)
  })

/** The folder of this package. */
export const packageFolder = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

/** The manifest of this package. */
export const manifest: Effect.Effect<Manifest, CommandFailed> = Effect.map(
  Effect.suspend(() => readManifest(join(packageFolder, "package.json"))),
  (found) => found ?? {}
)

/**
 * Returns the dependency with which a project gets this very package: npm notes the source of a package next to its folder.
 * A checkout is a folder.
 */
export const sourceOf = (): string => {
  const modules = dirname(packageFolder)
  const lock = join(modules, ".package-lock.json")
  if (!existsSync(lock)) return packageFolder.includes("node_modules") ? `^${version}` : `file:${packageFolder}`
  const { packages = {} }: { readonly packages?: Readonly<Record<string, { readonly resolved?: string }>> } =
    JSON.parse(readFileSync(lock, "utf8"))
  const source = packages["node_modules/effect-durable"]?.resolved
  if (source === undefined || !source.startsWith("file:")) return `^${version}`
  const path = source.slice("file:".length)
  return `file:${isAbsolute(path) ? path : resolve(dirname(modules), path)}`
}
