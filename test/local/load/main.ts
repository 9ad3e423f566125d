/**
 * `npm run load -- [--waits N] [--completed N] [--steps N] [--json]`
 *
 * Loads a local engine on a file, from another process and over HTTP, with Lambda's client of this library: so many executions
 * that wait at the same time, so many that come to their end, and one with so many steps. Prints for each how fast the engine
 * was, how long requests took, and how much memory its process has, and last `N executions, N wrong`. Exits with 1 if any ended
 * otherwise than it has to.
 */
import type { DurableFunction } from "effect-durable"
import { DurableClient } from "effect-durable"
import { LambdaClient } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { commandLine, count, flag } from "../../../scripts/commandLine.ts"
import { Long, Short, Waits } from "./functions.ts"

/** With the execution itself these are as many operations as the service allows. */
const mostSteps = 2_999

const { values } = commandLine("load", {
  waits: count(1_000),
  completed: count(10_000),
  steps: count(mostSteps, { atMost: mostSteps }),
  json: flag
})

/** Requests at the same time. */
const width = 16

interface Measured {
  readonly name: string
  readonly [measure: string]: number | string
}

let executions = 0
let wrong = 0
const measured: Array<Measured> = []

const expect = (found: unknown, expected: unknown): void => {
  executions++
  if (found !== expected) wrong++
}

const tell = (measure: Measured): void => {
  measured.push(measure)
  const { name, ...rest } = measure
  console.log(
    `${name}: ${Object.entries(rest)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ")}`
  )
}

/** Milliseconds that something took. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const since = performance.now()
    return Effect.map(effect, (value) => ({ value, milliseconds: performance.now() - since }))
  })

const percentiles = (milliseconds: ReadonlyArray<number>) => {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const at = (part: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return { "p50 ms": at(0.5), "p95 ms": at(0.95), "p99 ms": at(0.99) }
}

const perSecond = (count: number, milliseconds: number): number => Math.round((count / milliseconds) * 1_000)

/** Megabytes of the engine's process, now and at most, where the system tells. */
const memoryOf = (pid: number) => {
  const status = process.platform === "linux" ? readFileSync(`/proc/${pid}/status`, "utf8") : ""
  const of = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1_024)
  return { "MB now": of("VmRSS"), "MB at most": of("VmHWM") }
}

const many = <A, E, R>(count: number, effect: (index: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: count }).keys(), effect, { concurrency: width })

type Contracts = DurableFunction.AnyDurable & { readonly payload: { readonly Type: number } }

// --- What is measured ------------------------------------------------------------------------------------------------

const waiting = Effect.fnUntraced(function* (count: number, pid: number) {
  const { milliseconds, value: started } = yield* timed(
    many(count, (index) => timed(DurableClient.start(Waits, index, { executionName: `waits-${index}` })))
  )
  tell({
    name: `${count} executions that wait at the same time`,
    "starts/s": perSecond(count, milliseconds),
    ...percentiles(started.map((one) => one.milliseconds)),
    ...memoryOf(pid)
  })
  const ended = yield* timed(
    many(count, (index) => DurableClient.run(Waits, index, { executionName: `waits-${index}` }))
  )
  ended.value.forEach((result, index) => expect(result, 4 * index))
  tell({
    name: "until the last of them had ended",
    ms: Math.round(ended.milliseconds + milliseconds),
    ...memoryOf(pid)
  })
})

const completing = Effect.fnUntraced(function* (count: number, pid: number, database: string) {
  const { milliseconds, value: ran } = yield* timed(
    many(count, (index) => timed(DurableClient.run(Short, index, { executionName: `short-${index}` })))
  )
  ran.forEach(({ value }, index) => expect(value, 2 * index))
  tell({
    name: `${count} executions with a step`,
    "executions/s": perSecond(count, milliseconds),
    ...percentiles(ran.map((one) => one.milliseconds)),
    ...memoryOf(pid),
    "MB of the database": Math.round((statSync(database).size + statSync(`${database}-wal`).size) / 1_048_576)
  })
  const pages = yield* Effect.forEach(Array.from({ length: 20 }), () =>
    timed(Effect.flatMap(DurableClient.DurableClient, (client) => client.list("short", { maxItems: 100 })))
  )
  tell({ name: "a page of 100 of them", ...percentiles(pages.map((one) => one.milliseconds)) })
})

const stepping = Effect.fnUntraced(function* (steps: number, pid: number) {
  const { milliseconds, value } = yield* timed(DurableClient.run(Long, steps, { executionName: "long" }))
  expect(value, steps)
  tell({ name: `one execution of ${steps} steps`, "checkpoints/s": perSecond(steps, milliseconds), ...memoryOf(pid) })
  const newest = yield* Stream.runHead(DurableClient.executions("long"))
  const { DurableExecutionArn } = Option.getOrThrow(newest)
  const read = yield* timed(Stream.runCollect(DurableClient.events(DurableExecutionArn)))
  tell({ name: "its history", events: read.value.length, ms: Math.round(read.milliseconds) })
})

// --- The engine ------------------------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "effect-durable-load-"))
const database = join(folder, "local.db")
const engine = spawn(
  process.execPath,
  ["--conditions=effect-durable-source", fileURLToPath(new URL("engine.ts", import.meta.url)), database],
  { stdio: ["ignore", "pipe", "inherit"] }
)
const pid = engine.pid ?? 0
const gone = once(engine, "exit")
try {
  const [first] = await once(engine.stdout, "data")
  const credentials = { accessKeyId: "local", secretAccessKey: "local" }
  const client = LambdaClient.layerWith({ endpoint: String(first).trim(), region: "us-east-1", credentials })
  await Effect.runPromise(
    Effect.gen(function* () {
      // The processes of the functions are there before it counts.
      for (const contract of [Waits, Short, Long] satisfies ReadonlyArray<Contracts>)
        yield* DurableClient.run(contract, 0)
      yield* waiting(values.waits, pid)
      yield* completing(values.completed, pid, database)
      yield* stepping(values.steps, pid)
    }).pipe(Effect.provide(client))
  )
} finally {
  engine.kill("SIGTERM")
  await gone
  rmSync(folder, { recursive: true, force: true })
}
if (values.json) console.log(JSON.stringify({ executions, wrong, measured }))
console.log(`${executions} executions, ${wrong} wrong`)
process.exitCode = wrong === 0 ? 0 : 1
