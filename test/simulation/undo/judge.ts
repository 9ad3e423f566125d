/**
 * Whether everything that was done has been undone, once, and the last first.
 *
 * A part is done when its last step is recorded as succeeded. So the judgement needs no second run: what the bodies of
 * steps noted says which operation belongs to which part, and the operations say what became of it.
 */
import type { Problem, Ran } from "../kit/campaign.ts"
import type { Operation, Seen } from "../kit/world.ts"
import { failures } from "./interpret.ts"
import type { Instance, Notes } from "./notes.ts"
import type { Program } from "./program.ts"

/** An undo that is missing; one too many; two in the wrong order; another end than the program has. */
export type Kind = "lost" | "doubled" | "order" | "end"

type Found = ReadonlyArray<Problem<Kind>>

export const judge = (program: Program, notes: Notes, seen: Seen): Ran<Kind> => ({
  requests: seen.requests,
  problems: problemsOf(program, new Evidence(notes, seen), seen)
})

const problemsOf = (program: Program, evidence: Evidence, { outcome }: Seen): Found => {
  const undone = evidence.instances.filter((instance) => evidence.undosOf(instance).length > 0)
  switch (outcome.status) {
    case "fault":
      return [{ kind: "end", text: outcome.message.slice(0, 600) }]
    case "SUCCEEDED":
      return [
        ...(program.end === "success" ? [] : [{ kind: "end" as const, text: "The execution succeeded." }]),
        ...undone.map(({ key }) => ({ kind: "doubled" as const, text: `"${key}" was undone, and nothing has failed.` }))
      ]
    case "FAILED":
      return failures.has(outcome.type)
        ? [...countsOf(evidence, outcome.message), ...orderOf(evidence)]
        : [{ kind: "end", text: `${outcome.type}: ${outcome.message.slice(0, 600)}` }]
  }
}

/** Each undo once, and none of what was not done. */
const countsOf = (evidence: Evidence, message: string): Found =>
  evidence.instances.flatMap((instance): Found => {
    const { key, name } = instance
    const standing = evidence.standingOf(instance)
    const undos = evidence.undosOf(instance)
    const contexts = evidence.contextsOf(name).length
    const atMost = evidence.instances.filter(
      (one) => one.name === name && evidence.standingOf(one) !== "not done"
    ).length
    // It is named with the contexts around it, and with its number if there are several: "trip/part 5#2".
    const isNamed = new RegExp(`["/]${name}(#\\d+)?"`).test(message)
    const isUndone = undos.some(({ Status }) => Status === "SUCCEEDED")
    const problems: Array<Problem<Kind>> = []
    if (standing === "done" && !isUndone && !isNamed) {
      problems.push({
        kind: "lost",
        text: `"${key}" was done and is not undone, and the failure does not say so: ${message}`
      })
    }
    if (undos.length > 1) problems.push({ kind: "doubled", text: `"${key}" was undone ${undos.length} times.` })
    if (undos.length > 0 && standing === "not done") {
      problems.push({ kind: "doubled", text: `"${key}" was undone, and was never done.` })
    }
    if (contexts > atMost) {
      problems.push({
        kind: "doubled",
        text: `There are ${contexts} undos of "${name}" for what was done ${atMost} times.`
      })
    }
    return problems
  })

/** The last first, where it is decided which was recorded last. */
const orderOf = (evidence: Evidence): Found => {
  const undone = evidence.instances.flatMap((instance) => {
    const place = evidence.placeOf(instance)
    const span = evidence.spanOf(instance)
    return place === undefined || span === undefined ? [] : [{ instance, place, span }]
  })
  const backwards = undone.flatMap((first): Found =>
    undone
      .filter((second) => isBefore(first.span, second.span) && first.place < second.place)
      .map((second) => ({
        kind: "order",
        text: `"${first.instance.key}" was undone before "${second.instance.key}", which was done after it.`
      }))
  )
  return [...backwards, ...evidence.overlapping().map((text) => ({ kind: "order" as const, text }))]
}

/** When a part was done: from its last step to the end of what is around that, if this has ended. */
interface Span {
  readonly start: number
  readonly from: Point
  readonly to: Point
}

/** A whole millisecond, and the request by which the service heard of it. */
interface Point {
  readonly millis: number
  readonly request: number
}

const isBefore = (left: Span, right: Span): boolean =>
  left.to.millis < right.from.millis || (left.to.millis === right.from.millis && left.to.request < right.start)

/** What the records say of what the program noted. */
class Evidence {
  readonly instances: ReadonlyArray<Instance>
  readonly #notes: Notes
  readonly #seen: Seen
  readonly #operations: ReadonlyMap<string, Operation>

  constructor(notes: Notes, seen: Seen) {
    this.#notes = notes
    this.#seen = seen
    this.#operations = new Map(seen.operations.map((operation) => [operation.Id, operation]))
    this.instances = [...notes.instances.values()]
  }

  /** A part whose undo stands before it is done when the step after it is known; before that nothing tells. */
  standingOf(instance: Instance): "done" | "not done" | "either" {
    const steps = this.#recorded("lastSteps", instance)
    if (instance.steps === 0) return steps.length > 0 ? "done" : "either"
    return steps.filter(({ Status }) => Status === "SUCCEEDED").length >= instance.steps ? "done" : "not done"
  }

  undosOf(instance: Instance): ReadonlyArray<Operation> {
    return this.#recorded("undos", instance)
  }

  contextsOf(name: string): ReadonlyArray<Operation> {
    return this.#seen.operations.filter(({ Name }) => Name === `compensate:${name}`)
  }

  /** Undos that began before the one before them had ended. */
  overlapping(): ReadonlyArray<string> {
    const { outcome, start } = this.#seen.acknowledged
    const contexts = this.#seen.operations.filter(({ Name }) => Name?.startsWith("compensate:"))
    return contexts.flatMap(({ Id, Name }, index) => {
      const next = contexts[index + 1]
      const isOver = next === undefined || (outcome.get(Id) ?? Infinity) <= (start.get(next.Id) ?? Infinity)
      return isOver ? [] : [`"${Name}" was not over when "${next.Name}" began.`]
    })
  }

  /** Where the undo of a part stands among all operations. */
  placeOf(instance: Instance): number | undefined {
    const [undo] = this.undosOf(instance)
    if (undo === undefined) return undefined
    const context = this.#around(undo).find(({ Name }) => Name === `compensate:${instance.name}`)
    return context === undefined ? undefined : this.#seen.operations.indexOf(context)
  }

  spanOf(instance: Instance): Span | undefined {
    const steps = this.#recorded("lastSteps", instance)
    if (instance.steps === 0 || steps.length === 0 || this.standingOf(instance) !== "done") return undefined
    const around = steps.flatMap((step) => this.#around(step).filter(({ Name }) => Name?.startsWith("closing ")))
    const from = steps.map((step) => this.#pointOf(step))
    const to = [...steps, ...around].map((operation) => this.#pointOf(operation))
    return {
      start: Math.min(...steps.map(({ Id }) => this.#seen.acknowledged.start.get(Id) ?? Infinity)),
      from: from.reduce(later),
      to: to.reduce(later)
    }
  }

  #pointOf({ EndTimestamp, Id }: Operation): Point {
    return {
      millis: EndTimestamp === undefined ? Infinity : Math.floor(EndTimestamp),
      request: this.#seen.acknowledged.outcome.get(Id) ?? Infinity
    }
  }

  #around({ ParentId }: Operation): ReadonlyArray<Operation> {
    const parent = ParentId === undefined ? undefined : this.#operations.get(ParentId)
    return parent === undefined ? [] : [parent, ...this.#around(parent)]
  }

  #recorded(of: "lastSteps" | "undos", { key }: Instance): ReadonlyArray<Operation> {
    const ids = [...(this.#notes[of].get(key) ?? [])]
    return ids.map((id) => this.#operations.get(id)).filter((operation) => operation !== undefined)
  }
}

const later = (left: Point, right: Point): Point =>
  left.millis > right.millis || (left.millis === right.millis && left.request > right.request) ? left : right
