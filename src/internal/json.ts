/**
 * Text that may be JSON.
 *
 * Owns: that what is none is nothing. Does not own: what is made of it.
 *
 * @since 0.1.0
 */

/** What a text says as JSON, or undefined if it is none: no JSON says that. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
