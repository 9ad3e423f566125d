/** One sample: `main.ts JOB`, with a history on the standard input if the job replays one. The last line is the reply. */
import process from "node:process"
import { text } from "node:stream/consumers"
import { isDeepStrictEqual } from "node:util"
import { median } from "../numbers.ts"
import { Backend, type Operation, type Options } from "./backend.ts"
import { nextTurn, type Answer, type Engine, type Handler } from "./engine.ts"
import type { EngineName, Job, Reply, Sample } from "./job.ts"
import { resolveFrom } from "./resolve.ts"
import { operationsOf, resultOf, type Shape } from "./shapes.ts"

const main = async (): Promise<Reply> => {
  const job: Job = JSON.parse(process.argv[2] ?? "")
  resolveFrom(job.package)
  const engine = await engines[job.engine]()
  const history: ReadonlyArray<Operation> = job.replays ? JSON.parse(await text(process.stdin)) : []
  const stop = startMeter()
  const subject = new Subject(engine, job, history)
  const made = stop()
  switch (job.measure.kind) {
    case "cold":
      return { kind: "sample", sample: { "make-cpu": made.cpu, ...(await cold(subject)) } }
    case "warm":
      return { kind: "sample", sample: await warm(subject, job.measure) }
    case "heap":
      return { kind: "sample", sample: await heap(subject, job.measure) }
    case "fibers":
      return { kind: "sample", sample: await fibers(subject) }
    case "record": {
      const [backend] = (await subject.run(1)).backends
      return { kind: "history", history: backend?.history ?? [] }
    }
  }
}

const engines: Readonly<Record<EngineName, () => Promise<Engine>>> = {
  ours: async () => (await import("./ours.ts")).ours,
  aws: async () => (await import("./aws.ts")).aws
}

/** The workflow under test. */
class Subject {
  readonly #shape: Shape
  readonly #handler: Handler
  readonly #options: Options
  readonly #replays: boolean

  constructor(engine: Engine, { latency = 0, replays, shape }: Job, history: ReadonlyArray<Operation>) {
    this.#shape = shape
    this.#options = { latency, history, eventItems: replays?.eventItems }
    this.#replays = replays !== undefined
    this.#handler = engine.handler(shape)
  }

  /** Runs a number of executions one after the other, and checks how each ended. */
  async run(count: number, options: Options = {}) {
    const backends = Array.from({ length: count }, () => new Backend({ ...this.#options, ...options }))
    const spent = { cpu: 0, wall: 0 }
    let open = backends
    while (open.length > 0) {
      const invocations = open.map((backend) => this.#handler.prepare(backend.event(), backend.client)).toReversed()
      const answers: Array<Answer> = []
      const stop = startMeter()
      // Used events are released, and the event loop turns between two invocations, as in Lambda.
      for (let invoke = invocations.pop(); invoke !== undefined; invoke = invocations.pop()) {
        answers.push(await invoke())
        await nextTurn()
      }
      const { cpu, wall } = stop()
      spent.cpu += cpu / count
      spent.wall += wall / count
      open = open.filter((backend, i) => this.#isSuspended(answers[i], backend))
    }
    return { ...spent, backends }
  }

  #isSuspended(answer: Answer | undefined, backend: Backend): boolean {
    if (answer?.Status === "PENDING") {
      backend.passTime()
      return true
    }
    this.#check(answer, backend)
    return false
  }

  #check(answer: Answer | undefined, { ended, open, requests }: Backend): void {
    if (answer?.Error?.ErrorType === "LimitExceeded") throw new Refused(answer.Error.ErrorMessage)
    const expected = { Status: "SUCCEEDED", Result: String(resultOf(this.#shape)) }
    if (answer?.Status !== expected.Status || answer.Result !== expected.Result)
      throw new Error(`Expected the answer ${JSON.stringify(expected)}, found ${JSON.stringify(answer)}.`)
    const operations = operationsOf(this.#shape)
    if (open !== 0 || !isDeepStrictEqual(ended, operations))
      throw new Error(
        `Expected the operations ${JSON.stringify(operations)}, found ${JSON.stringify(ended)} and ${open} that have not ended.`
      )
    if (this.#replays && this.#options.eventItems === undefined && requests > 0)
      throw new Error(`Expected a replay of everything to send nothing, found ${requests} requests.`)
  }
}

class Refused extends Error {}

const startMeter = () => {
  const wall = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { system, user } = process.cpuUsage(cpu)
    return { cpu: user + system, wall: (performance.now() - wall) * 1_000 }
  }
}

const cold = async (subject: Subject): Promise<Sample> => {
  // The garbage of loading modules does not count for the execution.
  collect()
  const { backends, cpu, wall } = await subject.run(1)
  return { "cold-cpu": cpu, "cold-wall": wall, ...countsOf(backends) }
}

const warm = async (
  subject: Subject,
  { batch = 1, runs, warmUps }: Extract<Job["measure"], { readonly kind: "warm" }>
): Promise<Sample> => {
  for (let i = 1; i < warmUps; i++) await subject.run(batch)
  // Bytes are counted in the last warm-up, because counting takes time.
  const { backends } = await subject.run(1, { weighs: true })
  const later: Array<{ readonly cpu: number; readonly wall: number }> = []
  for (let i = 0; i < runs; i++) {
    const { cpu, wall } = await subject.run(batch)
    later.push({ cpu, wall })
  }
  return {
    "warm-cpu": median(later.map(({ cpu }) => cpu)),
    "warm-wall": median(later.map(({ wall }) => wall)),
    ...countsOf(backends),
    bytes: backends[0]?.bytes ?? 0
  }
}

const countsOf = ([backend]: ReadonlyArray<Backend>): Sample => ({
  requests: backend?.requests ?? 0,
  updates: backend?.updates ?? 0
})

const heap = async (
  subject: Subject,
  { first, second }: Extract<Job["measure"], { readonly kind: "heap" }>
): Promise<Sample> => {
  const before = bytesInUse()
  const cold = await heapAt(subject, first, second)
  const warm = await heapAt(subject, first, second)
  return { "cold-heap": cold.first - before, heap: warm.second - warm.first }
}

/**
 * Returns the bytes in use at two moments of an execution. The fake service drops what has ended, so that it does not
 * count.
 */
const heapAt = async (subject: Subject, first: number, second: number) => {
  const bytes = { first: 0, second: 0 }
  const onCheckpoint = (ended: number): void => {
    if (ended >= first) bytes.first ||= bytesInUse()
    if (ended >= second) bytes.second ||= bytesInUse()
  }
  await subject.run(1, { forgets: true, onCheckpoint })
  if (bytes.first === 0 || bytes.second === 0)
    throw new Error("The execution was too short to look at its memory twice.")
  return bytes
}

const bytesInUse = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error("Expected the process to be started with --expose-gc.")
  globalThis.gc()
}

const fibers = async (subject: Subject): Promise<Sample> => {
  const { countFibers } = await import("./fibers.ts")
  const counts = countFibers()
  await subject.run(2)
  const before = { ...counts }
  await subject.run(1)
  return {
    primitives: counts.primitives - before.primitives,
    suspensions: counts.suspensions - before.suspensions
  }
}

const reply = async (): Promise<Reply> => {
  try {
    return await main()
  } catch (error) {
    const kind = error instanceof Refused ? "refused" : "failed"
    return { kind, reason: error instanceof Error ? error.message : String(error) }
  }
}

console.log(JSON.stringify(await reply()))
