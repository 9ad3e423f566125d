/**
 * The cost of a request to the service: this library's client and AWS's, both behind the same port, against a service
 * over HTTP. `first` is the CPU time of the first request of a process, including the code that it loads; `later` is
 * that of one request of many.
 */
import type { Benchmark, Options } from "../benchmark.ts"
import { sampleOfScript } from "../script.ts"
import { startService } from "../service.ts"
import { findingsOf, inTurns } from "../turns.ts"

const layers = { ours: "layer", aws: "layerAwsSdk" } as const

export const client: Benchmark = async function* (options) {
  if (options.wants("client")) yield* findingsOf("client", { first: "ms", later: "ms" }, () => samplesOf(options))
}

const samplesOf = async (options: Options) => {
  const service = await startService()
  try {
    const place = { cwd: options.package, env: service.environment }
    return await inTurns(options.rounds, (side) => sampleOfScript(script(layers[side]), place))
  } finally {
    await service.close()
  }
}

const warmUps = 300
const runs = 500

const script = (layer: string): string => `
  import * as CheckpointStore from "effect-durable/CheckpointStore"
  import * as LambdaCheckpoints from "effect-durable/lambda/LambdaCheckpoints"
  import * as Effect from "effect/Effect"
  const update = (Action) => ({ Id: "c4ca4238a0b92382", Type: "STEP", SubType: "Step", Name: "charge", Action })
  const request = {
    DurableExecutionArn: "arn:aws:lambda:eu-west-1:123456789012:function:hello:1/durable-execution/hello/run-1",
    CheckpointToken: "Zmlyc3Q=",
    ClientToken: "once",
    Updates: [update("START"), { ...update("SUCCEED"), Payload: '"charged"' }]
  }
  const program = Effect.gen(function* () {
    const { checkpoint } = yield* CheckpointStore.CheckpointStore
    // Whoever calls this has an Effect runtime that runs.
    yield* Effect.void
    const spent = (before) => { const { system, user } = process.cpuUsage(before); return (system + user) / 1000 }
    let before = process.cpuUsage()
    yield* checkpoint(request)
    const first = spent(before)
    for (let i = 0; i < ${warmUps}; i++) yield* checkpoint(request)
    before = process.cpuUsage()
    for (let i = 0; i < ${runs}; i++) yield* checkpoint(request)
    return { first, later: spent(before) / ${runs} }
  })
  console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, LambdaCheckpoints.${layer}))))
  process.exit()`
