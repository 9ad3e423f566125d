/**
 * Percent-encoding in the form that AWS signs: every byte except letters, digits, `-`, `.`, `_` and `~`. AWS's clients
 * encode the other characters that `encodeURIComponent` leaves unchanged.
 */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
