/**
 * Workflows that fail at their end, as data: parts that have an undo, in every kind of branch.
 */
import { labelOf, type Grammar, type Tree } from "../kit/tree.ts"

/** How long the body of a step takes: nothing, a turn of the event loop, or some seconds. */
export type Pace = "now" | "turn" | number

/** What the undo of a part does: a step; a wait first; a step that fails at first, or for good; two branches. */
export type Undo = "step" | "wait" | "retry" | "failure" | "branches"

type Shape =
  | { readonly kind: "nothing" }
  | { readonly kind: "sequence" }
  | { readonly kind: "step"; readonly pace: Pace; readonly failures: number }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "sleep"; readonly millis: number }
  | { readonly kind: "fail"; readonly how: "error" | "defect" }
  /** Its body, and then the steps by which it is done: one, one inside of something, or two at once. */
  | {
      readonly kind: "part"
      readonly last: "step" | "child" | "flat" | "all" | "both"
      readonly pace: Pace
      readonly undo: Undo
    }
  /** An undo that stands before the step which it is about. */
  | { readonly kind: "precaution"; readonly undo: Undo }
  | { readonly kind: "catch" }
  | { readonly kind: "loop"; readonly times: number }
  | { readonly kind: "onExit" }
  | { readonly kind: "uninterruptible" }
  | { readonly kind: "child"; readonly flat: boolean }
  | ({ readonly kind: "Durable.all" } & Batch)
  | ({ readonly kind: "Durable.parallel"; readonly policy: Policy } & Batch)
  | ({ readonly kind: "Durable.forEach"; readonly items: number } & Batch)
  | ({ readonly kind: "Durable.map"; readonly items: number; readonly policy: Policy } & Batch)
  | { readonly kind: "Durable.race" | "Durable.raceFirst" | "Effect.race" | "Effect.raceFirst" }
  | { readonly kind: "Durable.timeout" | "Effect.timeout"; readonly seconds: number }
  /** The first attempts fail after their body. */
  | { readonly kind: "Durable.retry"; readonly attempts: number; readonly failures: number }
  | { readonly kind: "Effect.all"; readonly concurrency: Concurrency }
  | { readonly kind: "Effect.forEach"; readonly items: number; readonly concurrency: Concurrency }
  /** Two bodies: one in a fiber of its own, and one meanwhile. */
  | {
      readonly kind: "fork"
      readonly how: "forkChild" | "forkScoped" | "forkDetach"
      readonly afterwards: "join" | "leave" | "interrupt"
    }

export type Concurrency = 1 | 2 | "unbounded"
export type Policy = "allSuccessful" | "allCompleted" | "firstSuccessful"

interface Batch {
  readonly concurrency: Concurrency
  readonly flat: boolean
}

export type Node = Tree<Node> & Shape
export type Kinded<K extends Node["kind"]> = Node & { readonly kind: K }

export type End = "error" | "defect" | "interrupt" | "success"

export interface Program {
  readonly root: Node
  readonly end: End
  /** Whether operations have names that others have too, in other fibers as well. */
  readonly sharesNames: boolean
}

const lists: ReadonlySet<Node["kind"]> = new Set([
  "sequence",
  "Durable.all",
  "Durable.parallel",
  "Durable.race",
  "Durable.raceFirst",
  "Effect.race",
  "Effect.raceFirst",
  "Effect.all"
] as const)

export const grammar: Grammar<Node> = {
  nothing: (id) => ({ id, kind: "nothing", bodies: [] }),
  isNothing: ({ kind }) => kind === "nothing",
  isList: ({ kind }) => lists.has(kind),
  simpler: (node) => {
    switch (node.kind) {
      case "step":
        return [
          ...(node.pace === "now" ? [] : [{ ...node, pace: "now" as const }]),
          ...(node.failures === 0 ? [] : [{ ...node, failures: 0 }])
        ]
      case "part":
        return [
          ...(node.undo === "step" ? [] : [{ ...node, undo: "step" as const }]),
          ...(node.last === "step" ? [] : [{ ...node, last: "step" as const }]),
          ...(node.pace === "now" ? [] : [{ ...node, pace: "now" as const }])
        ]
      case "Durable.forEach":
      case "Durable.map":
      case "Effect.forEach":
        return node.items > 1 ? [{ ...node, items: node.items - 1 }] : []
      case "loop":
        return node.times > 1 ? [{ ...node, times: node.times - 1 }] : []
      default:
        return []
    }
  },
  label: labelOf
}
