/**
 * Splits a command in one text into words. It uses no shell, so that the started process is the program itself.
 *
 * Owns: the meaning of quotes and backslashes.
 * Does not own: the use of the words.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { misused, type CommandFailed } from "./CommandFailed.ts"

/** The parts of a word: in single quotes, in double quotes, after a backslash, or plain. */
const part = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gy

/** Returns the words of a command, which has at least one. */
export const wordsOf = (command: string): Effect.Effect<[string, ...Array<string>], CommandFailed> => {
  const words: Array<string> = []
  let at = 0
  let inWord = false
  while (at < command.length) {
    const space = /\s+/y
    space.lastIndex = at
    if (space.test(command)) {
      at = space.lastIndex
      inWord = false
      continue
    }
    part.lastIndex = at
    const found = part.exec(command)
    if (found === null) {
      return Effect.fail(misused(`A quote has no end, or a backslash nothing after it, in: --command ${command}`))
    }
    at = part.lastIndex
    const [, single, double, escaped, plain] = found
    const text = single ?? double?.replaceAll(/\\(["\\])/g, "$1") ?? escaped ?? plain ?? ""
    words.push(inWord ? `${words.pop() ?? ""}${text}` : text)
    inWord = true
  }
  const [program, ...rest] = words
  return program === undefined || program === ""
    ? Effect.fail(misused("--command takes a program and its arguments, and is empty."))
    : Effect.succeed([program, ...rest])
}
