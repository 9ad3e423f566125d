/**
 * Simulates a shared machine: loops keep cores busy during a check. Also measures how busy the machine is.
 *
 * Owns: the processes of these loops. Does not own: the check.
 */
import { spawn } from "node:child_process"
import { availableParallelism, loadavg } from "node:os"
import process from "node:process"

/** A loop checks once a second whether the process that started it still runs, and ends with that process. */
const loop = `
const parent = process.ppid
while (process.ppid === parent) for (const end = Date.now() + 1_000; Date.now() < end; );
`

/** Starts this number of busy loops. Returns a function that stops them; they also stop when this process ends. */
export const startBusy = (count: number): (() => void) => {
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ["-e", loop], { stdio: "ignore" }))
  const stop = (): void => {
    for (const child of loops) child.kill("SIGKILL")
  }
  process.once("exit", stop)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))
  return stop
}

/** Describes how many processes were ready to run, on average over the last minute, and on how many cores. */
export const load = (): string => `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`
