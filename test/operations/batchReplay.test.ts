/** What a replay makes of the record of a batch or a race: a small one, one too large to keep, and one that is broken. */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { operationId } from "../../src/execution/Identity.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { turns } from "../runtime/harness.ts"
import { after, assertAlike, declared, type Declined, decline, linesOf, once, replay } from "./batches.ts"
import { actions, assertSucceeded, errorOf, eventOf, execute, invokeOnce, valueOf, type Store } from "./support.ts"

const large = (mark: string) => mark.repeat(140_000)

/** More than one step may hold. */
const loadTwice = Effect.zipWith(
  Durable.step("load", Effect.succeed(large("a"))),
  Durable.step("load", Effect.succeed(large("b"))),
  (a, b) => a + b
)
const loadedTwice = large("a") + large("b")

const assertEqual = (value: string, expected: string): void =>
  assert.isTrue(value === expected, `found ${value.length} characters`)

/** How a body ended in each invocation, and the requests that each invocation sent until then. */
const watched = <A>(body: Effect.Effect<A, never, Durable.Execution>) =>
  Effect.suspend(() => {
    let requests = 0
    const seen: Array<A> = []
    const sent: Array<number> = []
    const store = ({ checkpoint }: Store): Partial<Store> => ({
      checkpoint: (request) => {
        requests++
        return checkpoint(request)
      }
    })
    const workflow = Effect.gen(function* () {
      const before = requests
      const value = yield* body
      seen.push(value)
      sent.push(requests - before)
      yield* replay
    })
    return Effect.map(execute(workflow, { store }), (ran) => {
      assertSucceeded(ran)
      assertAlike(seen, 2)
      return { ran, value: seen[0]!, replayed: sent[1] }
    })
  })

describe.each([
  ["nested", false],
  ["flat", true]
] as const)("A %s batch that is too large to keep", (_, flat) => {
  it.effect("is rebuilt from its items without a request: successes, failures and those let go of", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const step = (name: string, effect: Effect.Effect<string, Declined>) =>
        Durable.step(
          name,
          Effect.suspend(() => {
            runs.push(name)
            return effect
          }),
          once
        )
      const { ran, replayed, value } = yield* watched(
        Effect.map(
          Durable.parallel(
            "batch",
            [
              step("a", Effect.succeed(large("a"))),
              Effect.andThen(step("b", Effect.succeed("b")), after(60, "b")),
              step("c", decline("no")),
              Durable.child("deep", Effect.andThen(after(1, "d"), step("d", Effect.succeed(large("d")))), declared)
            ],
            { ...declared, flat, policy: CompletionPolicy.make({ minSuccessful: 2 }) }
          ),
          linesOf
        )
      )
      assert.deepStrictEqual(value, [
        "MIN_SUCCESSFUL_REACHED",
        `0 SUCCEEDED "${large("a")}"`,
        "1 STARTED",
        "2 FAILED no",
        `3 SUCCEEDED "${large("d")}"`
      ])
      assert.strictEqual(replayed, 0)
      assert.deepStrictEqual(runs, ["a", "b", "c", "d"])
      const batch = ran.operations.find(({ Name }) => Name === "batch")!
      assert.isTrue(batch.ContextDetails?.ReplayChildren)
      assert.deepStrictEqual(JSON.parse(batch.ContextDetails?.Result ?? ""), {
        type: "ParallelResult",
        totalCount: 4,
        successCount: 2,
        failureCount: 1,
        startedCount: 1,
        completionReason: "MIN_SUCCESSFUL_REACHED",
        itemStatuses: "S-FS"
      })
    })
  )

  it.effect("is rebuilt when every item was let go of", () =>
    Effect.gen(function* () {
      const policy = CompletionPolicy.custom(({ items }) =>
        items.every(({ status }) => status === "STARTED") ? "FAILED" : "continue"
      )
      const { value } = yield* watched(
        Effect.map(Durable.parallel("batch", [after(5, ""), after(6, "")], { flat, policy }), linesOf)
      )
      assert.deepStrictEqual(value, ["CUSTOM_COMPLETION_FAILED", "0 STARTED", "1 STARTED"])
    })
  )

  it.effect("may hold plain work between operations, beside items that were let go of", () =>
    Effect.gen(function* () {
      const { value } = yield* watched(
        Effect.map(
          Durable.map(
            "batch",
            [1, 2, 3],
            (n) =>
              n === 2
                ? after(60, "")
                : Durable.step("load", Effect.succeed(large(String(n)))).pipe(Effect.delay("30 millis"), Durable.hold),
            { flat, policy: CompletionPolicy.make({ minSuccessful: 2 }) }
          ),
          (result) => linesOf(result).map((line) => line.slice(0, 14))
        )
      )
      assert.deepStrictEqual(value, ["MIN_SUCCESSFUL", `0 SUCCEEDED "1`, "1 STARTED", `2 SUCCEEDED "3`])
    })
  )

  it.effect("in which an item ends otherwise than it did is NonDeterministic", () =>
    Effect.gen(function* () {
      let runs = 0
      const fickle = Effect.suspend(() => (++runs === 1 ? Effect.succeed(large("a")) : decline()))
      const ran = yield* execute(
        Effect.tap(Durable.parallel("batch", [fickle, Effect.succeed(large("b"))], { ...declared, flat: true }), replay)
      )
      assert.strictEqual(errorType(ran.result), "NonDeterministic")
    })
  )
})

const errorType = (result: Parameters<typeof errorOf>[0]): unknown => {
  const error: unknown = errorOf(result)
  return typeof error === "object" && error !== null && "errorType" in error ? error.errorType : undefined
}

describe("A race whose result is too large to keep", () => {
  it.effect("is rebuilt from the branch that won, without a request", () =>
    Effect.gen(function* () {
      const { ran, replayed, value } = yield* watched(
        Durable.race("race", [after(60, ""), Effect.andThen(after(1, ""), loadTwice), after(90, "")])
      )
      assertEqual(value, loadedTwice)
      assert.strictEqual(replayed, 0)
      const race = ran.operations.find(({ Name }) => Name === "race")!
      assert.deepStrictEqual([race.ContextDetails?.Result, race.ContextDetails?.ReplayChildren], [`{"winner":1}`, true])
    })
  )

  it.effect("may hold plain work, while the losers go on no further", () =>
    Effect.gen(function* () {
      const { value } = yield* watched(
        Durable.race("race", [
          after(60, ""),
          Effect.andThen(turns(6), loadTwice),
          // Keeps the first invocation busy, and only that: a rebuilt race does not run it.
          Durable.step("slow", Effect.delay(Effect.succeed(""), "1 hour"))
        ])
      )
      assertEqual(value, loadedTwice)
    })
  )
})

describe("A record", () => {
  const id = operationId("", "batch", 0)
  const recorded = (details: Operation["ContextDetails"], more: Partial<Operation> = {}) =>
    eventOf([{ Id: id, Type: "CONTEXT", SubType: "Map", Name: "batch", ContextDetails: details ?? {}, ...more }])
  const batch = Durable.map("batch", ["a", "b"], (name) => Durable.step("work", Effect.succeed(name)), {
    policy: CompletionPolicy.allCompleted
  })
  const race = Durable.race(
    "batch",
    ["a", "b"].map((name) => Durable.step("work", Effect.succeed(name)))
  )
  const item = (index: number, fields: object) => ({ index, status: "SUCCEEDED", ...fields })
  const text = (all: ReadonlyArray<object>, completionReason = "ALL_COMPLETED") =>
    JSON.stringify({ all, completionReason })
  const summary = (fields: object) =>
    JSON.stringify({
      type: "MapResult",
      totalCount: 2,
      successCount: 2,
      failureCount: 0,
      startedCount: 0,
      completionReason: "ALL_COMPLETED",
      itemStatuses: "SS",
      ...fields
    })
  const kept = (Result: string | undefined) => recorded({ Result, ReplayChildren: true })

  it.effect.each([
    ["that is no JSON", recorded({ Result: "{" }), "SerdesFailed"],
    ["that is nothing", recorded({}), "SerdesFailed"],
    ["of another shape", recorded({ Result: "[]" }), "SerdesFailed"],
    ["of another library", recorded({ Result: text([item(0, { result: { n: 1 } })]) }), "SerdesFailed"],
    ["with an unknown reason", recorded({ Result: text([], "BORED") }), "SerdesFailed"],
    ["with an item in another's place", recorded({ Result: text([item(1, { result: `"b"` })]) }), "SerdesFailed"],
    [
      "with a value that does not parse",
      recorded({ Result: text([item(0, { result: "{" }), item(1, { result: "1" })]) }),
      "SerdesFailed"
    ],
    ["of more items", recorded({ Result: text([0, 1, 2].map((n) => item(n, { result: "1" }))) }), "NonDeterministic"],
    [
      "of fewer items, all of which had ended",
      recorded({ Result: text([item(0, { result: "1" })]) }),
      "NonDeterministic"
    ],
    ["that is a summary of fewer items", kept(summary({ itemStatuses: "S" })), "NonDeterministic"],
    ["that is a summary of nothing", kept(undefined), "NonDeterministic"],
    ["that is a broken summary", kept("{"), "NonDeterministic"],
    ["that is a summary of more items", kept(summary({ itemStatuses: "SSS" })), "NonDeterministic"],
    ["that is a summary with unknown marks", kept(summary({ itemStatuses: "SX" })), "NonDeterministic"],
    ["that is a summary of items without records", kept(summary({})), "NonDeterministic"],
    ["of a parallel", recorded({ Result: text([]) }, { SubType: "Parallel" }), "NonDeterministic"]
  ] as const)("of a batch %s ends the execution, and does not hang", ([, event, type]) =>
    Effect.gen(function* () {
      const { answer, requests } = yield* invokeOnce(batch, { event })
      assert.strictEqual(answer?.Status, "FAILED")
      assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : undefined, type)
      assert.lengthOf(requests, 0)
    })
  )

  it.effect.each([undefined, "", "{}", `{"winner":2}`, `{"winner":-1}`, `{"winner":"0"}`, "null", `{"winner":0}`])(
    "of a race that has %s in the place of its winner ends the execution, and does not hang",
    (Result) =>
      Effect.gen(function* () {
        const event = recorded({ Result, ReplayChildren: true }, { SubType: "RunInChildContext" })
        const { answer, requests } = yield* invokeOnce(race, { event })
        assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : undefined, "NonDeterministic")
        assert.lengthOf(requests, 0)
      })
  )

  it.effect("of a batch that failed as a whole is a defect", () =>
    Effect.gen(function* () {
      const event = recorded({ Error: { ErrorType: "RangeError", ErrorMessage: "no opinion" } }, { Status: "FAILED" })
      const { answer } = yield* invokeOnce(batch, { event })
      assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorMessage : undefined, "no opinion")
    })
  )
})

describe("A batch with something to undo", () => {
  it.effect("runs its items again on a replay, to register that again, and sends nothing for it", () =>
    Effect.gen(function* () {
      const undone: Array<string> = []
      const book = (name: string) =>
        Durable.withCompensation("book", Durable.step("book", Effect.succeed(name)), (value) =>
          Durable.step(
            "undo",
            Effect.sync(() => void undone.push(value))
          )
        )
      for (const flat of [false, true]) {
        undone.length = 0
        const ran = yield* execute(
          Effect.gen(function* () {
            const result = yield* Durable.parallel(
              "batch",
              [book("a"), Effect.andThen(book("b"), after(60, "b")), decline()],
              { ...declared, flat, policy: CompletionPolicy.make({ minSuccessful: 1, toleratedFailureCount: 1 }) }
            )
            yield* replay
            return yield* Effect.die(new Error(linesOf(result).join(", ")))
          })
        )
        assert.strictEqual(
          JSON.stringify(
            ran.exits.length === 0 ? undefined : actions(ran.updates).filter((text) => text.includes("FAIL batch"))
          ),
          "[]"
        )
        assert.sameMembers(undone, ["a", "b"], flat ? "flat" : "nested")
      }
    })
  )

  it.effect("that broke off does so again on a replay", () =>
    Effect.gen(function* () {
      const policy = CompletionPolicy.custom(({ completedCount }) => {
        if (completedCount < 1) return "continue"
        throw new RangeError("no opinion")
      })
      const book = Durable.withCompensation("book", Durable.step("book", Effect.succeed("")), () => Effect.void)
      const seen: Array<string> = []
      for (const flat of [false, true]) {
        const ran = yield* execute(
          Effect.gen(function* () {
            const exit = yield* Effect.exit(
              Durable.parallel("batch", [Effect.andThen(book, after(60, "")), book, after(1, ""), after(1, "")], {
                policy,
                flat,
                concurrency: 3
              })
            )
            seen.push(exit._tag)
            yield* replay
          })
        )
        assert.strictEqual(valueOf(ran), undefined)
      }
      assert.deepStrictEqual(seen, ["Failure", "Failure", "Failure", "Failure"])
    })
  )
})

describe("The end of an item", () => {
  /** By which requests an item and its batch were said to have ended. */
  const endsUnder = (policy: CompletionPolicy.CompletionPolicy) =>
    Effect.gen(function* () {
      const items = ["a", "b"].map((name) => Durable.step(name, Effect.succeed(name)))
      const ran = yield* execute(Durable.parallel("p", items, { policy }))
      assertSucceeded(ran)
      const requests = ran.requests.map(({ Updates }) => Updates)
      const requestOf = (isIt: (update: OperationUpdate) => boolean): number =>
        requests.findIndex((updates) => updates.some((update) => update.Action === "SUCCEED" && isIt(update)))
      return {
        item: requestOf(({ SubType }) => SubType === "ParallelBranch"),
        batch: requestOf(({ SubType }) => SubType === "Parallel")
      }
    })

  it.effect("is acknowledged before the batch ends, if the policy may ask which came first", () =>
    Effect.gen(function* () {
      const first = CompletionPolicy.custom(({ items }) =>
        items[0]?.status === "SUCCEEDED" ? "SUCCEEDED" : "continue"
      )
      const { batch, item } = yield* endsUnder(first)
      assert.isAtLeast(item, 0)
      assert.isAbove(batch, item)
    })
  )

  it.effect("is recorded with that of the batch, if nobody could tell", () =>
    Effect.gen(function* () {
      const { batch, item } = yield* endsUnder(CompletionPolicy.allCompleted)
      assert.isAtLeast(item, 0)
      assert.strictEqual(batch, item)
    })
  )
})

describe("Memory that the branches of a flat batch change", () => {
  const flat = { flat: true } as const
  type Block = Effect.Effect<void, never, Durable.Execution>
  const batches: ReadonlyArray<readonly [string, (branch: Block) => Effect.Effect<unknown, never, Durable.Execution>]> =
    [
      ["all", (branch) => Durable.all("batch", [branch], flat)],
      ["forEach", (branch) => Durable.forEach("batch", [1], () => branch, flat)],
      ["parallel", (branch) => Durable.parallel("batch", [branch], flat)],
      ["map", (branch) => Durable.map("batch", [1], () => branch, flat)]
    ]

  it.effect.each(batches)("is not changed again once %s has ended, as it is by a flat child", ([, batch]) =>
    Effect.gen(function* () {
      const changesIn = (block: (branch: Block) => Effect.Effect<unknown, never, Durable.Execution>) =>
        Effect.gen(function* () {
          const seen: Array<number> = []
          const workflow = Effect.gen(function* () {
            let changes = 0
            const change = Effect.sync(() => void changes++)
            yield* block(Effect.andThen(Durable.step("work", Effect.void), change))
            seen.push(changes)
            yield* replay
          })
          assertSucceeded(yield* execute(workflow))
          return seen
        })
      assert.deepStrictEqual(yield* changesIn(batch), [1, 0])
      assert.deepStrictEqual(yield* changesIn((branch) => Durable.child("child", branch, flat)), [1, 1])
    })
  )
})
