/**
 * Random programs that fail and have to be undone: a few of those that `npm run undo` tries, and whether its judge would
 * notice.
 */
import { assert, describe, it } from "@effect/vitest"
import { judge, showFailure } from "./kit/campaign.ts"
import { dice } from "./kit/dice.ts"
import { everywhere, never, parseSchedule, showSchedule, type Schedule } from "./kit/kill.ts"
import { observe, type Operation, type Seen } from "./kit/world.ts"
import { fuzzer } from "./undo/fuzzer.ts"
import { workflowOf } from "./undo/interpret.ts"
import { judge as judgeUndos } from "./undo/judge.ts"
import { Notes } from "./undo/notes.ts"
import type { Node, Program } from "./undo/program.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const programs = Number(process.env["PROGRAMS"] ?? 15)

const part = (id: number, undo: "step" | "failure" = "step"): Node => ({
  id,
  kind: "part",
  last: "step",
  pace: "now",
  undo,
  bodies: [{ id: id + 1, kind: "wait", seconds: 1, bodies: [] }]
})

const program = (bodies: ReadonlyArray<Node>, end: Program["end"] = "error"): Program => ({
  root: { id: 0, kind: "sequence", bodies },
  end,
  sharesNames: false
})

/** Two parts, one of them in a child whose failure is caught. */
const booking = program([
  part(10),
  {
    id: 1,
    kind: "catch",
    bodies: [
      {
        id: 2,
        kind: "child",
        flat: false,
        bodies: [{ id: 3, kind: "sequence", bodies: [part(20), { id: 4, kind: "fail", how: "error", bodies: [] }] }]
      }
    ]
  }
])

/** Judges a run of which something was changed afterwards. */
const kindsAfter = async (
  program: Program,
  change: (operations: ReadonlyArray<Operation>, seen: Seen) => Partial<Seen> = () => ({}),
  schedule: Schedule = never
): Promise<ReadonlyArray<string>> => {
  const notes = new Notes()
  const seen = await observe((kit) => workflowOf(program, notes, kit), schedule)
  const { problems } = judgeUndos(program, notes, { ...seen, ...change(seen.operations, seen) })
  return problems.map(({ kind }) => kind)
}

const isUndo = ({ Name }: Operation): boolean => Name === "compensate:part 10"

describe(`Random programs that fail (seed ${seed})`, () => {
  it("are undone, once, and the last first", async () => {
    for (let number = 0; number < programs; number++) {
      const { failure } = await judge(fuzzer, (seed + number) % 2 ** 32)
      if (failure !== undefined) assert.fail(showFailure(failure))
    }
  })
})

describe("The judge of undos", () => {
  it("is content with what is undone wherever it is killed", async () => {
    const { requests } = await observe((kit) => workflowOf(booking, new Notes(), kit), never)
    for (const schedule of [never, ...everywhere(requests)]) {
      assert.deepEqual(await kindsAfter(booking, undefined, schedule), [], showSchedule(schedule))
    }
  })

  it("is content with an undo that fails and is named", async () => {
    assert.deepEqual(await kindsAfter(program([part(10, "failure")])), [])
  })

  it("is content with a program that succeeds", async () => {
    assert.deepEqual(await kindsAfter(program([part(10)], "success")), [])
  })

  it("notices an undo that is missing", async () => {
    const without = (operations: ReadonlyArray<Operation>) => {
      const undo = operations.find(isUndo)
      return { operations: operations.filter(({ Id, ParentId }) => Id !== undo?.Id && ParentId !== undo?.Id) }
    }
    assert.deepEqual(await kindsAfter(booking, without), ["lost"])
  })

  it("notices an undo that failed and is not named", async () => {
    const silent = () => ({ outcome: { status: "FAILED", type: "Oops", message: "the end" } as const })
    assert.deepEqual(await kindsAfter(program([part(10, "failure")]), silent), ["lost"])
  })

  it("notices an undo that there is twice", async () => {
    const twice = (operations: ReadonlyArray<Operation>) => ({
      operations: [...operations, ...operations.filter(isUndo).map((undo) => ({ ...undo, Id: "again" }))]
    })
    assert.include(await kindsAfter(booking, twice), "doubled")
  })

  it("notices an undo of what was never done", async () => {
    const undone = (operations: ReadonlyArray<Operation>) => ({
      operations: operations.map((one) => (one.Name === "last 10" ? { ...one, Status: "STARTED" as const } : one))
    })
    assert.include(await kindsAfter(booking, undone), "doubled")
  })

  it("notices an undo although nothing has failed", async () => {
    const fine = () => ({ outcome: { status: "SUCCEEDED", value: "done" } as const })
    assert.include(await kindsAfter(booking, fine), "doubled")
  })

  it("notices undos in the wrong order", async () => {
    const backwards = (operations: ReadonlyArray<Operation>) => ({ operations: operations.toReversed() })
    assert.include(await kindsAfter(booking, backwards), "order")
  })

  it("notices another end than the program has", async () => {
    const contradicted = () => ({ outcome: { status: "FAILED", type: "NonDeterministic", message: "" } as const })
    assert.deepEqual(await kindsAfter(booking, contradicted), ["end"])
  })
})

describe("Schedules of kills", () => {
  it("are read as they are written", () => {
    for (const text of ["never", "before:3", "after:1,lost:5"]) {
      const schedule = parseSchedule(text)
      assert.strictEqual(schedule && showSchedule(schedule), text)
    }
    assert.isUndefined(parseSchedule("before:3,never"))
  })

  it("are drawn in the same way from the same seed", () => {
    assert.deepEqual(fuzzer.schedules(dice(seed), 9), fuzzer.schedules(dice(seed), 9))
  })
})
