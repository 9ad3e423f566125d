/**
 * Percent-encoding as AWS signs it: every byte but letters, digits, `-`, `.`, `_` and `~`. What `encodeURIComponent` leaves as
 * it is besides those, AWS's clients encode.
 */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
