/** Runs a script, or a few lines of JavaScript, in a Node process of its own, and reads its output. */
import { spawn } from "node:child_process"
import process from "node:process"
import { text } from "node:stream/consumers"
import type { Sample } from "./worker/job.ts"

/** Long enough for every script, also on a slow machine. */
const patienceMillis = 5 * 60_000

interface Place {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs some lines of JavaScript in a process that has loaded nothing else, and returns their sample: the last printed
 * line, as JSON.
 */
export const sampleOfScript = (code: string, place: Place): Promise<Sample> =>
  sampleOf(["--input-type=module", "--eval", code], place)

/** Runs a file, and returns its sample. */
export const sampleOfFile = (file: string, ...args: ReadonlyArray<string>): Promise<Sample> =>
  sampleOf([file, ...args], {})

const sampleOf = async (args: ReadonlyArray<string>, { cwd, env }: Place): Promise<Sample> => {
  const child = spawn(process.execPath, args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patienceMillis,
    killSignal: "SIGKILL"
  })
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (status, signal) => resolve(signal ?? `exit code ${status}`))
  })
  const [output, errors, end] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (end !== "exit code 0") throw new Error(`The process ended with ${end}:\n${errors.trim()}`)
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "")
}
