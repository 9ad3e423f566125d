/** A refund as a user writes it, in three folders that know each other by their declarations, against the packed package. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { builtPackage } from "../../bench/built.ts"
import { capture } from "../../scripts/npm/packed.ts"

const root = join(import.meta.dirname, "../..")
const project = mkdtempSync(join(tmpdir(), "effect-durable-refund-"))
const parts = ["contracts", "functions", "tests"] as const

/** Strict in everything that a user may turn on. The declarations of others are looked at in another test. */
const configure = (part: (typeof parts)[number], index: number): void => {
  const compilerOptions = {
    target: "ES2024",
    lib: ["ES2024", "DOM"],
    types: ["node"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    declaration: true,
    composite: true,
    rewriteRelativeImportExtensions: true,
    rootDir: "..",
    outDir: "../out"
  }
  const references = parts.slice(0, index).map((path) => ({ path: `../${path}` }))
  writeFileSync(
    join(project, part, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["*.ts"], references })
  )
}

beforeAll(() => {
  builtPackage(undefined)
  cpSync(join(import.meta.dirname, "refund"), project, { recursive: true })
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const modules = join(project, "node_modules")
  for (const scope of ["@effect", "@types", "effect-durable"]) mkdirSync(join(modules, scope), { recursive: true })
  for (const name of ["effect", "@effect/platform-node", "@types/node"]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  const [packed] = JSON.parse(capture(root, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", project))
  capture(project, "tar", "-xzf", packed.filename, "-C", join(modules, "effect-durable"), "--strip-components=1")
  parts.forEach(configure)
})

afterAll(() => rmSync(project, { recursive: true }))

describe("A refund against the packed package", () => {
  it("compiles, with declarations of what nobody has written down", () => {
    assert.strictEqual(capture(project, join(root, "node_modules/.bin/tsc"), "-b", "tests", "--pretty", "false"), "")
    const declared = readFileSync(join(project, "out/functions/helpers.d.ts"), "utf8")
    assert.include(declared, "invokeOr")
    assert.notMatch(declared, /: any\b/)
  })

  it("runs on the test engine, as a handler, and on the local engine", () => {
    const lines = capture(project, process.execPath, "out/tests/main.js").trim().split("\n")
    assert.deepStrictEqual(lines, [
      "refunds, reports the items that failed, and waits as long as the mailer asks for",
      "reminds every day, and gives up after five",
      "is refused, and listed by its contract",
      "undoes every part when the last one fails",
      "ends as NotRefunded when the reversal does not work",
      "ends as InvokeStopped when the reversal does not work",
      "ends as InvokeTimedOut when the reversal does not work",
      "ends as InvokeFailed when the reversal does not work",
      "survives a dozen crashes",
      "answers AWS's events",
      "runs on the local engine"
    ])
  })
})
