import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type { Claim } from "../../src/execution/Claim.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { suspended } from "../../src/execution/Lifetime.ts"
import { updatesOf } from "../../src/execution/Marks.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { assembled, idle, kinds, record, settle, succeeded, type Assembled, type Store } from "./support.ts"

/** Claims operations, in this order, and has a fiber wait for each. */
const waitFor = ({ claim, wait }: Assembled, ...names: ReadonlyArray<string>): ReadonlyArray<Claim> =>
  names.map((name) => {
    const claimed = claim(name)
    wait(claimed)
    return claimed
  })

/** New work of an operation, which notes that it began. */
const perform = ({ claim, log, parts }: Assembled, name: string) =>
  parts.delivery.perform(claim(name), () => void log.push(`began ${name}`))

/** Why the invocation ended, if it has. */
/** An answer leaves in a turn of the event loop of its own. */
const nextTurn = (): Promise<void> => new Promise((done) => void setImmediate(done))

const verdictOf = ({ parts }: Assembled): string | undefined => {
  const { verdict } = parts.lifetime
  return verdict?._tag === "Condemned" ? verdict.mistake._tag : verdict?._tag
}

const messageOf = ({ parts }: Assembled): string => {
  const { verdict } = parts.lifetime
  return verdict?._tag === "Condemned" ? verdict.mistake.message : ""
}

/** A store whose answers come when a test says so, and what they tell. */
const slow = () => {
  const answers: Array<(operations: ReadonlyArray<Operation>) => void> = []
  const checkpoint: Store["checkpoint"] = () =>
    Effect.callback((resume) => {
      answers.push((Operations) =>
        resume(Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations } }))
      )
    })
  return {
    checkpoint,
    answer: (...operations: ReadonlyArray<Operation>) => answers.shift()?.(operations),
    waiting: () => answers.length
  }
}

/** An operation that somebody else has to end. */
const asked = (name: string): Operation =>
  record(operationId("", name, 0), { Name: name, Type: "CHAINED_INVOKE", SubType: "ChainedInvoke" })

/** A wait of the workflow that is due. */
const due = (name: string, ScheduledEndTimestamp: number): Operation =>
  record(operationId("", name, 0), {
    Name: name,
    Type: "WAIT",
    SubType: "Wait",
    WaitDetails: { ScheduledEndTimestamp }
  })

describe("Outcomes are delivered", () => {
  it("in the order in which they came, whoever asked first", () => {
    const made = assembled({ records: [succeeded("a", 30), succeeded("b", 10), succeeded("c", 20)] })
    made.run(() => void waitFor(made, "a", "b", "c"))
    assert.deepStrictEqual(made.log, ["b", "c", "a"])
  })

  it("in the order of claims when they came at the same time, in whatever order the service lists them", () => {
    for (const records of [
      [succeeded("a", 10), succeeded("b", 10)],
      [succeeded("b", 10), succeeded("a", 10)]
    ]) {
      const made = assembled({ records })
      made.run(() => void waitFor(made, "b", "a"))
      assert.deepStrictEqual(made.log, ["b", "a"])
    }
  })

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
    assert.isTrue(parts.delivery.isConverting)
    assert.deepStrictEqual(log, [])
    conversion.resolve()
    return settle.pipe(
      Effect.andThen(Effect.sync(() => assert.deepStrictEqual(log, ["converted", "a"]))),
      Effect.runPromise
    )
  })

  it("with a response only when all of it is taken in", () => {
    const made = assembled()
    const { parts, run } = made
    run(() => {
      waitFor(made, "a", "b")
      parts.delivery.changed(parts.history.apply([succeeded("b", 20), succeeded("a", 10)]))
    })
    assert.deepStrictEqual(made.log, ["a", "b"])
  })

  it("to all who wait for them", () => {
    const made = assembled({ records: [succeeded("a", 10)] })
    const { claim, log, run, wait } = made
    run(() => {
      const one = claim("a")
      wait(one)
      wait(one)
    })
    assert.deepStrictEqual(log, ["a", "a"])
  })

  it("not to a fiber that has left", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      parts.delivery.leave(wait(claim("a")))
      wait(claim("b"))
    })
    assert.deepStrictEqual(log, ["b"])
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

  it("does not begin over what the code has not asked for: they contradict each other, and both are named", () => {
    const made = assembled({ records: [succeeded("gone", 10), due("asleep", 99)] })
    made.run(() => void perform(made, "new"))
    assert.deepStrictEqual(made.log, [])
    assert.strictEqual(verdictOf(made), "NonDeterministic")
    for (const said of [`STEP "gone"`, `WAIT "asleep"`, `STEP "new"`]) assert.include(messageOf(made), said)
  })

  it("waits while something may still ask for it", () =>
    Effect.gen(function* () {
      const made = assembled({ records: [succeeded("gone", 10)] })
      const { claim, log, parts, run } = made
      const body = Promise.withResolvers<void>()
      const fork = () => Effect.runFork(Effect.promise(() => body.promise))
      run(() => {
        perform(made, "new")
        parts.delivery.run(claim("busy"), fork, () => void waitFor(made, "gone"))
      })
      assert.isUndefined(verdictOf(made))
      body.resolve()
      yield* settle
      assert.deepStrictEqual(log, ["gone", "began new"])
    }).pipe(Effect.runPromise))

  it("that ends something with a mistake needs no more reason", () => {
    const made = assembled({ records: [succeeded("gone", 10)] })
    const { claim, log, parts, run } = made
    run(() => void parts.delivery.performEnd(claim("end"), () => void log.push("ended"), true))
    assert.deepStrictEqual(log, ["ended"])
  })

  it("fails only the invocation where the settings say so", () => {
    const made = assembled({ records: [succeeded("gone", 10)], onNonDeterminism: "retry" })
    made.run(() => void perform(made, "new"))
    assert.strictEqual(verdictOf(made), "Aborted")
  })

  it("does not begin once it was dropped, or what it belongs to has ended", () => {
    const made = assembled()
    const { claim, log, parts, run } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    run(() => {
      parts.delivery.drop(perform(made, "dropped"))
      parts.delivery.perform(claim("inside", { namespace: child }), () => void log.push("began inside"))
      parts.delivery.close(child)
      perform(made, "new")
    })
    assert.deepStrictEqual(log, ["began new"])
  })
})

describe("An outcome that came late", () => {
  const late = { kind: "late", of: operationId("", "a", 0), label: "a" } as const
  const markRecord = (EndTimestamp: number): Operation => {
    const [start, end] = updatesOf(late, undefined)
    assert(start !== undefined && end !== undefined)
    const { Id, Name } = start
    return record(Id, { Name, Status: "SUCCEEDED", EndTimestamp, StepDetails: { Result: end.Payload } })
  }

  it("is recorded as late before it is delivered", () =>
    Effect.gen(function* () {
      const store = slow()
      const made = assembled({ records: [asked("b")], store })
      const { log, parts, requests, run, wait } = made
      const b = () => made.claim("b", { kind: { type: "CHAINED_INVOKE", subType: "ChainedInvoke" } })
      run(() => {
        waitFor(made, "a")
        wait(b())
        parts.delivery.run(
          made.claim("busy"),
          () => Effect.runFork(Effect.never),
          () => {}
        )
        parts.delivery.changed(parts.history.apply([succeeded("b", 20)]))
      })
      run(() => parts.delivery.changed(parts.history.apply([succeeded("a", 10)])))
      assert.deepStrictEqual(log, ["b"])
      yield* settle
      assert.deepStrictEqual(requests, [["START late:a", "SUCCEED late:a"]])
      assert.deepStrictEqual(log, ["b"])
      store.answer(markRecord(25))
      assert.deepStrictEqual(log, ["b", "a"])
      assert.strictEqual(parts.root.time.now, 25)
    }).pipe(Effect.runPromise))

  it("is delivered by that record on a replay", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20), markRecord(25)] })
    made.run(() => void waitFor(made, "a", "b"))
    assert.deepStrictEqual(made.log, ["b", "a"])
  })

  it("is none when its fiber asked only after the later one", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20)] })
    const { claim, requests, run, wait } = made
    run(() => {
      wait(claim("b"), { resume: () => void waitFor(made, "a") })
    })
    assert.deepStrictEqual(made.log, ["a"])
    assert.deepStrictEqual(requests, [])
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

describe("While a fiber is outside", () => {
  it("nothing is passed over for a grace time, and then what is missing neither blocks nor contradicts", () =>
    Effect.gen(function* () {
      const began = Promise.withResolvers<void>()
      const made = assembled({ records: [succeeded("gone", 10), succeeded("b", 20)], outsideGrace: 1 })
      const { claim, log, parts, run } = made
      parts.fibers.outside.set(idle, undefined)
      run(() => {
        waitFor(made, "b")
        parts.delivery.perform(claim("new"), () => {
          log.push("began new")
          began.resolve()
        })
      })
      assert.deepStrictEqual(log, [])
      yield* Effect.promise(() => began.promise)
      assert.deepStrictEqual(log, ["b", "began new"])
      assert.isUndefined(verdictOf(made))
    }).pipe(Effect.runPromise))

  it("what came before everything that is missing was begun is delivered at once", () => {
    const gone = succeeded("gone", 30, { StartTimestamp: 25 })
    const made = assembled({ records: [gone, succeeded("b", 20)], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void waitFor(made, "b"))
    assert.deepStrictEqual(made.log, ["b"])
    made.parts.delivery.stop()
  })

  it("what came after something that is missing was begun waits, also if that has not ended", () => {
    const begun = record(operationId("", "gone", 0), { Name: "gone", StartTimestamp: 15 })
    const made = assembled({ records: [begun, succeeded("b", 20)], outsideGrace: 60_000 })
    made.parts.fibers.outside.set(idle, undefined)
    made.run(() => void waitFor(made, "b"))
    assert.deepStrictEqual(made.log, [])
    made.parts.delivery.stop()
  })

  it("what is missing contradicts no more once it is called off, and what is missing after that does", () => {
    const made = assembled({ records: [succeeded("gone", 10)], outsideGrace: 60_000 })
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void perform(made, "new"))
    parts.fibers.outside.clear()
    parts.delivery.lose()
    run()
    assert.isUndefined(verdictOf(made))
    assert.deepStrictEqual(made.log, ["began new"])
    assert.isFalse(parts.history.isReplaying)
  })

  it("what is missing contradicts again once it is back", () => {
    const made = assembled({ records: [succeeded("gone", 10)], outsideGrace: 60_000 })
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void perform(made, "new"))
    assert.isUndefined(verdictOf(made))
    parts.fibers.outside.clear()
    run()
    assert.strictEqual(verdictOf(made), "NonDeterministic")
  })
})

describe("An invocation is suspended", () => {
  it("when all fibers wait for what the service will bring, with nothing left to send", async () => {
    const made = assembled()
    const { parts, requests, run } = made
    run(() => {
      const [claim] = waitFor(made, "a")
      claim!.later({ Action: "START" })
    })
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
    assert.deepStrictEqual(requests, [["START a"]])
    assert.isFalse(parts.outbox.isBusy)
  })

  it("not while a request is under way", async () => {
    const store = slow()
    const made = assembled({ store })
    const { parts, run } = made
    run(() => {
      waitFor(made, "a")
      parts.outbox.poll()
    })
    assert.isUndefined(verdictOf(made))
    store.answer()
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("not while an attempt runs", () =>
    Effect.gen(function* () {
      const made = assembled()
      const { claim, parts, run } = made
      const body = Promise.withResolvers<void>()
      const ended: Array<string> = []
      run(() => {
        waitFor(made, "a")
        const fork = () => Effect.runFork(Effect.promise(() => body.promise))
        parts.delivery.run(claim("busy"), fork, ({ _tag }) => void ended.push(_tag))
      })
      assert.isUndefined(verdictOf(made))
      body.resolve()
      yield* settle
      assert.deepStrictEqual(ended, ["Success"])
      yield* Effect.promise(nextTurn)
      assert.strictEqual(verdictOf(made), "Suspended")
    }).pipe(Effect.runPromise))

  it("not while a fiber is outside", async () => {
    const made = assembled()
    const { parts, run } = made
    parts.fibers.outside.set(idle, undefined)
    run(() => void waitFor(made, "a"))
    assert.isUndefined(verdictOf(made))
    parts.fibers.outside.clear()
    run()
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("not while a fiber naps", async () => {
    const made = assembled()
    const { clock, log, parts, run } = made
    run(() => {
      waitFor(made, "a")
      const door = parts.delivery.waitUntil({
        at: 300,
        namespace: parts.root,
        fiber: idle,
        path: "nap",
        isFinal: false,
        outcome: () => Effect.void,
        resume: () => void log.push(`woken at ${parts.root.time.now}`)
      })
      parts.delivery.nap(door, 300)
    })
    assert.isTrue(parts.delivery.isNapping)
    assert.isUndefined(verdictOf(made))
    clock.pass(300)
    assert.deepStrictEqual(log, ["woken at 300"])
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("not when nothing will ever come: then it is stuck", () =>
    Effect.gen(function* () {
      const made = assembled()
      made.run()
      yield* settle
      assert.strictEqual(verdictOf(made), "Stuck")
    }).pipe(Effect.runPromise))

  it("not as stuck while a fiber waits for what nobody can see: that may come another time", () =>
    Effect.gen(function* () {
      const made = assembled()
      made.run(() => {
        Effect.runForkWith(Context.make(Scheduler.Scheduler, made.parts.fibers))(Effect.callback<void>(() => {}))
      })
      yield* settle
      assert.strictEqual(verdictOf(made), "Aborted")
    }).pipe(Effect.runPromise))
})

describe("A change that the service acknowledges without telling the operation", () => {
  it("is taken at its word", () => {
    const made = assembled()
    const { clock, log, parts, run } = made
    clock.now = 70
    run(() => waitFor(made, "a")[0]!.commit({ Action: "SUCCEED", Payload: "1" }))
    assert.deepStrictEqual(log, ["a"])
    assert.strictEqual(parts.root.time.now, 70)
  })
})

describe("What was let go of", () => {
  it("is interrupted at its doors and in its attempts, and is over at once where it has no durable finalizer", async () => {
    const made = assembled()
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    const attempt = Effect.runFork(Effect.never)
    run(() => {
      waitFor(made, "outside")
      const inside = claim("inside", { namespace: child })
      wait(inside)
      parts.delivery.run(
        inside,
        () => attempt,
        () => void log.push("counted")
      )
      parts.delivery.letGo([child], [], () => void log.push(`let go: ${child.standing}`))
    })
    assert.deepStrictEqual(log, ["c/inside Interrupt", "let go: closed"])
    assert.isDefined(attempt.pollUnsafe())
    await nextTurn()
    assert.strictEqual(verdictOf(made), "Suspended")
  })

  it("is over when its durable finalizers have ended, which wait at doors of their own", () => {
    const made = assembled({ records: [] })
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    const leave = child.addFinalizer()
    run(() => {
      waitFor(made, "outside")
      wait(claim("undo", { namespace: child }), { isFinal: true })
      parts.delivery.letGo([child], [], () => void log.push(`let go: ${child.standing}`))
    })
    assert.deepStrictEqual(log, [])
    assert.strictEqual(child.standing, "abandoned")
    leave()
    assert.deepStrictEqual(log, ["c/undo Die", "let go: closed"])
  })

  it("is told so at its doors when it is closed", () => {
    const made = assembled()
    const { claim, log, parts, run, wait } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    run(() => {
      waitFor(made, "outside")
      wait(claim("late", { namespace: child }))
      parts.delivery.close(child)
    })
    assert.deepStrictEqual(log, ["c/late Die"])
  })
})

describe("When the invocation ends", () => {
  it("everything that waits or runs is interrupted", () => {
    const made = assembled()
    const { claim, log, parts, run } = made
    const attempt = Effect.runFork(Effect.never)
    run(() => {
      waitFor(made, "a")
      parts.delivery.run(
        claim("busy"),
        () => attempt,
        () => void log.push("counted")
      )
    })
    const [waiting] = [Effect.runFork(Effect.never)]
    made.wait(claim("b"), { fiber: waiting })
    parts.lifetime.end(suspended)
    const fibers = parts.delivery.stop()
    assert.includeMembers([...fibers], [attempt, waiting])
    assert.deepStrictEqual(log, ["a Interrupt", "b Interrupt"])
    assert.isTrue([attempt, waiting].every((fiber) => fiber.pollUnsafe() !== undefined))
    assert.strictEqual(parts.delivery.doors.size, 0)
    assert.isUndefined(Fiber.getCurrent())
  })
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
      `"a" (STEP) has no outcome`
    ])
    assert.deepStrictEqual(parts.delivery.waiting, [{ path: "a", record: undefined }])
    assert.isFalse(parts.delivery.isContested)
  })
})
