/**
 * What has been found out about a project.
 *
 * Owns: the verdicts.
 * Does not own: who gives them.
 *
 * @since 0.1.0
 */

/** `problem` is what keeps something from working, `advice` what may. */
export interface Finding {
  readonly verdict: "ok" | "advice" | "problem"
  readonly about: string
  readonly says: string
}

export const ok = (about: string, says: string): Finding => ({ verdict: "ok", about, says })
export const advice = (about: string, says: string): Finding => ({ verdict: "advice", about, says })
export const problem = (about: string, says: string): Finding => ({ verdict: "problem", about, says })
