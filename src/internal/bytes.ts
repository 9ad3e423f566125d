/** The byte counter of the runtime, if it has one. Nothing of Node is imported: a bundle runs without it. */
const native: { readonly byteLength: (text: string) => number } | undefined = globalThis.Buffer

/** Returns the length of a text in bytes of UTF-8. A lone surrogate counts as the three bytes of its replacement. */
export const byteLength = (text: string): number =>
  // For a short text, calling the runtime takes longer than counting.
  native === undefined || text.length < 64 ? portableByteLength(text) : native.byteLength(text)

/** Returns the same length, counted character by character. */
export const portableByteLength = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 2
      i++
    } else bytes += 2
  }
  return bytes
}

/**
 * Returns the bytes that a text takes inside of JSON, where quotes, backslashes and control characters are escaped. For
 * a short text with control characters or characters of two units it counts more than there are.
 */
export const jsonSize = (text: string): number => {
  // Writing a long text takes the runtime less time than the first loop over it takes here.
  if (text.length >= 1_024) return byteLength(JSON.stringify(text))
  let escaped = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22 || unit === 0x5c) escaped++
    else if (unit < 0x20 || (unit >= 0xd800 && unit < 0xe000)) escaped += 5
  }
  return byteLength(text) + escaped + 2
}

/** Returns the longest prefix of a text that fits into a number of bytes of UTF-8 without cutting a character. */
export const truncate = (text: string, maxBytes: number): string => {
  if (byteLength(text) <= maxBytes) return text
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += byteLength(character)
    if (bytes > maxBytes) break
    end += character.length
  }
  return text.slice(0, end)
}
