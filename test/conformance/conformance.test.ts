import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { pathToFileURL } from "node:url"
import process from "node:process"
import { awsLocal } from "./awsLocal.ts"
import * as awsPack from "./awsPack.ts"
import type { Backend } from "./backend.ts"
import { runAll, type Pack, type Verdict } from "./driver.ts"
import { memory } from "./memory.ts"
import * as pack from "./pack.ts"
import { watchProcess } from "./process.ts"
import { requirements } from "./requirements.ts"

const seed = Number(process.env["SEED"])

/** Runs the requirements of these ids, or all that the pack has a handler for: one list of verdicts for each task. */
const judge = async (
  start: (watch: ReturnType<typeof watchProcess>) => Backend | Promise<Backend>,
  ...tasks: ReadonlyArray<{ readonly pack: Pack; readonly ids?: ReadonlyArray<string> }>
): Promise<ReadonlyArray<ReadonlyArray<Verdict>>> => {
  const watch = watchProcess()
  try {
    const backend = await start(watch)
    const verdicts: Array<ReadonlyArray<Verdict>> = []
    for (const { ids, pack } of tasks) {
      const chosen = requirements.filter(({ id }) => (ids === undefined ? id in pack.handlers : ids.includes(id)))
      verdicts.push(await runAll(chosen, pack, backend, watch, seed))
    }
    await backend.close()
    return verdicts
  } finally {
    watch.stop()
  }
}

const failures = (verdicts: ReadonlyArray<Verdict>): ReadonlyArray<string> =>
  verdicts.flatMap(({ id, problems, status }) => (status === "passed" ? [] : [`${id} ${status}`, ...problems]))

const take = (id: string): Pack["handlers"][string] => pack.handlers[id] ?? assert.fail(id)

/** Handlers with another result, name, number of attempts, duration, parent, payload or tenant than is required. */
const mistaken = {
  ...pack,
  handlers: {
    "1-1": take("1-5"),
    "1-2": take("1-1"),
    "1-12": take("1-19"),
    "2-4": take("2-5"),
    "3-6": take("3-1"),
    "5-8": take("5-3"),
    "5-15": take("5-3")
  }
}

const assertAllFailed = (verdicts: ReadonlyArray<Verdict> = []): void =>
  assert.deepStrictEqual(
    verdicts.map(({ id, status }) => [id, status]),
    Object.keys(mistaken.handlers).map((id) => [id, "failed"])
  )

describe("the model of the service", () => {
  it("shows of our handlers what the requirements say, and of others something else", { timeout: 60_000 }, async () => {
    const [ours = [], others] = await judge(memory, { pack }, { pack: mistaken })
    assert.deepStrictEqual(failures(ours), [])
    assert.lengthOf(ours, Object.keys(pack.handlers).length)
    assertAllFailed(others)
  })

  it("shows the same of handlers that AWS's SDK has made", { timeout: 60_000 }, async () => {
    const [theirs = []] = await judge(memory, { pack: awsPack })
    assert.deepStrictEqual(failures(theirs), [])
    assert.isAtLeast(theirs.length, 46)
  })
})

describe("AWS's test runner", () => {
  it("shows of our handlers what the requirements say, and of others something else", { timeout: 60_000 }, async () => {
    const ids = ["1-4", "1-8", "1-11", "1-18", "1-20", "2-2", "3-2", "3-6", "3-8", "3-14", "5-2", "5-6", "5-8"]
    const [ours = [], others] = await judge(awsLocal, { pack, ids }, { pack: mistaken })
    assert.deepStrictEqual(failures(ours), [])
    assert.lengthOf(ours, ids.length)
    assertAllFailed(others)
  })
})

describe("the pack", () => {
  it("says of every requirement whether there is a handler", () => {
    const ids = [...Object.keys(pack.handlers), ...Object.keys(pack.notImplemented)]
    assert.strictEqual(new Set(ids).size, 171)
    assert.lengthOf(ids, 171)
    assert.isTrue(pack.guessed.every((id) => id in pack.handlers))
  })

  it("loads under plain node, with no flags and no build", { timeout: 60_000 }, () => {
    const file = pathToFileURL(join(import.meta.dirname, "pack.ts")).href
    const program = `const pack = await import(${JSON.stringify(file)}); console.log(Object.keys(pack.handlers).length)`
    const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
      env: {}
    })
    assert.strictEqual(stdout.trim(), String(Object.keys(pack.handlers).length), stderr)
  })
})

describe("the command", () => {
  const run = async (...args: ReadonlyArray<string>) => {
    const main = join(import.meta.dirname, "main.ts")
    const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, SEED: "7" } })
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, "exit")])
    const lines = output.trimEnd().split("\n")
    return { status: Number(status), lines, last: lines.at(-1) }
  }

  const folder = mkdtempSync(join(tmpdir(), "effect-durable-requirements-"))
  afterAll(() => rmSync(folder, { recursive: true }))

  const write = (suite: string, id: string, ...lines: ReadonlyArray<string>): void => {
    mkdirSync(join(folder, suite), { recursive: true })
    writeFileSync(join(folder, suite, `${id}.yaml`), ["---", ...lines].join("\n"))
  }

  it("judges a folder of requirements, and tells what it could not judge", { timeout: 60_000 }, async () => {
    write(
      "step",
      "1-1",
      "Variables: { N: '${GEN_STR:4}' }",
      "Input: ${N}",
      "ExpectedResult:",
      ...succeeded("Hello, ${N}!")
    )
    write("step", "1-10", "ExpectedResult: { ExecutionStatus: FAILED }")
    write("step", "1-5", "Input:", "ExpectedResult:", ...succeeded(""))
    write("plugin", "10-1", "Input: n")

    const { last, lines, status } = await run("--requirements", folder, "--json")
    assert.strictEqual(lines[0], "SEED=7")
    assert.strictEqual(last, "3 passed, 0 failed, 1 not implemented")
    assert.deepInclude(JSON.parse(lines.at(-2) ?? ""), { seed: 7, backend: "memory", passed: 3, failed: 0 })
    assert.strictEqual(status, 0)
  })

  it("fails when a requirement does, unless it is optional", { timeout: 60_000 }, async () => {
    write("wrong", "1-2", "Input: Ada", "ExpectedResult:", ...succeeded("Hello, Bob!"))
    write("optional", "1-3", "optional: true", "ExpectedResult:", ...succeeded("third"))
    const [wrong, optional] = await Promise.all([
      run("--requirements", folder, "--suite", "wrong"),
      run("--requirements", folder, "--id", "1-3")
    ])
    assert.strictEqual(wrong.last, "0 passed, 1 failed, 0 not implemented")
    assert.strictEqual(wrong.status, 1)
    assert.strictEqual(optional.last, "0 passed, 1 failed, 0 not implemented")
    assert.strictEqual(optional.status, 0)
  })

  it("does not take nothing for a success", { timeout: 60_000 }, async () => {
    const runs = await Promise.all([
      run("--requirements", folder, "--suite", "stepp"),
      run("--requirements", folder, "--backend", "cloud"),
      run()
    ])
    assert.deepStrictEqual(
      runs.map(({ status }) => status),
      [2, 2, 2]
    )
  })
})

const succeeded = (result: string): ReadonlyArray<string> => ["  ExecutionStatus: SUCCEEDED", `  Result: ${result}`]
