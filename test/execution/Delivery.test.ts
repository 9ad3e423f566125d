import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assembled, due, idle, kinds, nextTurn, settle, succeeded, verdictOf, waitFor } from "./support.ts"

describe("Outcomes are delivered", () => {
  it("one at a time: the next when all that follows from the last has been done", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      wait(claim("b"))
      wait(claim("a"), {
        resume: () => {
          log.push("a")
          parts.fibers.enqueue(() => parts.fibers.enqueue(() => void log.push("follows from a")))
        }
      })
    })
    assert.deepStrictEqual(log, ["a", "follows from a", "b"])
  })

  it("not while a Serdes is at work", () => {
    const made = assembled({ records: [succeeded("a", 10)] })
    const { claim, log, parts, run, wait } = made
    const conversion = Promise.withResolvers<void>()
    run(() => {
      wait(claim("a"))
      const work = Effect.promise(() => conversion.promise)
      parts.delivery.whileConverting(claim("b"), work, () => void log.push("converted"))
    })
    assert.deepStrictEqual(log, [])
    conversion.resolve()
    return settle.pipe(
      Effect.andThen(Effect.sync(() => assert.deepStrictEqual(log, ["converted", "a"]))),
      Effect.runPromise
    )
  })

  it("and move the time of the workflow, unless they belong to an item with a time of its own", () => {
    const made = assembled({ records: [succeeded("a", 30), succeeded("b", 10)] })
    const seen: Array<number> = []
    const { claim, parts, run, wait } = made
    run(() => {
      for (const name of ["a", "b"]) {
        wait(claim(name), {
          outcome: () => {
            seen.push(parts.root.time.now)
            return Effect.void
          }
        })
      }
    })
    assert.deepStrictEqual(seen, [10, 30])
  })
})

describe("New work", () => {
  it("begins once the past is delivered, in the order of claims", () => {
    const made = assembled({ records: [succeeded("old", 10)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      const [x, y] = [claim("x"), claim("y")]
      for (const one of [y, x]) parts.delivery.perform(one, () => void log.push(`began ${one.name}`))
      wait(claim("old"))
    })
    assert.deepStrictEqual(log, ["old", "began x", "began y"])
  })
})

describe("A wait that is due and not told yet", () => {
  const nap = { kind: kinds.wait }

  it("holds back what came after it, and the execution is suspended if nothing else moves", async () => {
    const made = assembled({ records: [due("nap", 15), succeeded("b", 20)] })
    made.run(() => {
      made.wait(made.claim("nap", nap))
      waitFor(made, "b")
    })
    assert.deepStrictEqual(made.log, [])
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("holds back nothing that came before it", () => {
    const made = assembled({ records: [due("nap", 25), succeeded("b", 20)] })
    made.run(() => {
      made.wait(made.claim("nap", nap))
      waitFor(made, "b")
    })
    assert.deepStrictEqual(made.log, ["b"])
  })

  it("is asked for while something else keeps the invocation, and then comes first", () =>
    Effect.gen(function* () {
      const made = assembled({
        records: [due("nap", 15), succeeded("b", 20)],
        store: {
          checkpoint: () =>
            Effect.succeed({
              CheckpointToken: "next",
              NewExecutionState: { Operations: [{ ...due("nap", 15), Status: "SUCCEEDED", EndTimestamp: 16 }] }
            })
        }
      })
      const { claim, clock, log, parts, requests, run } = made
      run(() => {
        made.wait(claim("nap", nap))
        waitFor(made, "b")
        parts.delivery.run(
          claim("busy"),
          () => Effect.runFork(Effect.never),
          () => {}
        )
      })
      assert.deepStrictEqual(log, [])
      clock.pass(100)
      yield* settle
      assert.deepStrictEqual(requests, [[]])
      assert.deepStrictEqual(log, ["nap", "b"])
    }).pipe(Effect.runPromise))
})

describe("What waits", () => {
  it("is described for messages and reports", () => {
    const made = assembled()
    const { claim, parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => {
      waitFor(made, "a")
      parts.delivery.run(
        claim("busy"),
        () => Effect.runFork(Effect.never),
        () => {}
      )
      parts.delivery.holds.add({ path: "hold", isLocal: false })
    })
    assert.deepStrictEqual(parts.delivery.describe(), [
      `the step "busy" is running`,
      `the hold "hold" is running`,
      `"a" (STEP) has no outcome`,
      "work outside of steps (The workflow)"
    ])
  })
})
