/**
 * One process of a benchmark: `worker.ts CONTESTANT COUNT BODY MORE`. Runs an execution of COUNT steps in a fresh process, then
 * MORE of them, and prints what each cost as JSON.
 */
import process from "node:process"
import { Backend, type Body, type Contestant } from "./backend.ts"

/** What one execution cost. `micros` is the CPU time of the process, garbage collection and compilation included. */
export interface Cost {
  readonly micros: number
  readonly requests: number
  readonly updates: number
}

const contestants: Readonly<Record<string, () => Promise<Contestant>>> = {
  ours: async () => (await import("./ours.ts")).ours,
  aws: async () => (await import("./aws.ts")).aws
}

const measure = async (contestant: Contestant, count: number, body: Body): Promise<Cost> => {
  const backend = new Backend()
  const before = process.cpuUsage()
  await contestant(count, body, backend)
  const { system, user } = process.cpuUsage(before)
  return { micros: user + system, requests: backend.requests, updates: backend.updates }
}

const [name = "", count = "", body = "", more = ""] = process.argv.slice(2)
const load = contestants[name]
if (load === undefined) throw new Error(`There is no contestant "${name}".`)
const contestant = await load()
const costs: Array<Cost> = []
for (let i = 0; i <= Number(more); i++)
  costs.push(await measure(contestant, Number(count), body === "immediate" ? body : "asynchronous"))
console.log(JSON.stringify(costs))
