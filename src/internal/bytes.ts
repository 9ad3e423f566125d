/** What counts in the runtime, where there is such. Nothing of Node is imported: a bundle runs without it. */
const native: { readonly byteLength: (text: string) => number } | undefined = globalThis.Buffer

/** The length of a text in bytes of UTF-8, with a lone surrogate counted as the three bytes of its replacement. */
export const byteLength = (text: string): number =>
  // For few characters the way to the runtime takes longer than to count.
  native === undefined || text.length < 64 ? portableByteLength(text) : native.byteLength(text)

/** The same, character by character. */
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

/** The longest prefix of a text that fits into a number of bytes of UTF-8 without cutting a character. */
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
