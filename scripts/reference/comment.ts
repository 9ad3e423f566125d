/** Parses a doc comment. */

export interface DocComment {
  /** The first sentence. */
  readonly summary: string
  /** Everything before the first tag, including the summary, as Markdown. */
  readonly text: string
  /** The Markdown of each `@example`. */
  readonly examples: ReadonlyArray<string>
  readonly category: string | undefined
  readonly since: string | undefined
}

export const parseComment = (comment: string): DocComment => {
  const sections = sectionsOf(
    comment
      .replace(/^\s*\/\*\*/, "")
      .replace(/\*\/\s*$/, "")
      .split("\n")
      .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
  )
  const valuesOf = (tag: string): ReadonlyArray<string> =>
    sections.flatMap((section) => (section.tag === tag ? [section.text] : []))
  const [text = ""] = valuesOf("")
  return {
    summary: firstSentence(text),
    text,
    examples: valuesOf("example"),
    category: valuesOf("category")[0],
    since: valuesOf("since")[0]
  }
}

interface Section {
  /** Empty for the text before the first tag. */
  readonly tag: string
  readonly text: string
}

/** A tag is at the beginning of a line, outside of code blocks. */
const sectionsOf = (lines: ReadonlyArray<string>): ReadonlyArray<Section> => {
  const sections: Array<{ tag: string; lines: Array<string> }> = [{ tag: "", lines: [] }]
  let inCode = false
  for (const line of lines) {
    if (line.startsWith("```")) inCode = !inCode
    const [, tag, rest = ""] = inCode ? [] : (/^@(\w+)\s*(.*)$/.exec(line) ?? [])
    if (tag === undefined) sections.at(-1)?.lines.push(line)
    else sections.push({ tag, lines: [rest] })
  }
  return sections.map((section) => ({ tag: section.tag, text: section.lines.join("\n").trim() }))
}

const firstSentence = (text: string): string => {
  const [paragraph = ""] = text.split("\n\n")
  const line = paragraph.replaceAll("\n", " ")
  return /^.*?\.(?= |$)/.exec(line)?.[0] ?? line
}

/** Replaces each `{@link name}` and `{@link name | text}`. */
export const replaceLinks = (text: string, link: (name: string, text: string) => string): string =>
  text.replaceAll(/\{@link ([^}|]+?)(?: *\| *([^}]+?))? *\}/g, (_, name: string, shown: string | undefined) =>
    link(name, shown ?? `\`${name}\``)
  )
