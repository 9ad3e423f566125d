/**
 * A machine that others use too: loops that keep cores busy while something is judged, and how busy it is.
 *
 * Owns: the processes of these loops. Does not own: what is judged meanwhile.
 */
import { spawn } from "node:child_process"
import { availableParallelism, loadavg } from "node:os"
import process from "node:process"

/** A loop looks once a second whether the one that started it still lives, and ends with it. */
const loop = `
const parent = process.ppid
while (process.ppid === parent) for (const end = Date.now() + 1_000; Date.now() < end; );
`

/** Starts so many loops that compute. Answers with how to stop them, which the end of this process does too. */
export const startBusy = (count: number): (() => void) => {
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ["-e", loop], { stdio: "ignore" }))
  const stop = (): void => {
    for (const child of loops) child.kill("SIGKILL")
  }
  process.once("exit", stop)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))
  return stop
}

/** How many processes want to run, on average of the last minute, and on how many cores. */
export const load = (): string => `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`
