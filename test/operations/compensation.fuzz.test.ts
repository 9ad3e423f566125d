/**
 * Random sagas, whose process dies at a random request: whatever was recorded as done is undone once, the last first.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import process from "node:process"
import type { Operation } from "../../src/wire/Operation.ts"
import { crashAt, execute, failureOf } from "./support.ts"

type Block =
  | { readonly kind: "book" }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: (typeof compounds)[number]; readonly blocks: ReadonlyArray<Block> }

const compounds = ["sequence", "child", "flat", "all", "parallel", "race", "retry", "caught", "timeout"] as const

const { block } = FastCheck.letrec<{ block: Block }>((tie) => ({
  block: FastCheck.oneof(
    { depthSize: "small" },
    FastCheck.constant<Block>({ kind: "book" }),
    FastCheck.integer({ min: 1, max: 9 }).map((seconds): Block => ({ kind: "wait", seconds })),
    FastCheck.tuple(
      FastCheck.constantFrom(...compounds),
      FastCheck.array(tie("block"), { minLength: 1, maxLength: 3 })
    ).map(([kind, blocks]): Block => ({ kind, blocks }))
  )
}))

const both = { concurrency: "unbounded" } as const
const retry = RetryPolicy.fixed({ maxAttempts: 2, delay: "2 seconds" })

type Program = Effect.Effect<void, never, Durable.Execution>

/** Where bookings stand that may be cut off, and those that may be made more than once. */
interface Doubtful {
  readonly losing: Set<string>
  readonly repeated: Set<string>
}

/** The program of a block. Every booking has a name that tells where it stands. */
const programOf = (block: Block, path: string, doubtful: Doubtful): Program => {
  if (block.kind === "wait") return Durable.wait("wait", block.seconds * 1_000)
  if (block.kind === "book") {
    return Effect.asVoid(
      Durable.withCompensation(path, Durable.step(`book ${path}`, Effect.succeed(path)), (booked) =>
        Effect.gen(function* () {
          if (booked.length % 2 === 0) yield* Durable.wait("cool-off", "3 seconds")
          yield* Durable.step(`cancel ${booked}`, Effect.void)
        })
      )
    )
  }
  const { kind } = block
  for (const name of namesIn(block, path)) {
    if (kind === "race" || kind === "parallel" || kind === "timeout") doubtful.losing.add(name)
    if (kind === "retry") doubtful.repeated.add(name)
  }
  const parts = block.blocks.map((part, index) => programOf(part, `${path}.${index}`, doubtful))
  const sequence: Program = Effect.asVoid(
    Effect.forEach(parts, (part, index) => Durable.child(`part ${index}`, part, { flat: true }))
  )
  switch (kind) {
    case "sequence":
      return Durable.child("sequence", sequence, { flat: true })
    case "child":
      return Durable.child("child", sequence)
    case "flat":
      return Effect.asVoid(Durable.all("flat", parts, { ...both, flat: true }))
    case "all":
      return Effect.asVoid(Durable.all("all", parts, both))
    case "parallel":
      return Effect.asVoid(Durable.parallel("parallel", parts, { ...both, policy: CompletionPolicy.firstSuccessful }))
    case "race":
      return Durable.race("race", parts)
    case "timeout":
      return Effect.ignore(Durable.timeout("timeout", sequence, "4 seconds"))
    case "retry":
      return Effect.ignoreCause(Durable.retry("retry", Effect.andThen(sequence, Effect.die(new Error("no"))), retry))
    case "caught":
      return Effect.ignoreCause(Durable.child("caught", Effect.andThen(sequence, Effect.die(new Error("caught")))))
  }
}

const namesIn = (block: Block, path: string): ReadonlyArray<string> =>
  block.kind === "book"
    ? [path]
    : "blocks" in block
      ? block.blocks.flatMap((part, index) => namesIn(part, `${path}.${index}`))
      : []

/** When the contexts ended in which an operation stands. What is recorded as they end may be recorded by chance. */
const contextsAround = (operations: ReadonlyArray<Operation>, { ParentId }: Operation): ReadonlyArray<number> => {
  const parent = operations.find(({ Id }) => Id === ParentId)
  return parent === undefined ? [] : [parent.EndTimestamp ?? Infinity, ...contextsAround(operations, parent)]
}

describe("random sagas", () => {
  it("undo whatever was done, once, the last first, wherever the process dies", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        block,
        FastCheck.nat({ max: 40 }),
        FastCheck.constantFrom("before" as const, "after" as const),
        (saga, at, when) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const doubtful: Doubtful = { losing: new Set(), repeated: new Set() }
              const body = Effect.andThen(
                programOf(saga, "b", doubtful),
                Effect.andThen(Durable.wait("replay", "1 hour"), Effect.die(new Error("the end")))
              )
              let requests = 0
              const ran = yield* execute(body, { store: crashAt(() => requests++ === at, when) })
              assert.strictEqual(failureOf(ran).errorMessage, "the end")
              const ended = (name: string) =>
                ran.operations.filter(({ Name, Status }) => Name === name && Status === "SUCCEEDED")
              const undos = ran.operations.filter(({ Name }) => Name?.startsWith("compensate:"))
              for (const undo of undos) assert.strictEqual(undo.Status, "SUCCEEDED")
              for (const path of namesIn(saga, "b")) {
                const booked = ended(`book ${path}`)
                const cancelled = ended(`cancel ${path}`).length
                const isCutOff = (booking: Operation): boolean =>
                  doubtful.losing.has(path) &&
                  contextsAround(ran.operations, booking).some((context) => context <= booking.EndTimestamp!)
                const cutOff = booked.filter(isCutOff).length
                if (!doubtful.losing.has(path) && !doubtful.repeated.has(path)) assert.lengthOf(booked, 1, path)
                assert.isAtMost(cancelled, booked.length, path)
                assert.isAtLeast(cancelled, booked.length - cutOff, path)
              }
              const times = undos.map(({ Name }) => ended(`book ${Name?.slice("compensate:".length)}`))
              for (let i = 1; i < times.length; i++) {
                const [earlier, later] = [times[i - 1]!, times[i]!]
                if (earlier.length > 1 || later.length > 1) continue
                assert.isAtLeast(earlier[0]?.EndTimestamp ?? 0, later[0]?.EndTimestamp ?? 0, "the last first")
              }
            })
          )
      ),
      { numRuns: Number(process.env["SAGAS"] ?? 150), seed: Number(process.env["SEED"]), endOnFailure: false }
    ))
})
