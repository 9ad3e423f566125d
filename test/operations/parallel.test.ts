import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import {
  after,
  assertAlike,
  Declined,
  decline,
  declared,
  everySight,
  failAfter,
  gauge,
  linesOf,
  mostOpen,
  once,
  replay
} from "./batches.ts"
import {
  actions,
  assertSucceeded,
  besidePromise,
  crashAt,
  defectOf,
  deployed,
  errorOf,
  execute,
  failureOf,
  holds,
  unchecked,
  valueOf
} from "./support.ts"

const unbounded = { concurrency: "unbounded" } as const

/** A batch in short, live and on every replay. */
const lines = (batch: Effect.Effect<Parameters<typeof linesOf>[0], never, Durable.Execution>) =>
  Effect.map(everySight(Effect.map(batch, linesOf)), ({ ran, seen }) => {
    assertAlike(seen, 2)
    return { lines: seen[0]!, ran }
  })

describe("A parallel", () => {
  it.effect("runs its branches in namespaces of their own and records each; a replay runs none of them", () =>
    Effect.gen(function* () {
      let runs = 0
      const leaf = (n: number) =>
        Durable.step(
          "leaf",
          Effect.sync(() => {
            runs++
            return n
          })
        )
      const { ran, seen } = yield* everySight(
        Effect.map(Durable.parallel("pair", [leaf(1), { name: "second", effect: leaf(2) }]), linesOf)
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], ["ALL_COMPLETED", `0 SUCCEEDED 1`, `1 SUCCEEDED 2`])
      assert.strictEqual(runs, 2)
      const [pair, first, leafOfFirst, second] = ran.operations
      assert.deepStrictEqual(
        [pair, first, second].map((operation) => [operation!.Type, operation!.SubType, operation!.Name]),
        [
          ["CONTEXT", "Parallel", "pair"],
          ["CONTEXT", "ParallelBranch", "parallel-branch-0"],
          ["CONTEXT", "ParallelBranch", "second"]
        ]
      )
      assert.deepStrictEqual(
        [first!.ParentId, second!.ParentId, leafOfFirst!.ParentId],
        [pair!.Id, pair!.Id, first!.Id]
      )
    })
  )

  it.effect("has its values in the order of the branches, whichever of them ends first", () =>
    Effect.gen(function* () {
      const { lines: found } = yield* lines(Durable.parallel("trio", [after(30, "a"), after(10, "b"), after(20, "c")]))
      assert.deepStrictEqual(found, ["ALL_COMPLETED", `0 SUCCEEDED "a"`, `1 SUCCEEDED "b"`, `2 SUCCEEDED "c"`])
    })
  )

  it.effect("costs one request when nothing in it waits", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.parallel("pair", [Effect.succeed(1), Effect.succeed(2)]))
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [
          [
            "START pair",
            "START parallel-branch-0",
            "SUCCEED parallel-branch-0",
            "START parallel-branch-1",
            "SUCCEED parallel-branch-1",
            "SUCCEED pair"
          ]
        ]
      )
    })
  )

  it.effect("of nothing is complete, and recorded", () =>
    Effect.gen(function* () {
      const { lines: found, ran } = yield* lines(Durable.parallel("none", []))
      assert.deepStrictEqual(found, ["ALL_COMPLETED"])
      assert.deepStrictEqual(actions(ran.updates), ["START none", "SUCCEED none", "START replay"])
    })
  )

  it.effect.each([0, -1, 1.5, Number.NaN])("refuses a concurrency of %s before anything is recorded", (concurrency) =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.parallel("pair", [Effect.succeed(1)], { concurrency }))
      assert.strictEqual(failureOf(ran).errorType, "InvalidOptions")
      assert.include(failureOf(ran).errorMessage, `found ${concurrency}`)
      assert.lengthOf(ran.updates, 0)
    })
  )

  it.effect("refuses what is no branch, as a failure of that branch", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        unchecked<Parameters<typeof linesOf>[0]>(
          Durable.parallel("pair", [Effect.succeed(1), { name: "odd", effect: 7 }], {
            policy: CompletionPolicy.allCompleted
          })
        )
      )
      assert.include(linesOf(valueOf(ran))[2], "1 FAILED InvalidOptions")
    })
  )

  it.effect("may stand in a branch of another", () =>
    Effect.gen(function* () {
      const inner = (n: number) =>
        Effect.map(Durable.parallel("inner", [after(n, n), after(2 * n, 2 * n)]), (result) => [...result.values])
      const { lines: found } = yield* lines(Durable.parallel("outer", [inner(1), inner(5)]))
      assert.deepStrictEqual(found, ["ALL_COMPLETED", "0 SUCCEEDED [1,2]", "1 SUCCEEDED [5,10]"])
    })
  )
})

describe("Concurrency", () => {
  const branch = (n: number, meter: ReturnType<typeof gauge>) =>
    meter.around(
      Effect.gen(function* () {
        yield* Durable.step("before", Effect.void)
        yield* Durable.wait("nap", `${1 + ((n * 7) % 5)} seconds`)
        return yield* Durable.step("after", Effect.succeed(n))
      })
    )

  it.effect.each([1, 2, 3, 7, 8, 20])("of %s is never exceeded, and used, also after suspensions", (concurrency) =>
    Effect.gen(function* () {
      const meter = gauge()
      const branches = Array.from({ length: 8 }, (_, n) => branch(n, meter))
      const ran = yield* execute(Durable.parallel("batch", branches, { concurrency }))
      assert.deepStrictEqual(valueOf(ran).values, [0, 1, 2, 3, 4, 5, 6, 7])
      const expected = Math.min(concurrency, 8)
      assert.strictEqual(meter.most, expected)
      assert.strictEqual(mostOpen(ran.updates, "ParallelBranch"), expected)
      const started = ran.updates.filter(({ Action, SubType }) => Action === "START" && SubType === "ParallelBranch")
      assert.deepStrictEqual(
        started.map(({ Name }) => Name),
        branches.map((_, n) => `parallel-branch-${n}`)
      )
    })
  )

  it.effect("is never exceeded by flat branches either", () =>
    Effect.gen(function* () {
      const meter = gauge()
      const branches = Array.from({ length: 8 }, (_, n) => branch(n, meter))
      const ran = yield* execute(Durable.parallel("batch", branches, { concurrency: 3, flat: true }))
      assert.deepStrictEqual(valueOf(ran).values, [0, 1, 2, 3, 4, 5, 6, 7])
      assert.strictEqual(meter.most, 3)
    })
  )

  it.effect("may change between two invocations", () =>
    Effect.gen(function* () {
      const batch = (concurrency: number | "unbounded") =>
        Durable.parallel("batch", [after(5, 0), after(3, 1), after(1, 2), after(4, 3)], { concurrency })
      for (const [before, then] of [
        [1, "unbounded"],
        ["unbounded", 1],
        [3, 2]
      ] as const) {
        const ran = yield* execute(deployed(batch(before), batch(then)))
        assert.deepStrictEqual(valueOf(ran).values, [0, 1, 2, 3], `${before} then ${then}`)
      }
    })
  )
})

describe("A parallel of which all must succeed", () => {
  it.effect("ends at the first failure: what runs is let go of, and what has not begun never does", () =>
    Effect.gen(function* () {
      const { lines: found, ran } = yield* lines(
        Durable.parallel("batch", [after(60, "a"), failAfter(1), after(1, "c"), after(1, "d")], {
          ...declared,
          concurrency: 2,
          policy: CompletionPolicy.allSuccessful
        })
      )
      assert.deepStrictEqual(found, ["FAILURE_TOLERANCE_EXCEEDED", "0 STARTED", "1 FAILED no"])
      assert.deepStrictEqual(
        ran.operations.filter(({ Type }) => Type === "CONTEXT").map(({ Name, Status }) => `${Name} ${Status}`),
        ["batch SUCCEEDED", "parallel-branch-0 STARTED", "parallel-branch-1 FAILED"]
      )
      // The execution ends at the replay's wait, and does not wait for the branch.
      assert.isBelow(ran.history.at(-1)!.EventTimestamp - ran.history[0]!.EventTimestamp, 10_000)
    })
  )
})

describe("By default a parallel", () => {
  it.effect("runs all of its branches, whatever fails", () =>
    Effect.gen(function* () {
      const { lines: found } = yield* lines(
        Durable.parallel("batch", [after(60, "a"), failAfter(1), after(1, "c"), after(1, "d")], {
          ...declared,
          concurrency: 2
        })
      )
      assert.deepStrictEqual(found, [
        "ALL_COMPLETED",
        `0 SUCCEEDED "a"`,
        "1 FAILED no",
        `2 SUCCEEDED "c"`,
        `3 SUCCEEDED "d"`
      ])
    })
  )

  it.effect("does not fail: its failures are data, typed and otherwise", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.map(
          Durable.parallel("batch", [decline("typed"), Effect.die(new RangeError("too far")), Effect.interrupt], {
            ...declared,
            policy: CompletionPolicy.allCompleted
          }),
          (result) => [linesOf(result), result.errors.map((error) => error instanceof Declined && error.code)]
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [
        [
          "ALL_COMPLETED",
          "0 FAILED typed",
          "1 FAILED RangeError: too far",
          `2 FAILED Interrupted: "batch[2]" ended by interrupting itself. Fail with an error of its own instead, or handle the interruption inside.`
        ],
        ["typed"]
      ])
    })
  )

  it.effect("gives its first failure on demand", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.exit(
          Effect.flatMap(
            Durable.parallel("batch", [Effect.succeed(1), decline("second")], declared),
            (result) => result.orFail
          )
        )
      )
      assert.instanceOf(errorOf(valueOf(ran)), Declined)
    })
  )
})

describe("A policy", () => {
  const five = [after(5, 0), failAfter(1), after(3, 2), failAfter(2), after(4, 4)]
  const run = (policy: CompletionPolicy.CompletionPolicy, concurrency: number | "unbounded" = "unbounded") =>
    Effect.map(lines(Durable.parallel("batch", five, { ...declared, policy, concurrency })), (found) => found.lines)

  it.effect("completes a batch at the number of successes that it names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run(CompletionPolicy.make({ minSuccessful: 2 })), [
        "MIN_SUCCESSFUL_REACHED",
        "0 STARTED",
        "1 FAILED no",
        "2 SUCCEEDED 2",
        "3 FAILED no",
        "4 SUCCEEDED 4"
      ])
    })
  )

  it.effect("that is never met lets every branch end", () =>
    Effect.gen(function* () {
      const found = yield* run(CompletionPolicy.make({ minSuccessful: 4 }))
      assert.strictEqual(found[0], "ALL_COMPLETED")
      assert.lengthOf(found, 6)
    })
  )

  it.effect("tolerates failures up to its number and percentage, and ends the batch beyond", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* run(CompletionPolicy.make({ toleratedFailureCount: 2 })))[0], "ALL_COMPLETED")
      assert.strictEqual((yield* run(CompletionPolicy.make({ toleratedFailurePercentage: 40 })))[0], "ALL_COMPLETED")
      assert.deepStrictEqual(yield* run(CompletionPolicy.make({ toleratedFailurePercentage: 39 })), [
        "FAILURE_TOLERANCE_EXCEEDED",
        "0 STARTED",
        "1 FAILED no",
        "2 STARTED",
        "3 FAILED no",
        "4 STARTED"
      ])
    })
  )

  it.effect("starts no further branch once it is met", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run(CompletionPolicy.firstSuccessful, 2), [
        "MIN_SUCCESSFUL_REACHED",
        "0 STARTED",
        "1 FAILED no",
        "2 SUCCEEDED 2"
      ])
    })
  )

  it.effect("gives a predicate a progress that it may keep: its items go on saying what its counts say", () =>
    Effect.gen(function* () {
      const kept: Array<CompletionPolicy.Progress> = []
      const policy = CompletionPolicy.custom((progress) => {
        kept.push(progress)
        return "continue"
      })
      const steps = ["a", "b", "c"].map((name) => Durable.step(name, Effect.succeed(name)))
      yield* execute(Durable.parallel("all", steps, { policy, concurrency: 1 }))
      const counted = kept.map(({ items }) => items.filter(({ status }) => status === "SUCCEEDED").length)
      assert.deepStrictEqual(
        counted,
        kept.map(({ successCount }) => successCount)
      )
      assert.includeMembers(counted, [0, 1, 2, 3])
    })
  )

  it.effect("that is a predicate sees every branch by name and how far it is", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const policy = CompletionPolicy.custom(({ completedCount, items, totalCount }) => {
        const text = items.map(({ index, name, status }) => `${index}${name}:${status ?? "-"}`).join(" ")
        if (seen.at(-1) !== text) seen.push(text)
        return completedCount === totalCount - 1 ? "FAILED" : "continue"
      })
      const branches = [
        { name: "a", effect: after(2, 1) },
        { name: "b", effect: after(1, 1) },
        { name: "c", effect: after(5, 1) }
      ]
      const { lines: found } = yield* lines(Durable.parallel("batch", branches, { policy, concurrency: 2 }))
      assert.deepStrictEqual(found, ["CUSTOM_COMPLETION_FAILED", "0 SUCCEEDED 1", "1 SUCCEEDED 1", "2 STARTED"])
      assert.deepStrictEqual(seen.slice(0, 3), ["0a:- 1b:- 2c:-", "0a:STARTED 1b:- 2c:-", "0a:STARTED 1b:STARTED 2c:-"])
    })
  )

  it.effect("that is met before anything has begun starts nothing", () =>
    Effect.gen(function* () {
      const policy = CompletionPolicy.custom(() => "SUCCEEDED")
      const { lines: found, ran } = yield* lines(Durable.parallel("batch", five, { ...declared, policy }))
      assert.deepStrictEqual(found, ["CUSTOM_COMPLETION_SUCCEEDED"])
      assert.deepStrictEqual(actions(ran.updates), ["START batch", "SUCCEED batch", "START replay"])
      const empty = yield* lines(Durable.parallel("batch", [], { policy }))
      assert.deepStrictEqual(empty.lines, ["CUSTOM_COMPLETION_SUCCEEDED"])
    })
  )

  it.effect("that throws is a defect of the batch, live and on replay", () =>
    Effect.gen(function* () {
      for (const failing of [0, 1]) {
        const policy = CompletionPolicy.custom(({ completedCount }) => {
          if (completedCount < failing) return "continue"
          throw new RangeError("no opinion")
        })
        const { ran, seen } = yield* everySight(
          Effect.exit(Durable.parallel("batch", [after(1, 1), after(9, 1)], { policy }))
        )
        assert.deepStrictEqual(
          seen.map((exit) => String(defectOf(exit))),
          ["RangeError: no opinion", "RangeError: no opinion"]
        )
        assertSucceeded(ran)
        assert.strictEqual(ran.operations[0]!.Status, "FAILED")
      }
    })
  )

  it.effect("is asked after every single outcome: what came with the deciding one does not count", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const policy = CompletionPolicy.custom(({ completedCount }) => {
        asked.push(completedCount)
        return completedCount === 1 ? "SUCCEEDED" : "continue"
      })
      const { lines: found } = yield* lines(
        Durable.parallel("batch", [after(1, 1), after(1, 2), after(9, 3)], { policy })
      )
      assert.deepStrictEqual(found, ["CUSTOM_COMPLETION_SUCCEEDED", "0 SUCCEEDED 1", "1 STARTED", "2 STARTED"])
      assert.deepStrictEqual(new Set(asked), new Set([0, 1]))
    })
  )
})

describe("A parallel that crashes", () => {
  const program = Effect.gen(function* () {
    const result = yield* Durable.parallel(
      "batch",
      [
        Effect.andThen(Durable.step("work", Effect.succeed("a")), after(3, "a")),
        failAfter(1, "b"),
        Durable.step("work", decline("c"), once),
        Durable.child("block", after(2, "d"))
      ],
      { ...declared, concurrency: 2, policy: CompletionPolicy.allCompleted }
    )
    yield* replay
    return linesOf(result)
  })

  it.effect("before or after any of its requests ends as one that does not", () =>
    Effect.gen(function* () {
      const whole = yield* execute(program)
      assert.lengthOf(valueOf(whole), 5)
      for (let at = 0; at < whole.requests.length; at++) {
        for (const when of ["before", "after"] as const) {
          let count = 0
          const ran = yield* execute(program, { store: crashAt(() => count++ === at, when) })
          assert.deepStrictEqual(valueOf(ran), valueOf(whole), `${when} request ${at}`)
          assert.deepStrictEqual(
            ran.operations.map(({ Id, Status }) => `${Id} ${Status}`).toSorted(),
            whole.operations.map(({ Id, Status }) => `${Id} ${Status}`).toSorted(),
            `${when} request ${at}`
          )
        }
      }
    })
  )

  it.effect("has the same early end as before, whether it was recorded or not", () =>
    Effect.gen(function* () {
      const early = Durable.parallel("batch", [after(1, "a"), after(9, "b")], {
        policy: CompletionPolicy.firstSuccessful
      })
      for (const when of ["before", "after"] as const) {
        const { seen } = yield* everySight(Effect.map(early, linesOf), {
          store: crashAt(holds("SUCCEED", "batch"), when)
        })
        assert.isAtLeast(seen.length, 2, when)
        for (const one of seen) {
          assert.deepStrictEqual(one, ["MIN_SUCCESSFUL_REACHED", `0 SUCCEEDED "a"`, "1 STARTED"], when)
        }
      }
    })
  )
})

describe("Names of branches", () => {
  it.effect("are labels: any text, the same twice, or nothing", () =>
    Effect.gen(function* () {
      const long = "x".repeat(300)
      const names = ["same", "same", "", "naïve 🦔", "tab\there", long]
      const branches = names.map((name) => ({ name, effect: Durable.step("leaf", Effect.succeed(name.length)) }))
      const { ran, seen } = yield* everySight(
        Effect.map(Durable.parallel("batch", branches), (result) => result.all.map(({ name }) => name))
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], names)
      assert.deepStrictEqual(
        ran.operations.filter(({ SubType }) => SubType === "ParallelBranch").map(({ Name }) => Name),
        ["same", "same", "-", String.raw`na\u{ef}ve \u{1f994}`, String.raw`tab\u{9}here`, "x".repeat(256)]
      )
    })
  )

  it.effect("may change with the code", () =>
    Effect.gen(function* () {
      const batch = (name: string) => Durable.parallel("batch", [{ name, effect: after(1, "a") }])
      const ran = yield* execute(deployed(batch("before"), batch("after")))
      assert.deepStrictEqual(valueOf(ran).all[0]!.name, "after")
    })
  )
})

describe("Code that no longer fits the history", () => {
  it.effect("is NonDeterministic when a branch asks for another operation", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Durable.parallel("batch", [Durable.step("a", Effect.succeed("")), after(1, "")]),
          Durable.parallel("batch", [after(1, ""), Durable.step("a", Effect.succeed(""))])
        )
      )
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
    })
  )

  it.effect("is NonDeterministic when branches that ended are gone", () =>
    Effect.gen(function* () {
      const batch = (count: number) =>
        Durable.parallel(
          "batch",
          Array.from({ length: count }, (_, n) => (n === 0 ? after(5, n) : after(1, n)))
        )
      const ran = yield* execute(deployed(batch(3), Effect.andThen(Effect.void, batch(1))))
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
      const { errorMessage } = failureOf(ran)
      assert.include(errorMessage, `The history holds CONTEXT "parallel-branch-1", CONTEXT "parallel-branch-2", but`)
      assert.include(errorMessage, "Nothing new was done.")
    })
  )

  it.effect("is NonDeterministic when a recorded batch has more branches than the code", () =>
    Effect.gen(function* () {
      const batch = (count: number) =>
        Effect.tap(
          Durable.parallel(
            "batch",
            Array.from({ length: count }, (_, n) => Effect.succeed(n))
          ),
          replay
        )
      const ran = yield* execute(deployed(batch(3), batch(2)))
      const failure = failureOf(ran)
      assert.strictEqual(failure.errorType, "NonDeterministic")
      assert.include(failure.errorMessage, `The history holds 3 items of "batch", but the code has 2.`)
    })
  )

  it.effect("may have branches more, which begin when it is their turn", () =>
    Effect.gen(function* () {
      const batch = (count: number) =>
        Durable.parallel(
          "batch",
          Array.from({ length: count }, (_, n) => after(n + 1, n)),
          unbounded
        )
      const ran = yield* execute(deployed(batch(2), batch(3)))
      assert.deepStrictEqual(valueOf(ran).values, [0, 1, 2])
    })
  )
})

describe("Mistakes in a branch", () => {
  it.effect("are defects of that branch, with what they say", () =>
    Effect.gen(function* () {
      const twice = besidePromise(Durable.step("a", Effect.void), Durable.step("a", Effect.void))
      const { seen } = yield* everySight(
        Effect.map(
          Durable.parallel("batch", [Durable.wait("nap", "367 days"), Effect.asVoid(twice)], {
            policy: CompletionPolicy.allCompleted
          }),
          (result) =>
            result.all.map((item) =>
              item.status === "FAILED" ? defectOf(Effect.runSyncExit(Effect.failCause(item.cause))) : undefined
            )
        )
      )
      for (const [duration, name] of seen) {
        assert.instanceOf(duration, DurableError.InvalidDuration)
        assert.instanceOf(name, DurableError.NameInUse)
      }
    })
  )
})

describe("A batch that is taken up again", () => {
  it.effect("counts what had ended before it counts what ends now", () =>
    Effect.gen(function* () {
      for (const flat of [false, true]) {
        const { lines: found } = yield* lines(
          Durable.map(
            "map",
            Array.from({ length: 12 }, (_, n) => n),
            (n) =>
              n === 0
                ? failAfter(3_600, "late")
                : Effect.andThen(Durable.step("work", Effect.void), after(n % 3 === 0 ? 2 : 1, n)),
            { ...declared, concurrency: 2, flat, policy: CompletionPolicy.allSuccessful }
          )
        )
        assert.deepStrictEqual(found, [
          "FAILURE_TOLERANCE_EXCEEDED",
          "0 FAILED late",
          ...Array.from({ length: 11 }, (_, n) => `${n + 1} SUCCEEDED ${n + 1}`)
        ])
      }
    })
  )

  it.effect("starts nothing that it would not have started before", () =>
    Effect.gen(function* () {
      for (const flat of [false, true]) {
        const began: Array<number> = []
        yield* lines(
          Durable.map(
            "map",
            [0, 1, 2, 3],
            (n) =>
              Effect.andThen(
                Durable.step(
                  "begin",
                  Effect.sync(() => void began.push(n))
                ),
                n === 1 ? failAfter(5) : after(9, n)
              ),
            { ...declared, concurrency: 2, flat, policy: CompletionPolicy.allSuccessful }
          )
        )
        assert.deepStrictEqual(began, [0, 1])
      }
    })
  )
})
