/**
 * The commands that put faults into the source, on a few rounds: what they print last, and how they exit.
 */
import { spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { mutantsOf } from "../mutation/mutants.ts"
import { Copy } from "../sabotage/copy.ts"
import { faults } from "../sabotage/faults.ts"

const run = (file: string, ...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--conditions=effect-durable-source", fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
    { encoding: "utf8" }
  )
  return { status, last: stdout.trim().split("\n").at(-1), output: `${stdout}${stderr}` }
}

describe("npm run sabotage", () => {
  it("puts a fault into a copy of the source, and has it found", () => {
    const { last, output, status } = run("sabotage/main.ts", "perform before the replay has caught up", "--seed", "1")
    assert.strictEqual(last, "1 caught, 0 missed", output)
    assert.strictEqual(status, 0)
  })

  it("says which faults there are", () => {
    const { output, status } = run("sabotage/main.ts", "something else")
    assert.strictEqual(status, 2)
    for (const { name } of faults) assert.include(output, name)
  })

  it("has a place in the source for every fault", () => {
    const copy = new Copy()
    try {
      for (const { changes } of faults) {
        const before = changes.map(({ file }) => copy.read(file))
        const undo = copy.change(changes)
        assert.notDeepEqual(
          changes.map(({ file }) => copy.read(file)),
          before
        )
        undo()
        assert.deepStrictEqual(
          changes.map(({ file }) => copy.read(file)),
          before
        )
      }
      const lost = { file: "src/index.ts", find: "what was never there", replace: "" }
      assert.throws(() => copy.change([lost]), /found it 0 times/)
    } finally {
      copy.dispose()
    }
  })
})

describe("npm run mutate", () => {
  it("draws a change, and has it noticed", () => {
    const { last, output, status } = run(
      "mutation/main.ts",
      "--mutants",
      "1",
      "--seed",
      "1",
      "--file",
      "src/execution/Heap.ts"
    )
    assert.match(last ?? "", /^[01] killed, [01] survived$/, output)
    // A survivor fails it.
    assert.strictEqual(status, last?.endsWith(" 0 survived") ? 0 : 1)
  })

  it("refuses a file that is not there", () => {
    const { output, status } = run("mutation/main.ts", "--file", "src/execution/Lost.ts")
    assert.match(output, /--file must be src\/.*, found "src\/execution\/Lost\.ts"\.\nusage: npm run mutate/)
    assert.strictEqual(status, 2)
  })

  it("knows conditions, bounds, statements and constants, and no types", () => {
    const text = [
      "const f = (a: 1 | true): number => {",
      "  if (a < 2) g()",
      "  return a === 3 && b ? 4 : 5",
      "}"
    ].join("\n")
    assert.deepStrictEqual(
      mutantsOf("f.ts", text).map(({ line, what }) => `${line} ${what}`),
      [
        "2 a < 2 → !(a < 2)",
        "2 < → <=",
        "2 2 → 3",
        "2 g() → ;",
        "3 a === 3 && b → !(a === 3 && b)",
        "3 && → ||",
        "3 === → !==",
        "3 3 → 4",
        "3 4 → 5",
        "3 5 → 6"
      ]
    )
  })
})

describe("npm run differential", () => {
  it("finds no difference, and says what it leaves out", () => {
    const { last, output, status } = run("differential/main.ts", "--programs", "6", "--seed", "1")
    assert.strictEqual(last, "6 equal, 0 different", output)
    assert.include(output, "losers: the losers of a race go on in AWS's SDK")
    assert.strictEqual(status, 0)
  })
})
