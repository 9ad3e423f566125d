import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { start, startIn } from "./support.ts"

const lines = [{ sku: "tea", quantity: 1, price: 450 }]
const json = JSON.stringify

describe("npm start", { concurrent: true }, () => {
  it("runs the order by default and ends with its result", async () => {
    const { exitCode, last, stderr, stdout } = await start()
    assert.strictEqual(stderr, "")
    assert.strictEqual(exitCode, 0)
    assert.isTrue(stdout.endsWith(`${last}\n`), "nothing follows the result")
    const { transactionId, ...result } = JSON.parse(last)
    assert.match(transactionId, /^t-[0-9a-f]{8}$/)
    assert.deepStrictEqual(result, { status: "completed", cents: 5_900 })
  })

  it("shows the operations with their times and attempts", async () => {
    const { stdout } = await start("order")
    assert.match(stdout, /process-order +execution +0\.0 s → +\d+\.\d s +succeeded, 3 invocations/)
    assert.match(stdout, /├─ validate-order +invoke/)
    assert.match(stdout, /charge card +step +\d+\.\d s → +\d+\.\d s +succeeded, 2 attempts/)
  })

  it("draws the same on the test engine, where time is virtual", async () => {
    const [local, memory] = await Promise.all([start("deployed"), start("deployed", "--memory")])
    assert.strictEqual(memory.last, local.last)
    assert.match(memory.stdout, /packing +wait +2\.0 s → +3602\.0 s +succeeded\n/)
    const timeless = (text: string): string => text.replaceAll(/\d+\.\d s/g, "").replaceAll(/ +/g, " ")
    assert.strictEqual(timeless(memory.stdout), timeless(local.stdout))
  })

  it("leaves no file behind, however it ends", async () => {
    const folder = mkdtempSync(join(tmpdir(), "effect-durable-start-"))
    try {
      const done = await startIn(folder).ran
      assert.strictEqual(done.exitCode, 0, done.stderr)
      assert.deepStrictEqual(readdirSync(folder), [])
      const interrupted = startIn(folder, "batch", '{"items":100000,"badEvery":50}')
      // It is under way as soon as its database is there.
      while (readdirSync(folder).length === 0) await new Promise((resolve) => setImmediate(resolve))
      interrupted.interrupt()
      const { exitCode } = await interrupted.ran
      assert.strictEqual(exitCode, 130)
      assert.deepStrictEqual(readdirSync(folder), [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("computes the statistics of the values that it is given", async () => {
    const { exitCode, last, stderr } = await start("invoke-lambda", '{"values":[10,20,30,40,50]}')
    assert.strictEqual(stderr, "")
    assert.strictEqual(exitCode, 0)
    const { body, statusCode } = JSON.parse(last)
    assert.strictEqual(statusCode, 200)
    assert.deepStrictEqual(JSON.parse(body), {
      message: "Durable orchestration completed successfully",
      input_values: [10, 20, 30, 40, 50],
      processing_result: { operation: "sum_and_average", count: 5, sum: 150, average: 30, max: 50, min: 10 }
    })
  })

  it("has input of its own for every example", async () => {
    assert.strictEqual((await start("invoke-lambda")).exitCode, 0)
  })

  it.each([
    ["an empty list", "invoke-lambda", '{"values":[]}'],
    ["a text among the values", "invoke-lambda", '{"values":[1,"2"]}'],
    ["a number that is not finite", "invoke-lambda", '{"values":[1e999]}'],
    ["no object", "invoke-lambda", "null"],
    ["what is not JSON", "invoke-lambda", "values=1"],
    ["an empty text", "invoke-lambda", ""],
    ["an order without lines", "order", '{"id":"o-1","card":"4242","lines":[]}'],
    ["a negative price", "order", json({ id: "o-1", card: "4242", lines: [{ ...lines[0], price: -1 }] })]
  ])("refuses %s with a sentence", async (_, name, input) => {
    const { exitCode, stderr, stdout } = await start(name, input)
    assert.strictEqual(exitCode, 1)
    assert.match(stderr, /^The .+\n$/, "one line")
    assert.notMatch(stderr + stdout, /^\s+at /m)
  })

  it("says how an execution failed", async () => {
    const { exitCode, stderr } = await start("invoke-lambda", '{"values":[1e308,1e308]}')
    assert.strictEqual(exitCode, 1)
    assert.match(stderr, /^The function process-values, invoked by "process-values", ended as FAILED: .+\n$/)
  })

  it.each([
    ["an unknown name", ["orders"]],
    ["the name of an inherited property", ["constructor"]],
    ["too many arguments", ["order", "{}", "{}"]]
  ])("lists the names for %s", async (_, args) => {
    const { exitCode, stderr, stdout } = await start(...args)
    assert.strictEqual(exitCode, 2)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /order, invoke-lambda, .+ deployed\.\n$/)
  })
})
