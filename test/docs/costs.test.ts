/** What the pages say that an operation costs, and which events it leaves, is what the service counts and records. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, type DurableClient } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import { read } from "./blocks.ts"

type Program = Effect.Effect<unknown, unknown, Durable.Execution | DurableClient.DurableClient>

interface Measured {
  /** What the service counts: each operation once, and each further attempt of a step. */
  readonly operations: number
  readonly events: ReadonlySet<string>
}

const Measure = DurableFunction.make("measure")
const Other = DurableFunction.make("other", { target: "other:live" })
const Slow = DurableFunction.make("slow", { target: "slow:live" })
const Bad = DurableFunction.make("bad", { target: "bad:live" })

const measured = (program: Program): Effect.Effect<Measured> =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Measure)
    yield* Effect.exit(run.result)
    const history = yield* run.history
    const [all, steps] = [yield* run.operations(), yield* run.operations({ type: "STEP" })]
    const attempts = history.filter(({ EventType }) => EventType === "StepStarted").length
    const events = history.map(({ EventType }) => EventType).filter((type) => !/^(Execution|Invocation)/.test(type))
    return { operations: all.length + attempts - steps.length, events: new Set(events) }
  }).pipe(
    Effect.orDie,
    Effect.provide(
      TestEngine.layer([
        Measure.implement(() => Effect.asVoid(Effect.orDie(program))),
        Other.implement(() => Effect.void),
        TestEngine.stub(Slow, Reply.timeOut()),
        TestEngine.stub(Bad, [Reply.stop(), Reply.throttle]),
        TestEngine.answer("answered", Reply.succeed("yes")),
        TestEngine.answer("refused", Reply.fail({ ErrorType: "No" }))
      ])
    )
  )

/** Fails the first so many times that it is run. */
const failing = (times: number): Effect.Effect<void> =>
  Effect.suspend(() => (times-- > 0 ? Effect.die(new Error("not yet")) : Effect.void))

const failed: Effect.Effect<void> = Effect.die(new Error("for good"))
const twice = RetryPolicy.fixed({ maxAttempts: 2, delay: "1 second" })
const two = [Effect.void, Effect.void] as const
const caught = Effect.exit

interface Expectation {
  readonly page: string
  /** Programs whose operations are counted, besides so many that are inside and belong to others. */
  readonly counted: ReadonlyArray<readonly [program: Program, inside?: number]>
  /** The cell of the index, made of what was counted. */
  readonly cell: (...counts: ReadonlyArray<number>) => string
  /** Programs that leave the other events that the page names. */
  readonly others?: ReadonlyArray<Program>
  /** Events of operations inside, which the page does not name. */
  readonly foreign?: ReadonlyArray<string>
}

const alone = (count = -1) => `${count}`
const forEachOf =
  (what: string) =>
  (one = -1, more = -1, flat = -1) =>
    `${flat}, and ${more - one} for each ${what} unless it is \`flat\``
const ofSteps = ["StepStarted", "StepSucceeded", "StepFailed"]

const expectations: Readonly<Record<string, Expectation>> = {
  "`step`": {
    page: "step",
    counted: [
      [Durable.step("a", Effect.void)],
      [Effect.suspend(() => Durable.step("a", failing(1), { retry: twice }))]
    ],
    cell: (once = -1, again = -1) => `${once}, and ${again - once} for each further attempt`
  },
  "`wait`": { page: "wait", counted: [[Durable.wait("a", "1 second")]], cell: alone },
  "`invoke`": {
    page: "invoke",
    counted: [[Durable.invoke(Other)], [Durable.invoke(Other, undefined, { timeout: "1 hour" })]],
    cell: (plain, limited) => `${plain}; ${limited} with a \`timeout\``,
    others: [
      caught(Durable.invoke(Slow)),
      caught(Durable.invoke(Slow, undefined, { timeout: "1 hour" })),
      Effect.andThen(caught(Durable.invoke(Bad)), caught(Durable.invoke(Bad)))
    ]
  },
  "`callback`": {
    page: "callback",
    counted: [[Effect.flatMap(Durable.callback("answered"), (callback) => callback.await)]],
    cell: alone,
    others: [
      Effect.flatMap(Durable.callback("refused"), (callback) => caught(callback.await)),
      Effect.flatMap(Durable.callback("silent", { timeout: "1 hour" }), (callback) => caught(callback.await))
    ]
  },
  "`waitForCallback`": {
    page: "wait-for-callback",
    counted: [
      [Durable.waitForCallback("answered", () => Effect.void)],
      [
        Effect.suspend(() => {
          const submit = failing(1)
          return Durable.waitForCallback("answered", () => submit, { retry: twice })
        })
      ]
    ],
    cell: (once = -1, again = -1) => `${once}, and ${again - once} for each further attempt to submit`,
    others: [
      caught(Durable.waitForCallback("refused", () => Effect.void)),
      caught(Durable.waitForCallback("silent", () => Effect.void, { timeout: "1 hour" }))
    ]
  },
  "`waitForCondition`": {
    page: "wait-for-condition",
    counted: [1, 3].map((looks) => [
      Durable.waitForCondition("a", {
        initial: 0,
        check: (n) => Effect.succeed(n + 1),
        until: (n) => n === looks,
        delay: "1 second"
      })
    ]),
    cell: (one = -1, three = -1) => `${(three - one) / 2} for each check`,
    others: [
      caught(
        Durable.waitForCondition("a", { initial: 0, check: () => Effect.die(new Error("blind")), until: () => true })
      )
    ]
  },
  "`child`": {
    page: "child",
    counted: [[Durable.child("a", Effect.void)], [Durable.child("a", Effect.void, { flat: true })]],
    cell: (recorded, flat) => `${recorded}; ${flat} when \`flat\``,
    others: [caught(Durable.child("a", failed))]
  },
  "`all`": {
    page: "all",
    counted: [[Durable.all("a", [Effect.void])], [Durable.all("a", two)], [Durable.all("a", two, { flat: true })]],
    cell: forEachOf("branch")
  },
  "`forEach`": {
    page: "for-each",
    counted: [
      [Durable.forEach("a", [1], () => Effect.void)],
      [Durable.forEach("a", [1, 2], () => Effect.void)],
      [Durable.forEach("a", [1, 2], () => Effect.void, { flat: true })]
    ],
    cell: forEachOf("item")
  },
  "`parallel`": {
    page: "parallel",
    counted: [
      [Durable.parallel("a", [Effect.void])],
      [Durable.parallel("a", two)],
      [Durable.parallel("a", two, { flat: true })]
    ],
    cell: forEachOf("branch"),
    others: [Durable.parallel("a", [failed])]
  },
  "`map`": {
    page: "map",
    counted: [
      [Durable.map("a", [1], () => Effect.void)],
      [Durable.map("a", [1, 2], () => Effect.void)],
      [Durable.map("a", [1, 2], () => Effect.void, { flat: true })]
    ],
    cell: forEachOf("item")
  },
  "`race`, `raceFirst`": {
    page: "race",
    counted: [[Durable.race("a", two)], [Durable.raceFirst("a", two)]],
    cell: alone,
    others: [caught(Durable.race("a", [failed]))]
  },
  "`timeout`": {
    page: "timeout",
    counted: [[Durable.timeout("a", Durable.wait("b", "1 minute"), "1 hour"), 1]],
    cell: alone,
    others: [caught(Durable.timeout("a", Durable.wait("b", "2 hours"), "1 hour"))],
    foreign: ["WaitSucceeded"]
  },
  "`retry`": {
    page: "retry",
    counted: [
      [Durable.retry("a", Durable.step("b", Effect.void), twice), 1],
      [Effect.suspend(() => Durable.retry("a", Durable.step("b", failing(1), { retry: RetryPolicy.none }), twice)), 2]
    ],
    cell: (once = -1, again = -1) => `${once}, and ${again - once} for each wait between attempts`,
    others: [caught(Durable.retry("a", failed, RetryPolicy.none))],
    foreign: ofSteps
  },
  "`withCompensation`": {
    page: "with-compensation",
    counted: [
      [Durable.withCompensation("a", Effect.void, () => Effect.void)],
      [
        Effect.andThen(
          Durable.withCompensation("a", Effect.void, () => Effect.void),
          failed
        )
      ]
    ],
    cell: (done, undone) => `${done}; ${undone} for an undo that runs`,
    others: [
      Effect.andThen(
        Durable.withCompensation("a", Effect.void, () => failed),
        failed
      )
    ]
  },
  "`start`, `stop`": {
    page: "start-stop",
    counted: [[Durable.start(Other)], [Effect.flatMap(Durable.start(Other), (other) => Durable.stop(other)), 1]],
    cell: alone,
    others: [caught(Durable.stop({ executionArn: "arn:aws:lambda:us-east-1:1:function:a:1/durable-execution/a/b" }))]
  },
  "`continueWith`": { page: "continue-with", counted: [[Durable.continueWith(Other)]], cell: alone },
  "`onExit`": { page: "on-exit", counted: [[Durable.onExit(Effect.void, () => Effect.void)]], cell: alone },
  "`hold`": { page: "hold", counted: [[Durable.hold(Effect.void)]], cell: alone },
  "`local`": { page: "local", counted: [[Durable.local(Effect.void)]], cell: alone },
  "`uuid`, `execution`, `isReplaying`, `isSuspending`": {
    page: "facts",
    counted: [[Effect.all([Durable.uuid, Durable.execution, Durable.isReplaying, Durable.isSuspending])]],
    cell: alone
  },
  "`patched`": {
    page: "patched",
    counted: [[Durable.patched("a")]],
    cell: (count) => `${count} where it applies`
  },
  "`Effect.sleep`, and all that is built on it": {
    page: "",
    counted: [[Effect.sleep("1 second")]],
    cell: (count) => `${count} for each sleep of a second or more`
  }
}

/** The first and the last cell of each row of the index, without links. */
const index: ReadonlyMap<string, string> = new Map(
  Array.from(
    read("docs/operations/README.md").matchAll(/^\| (\[?`.*?) +\| .+? \| (\S.*?) +\|$/gm),
    ([, operation = "", cost = ""]): [string, string] => [operation.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1"), cost]
  )
)

/** The events that a page names under its history; of one that refers to another, nothing. */
const eventsOn = (page: string): ReadonlyArray<string> | undefined => {
  const text = read(`docs/operations/${page}.md`)
  const section =
    /^## History\n([^]*?)^## /m.exec(text)?.[1] ?? /^\*\*History:\*\*([^]*?)(?:\n\n|\*\*Cost)/m.exec(text)?.[1] ?? ""
  if (section.includes("as for [")) return undefined
  const events = /`((?:Step|Wait|ChainedInvoke|Callback|Context)(?:Started|Succeeded|Failed|TimedOut|Stopped))`/g
  return Array.from(section.matchAll(events), ([, name = ""]) => name)
}

describe("the index of operations", () => {
  it("has a row for each that is counted here", () => {
    const rows = [...index.keys()].filter((operation) => expectations[operation] !== undefined)
    assert.sameMembers(rows, Object.keys(expectations))
  })

  it.effect.each(Object.keys(expectations))("says what %s costs", (operation) =>
    Effect.gen(function* () {
      const { cell, counted } = expectations[operation]!
      const counts = yield* Effect.forEach(counted, ([program, inside = 0]) =>
        Effect.map(measured(program), ({ operations }) => operations - inside)
      )
      assert.strictEqual(index.get(operation), cell(...counts))
    })
  )
})

describe("the page of an operation", () => {
  it.effect.each(Object.values(expectations).filter(({ page }) => page !== ""))(
    "$page names the events that it leaves",
    (expectation) =>
      Effect.gen(function* () {
        const named = eventsOn(expectation.page)
        if (named === undefined) return
        const { counted, foreign = [], others = [] } = expectation
        const runs = yield* Effect.forEach([...counted.map(([program]) => program), ...others], measured)
        const left = new Set(runs.flatMap(({ events }) => [...events]))
        assert.deepStrictEqual(
          [...left].filter((event) => !foreign.includes(event) && !named.includes(event)),
          [],
          "events that the page does not name"
        )
        assert.deepStrictEqual(
          named.filter((event) => !left.has(event)),
          [],
          "events that the page names and nothing leaves"
        )
      })
  )
})
