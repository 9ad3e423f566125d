/**
 * Adds platform packages of development tools to the lockfile that the registry did not have.
 *
 * An npm mirror may have the binaries of some platforms only. npm then omits the other platforms from the lockfile that
 * it writes, and `npm ci` refuses that lockfile. The entries that this adds have a version and a platform but no hash:
 * npm skips them everywhere but on that platform. Run this script after `npm install` with such a mirror; otherwise it
 * finds nothing to add.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Entry {
  readonly version: string
  readonly cpu?: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
  readonly os?: ReadonlyArray<string>
  readonly dev?: boolean
  readonly optional?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const path = join(import.meta.dirname, "../package-lock.json")
const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(path, "utf8"))

/** The platform in a name such as `binding-linux-arm64-musl` or `darwin-x64`. */
const platform = (name: string): Pick<Entry, "cpu" | "libc" | "os"> | undefined => {
  const [, os, cpu, abi] = /(android|darwin|freebsd|linux|openharmony|win32)-(\w+?)(?:-(\w+))?$/.exec(name) ?? []
  if (os === undefined || cpu === undefined) return undefined
  const libc = os !== "linux" || abi === undefined ? undefined : [abi.startsWith("musl") ? "musl" : "glibc"]
  return { cpu: [cpu], ...(libc === undefined ? undefined : { libc }), os: [os] }
}

let added = 0
for (const { dev = false, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`
    const where = platform(name)
    if (key in lock.packages || where === undefined) continue
    lock.packages[key] = { version, ...where, ...(dev ? { dev } : undefined), optional: true }
    added++
  }
}

if (added > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(`Added ${added} entries.`)
