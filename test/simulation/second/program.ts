/**
 * Whole workflows as data, with Effect's own concurrency beside that of the library.
 *
 * A node turns a number into a number, and mixes into it whatever it learns.
 */
import { labelOf, type Grammar, type Tree } from "../kit/tree.ts"

export type Concurrency = 1 | 2 | "unbounded"

type Leaf =
  | { readonly kind: "nothing" }
  /** Attempts that fail are repeated after some seconds, twice. */
  | {
      readonly kind: "step"
      readonly pace: "now" | "turn"
      readonly failures: number
      readonly seconds: number
      readonly ends: "value" | "error"
    }
  | { readonly kind: "Durable.wait" | "Effect.sleep"; readonly seconds: number }
  /** Less than a second. */
  | { readonly kind: "nap"; readonly millis: number }
  | { readonly kind: "invoke"; readonly seconds: number; readonly fails: boolean }
  | { readonly kind: "waitForCallback"; readonly answer: Answer }
  | { readonly kind: "condition"; readonly looks: number; readonly seconds: number }
  /** Reads that flow into the value of a step. */
  | { readonly kind: "clock"; readonly isSynchronous: boolean }
  | { readonly kind: "random" | "uuid" }
  /** State that all fibers of a context share: a `Ref`, and a queue that nobody waits for. */
  | { readonly kind: "count" | "post" | "peek" }
  | { readonly kind: "patched" }
  | { readonly kind: "yieldNow" | "fail" }

/** Seconds until somebody answers; or until nobody does any more. */
export type Answer = { readonly after: number } | { readonly timeout: number }

type Sequential =
  | { readonly kind: "sequence" | "exit" | "uninterruptible" | "onInterrupt" | "Durable.onExit" }
  /** Two bodies: one acquires, one uses. */
  | { readonly kind: "acquireRelease"; readonly release: "count" | "step" }
  | { readonly kind: "loop"; readonly times: number }
  /** The body goes on while it is open. */
  | { readonly kind: "callback"; readonly answer: Answer }
  /** The first rounds fail after their body. */
  | { readonly kind: "Effect.retry"; readonly failures: number; readonly seconds: number; readonly jitter: boolean }
  | { readonly kind: "Effect.repeat"; readonly times: number; readonly seconds: number; readonly jitter: boolean }

type Durable =
  | { readonly kind: "child"; readonly flat: boolean }
  | { readonly kind: "Durable.all"; readonly concurrency: Concurrency; readonly flat: boolean }
  | {
      readonly kind: "Durable.forEach"
      readonly concurrency: Concurrency
      readonly flat: boolean
      readonly items: number
    }
  | {
      readonly kind: "Durable.parallel"
      readonly concurrency: Concurrency
      readonly flat: boolean
      readonly policy: "allSuccessful" | "allCompleted" | "firstSuccessful"
    }
  | { readonly kind: "Durable.race" | "Durable.raceFirst" }
  | { readonly kind: "Durable.timeout"; readonly seconds: number }
  | { readonly kind: "Durable.retry"; readonly failures: number; readonly seconds: number }

type Concurrent =
  | { readonly kind: "Effect.all"; readonly concurrency: Concurrency }
  | { readonly kind: "Effect.forEach"; readonly concurrency: Concurrency; readonly items: number }
  | { readonly kind: "Effect.race" | "Effect.raceFirst" }
  | { readonly kind: "Effect.timeout"; readonly seconds: number }
  /** Two bodies: one in a fiber of its own, and one meanwhile. */
  | {
      readonly kind: "fork"
      readonly how: "forkChild" | "forkScoped" | "forkDetach"
      readonly afterwards: "join" | "leave" | "interrupt"
    }
  /** All bodies in fibers of a set; or of a map with two keys, where a later one takes the place of an earlier one. */
  | { readonly kind: "FiberSet" | "FiberMap" }
  /** Two bodies: one makes so many items, and fibers take them and do the other with each. */
  | { readonly kind: "Queue"; readonly items: number; readonly takers: number; readonly capacity: number }
  | { readonly kind: "PubSub"; readonly items: number; readonly takers: number }
  /** Two bodies: one makes a value, and fibers wait for it and do the other. */
  | { readonly kind: "Deferred" | "Latch" | "cached"; readonly takers: number }
  | { readonly kind: "Semaphore"; readonly permits: number }
  | { readonly kind: "Stream.merge"; readonly items: number }
  | {
      readonly kind: "Stream.mapEffect"
      readonly items: number
      readonly concurrency: number
      readonly unordered: boolean
    }

export type Node = Tree<Node> & (Leaf | Sequential | Durable | Concurrent)
export type Kinded<K extends Node["kind"]> = Node & { readonly kind: K }

export interface Program {
  readonly root: Node
  /**
   * Whether a crash, which delays what comes after it by some seconds, can change nothing: times that matter lie far apart,
   * and nothing takes turns of the event loop beside something else. Then a killed run ends as one that was not killed.
   */
  readonly isSteady: boolean
  /** Whether operations have names that others have too, in other fibers as well. */
  readonly sharesNames: boolean
}

const lists: ReadonlySet<Node["kind"]> = new Set<Node["kind"]>([
  "sequence",
  "Durable.all",
  "Durable.parallel",
  "Durable.race",
  "Durable.raceFirst",
  "Effect.all",
  "Effect.race",
  "Effect.raceFirst",
  "FiberSet",
  "FiberMap",
  "Semaphore"
])

export const isList = ({ kind }: Node): boolean => lists.has(kind)

export const grammar: Grammar<Node> = {
  nothing: (id) => ({ id, kind: "nothing", bodies: [] }),
  isNothing: ({ kind }) => kind === "nothing",
  isList,
  simpler: (node) => {
    const fewer: Array<Node> = []
    if (node.kind === "step" && node.pace === "turn") fewer.push({ ...node, pace: "now" })
    if (node.kind === "step" && node.failures > 0) fewer.push({ ...node, failures: 0 })
    if ("items" in node && node.items > 1) fewer.push({ ...node, items: node.items - 1 })
    if ("takers" in node && node.takers > 1) fewer.push({ ...node, takers: node.takers - 1 })
    if ("times" in node && node.times > 1) fewer.push({ ...node, times: node.times - 1 })
    if ("flat" in node && !node.flat) fewer.push({ ...node, flat: true })
    return fewer
  },
  label: labelOf
}
