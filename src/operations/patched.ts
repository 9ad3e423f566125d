/**
 * Patched: distinguishes executions that began after a change of the code from those that began before it.
 *
 * Owns: the answer, which holds for the whole namespace. It is no if the namespace holds a record that the code has not
 * asked for when everything known is delivered. Otherwise it is yes, and a mark records it.
 * Does not own: why such a record is a contradiction for all other code.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { callSiteOf } from "../execution/CallSite.ts"
import { Claim, isFinal } from "../execution/Claim.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import { idOf, nameOf, payloadOf, type Mark } from "../execution/Marks.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import { isFinalizing } from "../execution/References.ts"
import { inWorkflow, useName } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Returns whether a change of the code applies to this execution, so that executions in progress continue as they began.
 *
 * The result is `false` if the context holds recorded operations that the code has not asked for yet: the execution
 * passed this place before the change. Otherwise a mark is recorded, and from then on the result is `true`. The first
 * result holds for the whole context (the workflow, a child, an attempt or a branch) and for all of its fibers. Once no
 * execution from before the change remains, the call and the old code may be removed; replays skip the mark in other
 * executions. A call costs one operation where the change applies.
 *
 * **Defects**: `InvalidName` (an id has 1 to 250 characters of printable ASCII), `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const checked = Effect.gen(function*() {
 *   if (yield* Durable.patched("fraud-check")) yield* Durable.step("fraud-check", Effect.log("checked"))
 *   return yield* Durable.step("charge", Effect.succeed("charge-1"))
 * })
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const patched = (id: string): Effect.Effect<boolean, never, Execution> =>
  typed(
    inWorkflow(id, ({ namespace, parts }, fiber) => {
      const name = typeof id === "string" && id !== "" ? `patch:${id}` : id
      useName(namespace, parts, fiber, name, callSiteOf(fiber))
      const question = questionIn(namespace, id)
      const { answer } = question
      return answer === undefined ? ask(parts, namespace, fiber, question) : Effect.succeed(answer)
    })
  )

// --- Implementation ------------------------------------------------------------------------------------------------------

/** A patch in a namespace. Only the first of the fibers that use it asks the history. */
interface Question {
  readonly mark: Mark
  readonly askers: Set<Asker>
  answer: boolean | undefined
  /** The mark, once it is recorded or about to be. */
  claim: Claim | undefined
}

interface Asker {
  /** Begins to ask. Returns a function that stops asking. */
  readonly ask: () => () => void
  readonly resume: (answer: Effect.Effect<boolean>) => void
  stop: () => void
}

const questions = new WeakMap<Namespace, Map<string, Question>>()

const questionIn = (namespace: Namespace, id: string): Question => {
  let all = questions.get(namespace)
  if (all === undefined) questions.set(namespace, (all = new Map()))
  let question = all.get(id)
  if (question === undefined) {
    const mark: Mark = { kind: "patch", of: namespace.id, label: id }
    all.set(id, (question = { mark, askers: new Set(), answer: undefined, claim: undefined }))
  }
  return question
}

/** Waits for the answer. The first fiber asks; if that fiber is cancelled, the next one asks. */
const ask = (parts: Parts, namespace: Namespace, fiber: AnyFiber, question: Question): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const { askers } = question
    const asker: Asker = { ask: () => asking(parts, namespace, fiber, question), resume, stop: () => {} }
    askers.add(asker)
    if (askers.size === 1) asker.stop = asker.ask()
    return Effect.sync(() => {
      const [first] = askers
      askers.delete(asker)
      asker.stop()
      const [next] = askers
      if (first === asker && next !== undefined) next.stop = next.ask()
    })
  })

/** Asks the history. A mark is delivered in order like an outcome, on the first run as on every replay. */
const asking = (parts: Parts, namespace: Namespace, fiber: AnyFiber, question: Question): (() => void) => {
  const { delivery, history, lifetime, usage } = parts
  const { mark } = question
  const tell = (effect: Effect.Effect<boolean>): void => {
    const askers = Array.from(question.askers)
    question.askers.clear()
    for (const { resume } of askers) resume(effect)
  }
  const answer = (applies: boolean): void => {
    question.answer = applies
    tell(Effect.succeed(applies))
  }
  if (!lifetime.isOpen) {
    tell(lifetime.inert)
    return () => {}
  }
  const stand = (claim: Claim): (() => void) => {
    const door = delivery.wait({
      claim,
      namespace,
      fiber,
      path: claim.path,
      isFinal: isFinalizing(fiber),
      keyOf: (record) => record.EndTimestamp,
      outcome: () => Effect.succeed(true),
      resume: (effect) => {
        if (lifetime.isOpen && namespace.standing !== "closed") question.answer = true
        tell(cast<unknown, Effect.Effect<boolean>>(effect))
      }
    })
    return () => delivery.leave(door)
  }
  if (question.claim !== undefined) return stand(question.claim)
  const identity = identityOf(mark)
  const path = namespace.pathOf(identity.name, 0)
  const claim = new Claim({ ...identity, path, namespace, fiber, host: parts.claims })
  const record = history.get(claim.id)
  const enter = (): void => {
    claim.enter(history.claim(claim))
    question.claim = claim
  }
  if (record === undefined) usage.addOperation(claim.path)
  else enter()
  if (record !== undefined && isFinal(record)) return stand(claim)
  let leave = (): void => delivery.drop(work)
  const decide = (): void => {
    const isBegun = record !== undefined
    if (!isBegun && (namespace.isRebuilding || namespace.recorded.unclaimed > 0)) return answer(false)
    leave = stand(claim)
    if (!isBegun) {
      enter()
      claim.later({ Action: "START" })
    }
    claim.commit({ Action: "SUCCEED", Payload: payloadOf(mark) })
  }
  const work = delivery.performEnd({ claim, run: decide, isExempt: true, free: tell })
  return () => leave()
}

const identityOf = (mark: Mark) => ({
  id: idOf(mark),
  name: nameOf(mark),
  kind: { type: "STEP", subType: "Step" } as const
})
