/**
 * What a step costs: executions of many steps in a row, side by side with AWS's own SDK.
 *
 * Both run against the same service in memory, which answers at once. Rounds alternate between the two, each in a process
 * of its own; the numbers are medians of CPU time, so that other work on the machine hits both alike.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import type { Body } from "./backend.ts"
import type { Cost } from "./worker.ts"

export interface Numbers {
  /** CPU µs per step in the first execution of a process, and in later ones once it is warm. */
  readonly cold: number
  readonly warm: number
  /** Checkpoint requests and updates of one execution. */
  readonly requests: number
  readonly updates: number
}

export interface StepsReport {
  readonly count: number
  readonly body: Body
  readonly rounds: number
  readonly ours: Numbers
  readonly aws: Numbers
  /** AWS's CPU time as a multiple of ours. */
  readonly ratio: { readonly cold: number; readonly warm: number }
}

/** Executions of each round after the first one; of these, the ones that only warm the compiler up are not counted. */
const laterExecutions = 15
const warmUps = 5

export const steps = (options: Pick<StepsReport, "body" | "count" | "rounds">): StepsReport => {
  const { body, count, rounds } = options
  const costs: Record<"ours" | "aws", Array<ReadonlyArray<Cost>>> = { ours: [], aws: [] }
  for (let round = 0; round < rounds; round++) {
    costs.ours.push(runWorker("ours", count, body))
    costs.aws.push(runWorker("aws", count, body))
  }
  const ours = numbersOf(costs.ours, count)
  const aws = numbersOf(costs.aws, count)
  return {
    count,
    body,
    rounds,
    ours,
    aws,
    ratio: { cold: round(aws.cold / ours.cold), warm: round(aws.warm / ours.warm) }
  }
}

const runWorker = (contestant: string, count: number, body: Body): ReadonlyArray<Cost> => {
  const worker = join(import.meta.dirname, "worker.ts")
  const flags = ["--conditions=effect-durable-source", "--disable-warning=ExperimentalWarning"]
  const args = [...flags, worker, contestant, String(count), body, String(laterExecutions)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }))
}

const numbersOf = (rounds: ReadonlyArray<ReadonlyArray<Cost>>, count: number): Numbers => {
  const first = rounds.flatMap((costs) => costs.slice(0, 1))
  const later = rounds.flatMap((costs) => costs.slice(1 + warmUps))
  return {
    cold: round(median(first.map(({ micros }) => micros)) / count),
    warm: round(median(later.map(({ micros }) => micros)) / count),
    requests: median(later.map(({ requests }) => requests)),
    updates: median(later.map(({ updates }) => updates))
  }
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2
}

const round = (value: number): number => Math.round(value * 10) / 10

export const printSteps = ({ aws, body, count, ours, ratio, rounds }: StepsReport): void => {
  const row = (...cells: ReadonlyArray<string | number>) =>
    console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(34) : String(cell).padStart(16))).join(""))
  console.log(`${count} steps in a row with ${body} bodies, ${rounds} rounds, medians`)
  row("", "effect-durable", "AWS SDK", "AWS / ours")
  row("CPU per step, cold (µs)", ours.cold, aws.cold, ratio.cold)
  row("CPU per step, warm (µs)", ours.warm, aws.warm, ratio.warm)
  row("checkpoint requests", ours.requests, aws.requests, round(aws.requests / ours.requests))
  row("checkpoint updates", ours.updates, aws.updates, round(aws.updates / ours.updates))
}
