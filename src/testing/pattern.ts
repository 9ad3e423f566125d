/**
 * The selection of named things: by one name, or by a pattern or a predicate.
 *
 * Owns: which names match. Does not own: the names of a thing.
 *
 * @since 0.1.0
 */
export type Pattern = string | RegExp | ((name: string) => boolean)

/** Returns whether the pattern matches one of the names. */
export const picks = (pattern: Pattern, names: ReadonlyArray<string>): boolean =>
  names.some((name) => {
    if (typeof pattern === "string") return pattern === name
    return typeof pattern === "function" ? pattern(name) : name.search(pattern) !== -1
  })
