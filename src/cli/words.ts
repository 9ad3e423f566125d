/**
 * The form of lengths of time, tables and thrown errors in commands, for people.
 *
 * Owns: the form of these texts.
 * Does not own: their content and their place.
 *
 * @since 0.1.0
 */
import { visible } from "../view/visible.ts"

/** Returns a duration, in its two largest units: `120ms`, `2.1s`, `3m 12s`, `1h 2m`, `12d 3h`. */
export const duration = (millis: number): string => {
  const seconds = Math.floor(millis / 1_000)
  if (millis < 1_000) return `${Math.max(0, Math.round(millis))}ms`
  if (seconds < 60) return `${(Math.floor(millis / 100) / 10).toFixed(1)}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ${Math.floor((seconds % 3_600) / 60)}m`
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3_600)}h`
}

/** Returns a thrown error in a line. */
export const messageOf = (error: unknown): string =>
  visible(error instanceof Error ? error.message : String(error)).replaceAll(/ +/g, " ")

/** Returns a table with columns as wide as their content. The first row is their names. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()
  )
}

/** Cuts a line to a number of characters. */
export const cut = (line: string, most: number): string =>
  line.length <= most ? line : `${line.slice(0, Math.max(0, most - 1))}…`

/** Returns text on one line, cut to a number of characters. */
export const shortened = (text: string, most: number): string => cut(visible(text).replaceAll(/ +/g, " "), most)
