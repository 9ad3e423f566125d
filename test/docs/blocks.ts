/**
 * Finds the code in public text: the fenced blocks of Markdown files, and those of `@example`s in doc comments.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "../..")

/** A fenced block and where it begins. */
export interface Block {
  readonly file: string
  readonly line: number
  readonly language: string
  readonly code: string
}

export const markdownFiles: ReadonlyArray<string> = [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("docs/**/*.md", { cwd: root }).toSorted()
]

export const sourceFiles: ReadonlyArray<string> = globSync("src/**/*.ts", { cwd: root }).toSorted()

/** The blocks of a Markdown file, in order. */
export const markdownBlocks = (file: string): ReadonlyArray<Block> => fences(file, lines(file))

/** The blocks of the doc comments in a source file, in order. */
export const exampleBlocks = (file: string): ReadonlyArray<Block> =>
  fences(
    file,
    lines(file).map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? "")
  )

const lines = (file: string): ReadonlyArray<string> => readFileSync(join(root, file), "utf8").split("\n")

const fences = (file: string, text: ReadonlyArray<string>): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  for (let start = 0; start < text.length; start++) {
    const language = /^```(\w+)$/.exec(text[start] ?? "")?.[1]
    if (language === undefined) continue
    const end = text.indexOf("```", start + 1)
    if (end === -1) throw new Error(`${file}:${start + 1}: the block is never closed.`)
    blocks.push({ file, line: start + 1, language, code: text.slice(start + 1, end).join("\n") })
    start = end
  }
  return blocks
}
