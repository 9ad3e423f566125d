/**
 * When invocations are killed: at a request to the service, counted from 1 over all invocations of an execution.
 */
import type { Dice } from "./dice.ts"

/**
 * The service never hears of the request; or it does, and the invocation is dead when the answer comes; or only the answer
 * is lost, and whoever asked goes on.
 */
export type Side = "before" | "after" | "lost"

export interface Kill {
  readonly at: number
  readonly side: Side
}

export type Schedule = ReadonlyArray<Kill>

export const never: Schedule = []

const sides = ["before", "after", "lost"] as const

/** What `--kill` takes: `never`, or `before:3,lost:5`. */
export const parseSchedule = (text: string): Schedule | undefined => {
  if (text === "never") return never
  const kills = text.split(",").map((part): Kill | undefined => {
    const [, name, at] = /^(before|after|lost):([1-9]\d{0,3})$/.exec(part) ?? []
    const side = sides.find((one) => one === name)
    return side === undefined ? undefined : { at: Number(at), side }
  })
  const known = kills.filter((kill) => kill !== undefined)
  return known.length === kills.length ? known : undefined
}

export const showSchedule = (schedule: Schedule): string =>
  schedule.length === 0 ? "never" : schedule.map(({ at, side }) => `${side}:${at}`).join(",")

/** One kill at every request, on each of the sides. */
export const everywhere = (requests: number, of: ReadonlyArray<Side> = sides): ReadonlyArray<Schedule> =>
  Array.from({ length: requests }, (_, index) => of.map((side) => [{ at: index + 1, side }])).flat()

/** One to three kills, at requests of a run without any and shortly after. */
export const drawSchedule = (dice: Dice, requests: number): Schedule => {
  const at = new Set(Array.from({ length: dice.pick([1, 1, 1, 2, 3]) }, () => dice.from(1, requests + 2)))
  return [...at].sort((left, right) => left - right).map((at) => ({ at, side: dice.pick(sides) }))
}
