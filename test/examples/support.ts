/** Runs the examples as a person does. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "../..")

export interface Ran {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of the standard output. */
  readonly last: string
}

/** What `npm start -- ARGS` runs, without npm. */
export const start = (...args: ReadonlyArray<string>): Promise<Ran> => startIn(undefined, ...args).ran

/** The same with a folder for its temporary files. */
export const startIn = (
  folder: string | undefined,
  ...args: ReadonlyArray<string>
): { readonly ran: Promise<Ran>; readonly interrupt: () => void } => {
  const main = join(root, "examples/lib/main.ts")
  const child = spawn(process.execPath, ["--conditions=effect-durable-source", main, ...args], {
    cwd: root,
    env: { ...process.env, ...(folder !== undefined && { TMPDIR: folder }) }
  })
  const ran = new Promise<Ran>((resolve, reject) => {
    const [stdout, stderr] = [[] as Array<string>, [] as Array<string>]
    child.stdout.on("data", (data) => stdout.push(String(data)))
    child.stderr.on("data", (data) => stderr.push(String(data)))
    child.on("error", reject)
    child.on("close", (exitCode) => {
      const text = stdout.join("")
      resolve({ exitCode, stdout: text, stderr: stderr.join(""), last: text.trimEnd().split("\n").at(-1) ?? "" })
    })
  })
  return { ran, interrupt: () => void child.kill("SIGINT") }
}
