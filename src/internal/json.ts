/**
 * Text that may be JSON.
 *
 * Owns: that text which is not JSON is read as undefined. Does not own: the use of the result.
 *
 * @since 0.1.0
 */

/** Parses a text as JSON. Returns undefined if it is not JSON, because no JSON has that value. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
