/** Every command that judges refuses a command line that makes no sense, before it begins. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import manifest from "../../package.json" with { type: "json" }

const root = join(import.meta.dirname, "../..")

/** These judge nothing: an example, the build, and pictures. */
const others = ["start", "build", "screenshots"]

const commands = Object.entries(manifest.scripts).flatMap(([name, command]) => {
  const [node, ...args] = command.split(" ")
  return node === "node" && !others.includes(name) ? [{ name, args }] : []
})

const run = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", env: { ...process.env, SEED: "1" } })

describe("A command line that makes no sense", () => {
  it.each(commands)("is refused by npm run $name", ({ args, name }) => {
    const { status, stderr, stdout } = run([...args, "--nonsense"])
    assert.include(stderr, `Unknown option '--nonsense'.\nusage: npm run ${name} -- `)
    assert.strictEqual(stdout, "")
    assert.strictEqual(status, 2)
  })
})
