/**
 * Finds what public text promises: the fenced blocks of Markdown files and of `@example`s in doc comments, and the text
 * between the blocks.
 *
 * What a block is for stands behind its three backticks:
 *
 * - `ts` is compiled and run; `ts not run: WHY` is compiled only.
 * - `sh` holds command lines; a `text` that follows one at once is what its only command prints.
 * - `console` holds command lines, each after a `$`, and what they print.
 * - `text message: NAME` is what the program NAME of `messages.ts` is told.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "../..")

/** A fenced block and where it begins. */
export interface Block {
  readonly file: string
  readonly line: number
  readonly language: string
  /** What stands behind the language. */
  readonly info: string
  readonly code: string
}

const markdown = (pattern: string): ReadonlyArray<string> => globSync(pattern, { cwd: root }).toSorted()

/** The pages that are made from the doc comments, whose examples are run where they stand. */
export const generatedPages: ReadonlyArray<string> = markdown("docs/reference/**/*.md")

/** Every text that people write. */
export const markdownFiles: ReadonlyArray<string> = [
  ...markdown("*.md"),
  ...markdown("{bench,docs,examples,scripts,src,test}/**/*.md")
].filter((file) => !generatedPages.includes(file) && !file.startsWith("test/docs/.generated/"))

export const sourceFiles: ReadonlyArray<string> = globSync("src/**/*.ts", { cwd: root }).toSorted()

export const read = (file: string): string => readFileSync(join(root, file), "utf8")

/** A text without its fenced blocks, line by line, so that places stay what they are. */
export const proseOf = (file: string): ReadonlyArray<string> => {
  const lines = [...linesOf(file)]
  for (const { code, line } of fences(file, lines)) lines.fill("", line - 1, line + code.split("\n").length + 1)
  return lines
}

/** The blocks of a Markdown file, in order. */
export const markdownBlocks = (file: string): ReadonlyArray<Block> => fences(file, linesOf(file))

/** The blocks of the doc comments in a source file, in order. */
export const exampleBlocks = (file: string): ReadonlyArray<Block> =>
  fences(
    file,
    linesOf(file).map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? "")
  )

const linesOf = (file: string): ReadonlyArray<string> => read(file).split("\n")

/** The fenced blocks in lines of Markdown, also those that are indented or have a longer fence. */
export const fences = (file: string, text: ReadonlyArray<string>): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  for (let start = 0; start < text.length; start++) {
    const [, indent = "", fence, language = "", info = ""] = /^( *)(`{3,})(\w*) ?([^`]*)$/.exec(text[start] ?? "") ?? []
    if (fence === undefined) continue
    const end = text.indexOf(indent + fence, start + 1)
    if (end === -1) throw new Error(`${file}:${start + 1}: the block is never closed.`)
    const code = text.slice(start + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({ file, line: start + 1, language, info, code: code.join("\n") })
    start = end
  }
  return blocks
}
