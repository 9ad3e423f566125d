/**
 * Faults that the runtime could have: each is a change of its source, under which a single run of every example still ends as it
 * should, and only a replay, a crash or another order would tell.
 *
 * Owns: which faults there are, and which judge is asked first.
 * Does not own: how they are put in and looked for.
 */
import type { Change } from "./copy.ts"

export interface Fault {
  readonly name: string
  /** Where the code has no place for the fault by its name: what is done instead. */
  readonly nearest?: string
  readonly changes: ReadonlyArray<Change>
  /** Judges of random programs, in the order in which they are asked. */
  readonly judges?: ReadonlyArray<"simulate" | "undo" | "second" | "explore">
  /** Files of tests that are asked in the end. */
  readonly tests?: ReadonlyArray<string>
}

export const faults: ReadonlyArray<Fault> = [
  {
    name: "deliver in fiber order",
    changes: [
      {
        file: "src/execution/Doors.ts",
        find: "=> isBefore(a, b) || (!isBefore(b, a) && wasAskedBefore(a, b))",
        replace: "=> wasAskedBefore(a, b)"
      }
    ]
  },
  {
    name: "forget an undo in a branch that is let go of",
    judges: ["undo", "simulate"],
    changes: [
      {
        file: "src/operations/withCompensation.ts",
        find: "  if (begun.length === 0) return\n",
        replace: "  if (begun.length >= 0) return\n"
      },
      {
        file: "src/operations/withCompensation.ts",
        find: `      if (part.state === "begun" && hasDone(parts, part)) parts.notUndone.push(describeCut(part))\n`,
        replace: ""
      }
    ]
  },
  {
    name: "a clock that only leaves move",
    changes: [
      {
        file: "src/execution/Delivery.ts",
        find: "    if (!claim.movesTime) return\n",
        replace: `    if (!claim.movesTime || claim.kind.type === "CONTEXT") return\n`
      }
    ]
  },
  {
    name: "a Serdes that draws from the workflow",
    changes: [
      {
        file: "src/execution/Claim.ts",
        find: "    const exit = exitOf(conversion)\n    if (exit === undefined) this.#host",
        replace:
          "    this.namespace.random.nextDoubleUnsafe()\n    const exit = exitOf(conversion)\n    if (exit === undefined) this.#host"
      }
    ]
  },
  {
    name: "drop an acknowledgement",
    nearest: "of a change that the answer does not tell again, because any other is known by what the answer tells",
    changes: [
      {
        file: "src/execution/Claim.ts",
        find: "    this.#host.push(this, this.#update(change), true, () => {\n      this.#host.committed(this, change)\n",
        replace: "    this.#host.push(this, this.#update(change), true, () => {\n"
      }
    ]
  },
  {
    name: "reuse a token",
    nearest: "after a request that only asks, because the second of two changes would never be accepted",
    changes: [
      {
        file: "src/execution/Outbox.ts",
        find: "    if (token !== undefined) this.#token = token\n",
        replace: "    if (token !== undefined) this.#token = batch.length === 0 ? this.#token : token\n"
      }
    ]
  },
  {
    name: "suspend while a promise is pending",
    // Random programs have no promises outside of steps, whose order nobody promises.
    judges: [],
    tests: ["test/runtime/suspensionQuiescence.test.ts"],
    changes: [
      {
        file: "src/execution/Rest.ts",
        find: "    if (fibers.isOutside) {\n",
        replace: "    if (fibers.isOutside && !doors.hasDurable) {\n"
      }
    ]
  },
  {
    name: "perform before the replay has caught up",
    // As long as the code stays what it was, every run performs as early: only changed code tells.
    judges: [],
    tests: ["test/determinism/casesChanges.test.ts"],
    changes: [
      {
        file: "src/execution/Unclaimed.ts",
        find: "    const isComplete = this.#parts.history.unclaimed === 0 && (work.ended?.missed ?? 0) === 0\n",
        replace: "    const isComplete = true\n"
      },
      {
        file: "src/execution/Delivery.ts",
        find: "    const door = this.#doors.first\n",
        replace: "    const door = this.#works.first === undefined ? this.#doors.first : undefined\n"
      }
    ]
  },
  {
    name: "count a cancelled wait as success",
    // The runtime cancels no wait, only somebody else could.
    judges: [],
    tests: ["test/operations/wait.test.ts"],
    changes: [
      {
        file: "src/operations/wait.ts",
        find: `  keyOf: (record) => (record.Status === "SUCCEEDED" ?`,
        replace: `  keyOf: (record) => (record.Status === "SUCCEEDED" || record.Status === "CANCELLED" ?`
      }
    ]
  },
  {
    name: "a finalizer in a closed context",
    changes: [
      {
        file: "src/execution/Release.ts",
        find: "      if (!namespace.hasFinalizers) continue\n",
        replace: "      if (namespace.hasFinalizers || !namespace.hasFinalizers) continue\n"
      }
    ]
  },
  {
    name: "occurrences by completion",
    nearest: "on a replay, because before that nothing has completed",
    changes: [
      {
        file: "src/operations/Operation.ts",
        find: "  const occurrence = useName(namespace, parts, fiber, name, site)\n  return new Claim({",
        replace: `  const used = useName(namespace, parts, fiber, name, site)
  const ends: Array<readonly [number, number]> = []
  for (let index = 0; parts.history.get(operationId(namespace.id, name, index)) !== undefined; index++) {
    ends.push([parts.history.get(operationId(namespace.id, name, index))?.EndTimestamp ?? Infinity, index])
  }
  const occurrence = ends.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))[used]?.[1] ?? used
  return new Claim({`
      }
    ]
  },
  {
    name: "ends of items unacknowledged under a policy",
    // What follows from the end of an item waits for the known outcomes all the same, so nearly every run looks alike.
    judges: [],
    tests: ["test/operations/batchReplay.test.ts"],
    changes: [
      {
        file: "src/operations/batch.ts",
        find: `  "text" in outcome && (policy?.isOrderless ?? true) && !inner.isKept`,
        replace: `  "text" in outcome && !inner.isKept`
      }
    ]
  },
  {
    name: "one generator for all contexts",
    judges: ["second", "simulate"],
    changes: [
      {
        file: "src/execution/Namespace.ts",
        find: "    const { dice } = this\n    return (dice.#random",
        replace:
          "    let dice: Namespace = this.dice\n    while (dice.parent !== undefined) dice = dice.parent.dice\n    return (dice.#random"
      }
    ]
  },
  {
    name: "a late outcome without a marker",
    // In random programs only stamps that are behind are late, and there nobody can tell what an earlier invocation knew.
    judges: [],
    tests: ["test/attack/stamps.test.ts"],
    changes: [
      {
        file: "src/execution/News.ts",
        find: "const late = ready.filter((door) => (door.since < count && isBefore(door, last)) || this.#doors.isBehind(door))",
        replace: "const late = ready.filter((door) => count < 0 && isBefore(door, last))"
      }
    ]
  },
  {
    name: "a timer that wakes nobody",
    changes: [
      {
        file: "src/execution/Naps.ts",
        find: "      host.after(millis, () => this.#elapsed(door))\n",
        replace: "      host.after(millis, () => {})\n"
      }
    ]
  }
]
