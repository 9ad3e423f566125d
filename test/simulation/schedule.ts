/**
 * What happens to the requests and invocations of one run, drawn beforehand, so that the run can be repeated.
 */
import type { RequestFault, When } from "../../src/testing/RequestFault.ts"
import type { Dice } from "./kit/dice.ts"
import { contains, type Program } from "./program.ts"

/** What happens to a request, before it reaches the service or after the service has applied it. */
export type Fault =
  | RequestFault
  /** The process dies: nothing of it moves for an hour, or until the end, and the service sees it gone. */
  | { readonly kind: "death"; readonly when: When }
  /** The service gives the invocation up some turns of the event loop after its answer; the process goes on unaware. */
  | { readonly kind: "abandoned"; readonly turns: number }
  /** The event with which this invocation began is delivered once more, so many requests later. */
  | { readonly kind: "again"; readonly later: number }

export interface Schedule {
  /** Faults by the number of the request, over all executions of the world, from 0. */
  readonly faults: Readonly<Record<number, Fault>>
  /** The ends of the program, over all invocations and from 0, of which the service never hears. */
  readonly lostEnds: ReadonlyArray<number>
  readonly pageItems: number | undefined
  /** Virtual milliseconds after which an invocation is cut off, beyond the longest step of the program. */
  readonly invocationTimeout: number | undefined
  /** Whether every callback is completed a second time at once, in another way. */
  readonly echoes: boolean
  /** Turns of the event loop that requests and answers take, in turn; no virtual time passes meanwhile. */
  readonly latencies: ReadonlyArray<number>
  /**
   * The service stamps whole milliseconds, so that much happens at the same time; other hosts of it, which complete what was
   * called, lag behind by so many of them, in turn. Answers tell of the end of a wait one request late, in turn.
   */
  readonly coarse: { readonly behind: ReadonlyArray<number>; readonly lags: ReadonlyArray<boolean> } | undefined
  /** Answers do not tell again what their requests said, in turn. */
  readonly mute: ReadonlyArray<boolean>
}

export const noFaults: Schedule = {
  faults: {},
  lostEnds: [],
  pageItems: undefined,
  invocationTimeout: undefined,
  echoes: false,
  latencies: [],
  coarse: undefined,
  mute: []
}

/** Virtual milliseconds that do not decide what comes in time, and leaps of time. */
const delays = { steady: [1, 50, 999, 3_000], racy: [1, 999, 5_000, 3_600_000, 86_400_000] } as const

export const drawSchedule = (dice: Dice, { isSteady, root }: Program): Schedule => {
  const { below, from, percent, pick } = dice
  const several = <A>(least: number, most: number, make: () => A): ReadonlyArray<A> =>
    Array.from({ length: from(least, most) }, make)
  const isCoarse = percent(40)
  // Nobody could tell when something ended of which the answer said nothing, if it came late or the stamp were no whole one.
  const isMute = isCoarse && percent(30)
  const faults: Record<number, Fault> = {}
  for (const fault of several(0, 5, () => drawFault(dice, isMute, delays[isSteady ? "steady" : "racy"]))) {
    const first = below(30)
    const times = fault.kind === "unavailable" ? from(1, 6) : 1
    for (let at = first; at < first + times; at++) faults[at] = fault
  }
  return {
    faults,
    lostEnds: pick([[], [], [0], [0, 1]]),
    pageItems: pick([undefined, undefined, 1, 2]),
    // What naps is back where it was when its invocation begins again.
    invocationTimeout: contains(root, ({ op }) => op === "nap") ? undefined : pick([undefined, undefined, 8_000]),
    echoes: percent(50),
    latencies: percent(50) ? [] : several(1, 7, () => below(9)),
    coarse: isCoarse
      ? { behind: several(1, 4, () => pick([0, 0, 1, 2])), lags: several(1, 5, () => percent(50)) }
      : undefined,
    mute: isMute ? several(1, 4, () => percent(60)) : []
  }
}

const drawFault = (
  { below, from, pick, weighted }: Dice,
  isMute: boolean,
  delays: readonly [number, ...Array<number>]
): Fault => {
  const when = (): When => pick(["before", "after"])
  return weighted<Fault>([
    [4, () => ({ kind: "death", when: when() })],
    [1, () => ({ kind: "stale", when: when() })],
    [3, () => ({ kind: "abandoned", turns: below(13) })],
    [2, () => ({ kind: "twice" })],
    [2, () => ({ kind: "again", later: from(0, 12) })],
    [3, () => ({ kind: "unavailable", when: isMute ? "before" : when() })],
    [isMute ? 0 : 2, () => ({ kind: "slow", when: when(), millis: pick(delays) })]
  ])
}

/** Whether a schedule leaves virtual time as it is. */
export const costsNoTime = ({ coarse, faults, invocationTimeout, lostEnds }: Schedule): boolean =>
  coarse === undefined &&
  invocationTimeout === undefined &&
  lostEnds.length === 0 &&
  Object.values(faults).every(({ kind }) => kind === "twice" || kind === "again")

/** Every schedule in which a little less happens. */
export const calmer = (schedule: Schedule): ReadonlyArray<Schedule> => {
  const numbers = Object.keys(schedule.faults).map(Number)
  const without = (number: number): Schedule["faults"] =>
    Object.fromEntries(Object.entries(schedule.faults).filter(([at]) => Number(at) !== number))
  const cuts: ReadonlyArray<Schedule> = [
    ...(numbers.length > 1 ? [{ ...schedule, faults: {} }] : []),
    ...numbers.map((number) => ({ ...schedule, faults: without(number) })),
    { ...schedule, lostEnds: schedule.lostEnds.slice(1) },
    { ...schedule, pageItems: undefined },
    { ...schedule, invocationTimeout: undefined },
    { ...schedule, echoes: false },
    { ...schedule, latencies: [] },
    { ...schedule, coarse: undefined, mute: [] },
    ...(schedule.coarse === undefined
      ? []
      : [
          { ...schedule, coarse: { ...schedule.coarse, behind: [0] } },
          { ...schedule, coarse: { ...schedule.coarse, lags: [false] } }
        ]),
    { ...schedule, mute: [] }
  ]
  const text = JSON.stringify(schedule)
  return cuts.filter((cut) => JSON.stringify(cut) !== text)
}

/** What is not as it is without faults, on one line. */
export const showSchedule = (schedule: Schedule): string => {
  const calm = new Map<string, unknown>(Object.entries(noFaults))
  const parts = Object.entries(schedule).flatMap(([key, value]) => {
    const text = JSON.stringify(value)
    return text === JSON.stringify(calm.get(key)) ? [] : `${key} ${text}`
  })
  return parts.length === 0 ? "without faults" : parts.join(", ")
}
