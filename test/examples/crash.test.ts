/** What `npm start -- NAME --crash POINT` shows, and that no crash changes what an example ends with. */
import { assert, describe, it } from "@effect/vitest"
import { DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { arm, parsePoint, type Point } from "../../examples/lib/crash.ts"
import { start } from "./support.ts"

/** Runs an example with its own input, and answers with its outcome and with what is known of the crash. */
const crashed = Effect.fnUntraced(function* (name: string, point: Point) {
  const { functionName, memory, payload } = examples[name]!
  return yield* Effect.gen(function* () {
    const client = yield* DurableClient.DurableClient
    const crash = yield* arm(point)
    const { outcome } = yield* client.start({
      functionName,
      qualifier: "$LATEST",
      payload: JSON.stringify(payload),
      type: "RequestResponse"
    })
    return { outcome, checkpoints: crash.checkpoints(), report: crash.report() }
  }).pipe(Effect.provide(memory))
})

const never = { side: "before", checkpoint: 9_999 } as const

/** All but one that counts its looks, of which a crash loses one, and one with a thousand items. */
const repeatable = Object.keys(examples).filter((name) => name !== "polling" && name !== "batch")

describe("a crash", () => {
  it.effect.each(repeatable)("of %s at any checkpoint changes nothing of how it ends", (name) =>
    Effect.gen(function* () {
      const { checkpoints, outcome, report } = yield* crashed(name, never)
      assert.isUndefined(report)
      assert.isAbove(checkpoints, 0)
      for (let checkpoint = 1; checkpoint <= checkpoints; checkpoint++) {
        for (const side of ["before", "after"] as const) {
          const ended = yield* crashed(name, { side, checkpoint })
          assert.isDefined(ended.report, `${side}:${checkpoint}`)
          assert.deepStrictEqual(ended.outcome, outcome, `${side}:${checkpoint}`)
        }
      }
    })
  )

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

  it("that comes too late is told", async () => {
    const { exitCode, stderr } = await start("order", "--crash", "6")
    assert.strictEqual(exitCode, 1)
    assert.strictEqual(stderr, "The execution ended with checkpoint 5, so nothing was killed.\n")
  })

  it.each(["", "0", "-1", "during:3", "before:", "1.5"])("at %j is refused", (text) => {
    assert.isUndefined(parsePoint(text))
  })

  it("at no point that there is is refused with a sentence", async () => {
    const { exitCode, stderr } = await start("order", "--crash", "during:3")
    assert.strictEqual(exitCode, 2)
    assert.match(stderr, /^--crash takes 3, before:3 or after:3, and not "during:3"\. Use: .+\n$/)
  })
})
