/**
 * Builds the reference before the tests of public text begin: pages link to it, and it is not committed.
 *
 * Owns: when it is built, and what that said. Does not own: what is asked of that, which is a test.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    readonly reference: { readonly status: number | null; readonly output: string }
  }
}

export default ({ provide }: TestProject): void => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["scripts/reference.ts", "--check", "--json"], {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8"
  })
  provide("reference", { status, output: stdout + stderr })
}
