/**
 * Small programs, each killed at every request that it sends to the service, before and after the request is applied,
 * once and twice. Nothing is drawn at random here.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertFailures, assertSame, assertSound, wasInterrupted } from "./invariants.ts"
import { normalise, type Callee, type Node } from "./program.ts"
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

/** EXHAUSTIVE=1 tries every pair of deaths; otherwise a pair in five, other ones for every program. */
const every = process.env["EXHAUSTIVE"] === undefined ? 5 : 1

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
      for (let first = 0; first < oracle.requests; first++) {
        for (const one of deaths) {
          // After a death there are more requests than in a run without.
          for (let second = first + 1; second <= oracle.requests + 1; second++) {
            for (const other of deaths) if (pair++ % every === 0) await check(oracle, { [first]: one, [second]: other })
          }
        }
      }
      assert.isAbove(oracle.requests, 0)
    })
  })
})
