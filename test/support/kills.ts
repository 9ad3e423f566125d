/**
 * Where a program is killed that has to survive everywhere.
 *
 * Owns: which kills are tried, every one or, for `npm test`, some at every request. Does not own: how one is done.
 */
import process from "node:process"

/** Where an invocation is killed: at a request, by its number. */
export interface Kill {
  readonly request: number
  readonly side: Side
}

/**
 * `before`: the request does not reach the service. `after`: it is carried out, and the invocation is gone before the answer
 * arrives. `lost`: it is carried out, and the runtime is told that the service was not there, so that it asks again. `refused`: as
 * `before`, but the failure is there in the same turn, as it is from a store inside of the process.
 */
export type Side = "before" | "after" | "lost" | "refused"

/** The kills of a program that makes so many requests. */
export const killsAmong = (requests: number): ReadonlyArray<Kill> =>
  process.env["KILLS"] === "some" ? someKills(requests) : allKills(requests)

/** At every request on every side. */
export const allKills = (requests: number): ReadonlyArray<Kill> =>
  numbersTo(requests).flatMap((request) => [
    { request, side: "before" },
    { request, side: "after" },
    { request, side: "lost" }
  ])

/**
 * Half as many: one for each state in which the service may be left, which is the same after one request as before the next.
 * From the last request backwards, every other one is killed before and after; of those between, the answer is lost.
 */
export const someKills = (requests: number): ReadonlyArray<Kill> =>
  numbersTo(requests).flatMap((request): ReadonlyArray<Kill> => {
    const before: Kill = { request, side: "before" }
    if ((requests - request) % 2 === 0) return [before, { request, side: "after" }]
    const lost: Kill = { request, side: "lost" }
    return request === 1 ? [before, lost] : [lost]
  })

const numbersTo = (last: number): ReadonlyArray<number> => Array.from({ length: last }, (_, index) => index + 1)

/** Says where a program was killed, of which the requests are known. */
export const saying = ({ request, side }: Kill, requests: ReadonlyArray<string>): string =>
  `Killed at request ${request} (${requests[request - 1] || "a poll"}), ${meaning[side]}`

const meaning: Readonly<Record<Side, string>> = {
  before: "before the service had it",
  after: "after it was carried out",
  lost: "with its answer lost and the request repeated",
  refused: "before the service had it, with the failure at once"
}
