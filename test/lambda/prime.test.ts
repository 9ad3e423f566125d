import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { vi } from "vitest"
import { prime } from "../../src/lambda/internal/prime.ts"

const root = join(import.meta.dirname, "../..")

/** What a new process prints that has made a handler, in an environment with nothing but these variables. */
const making = (environment: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> => {
  const code = `
    import { DurableFunction } from "effect-durable"
    import { LambdaHandler } from "effect-durable/lambda"
    import * as Effect from "effect/Effect"
    import * as Layer from "effect/Layer"
    import * as Metric from "effect/Metric"
    const loaded = () => ["http", "https", "tls"].filter((name) => process.moduleLoadList.includes("NativeModule " + name))
    const before = loaded()
    LambdaHandler.make(DurableFunction.make("f").implement(() => Effect.void), { layer: Layer.empty })
    const metrics = await Effect.runPromise(Metric.snapshot)
    console.log(JSON.stringify({ before, loaded: loaded(), metrics: metrics.length }))`
  const { stderr, stdout } = spawnSync(
    process.execPath,
    ["--conditions=effect-durable-source", "--input-type=module", "--eval", code],
    { cwd: root, encoding: "utf8", env: { PATH: process.env["PATH"], ...environment } }
  )
  assert.strictEqual(stderr, "")
  return JSON.parse(stdout)
}

afterEach(() => void vi.restoreAllMocks())

describe("The workflow that is run before the first invocation", () => {
  const ends = () => prime().map((exit) => (exit._tag === "Success" ? exit.value : exit))

  it("runs from its beginning and over a complete history, all at once", () => {
    assert.deepStrictEqual(ends(), [{ Status: "SUCCEEDED" }, { Status: "SUCCEEDED" }])
  })

  it("does so however long that takes", () => {
    let now = 0
    vi.spyOn(performance, "now").mockImplementation(() => (now += 1_000))
    assert.deepStrictEqual(ends(), [{ Status: "SUCCEEDED" }, { Status: "SUCCEEDED" }])
  })
})

describe("A handler that is made", () => {
  it("loads nothing for requests and counts nothing where it is not on Lambda", () => {
    assert.deepStrictEqual(making({}), { before: [], loaded: [], metrics: 0 })
  })

  it("loads on Lambda what its first request needs", () => {
    const lambda = { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001", AWS_REGION: "eu-west-1" }
    assert.deepStrictEqual(making(lambda), { before: [], loaded: ["https", "tls"], metrics: 0 })
    const plain = { ...lambda, AWS_ENDPOINT_URL_LAMBDA: "http://127.0.0.1:9002" }
    assert.deepStrictEqual(making(plain), { before: [], loaded: ["http"], metrics: 0 })
  })

  it("leaves it to the first request to say that there is no region", () => {
    assert.deepStrictEqual(making({ AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001" }), { before: [], loaded: [], metrics: 0 })
  })
})
