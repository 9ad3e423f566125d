/**
 * Foreign text in a line of a terminal, made safe: it cannot move the cursor, change colours or disguise its content.
 *
 * Owns: which characters are shown by their number. Does not own: the text.
 *
 * @since 0.1.0
 */

/**
 * Returns text on one line. Characters that control a terminal or reverse the direction of text are shown by their numbers.
 */
export const visible = (text: string): string =>
  text
    .replaceAll(/[\t\n\v\f\r\u2028\u2029]+/g, " ")
    .replaceAll(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

// oxlint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
