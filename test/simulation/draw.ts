/**
 * Programs drawn at random, with every operation of the library, and many constructs of Effect, nested in every other.
 *
 * Left out is what has no order that anybody promises: promises outside of steps, and holds where timing may decide.
 */
import type { Dice } from "./kit/dice.ts"
import {
  late,
  prompt,
  pure,
  type Answer,
  type Attempt,
  type Concurrency,
  type Look,
  type Node,
  type Policy,
  type Program,
  type Retry
} from "./program.ts"

/** The most nodes of one program; what is beyond does nothing. */
const maxNodes = 40

/** How deep nodes are nested at most. */
const maxDepth = 5

/** The longest waits of a program, from the outermost to the innermost: each is longer than all that is inside. */
const longest = [300, 130, 60, 31, 17, 9]

/** Where in a program a node stands: how deep, in how many of the longest waits, and whether in what cannot be interrupted. */
interface Site {
  readonly depth: number
  readonly waits: number
  readonly isFirm: boolean
}

export const draw = (dice: Dice): Program => {
  const isSteady = dice.percent(55)
  const program = { isSteady, sharesNames: dice.percent(30) }
  const artist = new Artist(dice, program)
  const bodies = Array.from({ length: dice.from(2, 6) }, () => {
    const node = artist.node({ depth: 0, waits: 0, isFirm: false })
    // Most failures are kept from ending the whole program, so that more of it runs.
    return dice.percent(75) ? artist.settled(node) : node
  })
  return { ...program, root: artist.make({ op: "sequence" }, bodies) }
}

type Kind = Node extends infer N ? (N extends Node ? Omit<N, "bodies" | "id"> : never) : never

class Artist {
  readonly #dice: Dice
  readonly #isSteady: boolean
  /** Whether no two fibers ever use one name, in whatever order they come by. */
  readonly #hasOwnNames: boolean
  #ids = 0

  constructor(dice: Dice, { isSteady, sharesNames }: Omit<Program, "root">) {
    this.#dice = dice
    this.#isSteady = isSteady
    this.#hasOwnNames = !sharesNames
  }

  make(kind: Kind, bodies: ReadonlyArray<Node> = []): Node {
    return { ...kind, id: ++this.#ids, bodies }
  }

  settled(node: Node): Node {
    return this.make({ op: "exit" }, [node])
  }

  // --- Nodes -------------------------------------------------------------------------------------------------------------

  node(site: Site): Node {
    if (this.#ids >= maxNodes) return pure(++this.#ids)
    return site.depth >= maxDepth || this.#dice.percent(35) ? this.#leaf(site.isFirm) : this.#inner(site)
  }

  #leaf(isFirm = false): Node {
    const { from, percent, pick, weighted } = this.#dice
    const sleep = (weight: number): number => (isFirm && !percent(10) ? 0 : weight)
    const kind = weighted<Kind>([
      [1, () => ({ op: "pure" })],
      [
        9,
        () => ({
          op: "step",
          name: this.#name(),
          script: this.#script(),
          retry: this.#retry(),
          once: percent(16),
          millis: pick([0, 0, 0, 0, 10, 700, 5_000, 30_000])
        })
      ],
      [4, () => ({ op: "wait", name: this.#name(), seconds: from(1, 20) })],
      [sleep(3), () => ({ op: "sleep", seconds: from(1, 20) })],
      [sleep(2), () => ({ op: "nap", millis: pick([1, 20, 300, 999]) })],
      [3, () => ({ op: "invoke", name: this.#name(), callee: pick(prompt), timeout: percent(50) })],
      [1, () => ({ op: "invoke", name: this.#name(), callee: pick(late), timeout: true })],
      [
        2,
        () => ({
          op: "waitForCallback",
          name: this.#name(),
          answer: this.#answer(),
          script: this.#script(),
          retry: this.#retry()
        })
      ],
      [
        3,
        () => ({
          op: "condition",
          name: this.#name(),
          script: this.#looks(),
          maxAttempts: from(1, 5),
          seconds: from(1, 9),
          millis: pick([0, 0, 0, 700])
        })
      ],
      [1, () => ({ op: "patched", name: this.#name() })],
      [1, () => ({ op: "failIfOdd" })],
      // What a context draws depends on its name, and on how many had that name before.
      [this.#isSteady && !this.#hasOwnNames ? 0 : 1, () => ({ op: "uuid" })],
      [2, () => ({ op: "clock", waits: percent(70) })],
      [1, () => ({ op: "random" })],
      [2, () => ({ op: "count" })],
      [this.#isSteady && this.#hasOwnNames ? 1 : 0, () => ({ op: "hold" })],
      [1, () => ({ op: "fail" })]
    ])
    return this.make(kind)
  }

  #inner(at: Site): Node {
    const { from, percent, pick, weighted } = this.#dice
    const site = { ...at, depth: at.depth + 1 }
    const node = (): Node => this.node(site)
    const firm = (): Node => this.node({ ...site, isFirm: true })
    const nodes = (least: number, most: number): ReadonlyArray<Node> => Array.from({ length: from(least, most) }, node)
    // A fiber that cannot be interrupted and waits for another one costs real time whenever an invocation ends.
    const fork = (weight: number): number => (at.isFirm && !percent(10) ? 0 : weight)
    const racy = (weight: number): number => (this.#isSteady ? 0 : fork(weight))
    return weighted<Node>([
      [8, () => this.make({ op: "sequence" }, nodes(1, 5))],
      [
        4,
        () =>
          this.make(
            {
              op: "child",
              name: this.#name(),
              kind: pick(["recorded", "recorded", "recorded", "flat", "flat", "large"])
            },
            [node()]
          )
      ],
      [
        fork(4),
        () => {
          const failFast = !this.#isSteady && percent(50)
          return this.make(
            { op: "all", failFast, concurrency: failFast ? "unbounded" : this.#concurrency() },
            nodes(1, 3)
          )
        }
      ],
      [fork(2), () => this.make({ op: "fork", detached: percent(50), end: "join" }, [node(), node()])],
      [racy(2), () => this.make({ op: "fork", detached: percent(50), end: "interrupt" }, [node(), node()])],
      [racy(3), () => this.make({ op: "race", until: pick(["success", "end", "end"]) }, nodes(1, 3))],
      [racy(3), () => this.make({ op: "stray", detached: percent(50) }, [node()])],
      [fork(this.#isSteady ? 2 : 4), () => this.#limit(site)],
      [fork(2), () => this.#queue(nodes(1, 3), node)],
      [
        fork(2),
        () => {
          const setters = this.#isSteady ? 1 : from(1, 2)
          return this.make({ op: "deferred", setters }, [...nodes(setters, setters), ...nodes(1, 2)])
        }
      ],
      [fork(2), () => this.make({ op: "semaphore", permits: from(1, 2) }, nodes(2, 3))],
      [fork(1), () => this.make({ op: "cached" }, nodes(3, 3))],
      [
        3,
        () =>
          this.make(
            {
              op: "schedule",
              kind: pick(["repeat", "retry"]),
              times: from(1, 3),
              seconds: from(1, 9),
              grows: percent(40)
            },
            [node()]
          )
      ],
      [
        2,
        () =>
          this.make(
            {
              op: "callback",
              name: this.#name(),
              answer: this.#answer(),
              json: percent(50),
              where: pick(["here", "here", "race", "batch"])
            },
            [node()]
          )
      ],
      [5, () => this.#batch(nodes(0, 4))],
      [3, () => this.#durableAll(nodes(1, 3))],
      [this.#isSteady ? 3 : 6, () => this.#durableRace(site)],
      [this.#isSteady ? 2 : 4, () => this.#timeout(site)],
      [
        2,
        () =>
          this.make(
            { op: "retryBlock", name: this.#name(), attempts: from(1, 3), seconds: from(1, 9), large: percent(4) },
            [node()]
          )
      ],
      [3, () => this.make({ op: "compensate", name: this.#name() }, [node(), this.#leaf()])],
      [2, () => this.make({ op: "catch" }, [node(), node()])],
      [1, () => this.make({ op: "catchDefect" }, [node(), node()])],
      [1, () => this.settled(node())],
      [2, () => this.make({ op: "onExit" }, [node(), firm()])],
      [1, () => this.make({ op: "ensuring" }, [node(), this.#leaf(true)])],
      [1, () => this.make({ op: "region" }, [node()])],
      [1, () => this.make({ op: "uninterruptible" }, [firm()])],
      [2, () => this.make({ op: "repeat", times: from(0, 3) }, [node()])],
      [1, () => this.make({ op: "retry", times: from(0, 3) }, [node()])],
      [2, () => this.make({ op: "when" }, [node(), node()])]
    ])
  }

  /** In order that timing decides nothing, what is made of the values does not tell in which order they came. */
  #queue(producers: ReadonlyArray<Node>, node: () => Node): Node {
    const capacity = this.#dice.pick([undefined, undefined, 1, 2])
    return this.make({ op: "queue", capacity }, [...producers, this.#isSteady ? pure() : node()])
  }

  /** In order that timing decides nothing, branches either run one after the other or cannot end a batch early. */
  #batch(branches: ReadonlyArray<Node>): Node {
    const { percent, pick } = this.#dice
    const inTurn = this.#isSteady && percent(50)
    return this.make(
      {
        op: "batch",
        name: this.#name(),
        kind: pick(["parallel", "map"]),
        policy: this.#isSteady && !inTurn ? "allCompleted" : this.#policy(),
        concurrency: inTurn ? 1 : this.#concurrency(),
        flat: percent(50),
        large: percent(4)
      },
      branches.map((branch) => this.#tidied(branch))
    )
  }

  #durableAll(branches: ReadonlyArray<Node>): Node {
    const { percent, pick } = this.#dice
    const inTurn = this.#isSteady && percent(50)
    const bodies = this.#isSteady && !inTurn ? branches.map((body) => this.settled(body)) : branches
    return this.make(
      {
        op: "durableAll",
        name: this.#name(),
        kind: pick(["all", "record", "forEach"]),
        concurrency: inTurn ? 1 : this.#concurrency(),
        flat: percent(50)
      },
      bodies
    )
  }

  #durableRace(site: Site): Node {
    const { from, percent, pick } = this.#dice
    const isLong = this.#isSteady || percent(33)
    const days = isLong ? longest[site.waits] : undefined
    const inner = isLong ? { ...site, waits: site.waits + 1 } : site
    const bodies = Array.from({ length: this.#isSteady ? 1 : from(1, 3) }, () => this.#tidied(this.node(inner)))
    if (isLong && days === undefined) return pure(++this.#ids)
    const until = pick(["success", "end"])
    return this.make({ op: "durableRace", name: this.#name(), until, days, large: percent(4) }, bodies)
  }

  /** Where timing decides, a branch that may be let go of often has something left to do. */
  #tidied(branch: Node): Node {
    const { from, percent } = this.#dice
    if (this.#isSteady || !percent(35)) return branch
    const tidyUp: Kind = percent(50)
      ? { op: "wait", name: this.#name(), seconds: from(1, 5) }
      : { op: "step", name: this.#name(), script: ["ok"], retry: "none", once: false, millis: 0 }
    return this.make({ op: "onExit" }, [branch, this.make(tidyUp)])
  }

  #timeout(site: Site): Node {
    const large = this.#dice.percent(4)
    return this.#limited(site, (bounds) => ({ op: "timeout", name: this.#name(), ...bounds, large }))
  }

  #limit(site: Site): Node {
    return this.#limited(site, (bounds) => ({ op: "limit", ...bounds }))
  }

  #limited(site: Site, kind: (bounds: { readonly seconds: number | undefined; readonly days: number }) => Kind): Node {
    const { from, percent } = this.#dice
    if (!this.#isSteady && percent(75))
      return this.make(kind({ seconds: from(1, 15), days: 0 }), [this.#tidied(this.node(site))])
    const days = longest[site.waits]
    const body = this.node({ ...site, waits: site.waits + 1 })
    return days === undefined ? pure(++this.#ids) : this.make(kind({ seconds: undefined, days }), [body])
  }

  // --- What nodes are made of ------------------------------------------------------------------------------------------

  #name(): string {
    return this.#dice.pick(["a", "b", "c"])
  }

  #script(): ReadonlyArray<Attempt> {
    const { from, percent, pick } = this.#dice
    if (percent(60)) return ["ok"]
    return Array.from({ length: from(1, 3) }, () => pick(["fail", "fail", "fail", "ok", "ok", "die", "interrupt"]))
  }

  #looks(): ReadonlyArray<Look> {
    const { below, percent, pick } = this.#dice
    const last = percent(80) ? "done" : pick(["again", "fail", "die", "interrupt"])
    return [...Array.from({ length: below(4) }, (): Look => "again"), last]
  }

  #retry(): Retry {
    const { from, pick } = this.#dice
    return pick(["none", "default", { attempts: from(1, 3), seconds: from(1, 5) }])
  }

  #answer(): Answer {
    const { pick } = this.#dice
    return {
      kind: pick(["value", "value", "value", "error", "declared", "never"]),
      beats: pick([0, 0, 0, 1, 2]),
      seconds: pick([0, 0, 1, 7, 20])
    }
  }

  /** Of few things, most of the time. */
  #concurrency(): Concurrency {
    return this.#dice.pick([1, 2, "unbounded", "unbounded"])
  }

  #policy(): Policy {
    const { below, from, percent, pick } = this.#dice
    return pick([
      "allSuccessful",
      "firstSuccessful",
      "allCompleted",
      {
        ...(percent(50) && { minSuccessful: from(1, 3) }),
        ...(percent(50) && { toleratedFailureCount: below(3) }),
        ...(percent(50) && { toleratedFailurePercentage: pick([0, 34, 50, 100]) })
      },
      { after: below(4), as: pick(["SUCCEEDED", "FAILED"]) }
    ])
  }
}
