/**
 * HTML text from templates that escape all inserted values.
 *
 * Owns: the distinction of text and markup.
 * Does not own: any page.
 *
 * @since 0.1.0
 */

/** Markup, which is not escaped again. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An inserted value: text is escaped, markup is not, and an absent value inserts nothing. */
export type Part = Html | string | number | false | undefined | ReadonlyArray<Part>

/** Returns markup from a template. Attribute values have to be in double quotes. */
export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html => {
  const between = laidFlat(strings)
  let text = between[0] ?? ""
  for (let index = 0; index < parts.length; index++) text += textOf(parts[index]) + (between[index + 1] ?? "")
  return new Html(text)
}

const flat = new WeakMap<TemplateStringsArray, ReadonlyArray<string>>()

/** Reduces the indentation of a template's lines, which is for people only, to a line break. */
const laidFlat = (strings: TemplateStringsArray): ReadonlyArray<string> => {
  const known = flat.get(strings)
  if (known !== undefined) return known
  const made = strings.map((text) => text.replace(/\s*\n\s*/g, "\n"))
  flat.set(strings, made)
  return made
}

const textOf = (part: Part): string => {
  if (part === undefined || part === false) return ""
  if (typeof part === "string") return escape(part)
  if (typeof part === "number") return String(part)
  if (part instanceof Html) return part.text
  let text = ""
  for (const one of part) text += textOf(one)
  return text
}

const escape = (text: string): string => (special.test(text) ? text.replace(everySpecial, escapeOne) : text)

const special = /[&<>"'\u200e\u200f\u202a-\u202e\u2066-\u2069]/
const everySpecial = new RegExp(special, "g")

/** Escapes markup, and shows the number of a character that changes the direction of text, which could disguise it. */
const escapeOne = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x80 ? `&#${code};` : `\\u${code.toString(16)}`
}
