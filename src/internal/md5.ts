/**
 * MD5 of a text in UTF-8, as 32 lower-case hexadecimal digits. It names things and protects nothing.
 *
 * @since 0.1.0
 */

type Hash = (algorithm: string, text: string) => string

/** The hash function of the runtime, if it has a synchronous one. Nothing of Node is imported: a bundle runs without it. */
const native = (): Hash | undefined => {
  try {
    const { hash } = globalThis.process.getBuiltinModule("node:crypto")
    return hash("md5", "") === "d41d8cd98f00b204e9800998ecf8427e" ? hash : undefined
  } catch {
    return undefined
  }
}

/** Left rotations of MD5's four rounds (RFC 1321 §3.4). */
const rotations = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

/** Additive constants of MD5: floor(2^32 × |sin(i + 1)|) (RFC 1321 §3.4). */
const sines = (): Int32Array =>
  Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

let constants: Int32Array | undefined

/** Computes MD5 in runtimes that have no synchronous hash of their own. */
export const portableMd5 = (text: string): string => {
  constants ??= sines()
  const message = new TextEncoder().encode(text)
  const padded = new Uint8Array(((message.length + 8) >> 6) * 64 + 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, message.length << 3, true)
  view.setUint32(padded.length - 4, Math.floor(message.length / 2 ** 29), true)
  const state: [number, number, number, number] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]
  for (let block = 0; block < padded.length; block += 64) mix(state, view, block, constants)
  return state.map(hex).join("")
}

/** Mixes one block of 64 bytes into the state. */
const mix = (state: [number, number, number, number], view: DataView, block: number, added: Int32Array): void => {
  let [a, b, c, d] = state
  for (let i = 0; i < 64; i++) {
    const round = i >> 4
    const [mixed, word] =
      round === 0
        ? [(b & c) | (~b & d), i]
        : round === 1
          ? [(d & b) | (~d & c), (5 * i + 1) & 15]
          : round === 2
            ? [b ^ c ^ d, (3 * i + 5) & 15]
            : [c ^ (b | ~d), (7 * i) & 15]
    const sum = (a + mixed + added[i]! + view.getInt32(block + word * 4, true)) | 0
    const turn = rotations[round * 4 + (i & 3)]!
    a = d
    d = c
    c = b
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0
  }
  state[0] = (state[0] + a) | 0
  state[1] = (state[1] + b) | 0
  state[2] = (state[2] + c) | 0
  state[3] = (state[3] + d) | 0
}

/** Returns a word in hexadecimal, in little-endian order. */
const hex = (word: number): string =>
  [0, 8, 16, 24].map((shift) => ((word >>> shift) & 0xff).toString(16).padStart(2, "0")).join("")

const found = native()

export const md5: (text: string) => string = found === undefined ? portableMd5 : (text) => found("md5", text)
