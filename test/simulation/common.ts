/**
 * Programs that can be written with AWS's SDK as well as with ours (`ours.ts`, `theirs.ts`), drawn at random as data.
 */
import * as fc from "fast-check"
import type { Answer, Policy } from "./program.ts"

export type Common =
  | {
      readonly op: "step"
      readonly name: string
      /** Attempts that fail before one succeeds. */
      readonly failures: number
      /** Attempts in all, one or two seconds apart; undefined leaves both to the default. */
      readonly attempts: number | undefined
      readonly once: boolean
    }
  | { readonly op: "wait"; readonly name: string; readonly seconds: number }
  | { readonly op: "invoke"; readonly name: string; readonly callee: "double" | "slow" | "breaks" | "worker" }
  | { readonly op: "child"; readonly name: string; readonly body: Common }
  | { readonly op: "sequence"; readonly nodes: ReadonlyArray<Common> }
  /** Children side by side, all of which come to their end. */
  | { readonly op: "all"; readonly name: string; readonly bodies: ReadonlyArray<Common> }
  | { readonly op: "callback"; readonly name: string; readonly answer: Answer; readonly meanwhile: Common }
  | {
      readonly op: "waitForCallback"
      readonly name: string
      readonly answer: Answer
      /** As of a step: those that tell of the callback. */
      readonly failures: number
      readonly attempts: number | undefined
    }
  /** Looks so often at most; with `fails` the look that would be the last one fails. */
  | {
      readonly op: "condition"
      readonly name: string
      readonly looks: number
      readonly maxAttempts: number
      readonly fails: boolean
    }
  | {
      readonly op: "batch"
      readonly name: string
      readonly kind: "parallel" | "map"
      readonly bodies: ReadonlyArray<Common>
      readonly policy: Policy
      readonly concurrency: number | undefined
      readonly flat: boolean
    }
  /** What AWS's SDK calls a combinator of promises. */
  | {
      readonly op: "combine"
      readonly name: string
      readonly how: "all" | "any" | "race"
      readonly branches: ReadonlyArray<Timed>
    }
  | {
      readonly op: "retry"
      readonly name: string
      readonly failures: number
      readonly attempts: number
      readonly body: Common
    }
  /** Waits, and then fails or not. */
  | ({ readonly op: "timed" } & Timed)
  | { readonly op: "catch"; readonly body: Common; readonly handler: Common }
  | { readonly op: "repeat"; readonly times: number; readonly body: Common }
  | { readonly op: "when"; readonly even: Common; readonly odd: Common }

export interface Timed {
  readonly seconds: number
  readonly ok: boolean
}

const names = fc.constantFrom("a", "b", "c")

const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constantFrom<Policy>("allSuccessful", "firstSuccessful", "allCompleted"),
  fc.record(
    {
      minSuccessful: fc.integer({ min: 1, max: 3 }),
      toleratedFailureCount: fc.nat(2),
      toleratedFailurePercentage: fc.constantFrom(0, 34, 50, 100)
    },
    { requiredKeys: [] }
  ),
  fc.record({ after: fc.nat(3), as: fc.constantFrom("SUCCEEDED", "FAILED") })
)

const answer: fc.Arbitrary<Answer> = fc.record({
  kind: fc.constantFrom("value", "value", "error", "never"),
  beats: fc.constantFrom(0, 0, 0, 1, 2),
  seconds: fc.constantFrom(0, 0, 1, 7, 20)
})

/** Branches of which no two end at the same time. */
const timed: fc.Arbitrary<ReadonlyArray<Timed>> = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4, size: "max" })
  .chain((all) => fc.tuple(...all.map((seconds) => fc.record({ seconds: fc.constant(seconds), ok: fc.boolean() }))))

const submission = { failures: fc.constantFrom(0, 0, 1, 9), attempts: fc.constantFrom(1, 2, undefined) }

const parts: fc.Arbitrary<Common> = fc.letrec<{ node: Common }>((tie) => {
  const node = tie("node")
  const bodies = fc.array(node, { maxLength: 4, size: "max" })
  const concurrency = fc.constantFrom(1, 2, undefined)
  // Timing decides nothing, unless it is told by how long the branches take.
  const batch = fc.oneof(
    fc.record({ bodies, policy, concurrency: fc.constant(1) }),
    fc.record({ bodies, policy: fc.constant<Policy>("allCompleted"), concurrency }),
    fc.record({
      bodies: timed.map((all) => all.map((one): Common => ({ op: "timed", ...one }))),
      policy,
      concurrency: fc.constant(undefined)
    })
  )
  return {
    node: fc.oneof(
      { maxDepth: 5, depthSize: "max" },
      {
        weight: 5,
        arbitrary: fc.record({
          op: fc.constant("step"),
          name: names,
          failures: fc.constantFrom(0, 0, 0, 1, 2, 9),
          attempts: fc.constantFrom(1, 2, 3, undefined),
          once: fc.nat(4).map((number) => number === 2)
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant("wait"), name: names, seconds: fc.integer({ min: 1, max: 100 }) })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("invoke"),
          name: names,
          callee: fc.constantFrom("double", "slow", "breaks", "worker")
        })
      },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("child"), name: names, body: node }) },
      {
        weight: 4,
        arbitrary: fc.record({ op: fc.constant("sequence"), nodes: fc.array(node, { maxLength: 4, size: "max" }) })
      },
      {
        weight: 1,
        arbitrary: fc.record({
          op: fc.constant("all"),
          name: names,
          bodies: fc.array(node, { minLength: 1, maxLength: 3, size: "max" })
        })
      },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("callback"), name: names, answer, meanwhile: node }) },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant("waitForCallback"), name: names, answer, ...submission })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("condition"),
          name: names,
          looks: fc.integer({ min: 1, max: 4 }),
          maxAttempts: fc.integer({ min: 1, max: 4 }),
          fails: fc.nat(4).map((number) => number === 2)
        })
      },
      {
        weight: 5,
        arbitrary: fc
          .record({
            op: fc.constant("batch"),
            name: names,
            kind: fc.constantFrom("parallel", "map"),
            flat: fc.boolean(),
            batch
          })
          .map(({ batch, ...rest }) => ({ ...rest, ...batch }))
      },
      {
        weight: 3,
        arbitrary: fc.record({
          op: fc.constant("combine"),
          name: names,
          how: fc.constantFrom("all", "any", "race"),
          branches: timed
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("retry"),
          name: names,
          failures: fc.nat(3),
          attempts: fc.integer({ min: 1, max: 3 }),
          body: node
        })
      },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("catch"), body: node, handler: node }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant("repeat"), times: fc.integer({ min: 0, max: 3 }), body: node })
      },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("when"), even: node, odd: node }) }
    )
  }
}).node

const nothing: Common = { op: "sequence", nodes: [] }

/** Most failures are kept from ending the whole program, so that more of it runs. */
export const commonPrograms: fc.Arbitrary<Common> = fc
  .array(fc.tuple(parts, fc.nat(3)), { minLength: 2, maxLength: 5, size: "max" })
  .map((list) => ({
    op: "sequence",
    nodes: list.map(([body, settled]) => (settled > 0 ? { op: "catch", body, handler: nothing } : body))
  }))

const childrenOf = (node: Common): ReadonlyArray<Common> => {
  switch (node.op) {
    case "sequence":
      return node.nodes
    case "all":
    case "batch":
      return node.bodies
    case "catch":
      return [node.body, node.handler]
    case "when":
      return [node.even, node.odd]
    case "callback":
      return [node.meanwhile]
    case "child":
    case "repeat":
    case "retry":
      return [node.body]
    default:
      return []
  }
}

/** Whether some node of a program is of a kind. */
export const contains = (node: Common, is: (node: Common) => boolean): boolean =>
  is(node) || childrenOf(node).some((child) => contains(child, is))

/** Whether a node is repeated by the default policy, which has jitter. */
export const hasJitter = (node: Common): boolean =>
  (node.op === "step" || node.op === "waitForCallback") && node.attempts === undefined && node.failures > 0

export const input = 42

/** What both sides make of a failure: that it happened. Their errors are not the same. */
export const failed = 666

/** A durable function that programs invoke. */
export const worker: Common = {
  op: "sequence",
  nodes: [
    { op: "wait", name: "pause", seconds: 2 },
    { op: "step", name: "work", failures: 1, attempts: 2, once: false }
  ]
}

/** A function that programs invoke, which always fails in this way. */
export const broken = { ErrorType: "Broken", ErrorMessage: "in two" }

/** Seconds between two attempts of a step, a block and a condition. */
export const delays = { step: 2, block: 3, look: 4 }

/** Faults delay nothing here, so any time-out will do that is longer than an answer takes, or shorter than never. */
export const limitsOf = ({ beats, kind }: Answer): { readonly heartbeatSeconds?: number; readonly seconds?: number } =>
  beats > 0 ? { heartbeatSeconds: 36_000 } : { seconds: kind === "never" ? 45 : 86_400 }

/** A state of a condition. */
export interface Looked {
  readonly looks: number
  readonly value: number
}
