/**
 * Random programs under random faults: a few of those that `npm run simulate` tries, and whether its judge would notice.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { InOrderOfClaims } from "../../src/execution/Doors.ts"
import { draw } from "./draw.ts"
import { assertFailures, assertSame, assertSound } from "./invariants.ts"
import { judge, showViolation } from "./judge.ts"
import { dice } from "./kit/dice.ts"
import { cuts } from "./kit/tree.ts"
import { grammar, type Node, type Program } from "./program.ts"
import { calmer, drawSchedule, noFaults } from "./schedule.ts"
import { simulate, type Observed } from "./simulate.ts"
import { Tally } from "./tally.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const programs = Number(process.env["PROGRAMS"] ?? 25)

const wait = (id: number, seconds: number): Node => ({ op: "wait", id, name: `wait ${id}`, seconds, bodies: [] })

const step = (id: number): Node => ({
  op: "step",
  id,
  name: `step ${id}`,
  script: ["fail", "ok"],
  retry: { attempts: 2, seconds: 1 },
  once: false,
  millis: 0,
  bodies: []
})

const program = (...bodies: ReadonlyArray<Node>): Program => ({
  root: { op: "sequence", id: 0, bodies },
  isSteady: true,
  sharesNames: false
})

const simple = program(
  step(1),
  { op: "compensate", id: 2, name: "part", bodies: [wait(3, 2), { op: "pure", id: 4, bodies: [] }] },
  { op: "invoke", id: 5, name: "invoke", callee: "double", timeout: false, bodies: [] }
)

const failing = program(...simple.root.bodies, { op: "fail", id: 6, bodies: [] })

/** What the judge says of a run that was changed afterwards, beside one that was not. */
const verdictAfter = async (
  change: (seen: Observed) => Partial<Observed>,
  program: Program = simple
): Promise<string | undefined> => {
  const oracle = await simulate(program)
  const seen = { ...oracle, ...change(oracle) }
  try {
    assertSound(seen, program)
    assertFailures(seen, noFaults)
    assertSame(seen, oracle, noFaults, program)
    return undefined
  } catch (error) {
    return String(error)
  }
}

const withOperations = (
  { program }: Observed,
  change: (operations: Observed["program"]["operations"]) => Observed["program"]["operations"]
): Partial<Observed> => ({ program: { ...program, operations: change(program.operations) } })

describe(`Random programs (seed ${seed})`, () => {
  it("end in the same way whatever happens to their invocations", async () => {
    let executions = 0
    for (let number = 0; number < programs; number++) {
      const verdict = await judge((seed + number) % 2 ** 32)
      executions += verdict.executions
      if (verdict.violation !== undefined) assert.fail(showViolation(verdict.violation))
    }
    assert.isAtLeast(executions, 4 * programs)
  })
})

describe("The judge of random programs", () => {
  it("is content with simple ones", async () => {
    assert.isUndefined(await verdictAfter(() => ({})))
    assert.isUndefined(await verdictAfter(() => ({}), failing))
  })

  it("notices outcomes that are delivered in the order of claims", async () => {
    const racing = program(
      { op: "queue", id: 1, capacity: undefined, bodies: [wait(2, 3), wait(3, 1), { op: "count", id: 4, bodies: [] }] },
      wait(5, 1)
    )
    const layer = Layer.succeed(InOrderOfClaims, true)
    const run = await simulate({ ...racing, isSteady: false }, noFaults, { layer })
    assert.isNotEmpty(run.tally.changed)
    assert.throws(() => assertSound(run, racing))
  })

  it("notices what a replay sees otherwise, or in another order, or more of", () => {
    const tally = new Tally(true)
    const first = tally.begin()
    first("", "a", 1)
    first("child", "x", 1)
    first("", "b", 2)
    const second = tally.begin()
    second("", "a", 1)
    second("", "c", 2)
    assert.lengthOf(tally.changed, 1)
    const third = tally.begin()
    third("child", "x", 1)
    third("", "a", 1)
    third("", "b", 2)
    third("", "d", 3)
    assert.lengthOf(tally.changed, 1)
  })

  it("notices another end", async () => {
    assert.include(await verdictAfter(() => ({ end: "value 1" })), "value 1")
    assert.include(await verdictAfter(() => ({ end: "TestFailure: it did not end" })), "TestFailure")
    assert.include(await verdictAfter(() => ({ end: 'error {"errorType":"NonDeterministic"}' })), "NonDeterministic")
  })

  it("notices an operation that is missing, that there is twice, or that has another value", async () => {
    assert.isDefined(await verdictAfter((seen) => withOperations(seen, (all) => all.slice(1))))
    assert.isDefined(await verdictAfter((seen) => withOperations(seen, (all) => [...all, ...all.slice(-1)])))
    const another = (seen: Observed) =>
      withOperations(seen, (all) =>
        all.map((one) => (one.Name === "step 1" ? { ...one, StepDetails: { ...one.StepDetails, Result: "1" } } : one))
      )
    assert.isDefined(await verdictAfter(another))
  })

  it("notices what is not undone, and what is undone although nothing failed", async () => {
    const without = (seen: Observed) =>
      withOperations(seen, (all) => all.filter(({ Name }) => Name?.startsWith("undone") !== true))
    assert.include(await verdictAfter(without, failing), "what was undone")
    const undone = (seen: Observed) =>
      withOperations(seen, (all) =>
        all.map((one) => (one.Name?.startsWith("done") === true ? { ...one, Name: "undone 2" } : one))
      )
    assert.include(await verdictAfter(undone), "undos of an execution that succeeded")
  })

  it("notices a body that ran again, a call too many, a fiber that is left, a warning and a failed invocation", async () => {
    const changed = (change: (tally: Tally) => void) =>
      verdictAfter(({ tally }) => {
        change(tally)
        return { tally }
      })
    assert.include(await changed(({ bodies }) => void bodies.push(...bodies)), "runs of")
    assert.include(await changed(({ calls }) => void calls.push("double")), "calls of double")
    assert.include(await verdictAfter(() => ({ fibersLeft: 1 })), "fibers that are left")
    assert.include(await verdictAfter(() => ({ warnings: ["something"] })), "warnings")
    assert.include(await verdictAfter(() => ({ refused: ["something"] })), "requests that the service refused")
    assert.include(await verdictAfter(() => ({ rewritten: ["something"] })), "recorded outcomes that changed")
  })
})

describe("Programs and their schedules", () => {
  it("are drawn in the same way from the same seed", () => {
    const drawn = () => {
      const numbers = dice(seed)
      const program = draw(numbers)
      return { program, schedule: drawSchedule(numbers, program) }
    }
    assert.deepStrictEqual(drawn(), drawn())
  })

  it("are made smaller step by step, until nothing is left", () => {
    for (let number = 0; number < 50; number++) {
      const { root } = draw(dice(seed + number))
      for (const cut of cuts(root, grammar)) assert.isAtMost(nodesIn(cut), nodesIn(root))
    }
    assert.deepStrictEqual(calmer(noFaults), [])
  })
})

const nodesIn = ({ bodies }: Node): number => bodies.reduce((sum, body) => sum + nodesIn(body), 1)
