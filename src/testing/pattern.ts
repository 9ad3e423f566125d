/**
 * Which of several things with names is meant: the one of a name, or those that a pattern or a function picks.
 *
 * Owns: what fits. Does not own: which names a thing has.
 *
 * @since 0.1.0
 */
export type Pattern = string | RegExp | ((name: string) => boolean)

/** Whether one of the names of a thing is meant. */
export const picks = (pattern: Pattern, names: ReadonlyArray<string>): boolean =>
  names.some((name) => {
    if (typeof pattern === "string") return pattern === name
    return typeof pattern === "function" ? pattern(name) : name.search(pattern) !== -1
  })
