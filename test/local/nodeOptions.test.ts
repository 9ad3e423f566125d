/** What the process of a function is started with, so that it finds the modules that the engine's own process finds. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { inheritedOptions } from "../../src/local/Processes.ts"

const cases: Record<string, readonly [given: ReadonlyArray<string>, taken: ReadonlyArray<string>]> = {
  "an option with its value in one": [["--conditions=source", "--inspect"], ["--conditions=source"]],
  "an option with its value beside it, as the workers of Vitest have it": [
    ["--conditions", "node", "--conditions", "module", "--max-old-space-size=100"],
    ["--conditions", "node", "--conditions", "module"]
  ],
  "short options": [
    ["-C", "source", "-e", "1"],
    ["-C", "source"]
  ],
  "loaders and flags": [
    ["--import", "./a.js", "--experimental-loader", "./b.js", "--experimental-strip-types", "--prof"],
    ["--import", "./a.js", "--experimental-loader", "./b.js", "--experimental-strip-types"]
  ],
  "nothing else": [["--inspect", "9229", "--title", "x", "--enable-source-maps"], []]
}

describe("A function inherits of the engine's Node", () => {
  for (const [title, [given, taken]] of Object.entries(cases)) {
    it(title, () => {
      assert.deepStrictEqual(inheritedOptions(given), taken)
    })
  }

  it("what starts another Node, also here", () => {
    const { status, stderr } = spawnSync(process.execPath, [...inheritedOptions(process.execArgv), "--eval", ""], {
      encoding: "utf8"
    })
    assert.strictEqual(status, 0, stderr)
  })
})
