/**
 * Text of others in a line of a terminal, where it may move nothing, color nothing and read as nothing but what it is.
 *
 * Owns: which characters are told by their number. Does not own: what is said.
 *
 * @since 0.1.0
 */

/** Text on one line. Characters that a terminal obeys, or that make text run the other way, are told by their numbers. */
export const visible = (text: string): string =>
  text
    .replaceAll(/[\t\n\v\f\r\u2028\u2029]+/g, " ")
    .replaceAll(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

// oxlint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
