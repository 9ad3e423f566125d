/**
 * A copy of this repository in a temporary folder, in which something can be changed and tried without anybody noticing.
 *
 * Owns: what is copied, and that a change is made where it was meant to be made.
 * Does not own: what is changed, and what is tried.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** A text of a file, and what takes its place. */
export interface Change {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** How a process ended. */
export interface Ran {
  /** Undefined if it was killed, because it was silent for too long. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export class Copy {
  /** Ends what runs in the copy. */
  #kill = (): void => {}
  readonly folder = mkdtempSync(join(tmpdir(), "effect-durable-copy-"))

  constructor() {
    for (const part of ["src", "test", "examples", "scripts", "package.json", "tsconfig.json", "vitest.config.ts"]) {
      cpSync(join(root, part), join(this.folder, part), {
        recursive: true,
        filter: (source) => !source.includes(".generated")
      })
    }
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"))
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8")
  }

  /** Makes changes, each of a text that is there once. Answers with how to take them back. */
  change(changes: ReadonlyArray<Change>): () => void {
    const before = new Map(changes.map(({ file }) => [file, this.read(file)]))
    const undo = (): void => {
      for (const [file, text] of before) writeFileSync(join(this.folder, file), text)
    }
    try {
      for (const { file, find, replace } of changes) {
        const parts = this.read(file).split(find)
        if (parts.length !== 2)
          throw new Error(
            `Expected this text once in ${file}, found it ${parts.length - 1} times. Write the change anew for the code as it is now:\n${find}`
          )
        writeFileSync(join(this.folder, file), parts.join(replace))
      }
    } catch (error) {
      undo()
      throw error
    }
    return undo
  }

  /** Runs a program of Node in the copy, and kills it with its children when it says nothing for so many milliseconds. */
  node(args: ReadonlyArray<string>, silence: number): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["--conditions=effect-durable-source", ...args], {
        cwd: this.folder,
        detached: true,
        env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const [stdout, stderr] = [[] as Array<string>, [] as Array<string>]
      // With all that it has started.
      const kill = (): void => {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      }
      this.#kill = kill
      let net = setTimeout(kill, silence)
      const heard =
        (into: Array<string>) =>
        (data: Buffer): void => {
          into.push(String(data))
          clearTimeout(net)
          net = setTimeout(kill, silence)
        }
      child.stdout.on("data", heard(stdout))
      child.stderr.on("data", heard(stderr))
      child.on("error", reject)
      child.on("close", (code) => {
        clearTimeout(net)
        this.#kill = () => {}
        resolve({ exitCode: code ?? undefined, stdout: stdout.join(""), stderr: stderr.join("") })
      })
    })
  }

  /** Goes away with this process, whoever ends it. */
  disposeOnExit(): void {
    process.on("exit", () => this.dispose())
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))
  }

  dispose(): void {
    this.#kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
