/** How a handler lives in a process, and what it leaves behind when Lambda ends it with SIGTERM. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

interface Ended {
  readonly lines: ReadonlyArray<string>
  readonly errors: string
  /** The exit code, or the signal that ended the process. */
  readonly by: number | string | null
}

/** Runs a scenario of `sandbox.ts`, and sends SIGTERM as soon as it is ready. */
const sandbox = (scenario: string): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        "--conditions=effect-durable-source",
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "sandbox.ts"),
        scenario
      ],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let [output, errors] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      if (!/^ready$/m.test(text)) return
      child.kill("SIGTERM")
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text))
    child.on("error", reject)
    child.on("close", (code, signal) =>
      resolve({
        lines: output.trimEnd().split("\n"),
        errors,
        by: code ?? signal
      })
    )
  })

describe.concurrent("a sandbox that is told to end", () => {
  it("releases what the layers of idle handlers hold, a hundred of them with one listener, and ends", async () => {
    const { by, errors, lines } = await sandbox("idle, with a hundred handlers,")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.lengthOf(
      lines.filter((line) => line.startsWith("open ")),
      100
    )
    assert.lengthOf(
      lines.filter((line) => line.startsWith("close ")),
      100
    )
    assert.include(lines, "1 listener")
    assert.notInclude(lines, "MaxListenersExceededWarning")
  })

  it("interrupts what is running, gives its finalizers a bounded time, and releases the layers after that", async () => {
    const { by, errors, lines } = await sandbox("running")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.lengthOf(
      lines.filter((line) => line === "rejected InvocationFailed interrupted"),
      2
    )
    assert.isBelow(lines.indexOf("rolled back"), lines.indexOf("close db"))
    assert.include(lines, "close cache")
  })

  it("waits for a layer that is just being built, to release that too", async () => {
    const { by, errors, lines } = await sandbox("starting")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.deepStrictEqual(lines.toSorted(), ["close db", "open db", "ready", "rejected InvocationFailed interrupted"])
  })

  it("gives up a layer whose build does not end", async () => {
    const { by, errors, lines } = await sandbox("unable to open")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.deepStrictEqual(lines, ["rejected InvocationFailed deadline", "ready", "gave up"])
  })

  it("ends also when an invocation comes meanwhile, and releases the layer of that one too", async () => {
    const { by, errors, lines } = await sandbox("asked for more")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.deepStrictEqual(lines, ["open db", "ready", "open db", "close db", "close db"])
  })

  it("ends also when a layer was never built, and when another one cannot be released", async () => {
    const { by, errors, lines } = await sandbox("unable to close")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.deepStrictEqual(lines, ["rejected Error unknown", "open db", "open cache", "ready", "close cache"])
  })

  it("waits for a handler that is just being disposed", async () => {
    const { by, errors, lines } = await sandbox("being disposed")
    assert.deepStrictEqual({ by, errors }, { by: "SIGTERM", errors: "" })
    assert.deepStrictEqual(lines, ["open db", "ready", "close db"])
  })

  it("leaves the end to another listener, and starts anew if that one does not end it", async () => {
    const { by, errors, lines } = await sandbox("not alone in listening")
    assert.deepStrictEqual({ by, errors }, { by: 0, errors: "" })
    const [, , ...after] = lines
    assert.deepStrictEqual(after, ["another listener", "close db", "open db", "again with 2 listeners"])
  })
})

describe.concurrent("a process with a handler", () => {
  it("listens to no signal any more when its handlers are disposed", async () => {
    const { by, errors, lines } = await sandbox("disposed")
    assert.deepStrictEqual({ by, errors }, { by: 0, errors: "" })
    assert.deepStrictEqual(lines, ["open db", "open cache", "close db", "1 listener", "close cache", "0 listeners"])
  })

  it("ends by itself: no timer, listener or rejection is left behind by invocations that succeeded or failed", async () => {
    const { by, errors, lines } = await sandbox("undisturbed")
    assert.deepStrictEqual({ by, errors }, { by: 0, errors: "" })
    assert.deepStrictEqual(
      lines.filter((line) => line !== "open db"),
      ["0 listeners", "SUCCEEDED", "rejected InvocationFailed stale-token", "rejected InvocationFailed deadline"]
    )
  })
})
