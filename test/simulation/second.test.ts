/**
 * Random workflows of the second generator: a few of those that `npm run simulate:second` tries, and whether its judge
 * would notice.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { judge, showFailure } from "./kit/campaign.ts"
import { everywhere, never, showSchedule } from "./kit/kill.ts"
import { observe, type Kit, type Seen, type Workflow } from "./kit/world.ts"
import { fuzzer } from "./second/fuzzer.ts"
import { judge as judgeRun, type Judged } from "./second/judge.ts"
import type { Node, Program } from "./second/program.ts"
import { Trace } from "./second/trace.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const programs = Number(process.env["PROGRAMS"] ?? 15)

const step = (id: number, failures = 0): Node => ({
  id,
  kind: "step",
  pace: "turn",
  failures,
  seconds: 100,
  ends: "value",
  bodies: []
})

const simple: Program = {
  root: {
    id: 0,
    kind: "sequence",
    bodies: [
      step(1, 1),
      { id: 2, kind: "random", bodies: [] },
      { id: 3, kind: "invoke", seconds: 60, fails: false, bodies: [] },
      { id: 4, kind: "child", flat: false, bodies: [step(5)] },
      {
        id: 6,
        kind: "callback",
        answer: { after: 300 },
        bodies: [{ id: 7, kind: "clock", isSynchronous: false, bodies: [] }]
      },
      { id: 8, kind: "Durable.all", concurrency: 2, flat: false, bodies: [step(9), step(10)] }
    ]
  },
  isSteady: true,
  sharesNames: false
}

/** The kinds of what is wrong with a run that was changed afterwards, beside one that was not. */
const kindsAfter = async (change: (seen: Seen) => Partial<Seen>): Promise<ReadonlyArray<string>> => {
  const undisturbed = await fuzzer.run(simple, never)
  const changed = { ...undisturbed.seen, ...change(undisturbed.seen) }
  return kindsOf(judgeRun(simple, new Trace(), changed, undisturbed))
}

/** The kinds of what is wrong with a workflow that is written here. */
const kindsOfWorkflow = async (workflow: (kit: Kit, trace: Trace) => Workflow): Promise<ReadonlyArray<string>> => {
  const trace = new Trace()
  const seen = await observe((kit) => workflow(kit, trace), never)
  return kindsOf(judgeRun(simple, trace, seen))
}

const kindsOf = ({ problems }: Judged): ReadonlyArray<string> => problems.map(({ kind }) => kind)

describe(`Random workflows of the second generator (seed ${seed})`, () => {
  it("end in the same way wherever they are killed", async () => {
    for (let number = 0; number < programs; number++) {
      const { failure } = await judge(fuzzer, (seed + number) % 2 ** 32)
      if (failure !== undefined) assert.fail(showFailure(failure))
    }
  })
})

describe("The judge of the second generator", () => {
  it("is content with a simple program wherever it is killed", async () => {
    const undisturbed = await fuzzer.run(simple, never)
    assert.deepEqual(undisturbed.problems, [])
    for (const schedule of everywhere(undisturbed.requests)) {
      const { problems } = await fuzzer.run(simple, schedule, undisturbed)
      assert.deepEqual(problems, [], showSchedule(schedule))
    }
  })

  it("notices what a replay sees otherwise", async () => {
    const kinds = await kindsOfWorkflow((kit, trace) => {
      trace.begin(kit.invocation, kit.applied)("", `invocation ${kit.invocation}`)
      return Effect.as(Durable.wait("wait", "1 second"), "done")
    })
    assert.deepEqual(kinds, ["replay"])
  })

  it("notices code that contradicts its history", async () => {
    const kinds = await kindsOfWorkflow((kit) =>
      Effect.gen(function* () {
        const name = kit.invocation === 1 ? "old" : "new"
        yield* Durable.step(
          name,
          kit.body(() => Effect.void)
        )
        yield* Durable.wait("wait", "1 second")
        return "done"
      })
    )
    assert.deepEqual(kinds, ["end"])
  })

  it("notices another end", async () => {
    assert.deepEqual(await kindsAfter(() => ({ outcome: { status: "SUCCEEDED", value: "1" } })), ["difference"])
    assert.include(await kindsAfter(() => ({ outcome: { status: "fault", message: "stuck" } })), "end")
  })

  it("notices an operation that is missing, that there is twice, or that has another value", async () => {
    assert.deepEqual(await kindsAfter(({ operations }) => ({ operations: operations.slice(1) })), ["difference"])
    assert.deepEqual(await kindsAfter(({ operations }) => ({ operations: [...operations, ...operations.slice(-1)] })), [
      "difference"
    ])
    const another = ({ operations }: Seen) => ({
      operations: operations.map((one) => (one.Name === "random 2" ? { ...one, StepDetails: { Result: "1" } } : one))
    })
    assert.deepEqual(await kindsAfter(another), ["difference", "difference"])
  })

  it("notices a body that ran again, a fiber that is left and a warning", async () => {
    assert.deepEqual(await kindsAfter(() => ({ repeated: ['attempt 1 of the step "a"'] })), ["repeated"])
    assert.deepEqual(await kindsAfter(() => ({ fibersLeft: 1 })), ["fibers"])
    assert.deepEqual(await kindsAfter(() => ({ warnings: ["Warn something"] })), ["warning"])
  })

  it("notices the body of a step that runs although it is recorded", async () => {
    const kinds = await kindsOfWorkflow((kit) =>
      Effect.gen(function* () {
        const id = yield* Durable.step(
          "once",
          kit.body((operationId) => Effect.succeed(operationId))
        )
        // Nothing of the library does this: the body of another step stands for one that runs again.
        yield* Durable.step(
          "again",
          Effect.provideServiceEffect(
            kit.body(() => Effect.void),
            Durable.StepContext,
            Effect.map(Durable.StepContext, (context) => ({ ...context, operationId: id }))
          )
        )
        return "done"
      })
    )
    assert.deepEqual(kinds, ["repeated"])
  })
})

describe("A trace", () => {
  it("departs from an earlier one where it sees something else, context by context", () => {
    const trace = new Trace()
    const first = trace.begin(1, () => 1)
    first("", "a")
    first("child", "x")
    first("", "b")
    const second = trace.begin(2, () => 2)
    second("", "a")
    second("", "c")
    second("", "d")
    assert.lengthOf(trace.departures, 1)
  })
})
