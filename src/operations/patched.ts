/**
 * Patched: tell the executions that began with a change of the code from those that began before it.
 *
 * Owns: the answer, which holds for the whole namespace: no if the namespace holds a record that the code has not asked
 * for when everything known is delivered, and else yes, which is marked.
 * Does not own: what makes such a record a contradiction for everything else.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Claim, isFinal } from "../execution/Claim.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import { idOf, nameOf, payloadOf, type Mark } from "../execution/Marks.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import { InFinalizer } from "../execution/References.ts"
import { inWorkflow, useName } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Whether a change of the code applies to this execution: so that executions which are under way go on as they began.
 *
 * The answer is `false` if the context holds recorded operations that the code has not asked for yet: then the execution
 * passed this place before the change. Otherwise a mark is recorded, and from then on the answer is `true`. The first answer
 * holds for the whole context (the workflow, a child, an attempt or a branch) and for all of its fibers. Once no execution
 * from before the change is left, the question and the old code may go; the mark of the others is passed over. It costs one
 * operation where it applies.
 *
 * **Defects**: `InvalidName` (it has up to 250 characters of printable ASCII), `NameInUse`, `NestedOperation`.
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
      useName(namespace, parts, fiber, name)
      const known = namespace.patches.get(id)
      if (typeof known === "boolean") return Effect.succeed(known)
      if (known !== undefined) return Effect.callback<boolean>((resume) => void known.push(resume))
      namespace.patches.set(id, [])
      return ask(parts, namespace, fiber, { kind: "patch", of: namespace.id, label: id })
    })
  )

// --- How it is done ------------------------------------------------------------------------------------------------------

/** The first question in a namespace. A mark is delivered in its turn like an outcome, on the first run as on every replay. */
const ask = (parts: Parts, namespace: Namespace, fiber: AnyFiber, mark: Mark): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const { delivery, history, lifetime, usage } = parts
    if (!lifetime.isOpen) return resume(lifetime.inert)
    const claim = new Claim({ ...identityOf(mark), namespace, fiber, occurrence: 0, host: parts.claims })
    const answer = (applies: boolean): Effect.Effect<boolean> => {
      const others = namespace.patches.get(mark.label)
      namespace.patches.set(mark.label, applies)
      if (Array.isArray(others)) for (const other of others) other(Effect.succeed(applies))
      return Effect.succeed(applies)
    }
    let leave = (): void => {}
    const stand = (): void => {
      const door = delivery.wait({
        claim,
        namespace,
        fiber,
        path: claim.path,
        isFinal: fiber.getRef(InFinalizer),
        keyOf: (record) => record.EndTimestamp,
        outcome: () => answer(true),
        resume: (effect) => resume(effect as Effect.Effect<boolean>)
      })
      leave = () => delivery.leave(door)
    }
    const record = history.get(claim.id)
    if (record === undefined) usage.addOperation(claim.path)
    if (record !== undefined) claim.enter(history.claim(claim))
    if (record !== undefined && isFinal(record)) stand()
    else {
      const work = delivery.performEnd(
        claim,
        () => {
          const isBegun = record !== undefined
          if (!isBegun && (namespace.standing === "rebuilding" || namespace.recorded.unclaimed > 0)) {
            return resume(answer(false))
          }
          stand()
          if (!isBegun) {
            claim.enter(history.claim(claim))
            claim.later({ Action: "START" })
          }
          claim.commit({ Action: "SUCCEED", Payload: payloadOf(mark) })
        },
        true
      )
      leave = () => delivery.drop(work)
    }
    return Effect.sync(() => leave())
  })

const identityOf = (mark: Mark) => ({
  id: idOf(mark),
  name: nameOf(mark),
  kind: { type: "STEP", subType: "Step" } as const
})
