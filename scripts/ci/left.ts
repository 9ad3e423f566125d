/**
 * Finds processes that a command has left behind: each process that it starts, directly or not, carries its mark in the
 * environment.
 *
 * Owns: the marks, and the search for the processes that carry one. Does not own: the reaction to them.
 */
import { randomUUID } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { setTimeout } from "node:timers/promises"

const variable = "EFFECT_DURABLE_CI"

/** Each command has a mark of its own, because other commands may still run when it ends. */
export interface Mark {
  /** The variables that the environment of the command needs. */
  readonly environment: Readonly<Record<string, string>>
  /** Returns the processes that are left, as `PID COMMAND`. It waits for those that are about to end. */
  readonly left: () => Promise<ReadonlyArray<string>>
}

export const makeMark = (): Mark => {
  const value = randomUUID()
  return { environment: { [variable]: value }, left: () => processesLeft(`${variable}=${value}`) }
}

/** Whether this system shows the environment of processes. */
export const canLook = existsSync("/proc/self/environ")

/** How long a process may outlive the one that started it, in checks of a tenth of a second. */
const looks = 100

const processesLeft = async (mark: string): Promise<ReadonlyArray<string>> => {
  if (!canLook) return []
  let left = withMark(mark)
  for (let look = 0; look < looks && left.length > 0; look++) {
    await setTimeout(100)
    left = withMark(mark)
  }
  return left
}

const withMark = (mark: string): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && entry !== `${process.pid}`)
    .filter((pid) => read(pid, "environ").split("\0").includes(mark))
    .map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ").trim()}`)

/** Returns nothing if the process has ended meanwhile, or belongs to another user. */
const read = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8")
  } catch {
    return ""
  }
}
