/**
 * The icons of states, distinguishable without colour.
 *
 * Owns: the drawings. Does not own: their colours, which are those of the surrounding text.
 *
 * @since 0.1.0
 */
import { Html } from "./Html.ts"
import type { Look } from "./words.ts"

const drawn = (paths: string): Html =>
  new Html(`<svg class="sign" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${paths}</svg>`)

const signs: Readonly<Record<Look["tone"], Html>> = {
  // A half-filled ring, an hourglass, a tick, a cross, a clock, a square.
  running: drawn(`<circle cx="8" cy="8" r="6"/><path class="full" d="M8 2a6 6 0 0 1 0 12z"/>`),
  waiting: drawn(`<path d="M4 2h8M4 14h8M5 2v2.5L8 8l3-3.5V2M5 14v-2.5L8 8l3 3.5V14"/>`),
  good: drawn(`<path d="M3 8.5 6.5 12 13 4.5"/>`),
  bad: drawn(`<path d="m4 4 8 8m0-8-8 8"/>`),
  late: drawn(`<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 2"/>`),
  off: drawn(`<rect x="4" y="4" width="8" height="8"/>`)
}

export const signOf = ({ tone }: Look): Html => signs[tone]
