/**
 * The engine as `npm run kill` has it: a process that it starts and kills, asked over HTTP, and the log that no engine writes.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { signature, type Json } from "../support.ts"
import type { Note } from "./scenes.ts"

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Milliseconds after which nothing is waited for any more. */
const patience = 600_000

export class Host {
  readonly #folder = mkdtempSync(join(tmpdir(), "effect-durable-kill-"))
  readonly #log = join(this.#folder, "log")
  #port = 0
  #engine: ChildProcess | undefined

  async start(): Promise<void> {
    this.#port ||= await freePort()
    const engine = spawn(
      process.execPath,
      [
        "--conditions=effect-durable-source",
        fileURLToPath(new URL("engine.ts", import.meta.url)),
        join(this.#folder, "local.db"),
        String(this.#port)
      ],
      { env: { ...process.env, KILL_LOG: this.#log }, stdio: ["ignore", "pipe", "pipe"] }
    )
    this.#engine = engine
    let errors = ""
    engine.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    await new Promise<void>((resolve, reject) => {
      engine.stdout?.once("data", () => resolve())
      engine.once("exit", () => reject(new Error(`The engine did not start: ${errors}`)))
    })
    engine.removeAllListeners("exit")
  }

  /** Kills the engine, and waits until it is gone. */
  async killEngine(): Promise<void> {
    const engine = this.#engine
    if (engine === undefined || engine.exitCode !== null) throw new Error("The engine is not running.")
    const gone = new Promise((resolve) => engine.once("exit", resolve))
    engine.kill("SIGKILL")
    await gone
  }

  /** Kills the process that ran the last body of these runs. */
  killHandler(run: string): void {
    const last = this.notes().findLast((note) => note.run === run)
    if (last === undefined) return
    try {
      process.kill(last.pid, "SIGKILL")
    } catch {
      // It has ended already, of itself.
    }
  }

  async end(): Promise<void> {
    const engine = this.#engine
    if (engine !== undefined && engine.exitCode === null && engine.signalCode === null) await this.killEngine()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Every line that is whole. */
  notes(): ReadonlyArray<Note> {
    if (!existsSync(this.#log)) return []
    return readFileSync(this.#log, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  /** Asks until there is an answer: the engine may be gone at any moment. */
  async ask(
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {}
  ): Promise<Json> {
    for (const until = Date.now() + patience; Date.now() < until; await pause(50)) {
      try {
        const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
          method,
          headers: { authorization: signature, ...headers },
          ...(body !== undefined && { body })
        })
        const text = await response.text()
        return { status: response.status, headers: response.headers, json: text === "" ? undefined : JSON.parse(text) }
      } catch {
        // Once more.
      }
    }
    throw new Error(`The engine does not answer to ${method} ${path}.`)
  }

  /** Looks again and again until something is there. Answers nothing when it never is. */
  async until<A>(look: () => A | undefined | Promise<A | undefined>): Promise<A | undefined> {
    for (const until = Date.now() + patience; Date.now() < until; await pause(10)) {
      const found = await look()
      if (found !== undefined) return found
    }
    return undefined
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
