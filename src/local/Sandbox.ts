/**
 * The process of one function: started when there are calls, and again after it has ended for any reason.
 *
 * Owns: the life of the process, its environment, and its restart when its file changes.
 * Does not own: calls.
 *
 * @since 0.1.0
 */
import { spawn, type ChildProcess } from "node:child_process"
import { watch, type FSWatcher } from "node:fs"
import { basename, dirname } from "node:path"
import process from "node:process"

export interface SandboxOptions {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly env: Readonly<Record<string, string>>
  /** Whether the process gets the AWS credentials of the engine's own environment. */
  readonly useAwsCredentials: boolean
  /** The file whose change ends the process. */
  readonly watched: string | undefined
  /** Runs before the process is killed. */
  readonly onKill: () => void
  /** Runs when the process has ended, by itself or not; `isReplaced` is whether it ended because its file has changed. */
  readonly onExit: (how: string, isReplaced: boolean) => void
}

export class Sandbox {
  readonly #options: SandboxOptions
  readonly #watcher: FSWatcher | undefined
  #child: ChildProcess | undefined
  /** The process that ends because its file has changed. */
  #replaced: ChildProcess | undefined
  #closed = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#watcher = this.#watch()
  }

  /** The id of the current process. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process unless it runs. */
  start(): void {
    if (this.#child !== undefined || this.#closed) return
    const child = this.#spawn()
    if (child instanceof Error) return this.#options.onExit(child.message, false)
    this.#child = child
    let ended = false
    const end = (how: string): void => {
      if (ended) return
      ended = true
      this.#child = undefined
      if (!this.#closed) this.#options.onExit(how, child === this.#replaced)
    }
    child.on("error", (error) => end(error.message))
    child.on("exit", (code, signal) => end(signal === null ? `exit status ${code}` : `signal: ${signal}`))
  }

  /** Node throws some of the reasons for which a program cannot run, such as a path that leads through a file. */
  #spawn(): ChildProcess | Error {
    const [file, ...args] = this.#options.command
    try {
      return spawn(file, args, {
        env: this.#environment(),
        // The standard output belongs to the engine: output of functions goes to the standard error. The channel ends with
        // the engine.
        stdio: ["ignore", process.stderr, process.stderr, "ipc"]
      })
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Ends the process at once; another one starts with the next call. */
  kill(): void {
    if (this.#child === undefined) return
    this.#options.onKill()
    this.#child.kill("SIGKILL")
  }

  /** Ends the process for good, with a moment to release its resources. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    const child = this.#child
    if (child === undefined) return
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => child.kill("SIGKILL"), 2_000)
      child.once("exit", () => {
        clearTimeout(patience)
        resolve()
      })
      child.kill("SIGTERM")
    })
  }

  #environment(): NodeJS.ProcessEnv {
    const { env, useAwsCredentials } = this.#options
    const own = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => useAwsCredentials || !secret.test(name))
    )
    return {
      ...own,
      ...(useAwsCredentials ? {} : { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" }),
      ...env
    }
  }

  /**
   * Watches the folder of the file, because editors replace a file instead of writing it. A function runs without this, too:
   * there may be no such folder, or the system has no watchers left.
   */
  #watch(): FSWatcher | undefined {
    const { watched } = this.#options
    if (watched === undefined) return undefined
    try {
      const watcher = watch(dirname(watched), (_, name) => {
        if (name !== basename(watched)) return
        this.#replaced = this.#child
        this.kill()
      })
      watcher.on("error", () => undefined)
      watcher.unref()
      return watcher
    } catch (error) {
      process.emitWarning(`Changes of ${watched} do not restart its process: ${String(error)}`)
      return undefined
    }
  }
}

/** The variables with which a function would reach AWS. */
const secret =
  /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|BEARER_TOKEN|PROFILE|DEFAULT_PROFILE|ROLE_ARN|WEB_IDENTITY|CONTAINER_|SHARED_|CONFIG_)/
