/** What the command lines of the commands that judge mean. */
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import * as line from "../scripts/commandLine.ts"

const parts = {
  names: line.names(["order", "two words"]),
  programs: line.count(100),
  busy: line.count(0, { atLeast: 0, atMost: 9 }),
  seed: line.seed(7),
  handlers: line.oneOf("own", "aws"),
  id: line.texts("ID"),
  folder: line.text("FOLDER"),
  side: line.parsed("left|right", (text) => (text === "left" ? -1 : text === "right" ? 1 : undefined)),
  json: line.flag
}

/** Reads as if the environment had this seed. */
const read = (args: ReadonlyArray<string>, SEED?: string) => {
  const before = process.env["SEED"]
  try {
    if (SEED === undefined) delete process.env["SEED"]
    else process.env["SEED"] = SEED
    return line.read(parts, args)
  } finally {
    if (before !== undefined) process.env["SEED"] = before
  }
}

describe("A command line", () => {
  it("means the defaults where it says nothing", () => {
    assert.deepStrictEqual(read([]), {
      names: [],
      programs: 100,
      busy: 0,
      seed: 7,
      handlers: "own",
      id: undefined,
      folder: undefined,
      side: undefined,
      json: false
    })
  })

  it("means what it says", () => {
    const words = "order --programs 5 --busy=0 --seed 3 --handlers aws --id a --id b --folder . --side left --json"
    assert.deepStrictEqual(read(words.split(" "), "9"), {
      names: ["order"],
      programs: 5,
      busy: 0,
      seed: 3,
      handlers: "aws",
      id: ["a", "b"],
      folder: ".",
      side: -1,
      json: true
    })
  })

  it("means the last of several, and the seed of the environment", () => {
    assert.strictEqual(read(["--programs", "5", "--programs", "6"]).programs, 6)
    assert.strictEqual(read([], "9").seed, 9)
  })

  it("draws a seed where nobody says one", () => {
    const { seed } = line.read({ seed: line.seed() }, [])
    assert.isTrue(Number.isSafeInteger(seed) && seed >= 0)
  })

  it.each([
    ["--nonsense", "Unknown option '--nonsense'."],
    ["--programs", "Option '--programs <value>' argument missing."],
    ["--json=yes", "Option '--json' does not take an argument."],
    ["--programs 0", '--programs must be a whole number from 1 to 10000000, found "0".'],
    ["--programs 1e3", '--programs must be a whole number from 1 to 10000000, found "1e3".'],
    ["--programs=-1", '--programs must be a whole number from 1 to 10000000, found "-1".'],
    ["--busy 10", '--busy must be a whole number from 0 to 9, found "10".'],
    ["--seed x", '--seed must be a whole number from 0 to 4294967295, found "x".'],
    ["--handlers their", '--handlers must be own|aws, found "their".'],
    ["--side up", '--side must be left|right, found "up".'],
    ["orders", 'There is nothing with the name "orders".']
  ])("makes no sense with %s", (words, problem) => {
    assert.throws(() => read(words.split(" ")), line.Nonsense, problem)
  })

  it("makes no sense under a seed that is none, without what it needs, or with words that nobody reads", () => {
    assert.throws(() => read([], "x"), line.Nonsense, 'SEED must be a whole number from 0 to 4294967295, found "x".')
    assert.throws(() => line.read({ to: line.required("DIR") }, []), line.Nonsense, "--to is missing.")
    // `npm run simulate --seeds 5`, of which npm takes the flag.
    assert.throws(() => line.read({ seeds: line.count(1) }, ["5"]), line.Nonsense, "Unexpected argument '5'.")
  })

  it("has a usage", () => {
    assert.strictEqual(
      line.usageOf("judge", { to: line.required("DIR"), ...parts }),
      "usage: npm run judge -- --to DIR [NAME…] [--programs N] [--busy N] [--seed S] [--handlers own|aws] [--id ID]" +
        ' [--folder FOLDER] [--side left|right] [--json]\nNAMEs: order, "two words"'
    )
  })
})
