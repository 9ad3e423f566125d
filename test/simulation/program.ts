/**
 * Workflow programs as data: a small language whose programs can be drawn at random (`draw.ts`), shown, and cut down when
 * one of them fails. Whatever a program does is decided by its text and its input, never by timing, unless it says so.
 */
import type { Grammar, Tree } from "./kit/tree.ts"

/** How one attempt of a step ends. */
export type Attempt = "ok" | "fail" | "die" | "interrupt"

/** When a failed attempt is repeated: by the default policy, not at all, or so many times after so many seconds. */
export type Retry = "default" | "none" | { readonly attempts: number; readonly seconds: number }

/** What one look at a condition ends with. */
export type Look = "again" | "done" | Exclude<Attempt, "ok">

/**
 * What the world outside does with a callback that it hears of: how many heartbeats it sends, one in five hours, and
 * how it completes it so many seconds later, if ever.
 */
export interface Answer {
  readonly kind: "value" | "error" | "declared" | "never"
  readonly beats: number
  readonly seconds: number
}

/** When a batch ends. The last two are bounds and a predicate. */
export type Policy =
  | "allSuccessful"
  | "firstSuccessful"
  | "allCompleted"
  | {
      readonly minSuccessful?: number
      readonly toleratedFailureCount?: number
      readonly toleratedFailurePercentage?: number
    }
  | { readonly after: number; readonly as: "SUCCEEDED" | "FAILED" }

export type Concurrency = number | "unbounded"

/** The functions that a program may invoke. Those that do not answer in time are only invoked with a time-out. */
export const prompt = [
  "double",
  "slow",
  "declines",
  "breaks",
  "throttled",
  "worker",
  "refuser",
  "broken",
  "caller"
] as const
export const late = ["silent", "sleeper"] as const
export type Callee = (typeof prompt)[number] | (typeof late)[number]

/** What a node does. Its bodies are those of the node. */
type Kind =
  | { readonly op: "pure" | "fail" | "failIfOdd" }
  | {
      readonly op: "step"
      readonly name: string
      /** How its attempts end; the last entry holds for all that follow. */
      readonly script: ReadonlyArray<Attempt>
      readonly retry: Retry
      readonly once: boolean
      /** Virtual milliseconds that the body takes. */
      readonly millis: number
    }
  | { readonly op: "wait"; readonly name: string; readonly seconds: number }
  /** Sleeps of Effect's own, which are operations from a second on. */
  | { readonly op: "sleep"; readonly seconds: number }
  | { readonly op: "nap"; readonly millis: number }
  | { readonly op: "invoke"; readonly name: string; readonly callee: Callee; readonly timeout: boolean }
  /** A callback that is told of in a step, and waited for after its body. */
  | {
      readonly op: "callback"
      readonly name: string
      readonly answer: Answer
      readonly json: boolean
      /** Where it is waited for: at once in its own context, in a race, or in two items of a batch. */
      readonly where: "here" | "race" | "batch"
    }
  | {
      readonly op: "waitForCallback"
      readonly name: string
      readonly answer: Answer
      /** How the attempts to tell of it end. */
      readonly script: ReadonlyArray<Attempt>
      readonly retry: Retry
    }
  | {
      readonly op: "condition"
      readonly name: string
      /** What the looks end with; the last entry holds for all that follow. */
      readonly script: ReadonlyArray<Look>
      readonly maxAttempts: number
      readonly seconds: number
      readonly millis: number
    }
  /** A batch, whose outcome is data. */
  | {
      readonly op: "batch"
      readonly name: string
      readonly kind: "parallel" | "map"
      readonly policy: Policy
      readonly concurrency: Concurrency
      readonly flat: boolean
      /** Whether two values are too large to be recorded together. */
      readonly large: boolean
    }
  /** A batch that fails with its first failure. */
  | {
      readonly op: "durableAll"
      readonly name: string
      readonly kind: "all" | "record" | "forEach"
      readonly concurrency: Concurrency
      readonly flat: boolean
    }
  /** A race of the library's own, and with `days` one against a wait that is longer than anything else. */
  | {
      readonly op: "durableRace"
      readonly name: string
      readonly until: "success" | "end"
      readonly days: number | undefined
      /** Whether the value is too large to be recorded. */
      readonly large: boolean
    }
  /** A time-out of the library's own, after seconds or, where those are undefined, after days. */
  | {
      readonly op: "timeout"
      readonly name: string
      readonly seconds: number | undefined
      readonly days: number
      readonly large: boolean
    }
  /** A block that is run again after a failure, with another input. */
  | {
      readonly op: "retryBlock"
      readonly name: string
      readonly attempts: number
      readonly seconds: number
      readonly large: boolean
    }
  /** Does the first body, which the second one undoes. */
  | { readonly op: "compensate"; readonly name: string }
  /** Whether a change applies. It always does: the code does not change. */
  | { readonly op: "patched"; readonly name: string }
  | { readonly op: "child"; readonly name: string; readonly kind: "recorded" | "flat" | "large" }
  | { readonly op: "sequence" }
  /** Branches side by side: all of them come to their end, or, where timing may decide, the first failure ends it. */
  | { readonly op: "all"; readonly concurrency: Concurrency; readonly failFast: boolean }
  /** The first body in a fiber of its own, the second meanwhile. The fiber is joined then, or called off. */
  | { readonly op: "fork"; readonly detached: boolean; readonly end: "join" | "interrupt" }
  /** The first branch to end, or to succeed; the others are interrupted. */
  | { readonly op: "race"; readonly until: "success" | "end" }
  /** A time-out of Effect's own, as above. */
  | { readonly op: "limit"; readonly seconds: number | undefined; readonly days: number }
  /** A fork that nobody joins. */
  | { readonly op: "stray"; readonly detached: boolean }
  /** The last body does something with each value that the others put into a queue. */
  | { readonly op: "queue"; readonly capacity: number | undefined }
  /** So many bodies complete a deferred value, the others begin when it is there. */
  | { readonly op: "deferred"; readonly setters: number }
  | { readonly op: "semaphore"; readonly permits: number }
  /** The last body is run once, for all others that ask for its value. */
  | { readonly op: "cached" }
  /** Rounds or attempts that a schedule of Effect's own spaces out. */
  | {
      readonly op: "schedule"
      readonly kind: "repeat" | "retry"
      readonly times: number
      readonly seconds: number
      readonly grows: boolean
    }
  | { readonly op: "catch" }
  | { readonly op: "catchDefect" }
  | { readonly op: "exit" }
  /** A durable finalizer, and one of Effect's own. */
  | { readonly op: "onExit" }
  | { readonly op: "ensuring" }
  | { readonly op: "region" }
  | { readonly op: "uninterruptible" }
  | { readonly op: "repeat"; readonly times: number }
  | { readonly op: "retry"; readonly times: number }
  /** Goes one way or the other, as what came before has turned out. */
  | { readonly op: "when" }
  | { readonly op: "hold" }
  | { readonly op: "uuid" }
  /** What code sees of the time, of chance, and of the order in which it comes by. */
  | { readonly op: "clock"; readonly waits: boolean }
  | { readonly op: "random" }
  | { readonly op: "count" }

export type Node = Kind & Tree<Node>

export type Of<Op extends Node["op"]> = Extract<Node, { readonly op: Op }>

export interface Program {
  readonly root: Node
  /** Whether its result does not depend on timing. */
  readonly isSteady: boolean
  /** Whether fibers of one context may use one name. */
  readonly sharesNames: boolean
}

export const pure = (id = 0): Node => ({ op: "pure", id, bodies: [] })

/** Whether some node of a program is of a kind. */
export const contains = (node: Node, is: (node: Node) => boolean): boolean =>
  is(node) || node.bodies.some((body) => contains(body, is))

/** What runs several bodies side by side in the context in which it stands. */
export const isFork = ({ op }: Node): boolean =>
  ["all", "fork", "race", "limit", "stray", "queue", "deferred", "semaphore", "cached"].includes(op)

/** A fiber that may outlive the context in which it began: the fiber that forked it may run the code around that, too. */
export const isDetached = (node: Node): boolean => node.op === "stray" || (node.op === "fork" && node.detached)

const millisOf = (node: Node): number => (node.op === "step" || node.op === "condition" ? node.millis : 0)

/** How long the longest step of a program takes, in milliseconds. */
export const longestStep = (node: Node): number => Math.max(millisOf(node), ...node.bodies.map(longestStep))

/** How long the attempts of a step with this policy go on at most. */
export const maxAttemptsOf = (retry: Retry, once = false): number =>
  retry === "default" ? (once ? 1 : 6) : retry === "none" ? 1 : retry.attempts

/** Whether some of its work is done outside of steps, in an order that nothing records. */
export const holds = (program: Node): boolean => contains(program, ({ op }) => op === "hold")

/**
 * Whether something may stand where it cannot be interrupted that takes longer than the grace period of an ending
 * invocation: a step, or a fiber that waits for another one. Its fiber is left behind, at the latest at its next operation.
 */
export const mayBeLeftBehind = (program: Node): boolean =>
  contains(
    program,
    (node) =>
      ["uninterruptible", "onExit", "ensuring"].includes(node.op) &&
      contains(node, (inner) => millisOf(inner) > 500 || isFork(inner))
  )

// --- Shown and cut down ------------------------------------------------------------------------------------------------

/** What has as many bodies as one likes, so many at least. */
const lists: Partial<Record<Node["op"], number>> = {
  sequence: 0,
  batch: 0,
  durableAll: 0,
  durableRace: 1,
  all: 0,
  race: 1,
  semaphore: 0
}

export const grammar: Grammar<Node> = {
  nothing: pure,
  isNothing: ({ op }) => op === "pure",
  isList: ({ bodies, op }) => bodies.length > (lists[op] ?? Infinity),
  simpler: (node) => simplerOf(node).filter((simpler) => JSON.stringify(simpler) !== JSON.stringify(node)),
  label: ({ id, op, ...rest }) => {
    const details = Object.entries(rest).flatMap(([key, value]) =>
      key === "bodies" || value === undefined || value === false
        ? []
        : [`${key} ${typeof value === "object" ? JSON.stringify(value) : value}`]
    )
    return `${op} ${id}${details.length === 0 ? "" : ` (${details.join(", ")})`}`
  }
}

/** The same node, doing less by itself. */
const simplerOf = (node: Node): ReadonlyArray<Node> => {
  switch (node.op) {
    case "step":
      return [
        { ...node, millis: 0 },
        { ...node, once: false },
        { ...node, script: ["ok"] },
        { ...node, retry: "none" }
      ]
    case "condition":
      return [
        { ...node, millis: 0 },
        { ...node, script: ["done"] }
      ]
    case "callback":
      return [
        { ...node, where: "here" },
        { ...node, json: true },
        { ...node, answer: { ...node.answer, beats: 0 } }
      ]
    case "waitForCallback":
      return [
        { ...node, script: ["ok"] },
        { ...node, answer: { ...node.answer, beats: 0 } }
      ]
    case "batch":
      return [
        { ...node, large: false },
        { ...node, flat: false },
        { ...node, policy: "allCompleted" },
        { ...node, concurrency: "unbounded" }
      ]
    case "durableAll":
      return [
        { ...node, kind: "all" },
        { ...node, flat: false }
      ]
    case "durableRace":
    case "retryBlock":
    case "timeout":
      return [{ ...node, large: false }]
    case "child":
      return [{ ...node, kind: "recorded" }]
    case "all":
      return [{ ...node, concurrency: "unbounded" }]
    case "fork":
    case "stray":
      return [{ ...node, detached: false }]
    case "repeat":
    case "retry":
      return node.times > 1 ? [{ ...node, times: 1 }] : []
    default:
      return []
  }
}
