/** Runs a few lines of JavaScript in a Node of their own, which has loaded nothing else, and reads what they print. */
import { spawn } from "node:child_process"
import process from "node:process"
import { text } from "node:stream/consumers"
import type { Sample } from "./worker/job.ts"

/** Long enough for everything that is measured so, on a slow machine. */
const patienceMillis = 5 * 60_000

/** The last line is the sample, as JSON. */
export const sampleOfScript = async (
  code: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }
): Promise<Sample> => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd,
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
