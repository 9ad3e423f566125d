/** What the compiler tells whoever gets an operation wrong: one thing, at its place, in the words of this library. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"

const root = join(import.meta.dirname, "../..")

interface Case {
  /** An expression. The text between « and » is what is to be blamed. */
  readonly code: string
  readonly says: string
}

const noOption = (name: string) => `there is no option \\"${name}\\" here`
const notPlain = "Property '\"value is not plain data: give { success: Schema }\"' is missing"
const notPlainBatch =
  "Property '\"value is a BatchResult of what is not plain data: give { success: Schema }, made with BatchResult.Schema\"' is"
const noError = "Property '\"an error is recorded through its schema: give { error: Schema }\"' is missing"
const ofEffect =
  "Property '\"an error of Effect is recorded through its schema: give { error: DurableError.EffectError }\"' is missing"
const nested =
  "Property '\"a step cannot hold durable operations: use Durable.child, or move them out of the step\"' is"
const otherErrors = "Property '\"the retry policy is for other errors\"' is missing"

const cases: ReadonlyArray<Case> = [
  { code: `Durable.step("a", number, { retry, «semantic»: "at-most-once" })`, says: noOption("semantic") },
  { code: `number.pipe(Durable.step("a", { retry, «semantic»: "at-most-once" }))`, says: noOption("semantic") },
  { code: `Durable.child("a", number, { «flatt»: true })`, says: "Did you mean to write 'flat'?" },
  { code: `number.pipe(Durable.child("a", { «flatt»: true }))`, says: "Did you mean to write 'flat'?" },
  { code: `Durable.step("a", date, { retry, «semantic»: "at-most-once" })`, says: noOption("semantic") },
  { code: `date.pipe(Durable.step("a", { retry, «semantic»: "at-most-once" }))`, says: noOption("semantic") },
  { code: `Durable.step("a", number, { retry, «semantics»: "never" })`, says: `Type '"never"' is not assignable` },
  { code: `number.pipe(Durable.step("a", { retry, «semantics»: "never" }))`, says: `Type '"never"' is not assignable` },
  { code: `«Durable.step("a", date)»`, says: notPlain },
  { code: `date.pipe(«Durable.step("a")»)`, says: notPlain },
  { code: `«Durable.child("a", batch)»`, says: notPlainBatch },
  { code: `Durable.step("a", date, «{ retry }»)`, says: notPlain },
  { code: `date.pipe(«Durable.step("a", { retry })»)`, says: notPlain },
  { code: `«Durable.timeout("a", date, "1 minute")»`, says: notPlain },
  { code: `date.pipe(«Durable.timeout("a", "1 minute")»)`, says: notPlain },
  { code: `«Durable.step("a", charge)»`, says: noError },
  { code: `charge.pipe(«Durable.step("a")»)`, says: noError },
  { code: `«Durable.step("a", late)»`, says: ofEffect },
  { code: `late.pipe(«Durable.step("a")»)`, says: ofEffect },
  { code: `Durable.step("a", «nap»)`, says: nested },
  { code: `nap.pipe(«Durable.step("a")»)`, says: nested },
  { code: `charge.pipe(«Durable.step("a", { error: Declined, retry: ofText })»)`, says: otherErrors },
  { code: `charge.pipe(«Durable.retry("a", ofText, { error: Declined })»)`, says: otherErrors },
  { code: `Durable.step("a", «() => number»)`, says: "is not assignable to parameter of type 'Effect<" },
  { code: `Durable.timeout("a", number, «"5 minuts"»)`, says: "is not assignable to parameter of type 'Timeout'" },
  { code: `number.pipe(Durable.timeout("a", «"5 minuts"»))`, says: "is not assignable to parameter of type 'Timeout'" },
  { code: `Durable.«retry»("a", number)`, says: "Expected 3-4 arguments, but got 2" },
  { code: `Durable.step("a", number, {}, «{}»)`, says: "Expected 2-3 arguments, but got 4" }
]

const head = `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Durable from "../../src/Durable.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"
class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, Declined>
const late = Effect.timeout(number, "1 second")
const batch = Durable.parallel("a", [charge], { error: Declined })
const nap = Durable.wait("nap", "1 second")
const retry = RetryPolicy.none
const ofText = RetryPolicy.fixed({ while: (error: string) => error === "" })
export const all = [Declined, number, date, charge, nap, retry, ofText, Effect.void]
`

interface Message {
  readonly line: number
  readonly column: number
  readonly text: string
}

/** Compiles one line for each case. */
const compile = (lines: ReadonlyArray<string>): ReadonlyArray<Message> => {
  const folder = mkdtempSync(join(root, "node_modules/.messages-"))
  try {
    writeFileSync(join(folder, "cases.ts"), [...head.trim().split("\n"), ...lines].join("\n"))
    const config = { extends: "../../tsconfig.json", include: [], files: ["./cases.ts"] }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["--pretty", "false", "-p", folder], {
      cwd: root,
      encoding: "utf8"
    })
    const place = `${relative(root, folder)}/cases.ts(`
    return stdout
      .split(/\n(?! )/)
      .filter((message) => message.startsWith(place))
      .map((message) => {
        const [, line, column] = /\((\d+),(\d+)\)/.exec(message) ?? []
        return { line: Number(line) - head.trim().split("\n").length, column: Number(column), text: message }
      })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the compiler says", () => {
  const statement = (code: string, index: number) => `export const case${index} = ${code}`
  const lines = cases.map(({ code }, index) => statement(code.replace(/[«»]/g, ""), index))
  const messages = compile(lines)

  for (const [index, { code, says }] of cases.entries()) {
    it(`what is wrong, where it is, and once: ${code}`, () => {
      const found = messages.filter(({ line }) => line === index + 1)
      assert.lengthOf(found, 1, found.map(({ text }) => text).join("\n"))
      const [message] = found
      assert.include(message?.text, says)
      assert.notInclude(message?.text, "No overload matches this call")
      assert.strictEqual(message?.column, statement(code, index).indexOf("«") + 1)
    })
  }
})
