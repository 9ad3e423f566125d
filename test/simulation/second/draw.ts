/**
 * Draws a whole workflow.
 *
 * Left out is what the documentation says to be undecided: promises outside of steps, state of a context that is recorded
 * seen outside of it, and fibers that outlive such a context. No program waits for what never comes.
 */
import type { Dice } from "../kit/dice.ts"
import type { Answer, Concurrency, Node, Program } from "./program.ts"

/** Where in a program a node stands. */
interface Site {
  readonly depth: number
  /** Whether other fibers run meanwhile. */
  readonly isBeside: boolean
  /** Whether it is in a context that is recorded as a whole. */
  readonly isRecorded: boolean
}

export const draw = (dice: Dice): Program => {
  const isSteady = dice.percent(65)
  const sharesNames = dice.percent(30)
  let ids = 0

  const seconds = (): number => (isSteady ? dice.from(60, 500_000) : dice.from(1, 6))
  /** Where halves are rounded up. */
  const halves = (): number => (isSteady ? seconds() : dice.from(2, 12) / 2)
  const schedule = () => ({ seconds: halves(), jitter: dice.percent(30) })
  const concurrency = (): Concurrency => dice.pick([1, 2, "unbounded", "unbounded"])
  const policy = () => dice.pick(["allSuccessful", "allCompleted", "firstSuccessful"])
  const answer = (): Answer => (dice.percent(75) ? { after: seconds() } : { timeout: seconds() })
  const failures = (): number => dice.pick([0, 0, 0, 0, 1, 2, 3])

  const leaf = ({ isBeside }: Site): Node => {
    const id = ids++
    const bodies: ReadonlyArray<Node> = []
    const mayTakeTurns = !isSteady || !isBeside
    const pace = mayTakeTurns ? dice.pick(["now", "turn"]) : "now"
    return dice.weighted<Node>([
      [
        12,
        () => ({
          id,
          kind: "step",
          pace,
          failures: failures(),
          seconds: seconds(),
          ends: dice.percent(85) ? "value" : "error",
          bodies
        })
      ],
      [4, () => ({ id, kind: dice.pick(["Durable.wait", "Effect.sleep"]), seconds: halves(), bodies })],
      [mayTakeTurns ? 2 : 0, () => ({ id, kind: "nap", millis: dice.from(1, 999), bodies })],
      [
        2,
        () => ({
          id,
          kind: "invoke",
          // Beside something else an answer at once may come before the end or after it.
          seconds: mayTakeTurns && dice.percent(30) ? 0 : seconds(),
          fails: dice.percent(25),
          bodies
        })
      ],
      [1, () => ({ id, kind: "waitForCallback", answer: answer(), bodies })],
      [1, () => ({ id, kind: "condition", looks: dice.from(1, 3), seconds: seconds(), bodies })],
      [3, () => ({ id, kind: "clock", isSynchronous: dice.percent(30), bodies })],
      [2, () => ({ id, kind: dice.pick(["random", "random", "uuid"]), bodies })],
      [3, () => ({ id, kind: dice.pick(["count", "post", "peek"]), bodies })],
      [isBeside ? 0 : 1, () => ({ id, kind: "patched", bodies })],
      [1, () => ({ id, kind: "yieldNow", bodies })],
      [1, () => ({ id, kind: "fail", bodies })]
    ])
  }

  const node = (site: Site): Node => {
    if (site.depth === 0 || dice.percent(20)) return leaf(site)
    const id = ids++
    const inner = { ...site, depth: site.depth - 1 }
    const beside = { ...inner, isBeside: true }
    const several = (at: Site): ReadonlyArray<Node> => Array.from({ length: dice.from(2, 3) }, () => node(at))
    const items = dice.from(1, 3)
    const takers = dice.from(1, 2)
    const times = dice.from(1, 3)

    const inOrder = (): Node =>
      dice.weighted<Node>([
        [8, () => ({ id, kind: "sequence", bodies: several(inner) })],
        [3, () => ({ id, kind: "exit", bodies: [node(inner)] })],
        [1, () => ({ id, kind: "uninterruptible", bodies: [node(inner)] })],
        [1, () => ({ id, kind: "onInterrupt", bodies: [node(inner)] })],
        [1, () => ({ id, kind: "Durable.onExit", bodies: [node(inner), node(inner)] })],
        [
          1,
          () => ({
            id,
            kind: "acquireRelease",
            release: site.isRecorded ? "count" : dice.pick(["count", "step"]),
            bodies: [node(inner), node(inner)]
          })
        ],
        [2, () => ({ id, kind: "loop", times, bodies: [node(inner)] })],
        [2, () => ({ id, kind: "callback", answer: answer(), bodies: [node(inner)] })],
        [1, () => ({ id, kind: "Effect.retry", failures: dice.from(0, 2), ...schedule(), bodies: [node(inner)] })],
        [1, () => ({ id, kind: "Effect.repeat", times, ...schedule(), bodies: [node(inner)] })]
      ])

    const durable = (): Node => {
      const flat = dice.percent(35)
      const at = { ...inner, isRecorded: site.isRecorded || !flat }
      const recorded = { ...inner, isRecorded: true }
      const branch = { ...recorded, isBeside: true }
      return dice.weighted<Node>([
        [4, () => ({ id, kind: "child", flat, bodies: [node(at)] })],
        [2, () => ({ id, kind: "Durable.all", concurrency: concurrency(), flat, bodies: several(branch) })],
        [2, () => ({ id, kind: "Durable.forEach", concurrency: concurrency(), flat, items, bodies: [node(branch)] })],
        [
          2,
          () => ({
            id,
            kind: "Durable.parallel",
            concurrency: concurrency(),
            flat,
            policy: policy(),
            bodies: several(branch)
          })
        ],
        [2, () => ({ id, kind: dice.pick(["Durable.race", "Durable.raceFirst"]), bodies: several(branch) })],
        [2, () => ({ id, kind: "Durable.timeout", seconds: seconds(), bodies: [node(branch)] })],
        [
          1,
          () => ({ id, kind: "Durable.retry", failures: dice.from(0, 2), seconds: seconds(), bodies: [node(recorded)] })
        ]
      ])
    }

    const concurrent = (): Node => {
      const two = (): ReadonlyArray<Node> => [node(beside), node(beside)]
      return dice.weighted<Node>([
        [4, () => ({ id, kind: "Effect.all", concurrency: concurrency(), bodies: several(beside) })],
        [2, () => ({ id, kind: "Effect.forEach", concurrency: concurrency(), items, bodies: [node(beside)] })],
        [4, () => ({ id, kind: dice.pick(["Effect.race", "Effect.raceFirst"]), bodies: several(beside) })],
        [3, () => ({ id, kind: "Effect.timeout", seconds: halves(), bodies: [node(beside)] })],
        [
          4,
          () => ({
            id,
            kind: "fork",
            how: dice.pick(["forkChild", "forkScoped", "forkDetach"]),
            afterwards: dice.pick(
              site.isRecorded ? ["join", "join", "interrupt"] : ["join", "join", "leave", "interrupt"]
            ),
            bodies: two()
          })
        ],
        [2, () => ({ id, kind: dice.pick(["FiberSet", "FiberMap"]), bodies: several(beside) })],
        [3, () => ({ id, kind: "Queue", items, takers, capacity: dice.from(1, 3), bodies: two() })],
        [1, () => ({ id, kind: "PubSub", items, takers, bodies: two() })],
        [3, () => ({ id, kind: dice.pick(["Deferred", "Latch", "cached"]), takers, bodies: two() })],
        [2, () => ({ id, kind: "Semaphore", permits: dice.from(1, 2), bodies: several(beside) })],
        [1, () => ({ id, kind: "Stream.merge", items, bodies: two() })],
        [
          2,
          () => ({
            id,
            kind: "Stream.mapEffect",
            items,
            concurrency: dice.from(1, 3),
            unordered: dice.percent(50),
            bodies: [node(beside)]
          })
        ]
      ])
    }

    return dice.weighted<Node>([
      [5, inOrder],
      [4, durable],
      [6, concurrent]
    ])
  }

  const site: Site = { depth: 0, isBeside: false, isRecorded: false }
  const bodies = Array.from({ length: dice.from(1, 4) }, (): Node => {
    const body = node({ ...site, depth: dice.from(1, 3) })
    // A failure must not end the whole, so that all of it runs and its value tells of everything.
    return { id: ids++, kind: "exit", bodies: [body] }
  })
  return { root: { id: ids++, kind: "sequence", bodies }, isSteady, sharesNames }
}
