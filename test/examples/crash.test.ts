/** What `npm start -- NAME --crash POINT` shows: the words are those of `TestEngine.layer`, on either engine. */
import { assert, describe, it } from "@effect/vitest"
import { start } from "./support.ts"

describe("a crash", () => {
  it("shows what was replayed and what ran again", async () => {
    const plain = await start("deployed")
    const { exitCode, last, stdout } = await start("deployed", "--crash", "before:5")
    assert.strictEqual(exitCode, 0)
    assert.strictEqual(last, plain.last)
    assert.include(stdout, 'Killed the invocation of place-order before checkpoint 5: STEP START "hand over"')
    assert.match(stdout, /charge-card +invoke .+ succeeded +← replayed\n/)
    assert.match(stdout, /packing +wait .+ succeeded +← replayed\n/)
    assert.match(stdout, /charge +step .+ 2 attempts\n/, "the callee was not concerned")
    assert.match(stdout, /hand over +step .+ ← ran again\n/)
  })

  it("after a checkpoint loses nothing", async () => {
    const { stdout } = await start("deployed", "--crash", "after:5")
    assert.match(stdout, /hand over +step .+ ← replayed\n/)
    assert.notInclude(stdout, "ran again")
  })

  it("inside of a child that is recorded is not looked for", async () => {
    const { stdout } = await start("order", "--crash", "after:5")
    assert.match(stdout, /└─ charge +context .+ ← replayed\n/)
    assert.match(stdout, /├─ charge +invoke .+ succeeded\n/)
  })

  it("at an operation is found by its name, in memory too", async () => {
    for (const engine of [[], ["--memory"]]) {
      const { last, stdout } = await start("deployed", "--crash", "before:hand over", ...engine)
      assert.include(stdout, 'before checkpoint 5: STEP START "hand over"')
      assert.match(stdout, /hand over +step .+ ← ran again\n/)
      assert.include(last, "shipped")
    }
  })

  it("may lose an answer, and deliver an event twice", async () => {
    const lost = await start("deployed", "--crash", "lost:5")
    assert.include(lost.stdout, "Lost the answer to place-order at checkpoint 5")
    assert.strictEqual(lost.exitCode, 0)
    const twice = await start("deployed", "--crash", "twice:5", "--memory")
    assert.include(twice.stdout, "Delivered the event of place-order twice at checkpoint 5")
    assert.strictEqual(twice.exitCode, 0)
  })

  it("that would deliver an event twice is left to the test engine", async () => {
    const { exitCode, stderr } = await start("deployed", "--crash", "twice:5")
    assert.strictEqual(exitCode, 2)
    assert.include(stderr, "add --memory")
  })

  it("that comes too late is told", async () => {
    const { exitCode, stderr } = await start("order", "--crash", "before:6")
    assert.strictEqual(exitCode, 1)
    assert.strictEqual(stderr, "The execution ended and has no before:6, so nothing was killed.\n")
  })

  it("at no point that there is is refused with a sentence", async () => {
    const { exitCode, stderr } = await start("order", "--crash", "during:3")
    assert.strictEqual(exitCode, 2)
    assert.match(stderr, /^--crash: Expected a crash such as "before:3".+ found "during:3"\..+ Use: .+\n$/)
  })
})
