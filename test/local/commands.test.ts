/**
 * The commands that judge the local engine, on a few rounds: what they print last, and how they exit.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** A net: each command starts many processes, which begin slowly on a busy machine. */
const patience = 30 * 60_000

const run = (file: string, ...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--conditions=effect-durable-source", fileURLToPath(new URL(file, import.meta.url)), ...args],
    { encoding: "utf8", timeout: patience }
  )
  return { status, last: stdout.trim().split("\n").at(-1), output: `${stdout}${stderr}` }
}

describe("The command", () => {
  it(
    "npm run kill kills the engine and a function, and loses nothing",
    () => {
      const { last, output, status } = run("kill/main.ts", "--rounds", "2", "--seed", "1")
      assert.strictEqual(last, "2 survived, 0 lost", output)
      assert.strictEqual(status, 0)
    },
    patience
  )

  it(
    "npm run load measures an engine whose executions all end as they have to",
    () => {
      const load = ["--waits", "5", "--completed", "10", "--steps", "20", "--json"]
      const { last, output, status } = run("load/main.ts", ...load)
      assert.strictEqual(last, "16 executions, 0 wrong", output)
      const { measured } = JSON.parse(output.split("\n").find((line) => line.startsWith("{")) ?? "")
      assert.lengthOf(measured, 6)
      assert.strictEqual(status, 0)
    },
    patience
  )

  it(
    "npm run fuzz:http gets an answer to everything",
    () => {
      const { last, output, status } = run("fuzz/main.ts", "--requests", "300", "--seed", "1", "--json")
      assert.strictEqual(last, "300 answered, 0 wrong", output)
      assert.strictEqual(JSON.parse(output.split("\n").find((line) => line.startsWith("{")) ?? "").answered, 300)
      assert.strictEqual(status, 0)
    },
    patience
  )
})
