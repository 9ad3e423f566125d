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
  readonly #known = new Map<string, Array<string>>()

  /** A new invocation begins. Answers with how it tells what it sees. */
  begin(invocation: number): (context: string, what: string) => void {
    const seen = new Map<string, number>()
    return (context, what) => {
      const known = this.#known.get(context) ?? []
      this.#known.set(context, known)
      const index = seen.get(context) ?? 0
      seen.set(context, index + 1)
      const before = known[index]
      if (before === undefined) known.push(what)
      else if (before !== what) {
        this.departures.push(
          `Invocation ${invocation} saw "${what}" where an earlier one saw "${before}"${context === "" ? "" : ` in "${context}"`}.`
        )
      }
    }
  }
}
