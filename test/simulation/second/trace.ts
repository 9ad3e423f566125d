/**
 * What the code of a workflow saw, invocation by invocation.
 *
 * A replay has to see the same in the same order before it sees anything new. Whatever is recorded as a whole does not run
 * again once it has ended, so each context is compared for itself.
 */
export class Trace {
  /** Where one invocation saw something else than another one before it. */
  readonly departures: Array<string> = []
  /** Where a record holds something else than what the code makes of what it has seen. */
  readonly contradictions: Array<string> = []
  /** Defects that no program has. */
  readonly mistakes: Array<string> = []
  /** What was seen in each context, as far as any invocation has come. */
  readonly #known = new Map<string, Array<{ what: string; readonly applied: number }>>()

  /**
   * A new invocation begins, when the service has applied so many requests. Answers with how it tells what it sees. What
   * may be lost with its invocation, since it is recorded with the next request, is seen anew if there was none.
   */
  begin(invocation: number, applied: () => number): Tell {
    const seen = new Map<string, number>()
    const began = applied()
    return (context, what, mayBeLost = false) => {
      const known = this.#known.get(context) ?? []
      this.#known.set(context, known)
      const index = seen.get(context) ?? 0
      seen.set(context, index + 1)
      const before = known[index]
      if (before === undefined) known.push({ what, applied: applied() })
      else if (before.what === what) return
      else if (mayBeLost && before.applied === began) known[index] = { what, applied: applied() }
      else {
        this.departures.push(
          `Invocation ${invocation} saw "${what}" where an earlier one saw "${before.what}"${context === "" ? "" : ` in "${context}"`}.`
        )
      }
    }
  }
}

/** Tells what an invocation sees in a context. */
export type Tell = (context: string, what: string, mayBeLost?: boolean) => void
