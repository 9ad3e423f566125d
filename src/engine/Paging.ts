/**
 * Pages and the markers between them.
 *
 * A page ends when it is full of items or of bytes. A marker is opaque to its receiver. It holds only positions, so a forged
 * one is refused or shows a page that its owner may see anyway.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Constraints from "../wire/Constraints.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import type { Config } from "./Config.ts"
import * as Execution from "./Execution.ts"
import { invalid, type Refused } from "./Refused.ts"

/** The limits of a page: a number of items, and of bytes. The page ends before the item that would exceed the bytes. */
export interface Extent {
  readonly items: number
  readonly bytes: number
}

/** Returns the largest page that the configuration allows. */
export const largest = (config: Config): Extent => ({ items: config.pageItems, bytes: config.pageBytes })

/** Returns the page that a caller requests with `MaxItems`, where a missing value and 0 mean the default. */
export const askedFor = (maxItems: number | undefined, config: Config): Result.Result<Extent, Refused> => {
  if (maxItems !== undefined && !Constraints.isMaxItems(maxItems)) {
    return Result.fail(invalid(`MaxItems must be a whole number between 0 and ${Limits.maxPageItems}.`))
  }
  const items = maxItems === undefined || maxItems === 0 ? Limits.defaultPageItems : maxItems
  return Result.succeed({ items: Math.min(items, config.pageItems), bytes: config.pageBytes })
}

/** An item that may be on a page. */
export interface Candidate<out A> {
  /** The start of the next page if this page is full before the item. */
  readonly position: number
  readonly bytes: number
  readonly item: A
}

export interface Page<out A> {
  readonly items: ReadonlyArray<A>
  /** The start of the next page, if there is one. */
  readonly next: number | undefined
}

/** Fills a page. Its first item is always on it, however large. */
export const fill = <A>(candidates: Iterable<Candidate<A>>, extent: Extent): Page<A> => {
  const items: Array<A> = []
  let bytes = 0
  for (const candidate of candidates) {
    bytes += candidate.bytes
    const isFull = items.length === extent.items || (items.length > 0 && bytes > extent.bytes)
    if (isFull) return { items, next: candidate.position }
    items.push(candidate.item)
  }
  return { items, next: undefined }
}

// --- Markers ---------------------------------------------------------------------------------------------------------

/** The purpose of a marker, so that one cannot be used as another. */
export type MarkerKind = "state" | "changes" | "history" | "executions"

/** Returns the marker that holds these positions. */
export const marker = (kind: MarkerKind, ...positions: ReadonlyArray<number>): string =>
  Base64.encode([kind, ...positions].join(" "))

/** Returns the positions in a marker, or undefined if it is not of this kind. */
export const positionsIn = (kind: MarkerKind, text: string): ReadonlyArray<number> | undefined => {
  const decoded = Result.getOrUndefined(Base64.decodeString(text))
  const [found, ...positions] = decoded?.split(" ") ?? []
  if (found !== kind || !positions.every((position) => /^\d{1,15}$/.test(position))) return undefined
  return positions.map(Number)
}

/** Returns the start of a page: the beginning without a marker (or with an empty one), else the one position of the marker. */
export const startOf = <Beginning extends number | undefined>(
  kind: MarkerKind,
  text: string | undefined,
  beginning: Beginning
): Result.Result<number | Beginning, Refused> => {
  if (text === undefined || text === "") return Result.succeed(beginning)
  const positions = positionsIn(kind, text)
  return positions?.length === 1 && positions[0] !== undefined
    ? Result.succeed(positions[0])
    : Result.fail(invalid("Invalid marker"))
}

// --- Pages of operations ---------------------------------------------------------------------------------------------

/** A page of operations in the form that the function receives. */
export interface OperationPage {
  readonly Operations: ReadonlyArray<Operation>
  readonly NextMarker?: string
}

/** Returns the state from a place in start order on, without hidden operations. */
export const statePage = (execution: Execution.Execution, from: number, extent: Extent): OperationPage => {
  const { items, next } = fill(shownFrom(execution, from), extent)
  return withMarker(items, next === undefined ? undefined : marker("state", next))
}

/**
 * Returns the first page of the state, for the event of an invocation. If the input leaves no room, the function fetches it.
 */
export const firstStatePage = (execution: Execution.Execution, extent: Extent): OperationPage => {
  const input = Execution.entryAt(execution, 0)
  return input !== undefined && input.bytes > extent.bytes
    ? withMarker([], marker("state", 0))
    : statePage(execution, 0, extent)
}

function* shownFrom(execution: Execution.Execution, from: number): Generator<Candidate<Operation>> {
  for (let order = from; order <= execution.started.size; order++) {
    const entry = Execution.entryAt(execution, order)
    if (entry !== undefined && Execution.isShown(execution, entry.operation)) {
      yield { position: order, bytes: entry.bytes, item: entry.operation }
    }
  }
}

/** A span of changes, and the place in start order from which its operations are still to be shown. */
export interface Changes {
  readonly from: number
  readonly to: number
  readonly order: number
}

/** Returns the span in a marker, or undefined if the marker is of another kind. */
export const changesAt = (text: string): Changes | undefined => {
  const positions = positionsIn("changes", text)
  if (positions?.length !== 3) return undefined
  const [from = 0, to = 0, order = 0] = positions
  return { from, to, order }
}

/** Returns the current state of the operations that changed in this span. */
export const changesPage = (execution: Execution.Execution, changes: Changes, extent: Extent): OperationPage => {
  const entries = Execution.changedBetween(execution, changes.from, changes.to)
  const candidates = entries
    .filter((entry) => entry.order >= changes.order)
    .map((entry) => ({ position: entry.order, bytes: entry.bytes, item: entry.operation }))
  const { items, next } = fill(candidates, extent)
  return withMarker(items, next === undefined ? undefined : marker("changes", changes.from, changes.to, next))
}

const withMarker = (items: ReadonlyArray<Operation>, next: string | undefined): OperationPage => ({
  Operations: items,
  ...(next !== undefined && { NextMarker: next })
})
