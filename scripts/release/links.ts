/**
 * Rewrites the links of pages that leave the repository.
 *
 * The registry shows only the README, so all of its relative links become addresses. In other pages, links to files of
 * the package stay relative, because a reader of one has the others too.
 */
import { posix } from "node:path"

export interface Release {
  /** The files of the package, from its root. */
  readonly files: ReadonlyArray<string>
  /** The address of the repository at the released commit, to which paths are appended. */
  readonly base: string
  /** The address of the package's own files, for the reference, which is built and not in the repository. */
  readonly packaged: string
}

/** Returns a page, given by its path in the package, with the links for a release. */
export const released = (path: string, text: string, { base, files, packaged }: Release): string =>
  outsideOfCode(text, (prose) =>
    prose.replace(/(\]\()([^)\s]+)(\))/g, (link: string, open: string, target: string, close: string) => {
      if (/^([a-z][a-z+.-]*:|#)/.test(target)) return link
      const [file = "", anchor] = target.split("#")
      const found = posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, "")
      if (path !== "README.md" && files.some((one) => one === found || one.startsWith(`${found}/`))) return link
      const home = found.startsWith("docs/reference/") ? packaged : base
      return `${open}${home}/${found}${anchor === undefined ? "" : `#${anchor}`}${close}`
    })
  )

/** Changes the text that is neither in a code block nor between backticks. */
const outsideOfCode = (text: string, change: (prose: string) => string): string =>
  text
    .split(/(^```.*?^```$)/gms)
    .map((part, index) => (index % 2 === 1 ? part : proseOf(part, change)))
    .join("")

const proseOf = (text: string, change: (prose: string) => string): string => {
  // The text of a link may be code, so code is hidden only during the change.
  const hidden: Array<string> = []
  const shown = text.replace(/`[^`\n]*`/g, (code) => `\u0000${hidden.push(code) - 1}\u0000`)
  // oxlint-disable-next-line no-control-regex -- no text has this character
  return change(shown).replace(/\u0000(\d+)\u0000/g, (_, index: string) => hidden[Number(index)] ?? "")
}
