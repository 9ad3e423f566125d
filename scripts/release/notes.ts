/**
 * The section of CHANGELOG.md about a version.
 *
 * Owns: how a section of the changelog is found. Does not own: the use of the section.
 */

export interface Notes {
  /** The section without its heading. */
  readonly text: string
  /** Whether the heading marks the version as unreleased. */
  readonly isUnreleased: boolean
}

/** Returns the section of a version, under a heading such as `## 1.2.0` or `## 1.2.0 (unreleased)`. */
export const notesOf = (changelog: string, version: string): Notes => {
  const section = changelog
    .split(/^## /m)
    .slice(1)
    .find((text) => text.split(/\s/)[0] === version)
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version}". Say in it what has changed.`)
  const [heading = "", ...lines] = section.split("\n")
  const text = lines.join("\n").trim()
  if (text === "") throw new Error(`The section "## ${version}" of CHANGELOG.md is empty. Say in it what has changed.`)
  return { text: `${text}\n`, isUnreleased: heading.includes("(unreleased)") }
}
