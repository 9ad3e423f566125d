/**
 * Programs drawn at random, with every operation of the library nested in every other.
 */
import * as fc from "fast-check"
import {
  late,
  normalise,
  prompt,
  type Answer,
  type Attempt,
  type Concurrency,
  type Look,
  type Node,
  type Policy,
  type Retry
} from "./program.ts"

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

const answer: fc.Arbitrary<Answer> = fc.record({
  kind: fc.constantFrom("value", "value", "value", "error", "declared", "never"),
  beats: fc.constantFrom(0, 0, 0, 1, 2),
  seconds: fc.constantFrom(0, 0, 1, 7, 20)
})

const looks: fc.Arbitrary<ReadonlyArray<Look>> = fc
  .tuple(
    fc.nat(3),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<Look>("done") },
      { weight: 1, arbitrary: fc.constantFrom<Look>("again", "fail", "die", "interrupt") }
    )
  )
  .map(([before, last]) => [...Array.from({ length: before }, (): Look => "again"), last])

const key = fc.constant(0)

const rarely = fc.nat(6).map((number) => number === 3)

/** Of few things, most of the time. */
const concurrency: fc.Arbitrary<Concurrency> = fc.constantFrom<Concurrency>(1, 2, "unbounded", "unbounded")

export const policy: fc.Arbitrary<Policy> = fc.oneof(
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
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("waitForCallback"),
      key,
      name: names,
      answer,
      script,
      retry
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("condition"),
      key,
      name: names,
      script: looks,
      maxAttempts: fc.integer({ min: 1, max: 5 }),
      seconds: fc.integer({ min: 1, max: 9 }),
      millis: fc.constantFrom(0, 0, 0, 700)
    })
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("patched"), key, name: names, alone: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "failIfOdd" }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "hold" }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "uuid" }) },
  { weight: 1, arbitrary: fc.constant<Node>({ op: "fail" }) }
]

const leaf = fc.oneof(...leaves)

const tree = (racy: boolean): fc.Arbitrary<Node> =>
  fc.letrec<{ node: Node }>((tie) => {
    const node = tie("node")
    const times = fc.integer({ min: 0, max: 3 })
    const branches = fc.array(node, { minLength: 1, maxLength: 3, size: "max" })
    /** In order that timing decides nothing, branches either run one after the other or cannot end a batch early. */
    const batch = racy
      ? fc.record({ policy, concurrency })
      : fc.oneof(
          fc.record({ policy, concurrency: fc.constant<Concurrency>(1) }),
          fc.record({ policy: fc.constant<Policy>("allCompleted"), concurrency })
        )
    const settled = branches.map((list) => list.map((body): Node => ({ op: "exit", body })))
    const failing = racy
      ? fc.record({ branches, concurrency })
      : fc.oneof(
          fc.record({ branches, concurrency: fc.constant<Concurrency>(1) }),
          fc.record({ branches: settled, concurrency })
        )
    const far = fc.constant<number | undefined>(0)
    const until = fc.constantFrom<"success" | "end">("success", "end")
    const raced = racy
      ? fc.record({ branches, days: fc.constantFrom(0, undefined, undefined) })
      : fc.record({ branches: fc.tuple(node), days: far })
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
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("callback"),
          key,
          name: names,
          answer,
          json: fc.boolean(),
          where: fc.constantFrom("here", "here", "race", "batch"),
          meanwhile: node
        })
      },
      {
        weight: 6,
        arbitrary: fc
          .record({
            op: fc.constant("batch"),
            key,
            name: names,
            kind: fc.constantFrom("parallel", "map"),
            branches: fc.array(node, { maxLength: 4, size: "max" }),
            flat: fc.boolean(),
            large: rarely,
            batch
          })
          .map(({ batch, ...rest }) => ({ ...rest, ...batch }))
      },
      {
        weight: 3,
        arbitrary: fc
          .record({
            op: fc.constant("durableAll"),
            key,
            name: names,
            kind: fc.constantFrom("all", "record", "forEach"),
            flat: fc.boolean(),
            failing
          })
          .map(({ failing, ...rest }) => ({ ...rest, ...failing }))
      },
      {
        weight: racy ? 6 : 3,
        arbitrary: fc
          .record({ op: fc.constant("durableRace"), key, name: names, until, large: rarely, raced })
          .map(({ raced, ...rest }) => ({ ...rest, ...raced }))
      },
      {
        weight: racy ? 4 : 2,
        arbitrary: fc.record({
          op: fc.constant("timeout"),
          key,
          name: names,
          body: node,
          seconds: racy ? fc.integer({ min: 1, max: 15 }) : fc.constant(undefined),
          large: rarely,
          days: fc.constant(0)
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("retryBlock"),
          key,
          name: names,
          attempts: fc.integer({ min: 1, max: 3 }),
          seconds: fc.integer({ min: 1, max: 9 }),
          large: rarely,
          body: node
        })
      },
      {
        weight: 3,
        arbitrary: fc.record({ op: fc.constant("compensate"), key, name: names, body: node, undo: leaf })
      },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("catch"), body: node, handler: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("catchDefect"), body: node, handler: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("exit"), body: node }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("onExit"), body: node, finalizer: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("ensuring"), body: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("uninterruptible"), body: node }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("repeat"), key, times, body: node }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("retry"), key, times, body: node }) },
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
