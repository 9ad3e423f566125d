/**
 * Draws a workflow with parts that have an undo.
 */
import type { Dice } from "../kit/dice.ts"
import type { Concurrency, Node, Pace, Policy, Program, Undo } from "./program.ts"

export const draw = (dice: Dice): Program => {
  let ids = 0

  const pace = (): Pace =>
    dice.weighted<Pace>([
      [5, () => "now"],
      [2, () => "turn"],
      [2, () => dice.from(1, 6)]
    ])
  const undo = (): Undo => dice.pick(["step", "step", "step", "step", "wait", "retry", "failure", "branches"])
  const concurrency = (): Concurrency => dice.pick([1, 2, "unbounded", "unbounded"])
  const policy = (): Policy => dice.pick(["allSuccessful", "allCompleted", "firstSuccessful"])
  const batch = () => ({ concurrency: concurrency(), flat: dice.percent(30) })

  const leaf = (): Node => {
    const id = ids++
    return dice.weighted<Node>([
      [8, () => part(id, () => ({ id: ids++, kind: "nothing", bodies: [] }))],
      [3, () => ({ id, kind: "step", pace: pace(), failures: dice.pick([0, 0, 0, 1, 2]), bodies: [] })],
      [3, () => ({ id, kind: "wait", seconds: dice.from(1, 6), bodies: [] })],
      [2, () => ({ id, kind: "sleep", millis: dice.pick([200, 900, 1_000, 2_500, 4_000]), bodies: [] })],
      [1, () => ({ id, kind: "precaution", undo: undo(), bodies: [] })],
      [1, () => ({ id, kind: "fail", how: dice.pick(["error", "defect"]), bodies: [] })]
    ])
  }

  const part = (id: number, body: () => Node): Node => {
    return {
      id,
      kind: "part",
      last: dice.pick(["step", "step", "step", "step", "child", "flat", "all", "both"]),
      pace: pace(),
      undo: undo(),
      bodies: [body()]
    }
  }

  const node = (depth: number): Node => {
    if (depth === 0 || dice.percent(25)) return leaf()
    const id = ids++
    const one = (): ReadonlyArray<Node> => [node(depth - 1)]
    const several = (least = 2): ReadonlyArray<Node> =>
      Array.from({ length: dice.from(least, 3) }, () => node(depth - 1))
    const seconds = dice.from(1, 8)
    const items = dice.from(1, 3)
    return dice.weighted<Node>([
      [6, () => ({ id, kind: "sequence", bodies: several() })],
      [4, () => part(id, () => node(depth - 1))],
      [3, () => ({ id, kind: "catch", bodies: one() })],
      [1, () => ({ id, kind: "loop", times: dice.from(2, 3), bodies: one() })],
      [1, () => ({ id, kind: "onExit", bodies: [node(depth - 1), node(depth - 1)] })],
      [1, () => ({ id, kind: "uninterruptible", bodies: one() })],
      [4, () => ({ id, kind: "child", flat: dice.percent(40), bodies: one() })],
      [2, () => ({ id, kind: "Durable.all", ...batch(), bodies: several() })],
      [2, () => ({ id, kind: "Durable.parallel", ...batch(), policy: policy(), bodies: several() })],
      [2, () => ({ id, kind: "Durable.forEach", ...batch(), items, bodies: one() })],
      [2, () => ({ id, kind: "Durable.map", ...batch(), policy: policy(), items, bodies: one() })],
      [3, () => ({ id, kind: dice.pick(["Durable.race", "Durable.raceFirst"]), bodies: several() })],
      [2, () => ({ id, kind: "Durable.timeout", seconds, bodies: one() })],
      [2, () => ({ id, kind: "Durable.retry", ...dice.pick(retries), bodies: one() })],
      [4, () => ({ id, kind: "Effect.all", concurrency: concurrency(), bodies: several() })],
      [2, () => ({ id, kind: "Effect.forEach", concurrency: concurrency(), items, bodies: one() })],
      [3, () => ({ id, kind: dice.pick(["Effect.race", "Effect.raceFirst"]), bodies: several() })],
      [2, () => ({ id, kind: "Effect.timeout", seconds, bodies: one() })],
      [
        4,
        () => ({
          id,
          kind: "fork",
          how: dice.pick(["forkChild", "forkScoped", "forkDetach"]),
          afterwards: dice.pick(["join", "join", "leave", "leave", "interrupt"]),
          bodies: [node(depth - 1), node(depth - 1)]
        })
      ]
    ])
  }

  const bodies: Array<Node> = []
  while (bodies.length < 2 || (bodies.length < 8 && bodies.reduce((sum, body) => sum + partsIn(body), 0) < 3)) {
    // Most failures are kept from ending the whole program, so that more of it runs.
    const body = node(dice.from(1, 3))
    bodies.push(dice.percent(75) ? { id: ids++, kind: "catch", bodies: [body] } : body)
  }
  return {
    root: { id: ids++, kind: "sequence", bodies },
    end: dice.pick(["error", "error", "error", "error", "defect", "defect", "interrupt", "success"]),
    sharesNames: dice.percent(25)
  }
}

const partsIn = ({ bodies, kind }: Node): number =>
  bodies.reduce((sum, body) => sum + partsIn(body), kind === "part" ? 1 : 0)

const retries = [
  { attempts: 2, failures: 1 },
  { attempts: 3, failures: 2 },
  { attempts: 2, failures: 2 }
] as const
