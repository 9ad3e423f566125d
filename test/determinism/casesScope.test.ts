/**
 * Scopes: a child, a branch and an item have a scope each, which is closed at their end. What was opened in there is closed in
 * there, once, and its closing is recorded before the workflow goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { everywhere, type Kit } from "../support/host.ts"
import { together, unhurried } from "./survives.ts"

/** Opens a table, which the scope around it closes. */
const table = (kit: Kit, name = "table") =>
  Effect.acquireRelease(kit.step(`open ${name}`), () => kit.step(`close ${name}`))

/** Opens a table, and uses it over a suspension. */
const used = (kit: Kit, name = "table", hours = 1) =>
  Effect.tap(table(kit, name), () => Durable.wait(`use ${name}`, `${hours} hours`))

const died = Effect.die(new Error("boom"))
const day = Effect.as(Durable.wait("a day", "1 day"), "a day")

type Block = (kit: Kit) => Effect.Effect<unknown, never, Durable.Execution | Scope>

const logs = (what: string, block: Block, log: ReadonlyArray<string>): void =>
  it.effect(
    what,
    () =>
      Effect.gen(function* () {
        const ran = yield* everywhere((kit) =>
          Effect.gen(function* () {
            yield* block(kit)
            yield* kit.step("after")
            yield* Durable.wait("later", "1 day")
            yield* kit.step("last")
          })
        )
        assert.deepStrictEqual(ran.log, log)
      }),
    unhurried
  )

const closedInside = ["open table", "close table", "after", "last"]

describe("what is opened is closed with the scope that it was opened in", () => {
  logs("of the workflow", (kit) => table(kit), ["open table", "after", "last", "close table"])
  logs("of an Effect.scoped", (kit) => Effect.scoped(used(kit)), closedInside)
  logs("of a child", (kit) => Durable.child("set up", table(kit)), closedInside)
  logs("of a child that is suspended meanwhile", (kit) => Durable.child("set up", used(kit)), closedInside)
  logs("of a flat child", (kit) => Durable.child("set up", used(kit), { flat: true }), closedInside)
  logs(
    "of a child in a child",
    (kit) => Durable.child("outer", Effect.andThen(table(kit, "outer"), Durable.child("inner", used(kit, "inner")))),
    ["open outer", "open inner", "close inner", "close outer", "after", "last"]
  )
  logs(
    "of a child that fails",
    (kit) => Effect.exit(Durable.child("set up", Effect.andThen(used(kit), died))),
    closedInside
  )
  logs(
    "of each item of a Durable.forEach, one after the other",
    (kit) => Durable.forEach("rows", [1, 2], (row) => used(kit, `row ${row}`)),
    ["open row 1", "close row 1", "open row 2", "close row 2", "after", "last"]
  )
  logs(
    "of each item of a Durable.forEach, side by side",
    (kit) => Durable.forEach("rows", [5, 2], (row) => used(kit, `row ${row}`, row), together),
    ["open row 5", "open row 2", "close row 2", "close row 5", "after", "last"]
  )
  logs(
    "of each item of a flat Durable.forEach",
    (kit) => Durable.forEach("rows", [1, 2], (row) => used(kit, `row ${row}`), { flat: true }),
    ["open row 1", "close row 1", "open row 2", "close row 2", "after", "last"]
  )
  logs("of each item of a Durable.map", (kit) => Durable.map("rows", [5, 2], (row) => used(kit, `row ${row}`, row)), [
    "open row 5",
    "open row 2",
    "close row 2",
    "close row 5",
    "after",
    "last"
  ])
  logs(
    "of each branch of a Durable.all",
    (kit) => Durable.all("both", { late: used(kit, "late", 5), early: used(kit, "early", 2) }, together),
    ["open late", "open early", "close early", "close late", "after", "last"]
  )
  logs(
    "of the branch of a Durable.timeout",
    (kit) => Effect.orDie(Durable.timeout("limit", used(kit), "1 day")),
    closedInside
  )
  logs("of the winner of a Durable.race", (kit) => Durable.race("first", [used(kit), day]), closedInside)
  logs("of an attempt", (kit) => Durable.retry("attempts", used(kit), RetryPolicy.none), closedInside)
})

describe("a fiber that is forked into the scope of a child", () => {
  logs(
    "ends with the child",
    (kit) =>
      Durable.child(
        "child",
        Effect.gen(function* () {
          yield* Effect.forkScoped(Effect.andThen(Durable.wait("too long", "9 hours"), kit.step("too late")))
          yield* Durable.wait("an hour", "1 hour")
          yield* kit.step("in time")
        })
      ),
    ["in time", "after", "last"]
  )
})
