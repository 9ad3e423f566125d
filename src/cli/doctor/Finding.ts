/**
 * A finding about a project.
 *
 * Owns: the verdicts.
 * Does not own: the checks that return them.
 *
 * @since 0.1.0
 */

/** The result of a check: a `problem` prevents something from working, `advice` names something that may prevent it. */
export interface Finding {
  readonly verdict: "ok" | "advice" | "problem"
  readonly about: string
  readonly says: string
}

export const ok = (about: string, says: string): Finding => ({ verdict: "ok", about, says })
export const advice = (about: string, says: string): Finding => ({ verdict: "advice", about, says })
export const problem = (about: string, says: string): Finding => ({ verdict: "problem", about, says })
