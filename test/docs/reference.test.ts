/** The reference is that of the code, and every export says in it what it does. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { root } from "./blocks.ts"
import { counted } from "./counted.ts"

describe("docs/reference", () => {
  it("is up to date, and lacks nothing", (context) => {
    const args = ["scripts/reference.ts", "--check", "--json"]
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" })
    assert.strictEqual(status, 0, stdout + stderr)
    const { exports } = JSON.parse(stdout.split("\n").find((line) => line.startsWith("{")) ?? "{}")
    assert.isAbove(exports, 0)
    counted(context, { "exports documented": exports })
  })
})
