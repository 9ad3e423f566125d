/**
 * What a program notes while it runs, over all invocations. It notes for each round, item and attempt of a part apart.
 */
import type { Undo } from "./program.ts"

/** A part, in one round, item or attempt of what is around it. */
export interface Instance {
  /** As `part 5` or `part 5.1`. */
  readonly key: string
  /** The name of the operation. */
  readonly name: string
  /** How many steps have to be recorded until it is done; nothing if its undo stands before it. */
  readonly steps: number
  readonly undo: Undo
}

export class Notes {
  readonly instances = new Map<string, Instance>()
  /** The steps by which parts are done, whose bodies ran, by the keys of the parts. */
  readonly lastSteps = new Map<string, Set<string>>()
  /** The steps of undos whose bodies ran. */
  readonly undos = new Map<string, Set<string>>()

  reach(instance: Instance): void {
    this.instances.set(instance.key, instance)
  }

  run(of: "lastSteps" | "undos", { key }: Instance, operationId: string): void {
    const operations = this[of].get(key) ?? new Set()
    this[of].set(key, operations.add(operationId))
  }
}
