import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { pathToFileURL } from "node:url"
import process from "node:process"
import { CompletionPolicy, Durable, RetryPolicy } from "../../src/index.ts"
import { LambdaHandler } from "../../src/lambda/index.ts"
import { awsLocal } from "./awsLocal.ts"
import * as awsPack from "./awsPack.ts"
import type { Backend } from "./backend.ts"
import { runAll, type Pack, type Verdict } from "./driver.ts"
import { alone, Failure, nobodyKnows, Open } from "./handlers/support.ts"
import { local } from "./local.ts"
import { memory } from "./memory.ts"
import * as pack from "./pack.ts"
import { watchProcess } from "./process.ts"
import type { Requirement } from "./requirement.ts"
import { requirements } from "./requirements.ts"

const seed = Number(process.env["SEED"])

/** Runs these requirements, those of these ids, or all that the pack has a handler for: a list of verdicts for each task. */
const judge = async (
  start: (watch: ReturnType<typeof watchProcess>) => Backend | Promise<Backend>,
  ...tasks: ReadonlyArray<{
    readonly pack: Pack
    readonly ids?: ReadonlyArray<string>
    readonly only?: ReadonlyArray<Requirement>
  }>
): Promise<ReadonlyArray<ReadonlyArray<Verdict>>> => {
  const watch = watchProcess()
  try {
    const backend = await start(watch)
    const verdicts: Array<ReadonlyArray<Verdict>> = []
    for (const { ids, only, pack } of tasks) {
      const chosen = only ?? requirements.filter(({ id }) => ids?.includes(id) ?? id in pack.handlers)
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

/** Handlers in place of others, with another result, name, number of attempts, duration, parent, payload, limit or end. */
const mistakes = {
  "1-1": "1-5",
  "1-2": "1-1",
  "1-12": "1-19",
  "2-4": "2-5",
  "3-6": "3-1",
  "4-2": "4-1",
  "4-5": "4-1",
  "4-14": "4-13",
  "4-16": "4-1",
  "4-18": "4-17",
  "5-8": "5-3",
  "5-15": "5-3",
  "6-3": "6-1",
  "6-4": "6-1",
  "6-8": "6-7",
  "7-2": "7-1",
  "7-5": "7-4",
  "7-11": "7-1",
  "8-3": "8-2",
  "8-6": "8-9",
  "8-15": "8-2",
  "8-21": "8-1",
  "9-8": "9-5",
  "9-12": "9-1",
  "9-14": "9-17",
  "9-19": "9-14"
}

const mistaken = (pack: Pack, ids: ReadonlyArray<string> = Object.keys(mistakes)): Pack => {
  const handlers = Object.entries(mistakes).flatMap(([id, other]) => {
    const handler = ids.includes(id) ? pack.handlers[other] : undefined
    return handler === undefined ? [] : [[id, handler] as const]
  })
  return { ...pack, handlers: Object.fromEntries(handlers) }
}

const assertAllFailed = (verdicts: ReadonlyArray<Verdict> = []): void => {
  assert.isNotEmpty(verdicts)
  assert.deepStrictEqual(
    verdicts.flatMap(({ id, status }) => (status === "failed" ? [] : [`${id} ${status}`])),
    []
  )
}

describe("the model of the service", () => {
  it("shows of our handlers what the requirements say, and of others something else", async () => {
    const [ours = [], others] = await judge(memory, { pack }, { pack: mistaken(pack) })
    assert.deepStrictEqual(failures(ours), [])
    assert.lengthOf(ours, Object.keys(pack.handlers).length)
    assertAllFailed(others)
  })

  it("shows the same of handlers that AWS's SDK has made", async () => {
    const [theirs = [], others] = await judge(memory, { pack: awsPack }, { pack: mistaken(awsPack) })
    assert.deepStrictEqual(failures(theirs), [])
    assert.lengthOf(theirs, Object.keys(awsPack.handlers).length)
    assertAllFailed(others)
  })

  it("stamps what follows from something later than that, as a handler sees it", async () => {
    const requirement: Requirement = {
      id: "8-9",
      suite: "parallel",
      ExpectedResult: { ExecutionStatus: "SUCCEEDED", Result: 1 },
      ExpectedExecutionHistory: "ContextStarted ContextStarted StepStarted StepFailed ContextFailed ContextStarted"
        .split(" ")
        .map((EventType, index) => ({ EventId: index + 2, EventType }))
    }
    const failing: Pack = { ...pack, handlers: { "8-9": failingBranch } }
    const [verdicts = []] = await judge(memory, { pack: failing, only: [requirement] })
    assert.deepStrictEqual(failures(verdicts), [])
    assert.lengthOf(verdicts, 1)
  })
})

/** Of two branches, one after the other, the first one holds a step that fails. */
const failingBranch = LambdaHandler.make(
  Open.implement(() =>
    Effect.map(
      Durable.parallel(
        "batch",
        [Durable.step("fail", nobodyKnows, { retry: RetryPolicy.none, error: Failure }), Effect.void],
        { concurrency: 1, error: Failure, policy: CompletionPolicy.make({ toleratedFailureCount: 1 }) }
      ),
      ({ failureCount }) => failureCount
    )
  ),
  alone
)

/** The callback of this handler times out after three seconds, and somebody answers after four. */
const late: Requirement = {
  id: "4-14",
  suite: "callback",
  Input: "approval",
  CallbackActions: [{ CallbackName: "*", Operation: "success", Payload: "yes", Delay: 4 }],
  ExpectedResult: { ExecutionStatus: "SUCCEEDED" }
}

describe("the driver", () => {
  it("holds it against a requirement when its answer to a callback is refused", async () => {
    const [[verdict] = []] = await judge(memory, { pack: awsPack, only: [late] })
    assert.strictEqual(verdict?.status, "failed")
    assert.match(verdict?.problems[0] ?? "", /^the success for callback "approval" was refused: ./)
  })
})

describe("AWS's test runner", () => {
  it("shows of our handlers what the requirements say, and of others something else", async () => {
    const ids = (
      "1-4 1-8 1-11 1-18 1-20 2-2 3-2 3-6 3-8 3-14 4-5 4-7 5-2 5-6 5-8 " +
      "6-3 6-8 7-4 7-13 8-6 8-14 8-21 9-12 9-16 9-19"
    ).split(" ")
    const wrong = ["1-1", "1-2", "1-12", "2-4", "3-6", "5-8", "5-15", "6-3", "7-11", "8-15", "9-12"]
    const [ours = [], others] = await judge(awsLocal, { pack, ids }, { pack: mistaken(pack, wrong) })
    assert.deepStrictEqual(failures(ours), [])
    assert.lengthOf(ours, ids.length)
    assertAllFailed(others)
  })
})

describe("the local engine", () => {
  /** What no handler shows. */
  const wrong: Requirement = {
    id: "1-1",
    suite: "step",
    Input: "Ada",
    ExpectedResult: { ExecutionStatus: "SUCCEEDED", Result: "Goodbye, Ada!" }
  }

  it.each([
    ["ours", "own", pack],
    ["those of AWS's SDK", "aws", awsPack]
  ])("shows over HTTP of handlers like %s what the requirements say, and nothing else", async (_, handlers, pack) => {
    const ids = "1-4 1-11 1-18 2-2 3-6 3-8 3-14 4-5 5-2 5-6 6-3 7-4 8-6 9-12 9-19".split(" ")
    const [met = [], others] = await judge(
      (watch) => local(watch, { handlers }),
      { pack, ids },
      { pack, only: [wrong] }
    )
    assert.deepStrictEqual(failures(met), [])
    assert.lengthOf(met, ids.length)
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

  it("loads under plain node, with no flags and no build", () => {
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

  it("judges a folder of requirements, and tells what it could not judge", async () => {
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
    assert.strictEqual(status, 0)
    const told = JSON.parse(lines.at(-2) ?? "")
    assert.deepInclude(told, {
      seed: 7,
      backends: ["memory", "aws-local", "local"],
      passed: 3,
      failed: 0,
      notImplemented: 1
    })
    assert.deepInclude(told.requirements.at(-1), { id: "10-1", reason: pack.notImplemented["10-1"] })
    // A column for each backend.
    assert.isTrue(lines.some((line) => /^step +memory +aws-local +local$/.test(line)))
    assert.isTrue(lines.some((line) => /^ {2}1-1( +passed +\d+ ms){3}$/.test(line)))
    assert.isTrue(lines.some((line) => line.includes(`10-1`) && line.includes(pack.notImplemented["10-1"] ?? "?")))
  })

  it("fails when a requirement does, unless it is optional", async () => {
    write("wrong", "1-2", "Input: Ada", "ExpectedResult:", ...succeeded("Hello, Bob!"))
    write("optional", "1-3", "optional: true", "ExpectedResult:", ...succeeded("third"))
    const [wrong, optional] = await Promise.all([
      run("--requirements", folder, "--suite", "wrong", "--backend", "memory"),
      run("--requirements", folder, "--id", "1-3", "--backend", "memory")
    ])
    assert.strictEqual(wrong.last, "0 passed, 1 failed, 0 not implemented")
    assert.strictEqual(wrong.status, 1)
    assert.strictEqual(optional.last, "0 passed, 1 failed, 0 not implemented")
    assert.strictEqual(optional.status, 0)
  })

  it("does not take nothing for a success", async () => {
    const runs = await Promise.all([
      run("--requirements", folder, "--suite", "stepp"),
      run("--requirements", folder, "--backend", "cloud"),
      run("--requirements", join(folder, "nowhere")),
      run("--requirements", folder, "--raw"),
      run()
    ])
    assert.deepStrictEqual(
      runs.map(({ status }) => status),
      runs.map(() => 2)
    )
    write("none", "10-2", "Input: n")
    const { last, status } = await run("--requirements", folder, "--suite", "none", "--backend", "memory")
    assert.strictEqual(last, "0 passed, 0 failed, 1 not implemented")
    assert.strictEqual(status, 1)
  })
})

const succeeded = (result: string): ReadonlyArray<string> => ["  ExecutionStatus: SUCCEEDED", `  Result: ${result}`]
