/**
 * The identity of operations: what makes a replay find the record of the first run.
 *
 * An id depends only on the id of the surrounding context, on the operation's name (or its index, for a branch) and on
 * how often that name was used before. It never depends on time or on the order in which fibres happen to run.
 *
 * @since 0.1.0
 */

/** Left rotations of MD5's four rounds (RFC 1321 §3.4). */
const rotations = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

/** Additive constants of MD5: floor(2^32 × |sin(i + 1)|) (RFC 1321 §3.4). */
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

const utf8 = new TextEncoder()

/**
 * MD5 of a text in UTF-8, as 32 lower-case hexadecimal digits.
 *
 * Synchronous and small, because the runtimes' own digests are either asynchronous or Node modules. It names things and
 * protects nothing.
 */
export const md5 = (text: string): string => {
  const message = utf8.encode(text)
  const padded = new Uint8Array(((message.length + 8) >> 6) * 64 + 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, message.length << 3, true)
  view.setUint32(padded.length - 4, Math.floor(message.length / 2 ** 29), true)

  let a = 0x67452301
  let b = 0xefcdab89 | 0
  let c = 0x98badcfe | 0
  let d = 0x10325476
  for (let block = 0; block < padded.length; block += 64) {
    const [a0, b0, c0, d0] = [a, b, c, d]
    for (let i = 0; i < 64; i++) {
      const round = i >> 4
      let mixed: number
      let word: number
      if (round === 0) {
        mixed = (b & c) | (~b & d)
        word = i
      } else if (round === 1) {
        mixed = (d & b) | (~d & c)
        word = (5 * i + 1) & 15
      } else if (round === 2) {
        mixed = b ^ c ^ d
        word = (3 * i + 5) & 15
      } else {
        mixed = c ^ (b | ~d)
        word = (7 * i) & 15
      }
      const sum = (a + mixed + sines[i]! + view.getInt32(block + word * 4, true)) | 0
      const turn = rotations[round * 4 + (i & 3)]!
      a = d
      d = c
      c = b
      b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0
    }
    a = (a + a0) | 0
    b = (b + b0) | 0
    c = (c + c0) | 0
    d = (d + d0) | 0
  }
  return hex(a) + hex(b) + hex(c) + hex(d)
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** A word in little-endian order. */
const hex = (word: number): string =>
  hexPairs[word & 0xff]! +
  hexPairs[(word >>> 8) & 0xff]! +
  hexPairs[(word >>> 16) & 0xff]! +
  hexPairs[(word >>> 24) & 0xff]!

/**
 * The id of an operation: 16 hexadecimal digits.
 *
 * A branch of a batch or a race has the empty name, which no operation may have, and its index as occurrence.
 */
export const operationId = (contextId: string, name: string, occurrence: number): string =>
  md5(`${contextId}\0${name}\0${occurrence}`).slice(0, 16)
