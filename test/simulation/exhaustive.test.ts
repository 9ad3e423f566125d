/**
 * Small programs, each killed at every request that it sends to the service, before and after the request is applied,
 * once and twice. Nothing is drawn at random here.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertFailures, assertSame, assertSound, wasInterrupted } from "./invariants.ts"
import { normalise, type Answer, type Attempt, type Callee, type Look, type Node } from "./program.ts"
import { noFaults, simulate, type Fault, type Observed, type Schedule } from "./simulate.ts"

const step = (name: string, options: Partial<Extract<Node, { readonly op: "step" }>> = {}): Node => ({
  op: "step",
  name,
  script: ["ok"],
  retry: "none",
  once: false,
  millis: 0,
  ...options
})
const wait = (name: string, seconds = 1): Node => ({ op: "wait", name, seconds })
const invoke = (name: string, callee: Callee, timeout = false): Node => ({ op: "invoke", name, callee, timeout })
const child = (name: string, ...nodes: ReadonlyArray<Node>): Node => ({
  op: "child",
  name,
  kind: "recorded",
  body: sequence(...nodes)
})
const sequence = (...nodes: ReadonlyArray<Node>): Node => ({ op: "sequence", nodes })
const all = (...branches: ReadonlyArray<Node>): Node => ({ op: "all", key: 0, branches, failFast: false })
const nothing = sequence()
const failing = (name: string): Node => step(name, { script: ["fail"] })
const handled = (body: Node): Node => ({ op: "exit", body })

type Of<Op extends Node["op"]> = Extract<Node, { readonly op: Op }>

const callback = (name: string, answer: Partial<Answer>, meanwhile: Node = nothing): Node => ({
  op: "callback",
  key: 0,
  name,
  answer: { kind: "value", beats: 0, seconds: 2, ...answer },
  json: true,
  where: "here",
  meanwhile
})
const submitted = (name: string, answer: Partial<Answer>, script: ReadonlyArray<Attempt> = ["ok"]): Node => ({
  op: "waitForCallback",
  key: 0,
  name,
  answer: { kind: "value", beats: 0, seconds: 2, ...answer },
  script,
  retry: { attempts: 2, seconds: 1 }
})
const condition = (name: string, ...script: ReadonlyArray<Look>): Node => ({
  op: "condition",
  key: 0,
  name,
  script,
  maxAttempts: 3,
  seconds: 1,
  millis: 0
})
const batch = (branches: ReadonlyArray<Node>, options: Partial<Of<"batch">> = {}): Node => ({
  op: "batch",
  key: 0,
  name: "batch",
  kind: "parallel",
  branches,
  policy: "allCompleted",
  concurrency: "unbounded",
  flat: false,
  large: false,
  ...options
})
const every = (branches: ReadonlyArray<Node>, options: Partial<Of<"durableAll">> = {}): Node => ({
  op: "durableAll",
  key: 0,
  name: "every",
  kind: "all",
  branches,
  concurrency: 1,
  flat: false,
  ...options
})
const race = (until: "success" | "end", branches: ReadonlyArray<Node>, days?: 0): Node => ({
  op: "durableRace",
  key: 0,
  name: "race",
  until,
  branches,
  days,
  large: false
})
const compensated = (name: string, body: Node, undo: Node): Node => ({ op: "compensate", key: 0, name, body, undo })
const mixed = [sequence(step("a"), wait("pause", 2)), handled(failing("b")), sequence(wait("pause"), step("c"))]

const programs: Readonly<Record<string, Node>> = {
  "steps in a row": sequence(step("a"), step("b"), step("c")),
  "a wait between two steps": sequence(step("a"), wait("pause"), step("b")),
  "a step that succeeds at the third attempt": step("flaky", {
    script: ["fail", "die", "ok"],
    retry: { attempts: 3, seconds: 1 }
  }),
  "a step that fails for good, and what follows": {
    op: "catch",
    body: step("hopeless", { script: ["fail"], retry: { attempts: 2, seconds: 2 } }),
    handler: step("instead")
  },
  "a defect that is handled": {
    op: "catchDefect",
    body: child("group", step("broken", { script: ["die"] })),
    handler: step("instead")
  },
  "children in children": child("outer", child("inner", step("a"), wait("pause")), step("b")),
  "a child with a large result": sequence(
    { op: "child", name: "large", kind: "large", body: sequence(step("a"), wait("pause")) },
    step("b")
  ),
  "a flat child in a loop": {
    op: "repeat",
    key: 0,
    times: 3,
    body: { op: "child", name: "round", kind: "flat", body: sequence(step("a"), wait("pause")) }
  },
  "invokes of both kinds": sequence(invoke("plain", "double"), invoke("durable", "worker")),
  "an invoke that comes in time": sequence(invoke("double", "double", true), step("after")),
  "an invoke that is too late": {
    op: "catch",
    body: invoke("silent", "silent", true),
    handler: step("instead")
  },
  "an error that a callee declares": { op: "catch", body: invoke("ask", "refuser"), handler: step("instead") },
  "branches side by side": all(
    sequence(step("a"), wait("pause", 2)),
    sequence(wait("pause", 1), step("b")),
    invoke("slow", "slow")
  ),
  "a fork that is joined later": sequence(
    { op: "fork", key: 0, detached: true, body: sequence(wait("aside", 3), step("a")), meanwhile: step("b") },
    step("c")
  ),
  "a finalizer with operations": {
    op: "exit",
    body: {
      op: "onExit",
      body: sequence(step("work"), wait("pause"), { op: "fail" }),
      finalizer: sequence(step("undo"), wait("rest"))
    }
  },
  "a step at most once per attempt": sequence(
    step("once", { once: true, retry: { attempts: 3, seconds: 1 } }),
    wait("pause")
  ),
  "a step at most once": sequence({ op: "catch", body: step("once", { once: true }), handler: nothing }, step("after")),
  "a callback that is answered while something else goes on": callback(
    "ask",
    {},
    sequence(wait("pause", 5), step("a"))
  ),
  "a callback that is answered before anybody waits for it": sequence(callback("ask", { seconds: 0 }), step("a")),
  "a callback that is refused": handled(callback("ask", { kind: "error" })),
  "a callback that gets heartbeats, and then no more": handled(callback("ask", { kind: "never", beats: 2 })),
  "a callback that nobody answers": {
    op: "catch",
    body: submitted("ask", { kind: "never" }),
    handler: step("instead")
  },
  "a callback that is told of twice": sequence(submitted("ask", {}, ["fail", "ok"]), wait("pause")),
  "a callback of which nobody is told": handled(submitted("ask", { seconds: 0 }, ["fail"])),
  "a condition that holds at the third look": sequence(condition("look", "again", "again", "done"), step("a")),
  "a condition that never holds": { op: "catch", body: condition("look", "again"), handler: step("instead") },
  "a condition that cannot be looked at": handled(condition("look", "again", "die")),
  "a batch whose items end in all ways": sequence(batch(mixed), step("after")),
  "a flat batch of two at a time": sequence(batch(mixed, { kind: "map", flat: true, concurrency: 2 }), step("after")),
  "a batch that is too large to be recorded": sequence(batch(mixed, { large: true }), wait("pause")),
  "a batch in a batch": batch([batch(mixed, { flat: true }), sequence(wait("pause"), batch([step("a")]))]),
  "a batch that ends at the first success": sequence(
    batch([failing("a"), sequence(wait("pause"), step("b")), step("c")], { policy: "firstSuccessful", concurrency: 1 }),
    step("after")
  ),
  "a batch that ends at the first failure": sequence(
    batch([step("a"), sequence(wait("pause"), failing("b")), step("c")], { policy: "allSuccessful", concurrency: 1 }),
    step("after")
  ),
  "a batch that lets go of an item": sequence(
    batch([wait("short", 2), wait("long", 9)], { policy: { minSuccessful: 1 } }),
    step("after")
  ),
  "all of some branches": sequence(every(mixed, { kind: "record", concurrency: "unbounded" }), step("after")),
  "all of some items, one of which fails": handled(every([step("a"), failing("b"), step("c")], { kind: "forEach" })),
  "a race of waits": sequence(race("end", [wait("long", 9), wait("short", 2)]), step("after")),
  "a race that the first failure does not end": sequence(
    race("success", [failing("a"), wait("short", 2), wait("long", 9)]),
    step("after")
  ),
  "a race that a block wins": sequence(race("end", [sequence(wait("pause"), step("a"))], 0), step("after")),
  "a time-out that passes": handled({
    op: "timeout",
    key: 0,
    name: "limit",
    body: sequence(step("a"), wait("long", 60)),
    seconds: 3,
    days: 0,
    large: false
  }),
  "a time-out that does not pass": sequence(
    {
      op: "timeout",
      key: 0,
      name: "limit",
      body: sequence(wait("pause"), step("a")),
      seconds: undefined,
      days: 0,
      large: true
    },
    step("after")
  ),
  "a block that fails twice": sequence(
    handled({
      op: "retryBlock",
      key: 0,
      name: "block",
      attempts: 3,
      seconds: 2,
      large: false,
      body: sequence(step("a"), { op: "fail" })
    }),
    step("after")
  ),
  "what is undone when the execution fails": sequence(
    compensated("first", step("a"), sequence(step("undo a"), wait("rest"))),
    child("group", compensated("second", sequence(step("b"), wait("pause")), failing("undo b"))),
    failing("end")
  ),
  "what a batch did and is undone": sequence(
    batch([compensated("first", step("a"), step("undo a")), compensated("second", wait("pause"), step("undo b"))]),
    failing("end")
  ),
  "what is not undone when the execution succeeds": sequence(
    compensated("first", step("a"), step("undo a")),
    handled(failing("end"))
  ),
  "a change of the code": sequence(
    step("a"),
    { op: "patched", key: 0, name: "change", alone: false },
    wait("pause"),
    step("b")
  ),
  "a hold beside a wait": all({ op: "hold" }, wait("pause"), step("slow", { millis: 700 }))
}

const deaths: ReadonlyArray<Fault> = [
  { kind: "death", when: "before" },
  { kind: "death", when: "after" }
]

/** More of them beside these: the service gives up an invocation that goes on, and a request is repeated. */
const singles: ReadonlyArray<Fault> = [
  ...deaths,
  { kind: "stale", when: "after" },
  { kind: "abandoned", turns: 0 },
  { kind: "abandoned", turns: 3 },
  { kind: "unavailable", when: "before" },
  { kind: "unavailable", when: "after" },
  { kind: "twice" }
]

/** EXHAUSTIVE=1 tries every pair of deaths; otherwise a pair in five or less, other ones for every program. */
const strideOf = (requests: number): number =>
  process.env["EXHAUSTIVE"] === undefined ? Math.max(5, Math.ceil((2 * requests ** 2) / 20)) : 1

describe("A program that is killed at any request ends in the same way", () => {
  Object.entries(programs).forEach(([title, tree], index) => {
    const program = normalise(tree)

    const check = async (oracle: Observed, faults: Schedule["faults"]): Promise<Observed> => {
      const schedule = { ...noFaults, faults }
      const run = await simulate(program, schedule)
      try {
        assertSound(run, program)
        assertFailures(run, schedule)
        if (!wasInterrupted(run)) assertSame(run, oracle, schedule)
      } catch (error) {
        throw new Error(`under ${JSON.stringify(faults)}`, { cause: error })
      }
      return run
    }

    it(title, { timeout: 120_000 }, async () => {
      const oracle = await simulate(program)
      assertSound(oracle, program)
      for (let at = 0; at < oracle.requests; at++) {
        for (const fault of singles) await check(oracle, { [at]: fault })
      }
      let pair = index
      const stride = strideOf(oracle.requests)
      for (let first = 0; first < oracle.requests; first++) {
        for (const one of deaths) {
          // After a death there are more requests than in a run without.
          for (let second = first + 1; second <= oracle.requests + 1; second++) {
            for (const other of deaths)
              if (pair++ % stride === 0) await check(oracle, { [first]: one, [second]: other })
          }
        }
      }
      assert.isAbove(oracle.requests, 0)
    })
  })
})
