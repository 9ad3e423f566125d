import { assert, describe, it } from "@effect/vitest"
import { BatchResult, CompletionPolicy, Durable, DurableError, Serdes } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { after, assertAlike, declared, Declined, decline, everySight, failAfter, linesOf, replay } from "./batches.ts"
import { actions, defectOf, deployed, execute, failureOf, unchecked, valueOf } from "./support.ts"

const all = { policy: CompletionPolicy.allCompleted }

describe("A map", () => {
  it.effect("runs a function for every item, with its index, and records each", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.map(
          Durable.map("mails", new Set(["ann", "bob"]), (name, index) =>
            Durable.step("send", Effect.succeed(`${index}${name}`))
          ),
          linesOf
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], ["ALL_COMPLETED", `0 SUCCEEDED "0ann"`, `1 SUCCEEDED "1bob"`])
      assert.deepStrictEqual(
        ran.operations.slice(0, 5).map(({ Name, SubType }) => `${SubType} ${Name}`),
        ["Map mails", "MapIteration map-item-0", "Step send", "MapIteration map-item-1", "Step send"]
      )
    })
  )

  it.effect("takes its items once, whatever becomes of the list", () =>
    Effect.gen(function* () {
      const items = [1, 2]
      const mapped = Durable.map("map", items, (n) => after(n, n))
      items.push(3)
      const ran = yield* execute(mapped)
      assert.deepStrictEqual(valueOf(ran).values, [1, 2])
    })
  )

  it.effect("calls its items as it is told, in histories and results", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.map("map", ["ä", "b"], (name) => Effect.succeed(name), { itemName: (name, n) => `${name}/${n}` })
      )
      assert.deepStrictEqual(
        valueOf(ran).all.map(({ name }) => name),
        ["ä/0", "b/1"]
      )
      assert.deepStrictEqual(
        ran.operations.slice(1).map(({ Name }) => Name),
        [String.raw`\u{e4}/0`, "b/1"]
      )
    })
  )

  it.effect("keeps items that end with nothing", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.map(
          Durable.map("map", [1, 2], () => Effect.void),
          (result) => [result.values, result.successCount]
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [[undefined, undefined], 2])
    })
  )

  it.effect("is the defect of a function that throws, in its item", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.map(
          "map",
          [1, 2],
          (n): Effect.Effect<number> => {
            if (n === 1) throw new RangeError("too small")
            return Effect.succeed(n)
          },
          all
        )
      )
      assert.deepStrictEqual(linesOf(valueOf(ran)), [
        "ALL_COMPLETED",
        "0 FAILED RangeError: too small",
        "1 SUCCEEDED 2"
      ])
    })
  )

  it.effect("in a step is refused", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        unchecked(Durable.step("outer", unchecked(Durable.map("map", [1], (n) => Effect.succeed(n)))))
      )
      assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
    })
  )
})

describe("A flat map", () => {
  it.effect("has no records of items: what is inside stands in the batch", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.map(
          Durable.map("map", [1, 2], (n) => Durable.step("work", Effect.succeed(n)), { flat: true }),
          linesOf
        )
      )
      assertAlike(seen, 2)
      const [map, ...steps] = ran.operations.filter(({ Type }) => Type !== "WAIT")
      assert.deepStrictEqual(
        steps.map(({ Name, ParentId }) => `${Name} ${ParentId === map!.Id}`),
        ["work true", "work true"]
      )
      assert.isFalse(ran.history.some((event) => event.Name?.startsWith("map-item") ?? false))
      assert.deepStrictEqual(
        ran.requests.slice(0, 2).map((request) => actions(request.Updates)),
        [
          ["START map", "START work", "SUCCEED work", "START work", "SUCCEED work"],
          ["SUCCEED map", "START replay"]
        ]
      )
    })
  )
})

describe("What a map records of an item", () => {
  const Moment = Schema.Struct({ at: Schema.Date, count: Schema.BigInt })

  it.effect("goes through its Schemas: values and errors, live and on replay", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.map(
          Durable.map(
            "map",
            [1, 2],
            (n) => (n === 1 ? Effect.succeed({ at: new Date(n), count: BigInt(n) }) : decline("second")),
            { ...declared, ...all, success: Moment }
          ),
          (result) => [result.values, result.errors.map((error) => [error instanceof Declined, error.code])]
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [[{ at: new Date(1), count: BigInt(1) }], [[true, "second"]]])
    })
  )

  it.effect("goes through its own serdes, and may be anything that text can say", () =>
    Effect.gen(function* () {
      const roman = Serdes.make<number>({
        serialize: (n) => "I".repeat(n),
        deserialize: (text) => (text ?? "").length
      })
      const { ran, seen } = yield* everySight(
        Effect.map(
          Durable.map("map", [1, 3], (n) => Effect.succeed(n), { successSerdes: roman }),
          (result) => result.values
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], [1, 3])
      assert.deepStrictEqual(
        ran.operations.slice(1, 3).map(({ ContextDetails }) => ContextDetails?.Result),
        ["I", "III"]
      )
    })
  )

  it.effect("that cannot be written is the SerdesFailed of that item, which says where", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.map(
          Durable.map("map", [1, 0], (n) => Effect.succeed(1 / n), all),
          (result) => result.all.map((item) => (item.status === "FAILED" ? Cause.squash(item.cause) : item.status))
        )
      )
      for (const [one, infinite] of seen) {
        assert.strictEqual(one, "SUCCEEDED")
        assert.instanceOf(infinite, DurableError.SerdesFailed)
        assert.strictEqual(infinite.operation, "map[1]")
      }
    })
  )

  it.effect("that no longer can be read ends the execution as SerdesFailed, and is no failure of the item", () =>
    Effect.gen(function* () {
      const program = (success: Schema.Codec<number>) =>
        Effect.tap(
          Durable.map("map", [1, 2], (n) => Effect.succeed(n), { success, ...all }),
          replay
        )
      const ran = yield* execute(deployed(program(Schema.Number), program(Schema.Number.check(Schema.isLessThan(2)))))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.include(failureOf(ran).errorMessage, `"map[1]"`)
    })
  )
})

describe("The items of a map", () => {
  it.effect("are in its result as the code passed them, whatever became of them, live and on replay", () =>
    Effect.gen(function* () {
      const items = ["no", "yes", "never"].map((answer) => new Map([["answer", answer]]))
      const answerTo = (item: ReadonlyMap<string, string>) => {
        const answer = item.get("answer")
        if (answer === "no") return decline()
        return answer === "yes" ? after(1, 1) : after(900_000, 0)
      }
      const ask = Durable.map("map", items, answerTo, {
        ...declared,
        policy: CompletionPolicy.make({ minSuccessful: 1 })
      })
      const { ran, seen } = yield* everySight(ask)
      assert.lengthOf(seen, 2)
      for (const { all, failed, started, succeeded } of seen) {
        assert.deepStrictEqual(
          [failed, succeeded, started].flatMap((some) => itemsOf<ReadonlyMap<string, string>>(some)),
          items
        )
        assert.isTrue(all.every(({ index, item }) => item === items[index]))
      }
      assert.notInclude(JSON.stringify(ran.operations), "answer")
    })
  )

  it.effect("are in the result of a batch that was too large to keep", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Durable.map("map", ["a", "b"], (letter) => Durable.step("large", Effect.succeed(letter.repeat(150_000))))
      )
      assert.lengthOf(seen, 2)
      for (const { all } of seen) assert.deepStrictEqual(itemsOf(all), ["a", "b"])
    })
  )

  it.effect("are none for the branches of a parallel", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(Durable.parallel("parallel", [after(1, 1), decline()], declared))
      for (const { all } of seen) assert.deepStrictEqual(itemsOf(all), [undefined, undefined])
    })
  )
})

const itemsOf = <T>(all: ReadonlyArray<{ readonly item: T }>): ReadonlyArray<T> => all.map(({ item }) => item)

describe("A batchSerdes", () => {
  const commas = Serdes.make<BatchResult.BatchResult<string, never>>({
    serialize: (result) => result.values.join(","),
    deserialize: (text) => BatchResult.fromValues("letters", (text ?? "").split(","))
  })

  it.effect("writes and reads the whole result, live and on replay", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.map(
          Durable.map("letters", ["a", "b"], (letter) => Effect.succeed(letter), { batchSerdes: commas }),
          linesOf
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], ["ALL_COMPLETED", `0 SUCCEEDED "a"`, `1 SUCCEEDED "b"`])
      assert.deepStrictEqual(
        ran.operations.slice(0, 2).map(({ ContextDetails }) => ContextDetails?.Result),
        ["a,b", `"a"`]
      )
    })
  )

  it.effect("leaves the items to the batch, live and on replay", () =>
    Effect.gen(function* () {
      const letters = [{ letter: "a" }, { letter: "b" }]
      const { seen } = yield* everySight(
        Durable.map("letters", letters, ({ letter }) => Effect.succeed(letter), { batchSerdes: commas })
      )
      assert.lengthOf(seen, 2)
      for (const { succeeded } of seen) assert.deepStrictEqual(itemsOf(succeeded), letters)
    })
  )

  it.effect("that reads items that the batch does not have is SerdesFailed, live and on replay", () =>
    Effect.gen(function* () {
      const wrong = Serdes.make<BatchResult.BatchResult<string, never>>({
        serialize: () => "a,b",
        deserialize: commas.deserialize
      })
      const { seen } = yield* everySight(
        Effect.exit(Durable.map("letters", ["a"], (letter) => Effect.succeed(letter), { batchSerdes: wrong }))
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) {
        const defect = defectOf(exit)
        assert.instanceOf(defect, DurableError.SerdesFailed)
        assert.include(defect.message, `returned an item with the index 1, counted from 0, for a batch of 1`)
      }
    })
  )

  it.effect("that reads no result is SerdesFailed, live and on replay", () =>
    Effect.gen(function* () {
      const wrong = Serdes.make<BatchResult.BatchResult<string, never>>({
        serialize: () => "x",
        deserialize: () => JSON.parse(`{"all":[]}`)
      })
      const { seen } = yield* everySight(
        Effect.exit(Durable.map("letters", ["a"], (letter) => Effect.succeed(letter), { batchSerdes: wrong }))
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) {
        const defect = defectOf(exit)
        assert.instanceOf(defect, DurableError.SerdesFailed)
        assert.strictEqual(defect.operation, "letters")
        assert.include(defect.message, "BatchResult.fromValues")
      }
    })
  )

  it.effect("that fails to write is SerdesFailed", () =>
    Effect.gen(function* () {
      const wrong = Serdes.make<BatchResult.BatchResult<string, never>>({
        serialize: () => {
          throw new Error("no ink")
        },
        deserialize: () => BatchResult.fromValues("letters", [])
      })
      const ran = yield* execute(
        Durable.map("letters", ["a"], (letter) => Effect.succeed(letter), { batchSerdes: wrong })
      )
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.include(failureOf(ran).errorMessage, "no ink")
    })
  )
})

describe("A map whose items retry, wait and fail", () => {
  it.effect("has the same outcome after every suspension", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.map(
          Durable.map(
            "map",
            [1, 2, 3, 4],
            (n) =>
              n % 2 === 0
                ? failAfter(n, `${n}`)
                : Durable.step(
                    "work",
                    Effect.flatMap(Durable.StepContext, ({ attempt }) =>
                      attempt < 3 ? decline("again") : Effect.succeed(n)
                    ),
                    declared
                  ),
            { ...declared, ...all, concurrency: 2 }
          ),
          linesOf
        )
      )
      assertAlike(seen, 2)
      assert.deepStrictEqual(seen[0], ["ALL_COMPLETED", "0 SUCCEEDED 1", "1 FAILED 2", "2 SUCCEEDED 3", "3 FAILED 4"])
    })
  )
})
