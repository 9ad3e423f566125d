/**
 * The cost of a cold start: a new process loads the bundle of the smallest durable function and runs its first
 * invocation against a service over HTTP. The bundle of each side contains the client that calls the service.
 *
 * `import` is the CPU time of loading, `first` that of loading and the invocation, `rss` the memory of the process
 * after that.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Benchmark, Options } from "../benchmark.ts"
import { bundled } from "../bundle.ts"
import { sampleOfScript } from "../script.ts"
import { startService, type Service } from "../service.ts"
import { findingsOf, inTurns } from "../turns.ts"
import type { Sample } from "../worker/job.ts"

const metrics = { import: "ms", first: "ms", rss: "MB" } as const

export const cold: Benchmark = async function* (options) {
  if (options.wants("cold")) yield* findingsOf("cold", metrics, () => samplesOf(options))
}

const samplesOf = async (options: Options) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-cold-"))
  const service = await startService()
  try {
    const files = { ours: join(folder, "ours.mjs"), aws: join(folder, "aws.mjs") }
    writeFileSync(files.ours, (await bundled("hello", { package: options.package })).code)
    writeFileSync(files.aws, (await bundled("aws", { withClient: true })).code)
    return await inTurns(options.rounds, (side) => sampleOf(files[side], service, folder))
  } finally {
    await service.close()
    rmSync(folder, { recursive: true })
  }
}

const sampleOf = async (file: string, service: Service, cwd: string): Promise<Sample> => {
  const before = service.requests()
  const sample = await sampleOfScript(script(pathToFileURL(file).href), { cwd, env: service.environment })
  if (service.requests() === before) throw new Error("Expected the invocation to call the service, found no request.")
  return sample
}

const event = {
  DurableExecutionArn: "arn:aws:lambda:eu-west-1:123456789012:function:hello:1/durable-execution/hello/run-1",
  CheckpointToken: "Zmlyc3Q=",
  InitialExecutionState: {
    Operations: [
      {
        Id: "run-1",
        Type: "EXECUTION",
        Status: "STARTED",
        StartTimestamp: 1,
        ExecutionDetails: { InputPayload: "null" }
      }
    ],
    NextMarker: ""
  }
}

const script = (url: string): string => `
  const before = process.cpuUsage()
  const spent = () => { const { system, user } = process.cpuUsage(before); return (system + user) / 1000 }
  const { handler } = await import(${JSON.stringify(url)})
  const imported = spent()
  const answer = await handler(${JSON.stringify(event)}, {
    awsRequestId: "request-1", functionName: "hello", functionVersion: "1", invokedFunctionArn: "arn", memoryLimitInMB: "128",
    logGroupName: "logs", logStreamName: "log", getRemainingTimeInMillis: () => 60000
  })
  const sample = { import: imported, first: spent(), rss: process.memoryUsage.rss() / 1e6 }
  if (answer.Status !== "SUCCEEDED" || answer.Result !== '"hello"') throw new Error("Found the answer " + JSON.stringify(answer))
  console.log(JSON.stringify(sample))
  process.exit()`
