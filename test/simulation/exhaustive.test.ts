/**
 * Small programs, each killed at every request that it sends to the service, before and after the request is applied,
 * once and twice. Nothing is drawn at random here.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertFailures, assertSame, assertSound, wasInterrupted } from "./invariants.ts"
import type { Answer, Attempt, Callee, Look, Node, Of, Program } from "./program.ts"
import { noFaults, showSchedule, type Fault, type Schedule } from "./schedule.ts"
import { simulate, type Observed } from "./simulate.ts"

/** A part of a program; its number is given when the program is whole. */
const node = (kind: Kind, ...bodies: ReadonlyArray<Node>): Node => ({ ...kind, id: 0, bodies })

type Kind = Node extends infer N ? (N extends Node ? Omit<N, "bodies" | "id"> : never) : never
type Options<Op extends Node["op"]> = Partial<Omit<Of<Op>, "bodies" | "id" | "op">>

const step = (name: string, options: Options<"step"> = {}): Node =>
  node({ op: "step", name, script: ["ok"], retry: "none", once: false, millis: 0, ...options })
const wait = (name: string, seconds = 1): Node => node({ op: "wait", name, seconds })
const sleep = (seconds: number): Node => node({ op: "sleep", seconds })
const nap = (millis: number): Node => node({ op: "nap", millis })
const invoke = (name: string, callee: Callee, timeout = false): Node => node({ op: "invoke", name, callee, timeout })
const sequence = (...nodes: ReadonlyArray<Node>): Node => node({ op: "sequence" }, ...nodes)
const child = (name: string, ...nodes: ReadonlyArray<Node>): Node =>
  node({ op: "child", name, kind: "recorded" }, sequence(...nodes))
const all = (...branches: ReadonlyArray<Node>): Node =>
  node({ op: "all", failFast: false, concurrency: "unbounded" }, ...branches)
const nothing = sequence()
const failing = (name: string): Node => step(name, { script: ["fail"] })
const handled = (body: Node): Node => node({ op: "exit" }, body)
const orElse = (body: Node, handler: Node): Node => node({ op: "catch" }, body, handler)

const callback = (name: string, answer: Partial<Answer>, meanwhile: Node = nothing): Node =>
  node(
    { op: "callback", name, answer: { kind: "value", beats: 0, seconds: 2, ...answer }, json: true, where: "here" },
    meanwhile
  )
const submitted = (name: string, answer: Partial<Answer>, script: ReadonlyArray<Attempt> = ["ok"]): Node =>
  node({
    op: "waitForCallback",
    name,
    answer: { kind: "value", beats: 0, seconds: 2, ...answer },
    script,
    retry: { attempts: 2, seconds: 1 }
  })
const condition = (name: string, ...script: ReadonlyArray<Look>): Node =>
  node({ op: "condition", name, script, maxAttempts: 3, seconds: 1, millis: 0 })
const batch = (branches: ReadonlyArray<Node>, options: Options<"batch"> = {}): Node =>
  node(
    {
      op: "batch",
      name: "batch",
      kind: "parallel",
      policy: "allCompleted",
      concurrency: "unbounded",
      flat: false,
      large: false,
      ...options
    },
    ...branches
  )
const every = (branches: ReadonlyArray<Node>, options: Options<"durableAll"> = {}): Node =>
  node({ op: "durableAll", name: "every", kind: "all", concurrency: 1, flat: false, ...options }, ...branches)
const race = (until: "success" | "end", branches: ReadonlyArray<Node>, days?: number): Node =>
  node({ op: "durableRace", name: "race", until, days, large: false }, ...branches)
const compensated = (name: string, body: Node, undo: Node): Node => node({ op: "compensate", name }, body, undo)
const mixed = [sequence(step("a"), wait("pause", 2)), handled(failing("b")), sequence(wait("pause"), step("c"))]
/** What the clock, the dice and the order of fibers show. */
const look = sequence(node({ op: "clock", waits: true }), node({ op: "random" }), node({ op: "count" }))

const programs: Readonly<Record<string, Node>> = {
  "steps in a row": sequence(step("a"), step("b"), step("c")),
  "a wait between two steps": sequence(step("a"), wait("pause"), step("b")),
  "a step that succeeds at the third attempt": step("flaky", {
    script: ["fail", "die", "ok"],
    retry: { attempts: 3, seconds: 1 }
  }),
  "a step that fails for good, and what follows": orElse(
    step("hopeless", { script: ["fail"], retry: { attempts: 2, seconds: 2 } }),
    step("instead")
  ),
  "a defect that is handled": node(
    { op: "catchDefect" },
    child("group", step("broken", { script: ["die"] })),
    step("instead")
  ),
  "children in children": child("outer", child("inner", step("a"), wait("pause")), step("b")),
  "a child with a large result": sequence(
    node({ op: "child", name: "large", kind: "large" }, sequence(step("a"), wait("pause"))),
    step("b")
  ),
  "a flat child in a loop": node(
    { op: "repeat", times: 3 },
    node({ op: "child", name: "round", kind: "flat" }, sequence(step("a"), wait("pause")))
  ),
  "invokes of both kinds": sequence(invoke("plain", "double"), invoke("durable", "worker")),
  "an invoke that comes in time": sequence(invoke("double", "double", true), step("after")),
  "an invoke that is too late": orElse(invoke("silent", "silent", true), step("instead")),
  "an error that a callee declares": orElse(invoke("ask", "refuser"), step("instead")),
  "branches side by side": all(
    sequence(step("a"), wait("pause", 2)),
    sequence(wait("pause", 1), step("b")),
    invoke("slow", "slow")
  ),
  "a fork that is joined later": sequence(
    node({ op: "fork", detached: true, end: "join" }, sequence(wait("aside", 3), step("a")), step("b")),
    step("c")
  ),
  "a finalizer with operations": handled(
    node(
      { op: "onExit" },
      sequence(step("work"), wait("pause"), node({ op: "fail" })),
      sequence(step("undo"), wait("rest"))
    )
  ),
  "a step at most once per attempt": sequence(
    step("once", { once: true, retry: { attempts: 3, seconds: 1 } }),
    wait("pause")
  ),
  "a step at most once": sequence(orElse(step("once", { once: true }), nothing), step("after")),
  "a callback that is answered while something else goes on": callback(
    "ask",
    {},
    sequence(wait("pause", 5), step("a"))
  ),
  "a callback that is answered before anybody waits for it": sequence(callback("ask", { seconds: 0 }), step("a")),
  "a callback that is refused": handled(callback("ask", { kind: "error" })),
  "a callback that gets heartbeats, and then no more": handled(callback("ask", { kind: "never", beats: 2 })),
  "a callback that nobody answers": orElse(submitted("ask", { kind: "never" }), step("instead")),
  "a callback that is told of twice": sequence(submitted("ask", {}, ["fail", "ok"]), wait("pause")),
  "a callback of which nobody is told": handled(submitted("ask", { seconds: 0 }, ["fail"])),
  "a condition that holds at the third look": sequence(condition("look", "again", "again", "done"), step("a")),
  "a condition that never holds": orElse(condition("look", "again"), step("instead")),
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
  "a race that a block wins": sequence(race("end", [sequence(wait("pause"), step("a"))], 300), step("after")),
  "a time-out that passes": handled(
    node({ op: "timeout", name: "limit", seconds: 60, days: 0, large: false }, sequence(step("a"), wait("long", 600)))
  ),
  "a time-out that does not pass": sequence(
    node(
      { op: "timeout", name: "limit", seconds: undefined, days: 300, large: true },
      sequence(wait("pause"), step("a"))
    ),
    step("after")
  ),
  "a block that fails twice": sequence(
    handled(
      node(
        { op: "retryBlock", name: "block", attempts: 3, seconds: 2, large: false },
        sequence(step("a"), node({ op: "fail" }))
      )
    ),
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
  "a change of the code": sequence(step("a"), node({ op: "patched", name: "change" }), wait("pause"), step("b")),
  "a hold beside a wait": all(node({ op: "hold" }), wait("pause"), step("slow", { millis: 700 })),
  "sleeps and naps side by side": all(
    sequence(sleep(3), look),
    sequence(nap(300), step("a"), look),
    sequence(wait("pause", 2), look)
  ),
  "a queue between fibers": node(
    { op: "queue", capacity: 1 },
    sequence(wait("late", 3), look),
    step("early", { millis: 700 }),
    sequence(sleep(2), step("between")),
    node({ op: "pure" })
  ),
  "a value that fibers wait for": node(
    { op: "deferred", setters: 1 },
    sequence(wait("pause", 2), step("make")),
    sequence(sleep(1), step("a"), look),
    step("b")
  ),
  "one permit for three fibers": node(
    { op: "semaphore", permits: 1 },
    sequence(step("a"), wait("pause", 2)),
    sequence(step("b"), look),
    sequence(nap(20), step("c"))
  ),
  "a value that the first fiber makes": node(
    { op: "cached" },
    sequence(wait("pause", 2), look),
    step("early"),
    sequence(step("make"), sleep(3))
  ),
  "attempts that a schedule spaces out": handled(
    node({ op: "schedule", kind: "retry", times: 2, seconds: 2, grows: true }, sequence(look, failing("a")))
  ),
  "rounds that a schedule spaces out": node(
    { op: "schedule", kind: "repeat", times: 2, seconds: 3, grows: false },
    sequence(step("a"), look)
  ),
  "a limit of Effect that does not strike": sequence(
    node({ op: "limit", seconds: undefined, days: 300 }, sequence(wait("pause"), step("a"))),
    step("after")
  ),
  "a finalizer of Effect's own": node({ op: "ensuring" }, sequence(step("a"), wait("pause")), step("tidy up"))
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
  { kind: "again", later: 1 },
  { kind: "unavailable", when: "before" },
  { kind: "unavailable", when: "after" },
  { kind: "twice" }
]

/** EXHAUSTIVE=1 tries every pair of deaths; otherwise a pair in five or less, other ones for every program. */
const strideOf = (requests: number): number =>
  process.env["EXHAUSTIVE"] === undefined ? Math.max(5, Math.ceil((2 * requests ** 2) / 20)) : 1

const calm: ReadonlyArray<Partial<Schedule>> = [
  { pageItems: 1 },
  { latencies: [3, 0, 5] },
  { echoes: true },
  { coarse: { behind: [0, 1, 2], lags: [true, false] } },
  { coarse: { behind: [1], lags: [false] }, mute: [true] }
]

describe("A program that is killed at any request ends in the same way", () => {
  Object.entries(programs).forEach(([title, tree], index) => {
    const program: Program = { root: numbered(tree), isSteady: true, sharesNames: false }

    const check = async (oracle: Observed, changes: Partial<Schedule>): Promise<void> => {
      const schedule = { ...noFaults, ...changes }
      const run = await simulate(program, schedule)
      try {
        assertSound(run, program)
        assertFailures(run, schedule)
        if (!wasInterrupted(run)) assertSame(run, oracle, schedule, program)
      } catch (error) {
        throw new Error(showSchedule(schedule), { cause: error })
      }
    }

    it(title, async () => {
      const oracle = await simulate(program)
      assertSound(oracle, program)
      for (const changes of calm) await check(oracle, changes)
      for (let at = 0; at < oracle.requests; at++) {
        for (const fault of singles) await check(oracle, { faults: { [at]: fault } })
      }
      let pair = index
      const stride = strideOf(oracle.requests)
      for (let first = 0; first < oracle.requests; first++) {
        for (const one of deaths) {
          // After a death there are more requests than in a run without.
          for (let second = first + 1; second <= oracle.requests + 1; second++) {
            for (const other of deaths)
              if (pair++ % stride === 0) await check(oracle, { faults: { [first]: one, [second]: other } })
          }
        }
      }
      assert.isAbove(oracle.requests, 0)
    })
  })
})

/** The same program, each node of which has a number of its own. */
const numbered = (root: Node): Node => {
  let ids = 0
  const visit = (one: Node): Node => ({ ...one, id: ++ids, bodies: one.bodies.map(visit) })
  return visit(root)
}
