/** Runs jobs, each in a process of its own. */
import { spawn } from "node:child_process"
import process from "node:process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import type { Job, Reply, Sample } from "./worker/job.ts"

/** The package does not support the job. */
export class RefusedByPackage extends Error {}

/** Returns the cost of an execution. `history` is the result of {@link historyOf} for the same job. */
export const sampleOf = async (job: Job, history: string): Promise<Sample> => {
  const reply = await run(job, history)
  if (reply.kind === "sample") return reply.sample
  throw new Error(`Expected a sample, found a reply of the kind "${reply.kind}".`)
}

export const numberIn = (sample: Sample, name: string): number => {
  const value = sample[name]
  if (value !== undefined) return value
  throw new Error(`Expected a sample with "${name}", found one with ${Object.keys(sample).join(", ")}.`)
}

/** Returns the JSON of the operations that the engine of the job records itself, if the job replays them. */
export const historyOf = async (job: Job): Promise<string> => {
  if (job.replays === undefined) return ""
  const { engine, package: folder, shape } = job
  const reply = await run({ engine, package: folder, shape, measure: { kind: "record" } }, "")
  if (reply.kind === "history") return JSON.stringify(reply.history)
  throw new Error(`Expected a history, found a reply of the kind "${reply.kind}".`)
}

/** Long enough for every measurement here, also on a slow machine. */
const patienceMillis = 10 * 60_000

const run = async (job: Job, input: string): Promise<Reply> => {
  const worker = fileURLToPath(import.meta.resolve("./worker/main.ts"))
  const child = spawn(process.execPath, ["--expose-gc", worker, JSON.stringify(job)], {
    timeout: patienceMillis,
    killSignal: "SIGKILL"
  })
  // The exit of the process is a better message than the closed pipe.
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const [output, errors, end] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (end !== "exit code 0") throw new Error(`A process of ${job.engine} ended with ${end}:\n${errors.trim()}`)
  const reply: Reply = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "")
  if (reply.kind === "refused") throw new RefusedByPackage(reply.reason)
  if (reply.kind === "failed") throw new Error(`${job.engine}: ${reply.reason}`)
  return reply
}
