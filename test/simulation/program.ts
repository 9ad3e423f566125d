/**
 * Workflow programs as data: a small language whose programs can be drawn at random (`draw.ts`), printed, and cut down
 * when one of them fails. Whatever a program does is decided by its text and its input, never by timing, unless it says so.
 */
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

export type Node =
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
  | { readonly op: "invoke"; readonly name: string; readonly callee: Callee; readonly timeout: boolean }
  /** A callback that is told of in a step, and waited for after something else. */
  | {
      readonly op: "callback"
      readonly key: number
      readonly name: string
      readonly answer: Answer
      readonly json: boolean
      /** Where it is waited for: at once in its own context, in a race, or in two items of a batch. */
      readonly where: "here" | "race" | "batch"
      readonly meanwhile: Node
    }
  | {
      readonly op: "waitForCallback"
      readonly key: number
      readonly name: string
      readonly answer: Answer
      /** How the attempts to tell of it end. */
      readonly script: ReadonlyArray<Attempt>
      readonly retry: Retry
    }
  | {
      readonly op: "condition"
      readonly key: number
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
      readonly key: number
      readonly name: string
      readonly kind: "parallel" | "map"
      readonly branches: ReadonlyArray<Node>
      readonly policy: Policy
      readonly concurrency: Concurrency
      readonly flat: boolean
      /** Whether two values are too large to be recorded together. */
      readonly large: boolean
    }
  /** A batch that fails with its first failure. */
  | {
      readonly op: "durableAll"
      readonly key: number
      readonly name: string
      readonly kind: "all" | "record" | "forEach"
      readonly branches: ReadonlyArray<Node>
      readonly concurrency: Concurrency
      readonly flat: boolean
    }
  /** A race of the library's own, and with `days` one against a wait that is longer than anything else. */
  | {
      readonly op: "durableRace"
      readonly key: number
      readonly name: string
      readonly until: "success" | "end"
      readonly branches: ReadonlyArray<Node>
      readonly days: number | undefined
      /** Whether the value is too large to be recorded. */
      readonly large: boolean
    }
  | {
      readonly op: "timeout"
      readonly key: number
      readonly name: string
      readonly body: Node
      /** Undefined: after days. */
      readonly seconds: number | undefined
      readonly days: number
      readonly large: boolean
    }
  /** A block that is run again after a failure, with another input. */
  | {
      readonly op: "retryBlock"
      readonly key: number
      readonly name: string
      readonly attempts: number
      readonly seconds: number
      readonly large: boolean
      readonly body: Node
    }
  | { readonly op: "compensate"; readonly key: number; readonly name: string; readonly body: Node; readonly undo: Node }
  /** Whether a change applies; `alone` if no other fibre ever runs in its recorded context. */
  | { readonly op: "patched"; readonly key: number; readonly name: string; readonly alone: boolean }
  /** Fails if what came before has turned out to be odd. */
  | { readonly op: "failIfOdd" }
  | { readonly op: "child"; readonly name: string; readonly kind: "recorded" | "flat" | "large"; readonly body: Node }
  | { readonly op: "sequence"; readonly nodes: ReadonlyArray<Node> }
  /** Branches side by side: all of them come to their end, or, where timing may decide, the first failure ends it. */
  | { readonly op: "all"; readonly key: number; readonly branches: ReadonlyArray<Node>; readonly failFast: boolean }
  | {
      readonly op: "fork"
      readonly key: number
      readonly detached: boolean
      readonly body: Node
      readonly meanwhile: Node
    }
  /** The first branch to end, in whatever way; the others are interrupted. */
  | { readonly op: "race"; readonly key: number; readonly branches: ReadonlyArray<Node> }
  /** A fork that nobody joins. */
  | { readonly op: "stray"; readonly key: number; readonly detached: boolean; readonly body: Node }
  | { readonly op: "catch"; readonly body: Node; readonly handler: Node }
  | { readonly op: "catchDefect"; readonly body: Node; readonly handler: Node }
  | { readonly op: "exit"; readonly body: Node }
  | { readonly op: "onExit"; readonly body: Node; readonly finalizer: Node }
  | { readonly op: "ensuring"; readonly body: Node }
  | { readonly op: "uninterruptible"; readonly body: Node }
  | { readonly op: "repeat"; readonly key: number; readonly times: number; readonly body: Node }
  | { readonly op: "retry"; readonly key: number; readonly times: number; readonly body: Node }
  /** Goes one way or the other, as what came before has turned out. */
  | { readonly op: "when"; readonly even: Node; readonly odd: Node }
  | { readonly op: "hold" }
  | { readonly op: "uuid" }
  | { readonly op: "fail" }
  | { readonly op: "pure" }

/** The most nodes of one program; what is beyond does nothing. */
const maxNodes = 40

/** The longest waits of a program, from the outermost to the innermost: each is longer than all that is inside. */
const longest = [300, 130, 60, 31, 17, 9]

const pure: Node = { op: "pure" }

/** Gives every node that needs one a key, namespaces to loops that fork, and an end to what is too long. */
export const normalise = (program: Node): Node => {
  const alone = !contains(program, (node) => isFork(node) || isShared(node))
  let nodes = 0
  const visit = (node: Node, depth: number, raced: boolean): Node => {
    const key = ++nodes
    if (nodes > maxNodes) return pure
    const same = (inner: Node): Node => visit(inner, depth, raced || isLettingGo(node))
    const days = longest[depth]
    switch (node.op) {
      case "sequence":
        return { ...node, nodes: node.nodes.map(same) }
      case "all":
      case "race":
      case "batch":
      case "durableAll":
        return { ...node, key, branches: node.branches.map(same) }
      case "stray":
      case "retryBlock":
        return { ...node, key, body: same(node.body) }
      case "fork":
        return { ...node, key, body: same(node.body), meanwhile: same(node.meanwhile) }
      case "catch":
      case "catchDefect":
        return { ...node, body: same(node.body), handler: same(node.handler) }
      case "onExit":
        return { ...node, body: same(node.body), finalizer: same(node.finalizer) }
      case "when":
        return { ...node, even: same(node.even), odd: same(node.odd) }
      case "compensate":
        // Effect does not record who won a race of its own, so that another branch may register its undo on a replay.
        return raced ? same(node.body) : { ...node, key, body: same(node.body), undo: same(node.undo) }
      case "callback":
        return { ...node, key, meanwhile: same(node.meanwhile) }
      case "waitForCallback":
      case "condition":
        return { ...node, key }
      case "patched":
        return { ...node, key, alone }
      case "durableRace":
        if (node.days === undefined) return { ...node, key, branches: node.branches.map(same) }
        return days === undefined
          ? pure
          : { ...node, key, days, branches: node.branches.map((branch) => visit(branch, depth + 1, raced)) }
      case "timeout":
        if (node.seconds !== undefined) return { ...node, key, body: same(node.body) }
        return days === undefined ? pure : { ...node, key, days, body: visit(node.body, depth + 1, raced) }
      case "repeat":
      case "retry": {
        const body = same(node.body)
        return { ...node, key, body: forks(body) ? { op: "child", name: "round", kind: "flat", body } : body }
      }
      case "child":
      case "exit":
      case "ensuring":
      case "uninterruptible":
        return { ...node, body: same(node.body) }
      default:
        return node
    }
  }
  return visit(program, 0, false)
}

const childrenOf = (node: Node): ReadonlyArray<Node> => {
  switch (node.op) {
    case "sequence":
      return node.nodes
    case "all":
    case "race":
    case "batch":
    case "durableAll":
    case "durableRace":
      return node.branches
    case "fork":
      return [node.body, node.meanwhile]
    case "catch":
    case "catchDefect":
      return [node.body, node.handler]
    case "onExit":
      return [node.body, node.finalizer]
    case "when":
      return [node.even, node.odd]
    case "compensate":
      return [node.body, node.undo]
    case "callback":
      return [node.meanwhile]
    case "child":
    case "stray":
    case "exit":
    case "ensuring":
    case "uninterruptible":
    case "repeat":
    case "retry":
    case "retryBlock":
    case "timeout":
      return [node.body]
    default:
      return []
  }
}

const isFork = ({ op }: Node): boolean => ["all", "race", "fork", "stray"].includes(op)

/** What may run several nodes at once within one recorded context. */
const isShared = ({ op }: Node): boolean => ["batch", "durableAll", "durableRace", "timeout"].includes(op)

/** What runs its nodes in contexts of their own. */
const isNamespace = ({ op }: Node): boolean =>
  ["child", "batch", "durableAll", "durableRace", "timeout", "retryBlock", "compensate"].includes(op)

/** Whether it forks in the context in which it stands. */
const forks = (node: Node): boolean => isFork(node) || (!isNamespace(node) && childrenOf(node).some(forks))

/** Whether some node of a program is of a kind. */
export const contains = (node: Node, is: (node: Node) => boolean): boolean =>
  is(node) || childrenOf(node).some((child) => contains(child, is))

const millisOf = (node: Node): number => (node.op === "step" || node.op === "condition" ? node.millis : 0)

/** How long the longest step of a program takes, in milliseconds. */
export const longestStep = (node: Node): number => Math.max(millisOf(node), ...childrenOf(node).map(longestStep))

/** How long the attempts of a step with this policy go on at most. */
export const maxAttemptsOf = (retry: Retry, once = false): number =>
  retry === "default" ? (once ? 1 : 6) : retry === "none" ? 1 : retry.attempts

/** Whether some of its fibres are let go of by Effect itself, which records nothing about that. */
export const letsGo = (program: Node): boolean => contains(program, isLettingGo)

const isLettingGo = (node: Node): boolean =>
  node.op === "race" || node.op === "stray" || (node.op === "all" && node.failFast)

/**
 * Whether a step that takes longer than the grace period of an ending invocation may stand where it cannot be
 * interrupted. Its fibre is left behind, at the latest at its next operation.
 */
export const mayBeLeftBehind = (program: Node): boolean =>
  contains(
    program,
    (node) =>
      (node.op === "uninterruptible" || node.op === "onExit") && contains(node, (inner) => millisOf(inner) > 500)
  )
