/** The packed command line in a project of its own, from an empty folder to the end of an execution. */
import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../../package.json" with { type: "json" }
import { capture, pack } from "../../scripts/npm/packed.ts"

const root = join(import.meta.dirname, "../..")

/** A folder in which the packed package is installed beside those that it works with. */
const install = (folder: string): string => {
  const modules = join(folder, "project/node_modules")
  mkdirSync(modules, { recursive: true })
  for (const name of readdirSync(join(root, "node_modules"))) {
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  if (!existsSync(join(root, "dist/cli/main.js"))) capture(root, "npm", "run", "build")
  capture(modules, "tar", "xzf", pack(root, folder).file)
  capture(modules, "mv", "package", manifest.name)
  return join(folder, "project")
}

const environment = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" }

const inFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-durable-packed-"))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe("the packed command line", () => {
  it("leads from an empty folder to an order that is approved, and to one that is not", () =>
    inFolder(async (folder) => {
      const cwd = install(folder)
      const main = join(cwd, "node_modules", manifest.name, manifest.bin["effect-durable"])
      const run = (...args: ReadonlyArray<string>) => {
        const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...args], {
          cwd,
          encoding: "utf8",
          env: environment
        })
        return { code: status, out: stdout, err: stderr }
      }
      const tool = (name: string, ...args: ReadonlyArray<string>): void => {
        const { status, stderr, stdout } = spawnSync(join(root, "node_modules/.bin", name), args, {
          cwd,
          encoding: "utf8",
          env: environment
        })
        assert.strictEqual(status, 0, `${name}: ${stdout}${stderr}`)
      }
      assert.strictEqual(run("--version").out, `${manifest.version}\n`)
      const init = run("init", "order", "--no-install")
      assert.strictEqual(init.code, 0, init.err)
      tool("tsc", "-p", ".")
      tool("vitest", "run")

      const dev = spawn(process.execPath, [main, "dev", "order.ts", "--port", "0"], {
        cwd,
        env: environment,
        stdio: ["ignore", "pipe", "inherit"]
      })
      const ended = new Promise<number | null>((resolve) => dev.on("exit", resolve))
      try {
        const url = await new Promise<string>((resolve, reject) => {
          let printed = ""
          dev.stdout.on("data", (chunk: Buffer) => {
            printed += chunk.toString()
            const found = /^listening (\S+)\n/.exec(printed)
            if (found !== null) resolve(found[1] ?? "")
          })
          void ended.then(() => reject(new Error("The engine has ended.")))
        })
        const order = (name: string) => {
          const child = spawn(
            process.execPath,
            [main, "invoke", "order", "--payload", '{"item":"tea"}', "--name", name, "--follow", "--endpoint", url],
            { cwd, env: environment }
          )
          let out = ""
          let err = ""
          child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
          child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()))
          return new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) =>
            child.on("close", (code) => resolve({ code, out, err }))
          )
        }
        const answer = (name: string, result: string): void => {
          while (run("callback", "succeed", `${name}/approval`, "--result", result, "--endpoint", url).code !== 0) {
            run("time", "skip", name, "--endpoint", url)
          }
        }
        const first = order("order-1")
        answer("order-1", "true")
        const approved = await first
        assert.deepStrictEqual([approved.code, approved.out], [0, '"sold tea for 300 cents"\n'])
        assert.match(approved.err, /CallbackSucceeded +approval +true/)
        const { execution, rows } = JSON.parse(run("show", "order-1", "--json", "--endpoint", url).out)
        assert.strictEqual(execution.status, "SUCCEEDED")
        assert.deepStrictEqual(
          rows.map(({ name }: { readonly name: string }) => name),
          ["order-quote", "reserve", "cooling-off", "approval", "approval", "submit"]
        )
        const second = order("order-2")
        answer("order-2", "false")
        const refused = await second
        assert.deepStrictEqual([refused.code, refused.out], [1, ""])
        assert.include(refused.err, "order-2 ended as FAILED: NotApproved")
      } finally {
        dev.kill("SIGINT")
      }
      assert.strictEqual(await ended, 0)
      const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" })
      assert.notInclude(stdout, cwd)
      const reset = run("reset")
      assert.deepStrictEqual([reset.code, reset.err], [0, "Deleted 2 executions of .durable/local.db.\n"])
    }))
})
