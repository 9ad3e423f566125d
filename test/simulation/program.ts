/**
 * Workflow programs as data: a small language whose programs can be drawn at random, printed, and cut down when one of
 * them fails. Whatever a program does is decided by its text and its input, never by timing, unless it says so.
 */
import * as fc from "fast-check"

/** How one attempt of a step ends. */
export type Attempt = "ok" | "fail" | "die" | "interrupt"

/** When a failed attempt is repeated: by the default policy, not at all, or so many times after so many seconds. */
export type Retry = "default" | "none" | { readonly attempts: number; readonly seconds: number }

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
  | { readonly op: "repeat"; readonly times: number; readonly body: Node }
  | { readonly op: "retry"; readonly times: number; readonly body: Node }
  /** Goes one way or the other, as what came before has turned out. */
  | { readonly op: "when"; readonly even: Node; readonly odd: Node }
  | { readonly op: "hold" }
  | { readonly op: "uuid" }
  | { readonly op: "fail" }
  | { readonly op: "pure" }

// --- Programs drawn at random ----------------------------------------------------------------------------------------

const names = fc.constantFrom("a", "b", "c")

const script: fc.Arbitrary<ReadonlyArray<Attempt>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<ReadonlyArray<Attempt>>(["ok"]) },
  {
    weight: 4,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant<Attempt>("fail") },
        { weight: 2, arbitrary: fc.constant<Attempt>("ok") },
        { weight: 1, arbitrary: fc.constant<Attempt>("die") },
        { weight: 1, arbitrary: fc.constant<Attempt>("interrupt") }
      ),
      { minLength: 1, maxLength: 3 }
    )
  }
)

const retry: fc.Arbitrary<Retry> = fc.oneof(
  fc.constant<Retry>("none"),
  fc.constant<Retry>("default"),
  fc.record({ attempts: fc.integer({ min: 1, max: 3 }), seconds: fc.integer({ min: 1, max: 5 }) })
)

const step: fc.Arbitrary<Node> = fc.record({
  op: fc.constant("step"),
  name: names,
  script,
  retry,
  once: fc.nat(5).map((number) => number === 3),
  millis: fc.constantFrom(0, 0, 0, 0, 10, 700, 5_000, 30_000)
})

const leaves: ReadonlyArray<fc.WeightedArbitrary<Node>> = [
  { weight: 1, arbitrary: fc.constant<Node>({ op: "pure" }) },
  { weight: 8, arbitrary: step },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant("wait"), name: names, seconds: fc.integer({ min: 1, max: 20 }) })
  },
  {
    weight: 4,
    arbitrary: fc.oneof(
      fc.record({
        op: fc.constant("invoke"),
        name: names,
        callee: fc.constantFrom(...prompt),
        timeout: fc.boolean()
      }),
      fc.record({
        op: fc.constant("invoke"),
        name: names,
        callee: fc.constantFrom(...late),
        timeout: fc.constant(true)
      })
    )
  },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "hold" }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "uuid" }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "fail" }) }
]

/** The most nodes of one program; what is beyond does nothing. */
const maxNodes = 40

const tree = (racy: boolean): fc.Arbitrary<Node> =>
  fc.letrec<{ node: Node }>((tie) => {
    const node = tie("node")
    const times = fc.integer({ min: 0, max: 3 })
    const branches = fc.array(node, { minLength: 1, maxLength: 3, size: "max" })
    const key = fc.constant(0)
    const inner: ReadonlyArray<fc.WeightedArbitrary<Node>> = [
      {
        weight: 8,
        arbitrary: fc.record({
          op: fc.constant("sequence"),
          nodes: fc.array(node, { minLength: 1, maxLength: 5, size: "max" })
        })
      },
      {
        weight: 4,
        arbitrary: fc.record({
          op: fc.constant("child"),
          name: names,
          kind: fc.constantFrom("recorded", "recorded", "recorded", "flat", "flat", "large"),
          body: node
        })
      },
      {
        weight: 4,
        arbitrary: fc.record({
          op: fc.constant("all"),
          key,
          branches,
          failFast: racy ? fc.boolean() : fc.constant(false)
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant("fork"), key, detached: fc.boolean(), body: node, meanwhile: node })
      },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("catch"), body: node, handler: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("catchDefect"), body: node, handler: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("exit"), body: node }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("onExit"), body: node, finalizer: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("ensuring"), body: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("uninterruptible"), body: node }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("repeat"), times, body: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("retry"), times, body: node }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("when"), even: node, odd: node }) }
    ]
    const races: ReadonlyArray<fc.WeightedArbitrary<Node>> = [
      { weight: 3, arbitrary: fc.record({ op: fc.constant("race"), key, branches }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("stray"), key, detached: fc.boolean(), body: node }) }
    ]
    return {
      node: fc.oneof({ maxDepth: 5, depthSize: "max" }, ...leaves, ...inner, ...(racy ? races : []))
    }
  }).node

const sequences = (racy: boolean): fc.Arbitrary<Node> =>
  fc
    .array(
      fc.record({ node: tree(racy), settled: fc.nat(3).map((number) => number > 0) }).map(
        // Most failures are kept from ending the whole program, so that more of it runs.
        ({ node, settled }): Node => (settled ? { op: "exit", body: node } : node)
      ),
      { minLength: 2, maxLength: 6, size: "max" }
    )
    .map((nodes): Node => normalise({ op: "sequence", nodes }))

/** Programs whose result does not depend on timing. */
export const programs: fc.Arbitrary<Node> = sequences(false)

/** Programs in which timing decides which branches come to their end. */
export const racyPrograms: fc.Arbitrary<Node> = sequences(true)

/** Gives every fork a key, namespaces to loops that fork, and an end to what is too long. */
export const normalise = (program: Node): Node => {
  let nodes = 0
  const visit = (node: Node): Node => {
    const key = ++nodes
    if (nodes > maxNodes) return { op: "pure" }
    switch (node.op) {
      case "sequence":
        return { ...node, nodes: node.nodes.map(visit) }
      case "all":
      case "race":
        return { ...node, key, branches: node.branches.map(visit) }
      case "stray":
        return { ...node, key, body: visit(node.body) }
      case "fork":
        return { ...node, key, body: visit(node.body), meanwhile: visit(node.meanwhile) }
      case "catch":
      case "catchDefect":
        return { ...node, body: visit(node.body), handler: visit(node.handler) }
      case "onExit":
        return { ...node, body: visit(node.body), finalizer: visit(node.finalizer) }
      case "when":
        return { ...node, even: visit(node.even), odd: visit(node.odd) }
      case "repeat":
      case "retry": {
        const body = visit(node.body)
        return { ...node, body: forks(body) ? { op: "child", name: "round", kind: "flat", body } : body }
      }
      case "child":
      case "exit":
      case "ensuring":
      case "uninterruptible":
        return { ...node, body: visit(node.body) }
      default:
        return node
    }
  }
  return visit(program)
}

const childrenOf = (node: Node): ReadonlyArray<Node> => {
  switch (node.op) {
    case "sequence":
      return node.nodes
    case "all":
    case "race":
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
    case "child":
    case "stray":
    case "exit":
    case "ensuring":
    case "uninterruptible":
    case "repeat":
    case "retry":
      return [node.body]
    default:
      return []
  }
}

/** Whether it forks in the context in which it stands. */
const forks = (node: Node): boolean =>
  ["all", "race", "fork", "stray"].includes(node.op) || (node.op !== "child" && childrenOf(node).some(forks))

/** Whether some node of a program is of a kind. */
export const contains = (node: Node, is: (node: Node) => boolean): boolean =>
  is(node) || childrenOf(node).some((child) => contains(child, is))

/** How long the longest step of a program takes, in milliseconds. */
export const longestStep = (node: Node): number =>
  Math.max(node.op === "step" ? node.millis : 0, ...childrenOf(node).map(longestStep))

/** How long the attempts of a step with this policy go on at most. */
export const maxAttemptsOf = (node: Extract<Node, { readonly op: "step" }>): number =>
  node.retry === "default" ? (node.once ? 1 : 6) : node.retry === "none" ? 1 : node.retry.attempts

/**
 * Whether a step that takes longer than the grace period of an ending invocation may stand where it cannot be
 * interrupted. Its fibre is left behind, at the latest at its next operation.
 */
export const mayBeLeftBehind = (program: Node): boolean =>
  contains(
    program,
    (node) =>
      (node.op === "uninterruptible" || node.op === "onExit") &&
      contains(node, (inner) => inner.op === "step" && inner.millis > 500)
  )
