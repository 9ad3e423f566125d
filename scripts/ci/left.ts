/**
 * Finds processes that a run has left behind: each process that it starts, directly or not, carries its mark in the
 * environment.
 *
 * Owns: the mark, and who carries it. Does not own: what is done about them.
 */
import { randomUUID } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { setTimeout } from "node:timers/promises"

const mark = `EFFECT_DURABLE_CI=${randomUUID()}`
const [name = "", value = ""] = mark.split("=")

/** What the environment of everything has to hold that a run starts. */
export const marked: Readonly<Record<string, string>> = { [name]: value }

/** Whether this system tells the environment of processes. */
export const canLook = existsSync("/proc/self/environ")

/** For how long a process may take to end after the one that started it, in looks of a tenth of a second. */
const looks = 100

/** The processes that are left, as `PID COMMAND`. What is just about to end is waited for. */
export const processesLeft = async (): Promise<ReadonlyArray<string>> => {
  if (!canLook) return []
  let left = withMark()
  for (let look = 0; look < looks && left.length > 0; look++) {
    await setTimeout(100)
    left = withMark()
  }
  return left
}

const withMark = (): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && entry !== `${process.pid}`)
    .filter((pid) => read(pid, "environ").split("\0").includes(mark))
    .map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ").trim()}`)

/** Nothing, if the process has ended meanwhile or belongs to somebody else. */
const read = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8")
  } catch {
    return ""
  }
}
