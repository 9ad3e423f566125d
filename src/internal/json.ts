/**
 * Text that may be JSON.
 *
 * Owns: that text which is no JSON is read as undefined. Does not own: what callers make of it.
 *
 * @since 0.1.0
 */

/** Parses a text as JSON. Returns undefined if it is no JSON, because no JSON has that value. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
