/**
 * Patched: tell the executions that began with a change of the code from those that began before it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { SubType } from "../../wire/SubType.ts"
import type { DurableContext } from "../DurableContext.ts"
import { claimOnce, observe, inWorkflow, record as recordChange, recordLater, type Claim } from "../Execution.ts"
import { patchName } from "../Journal.ts"
import { isReplaying } from "../Reached.ts"
import { caughtUp } from "./catchUp.ts"

/**
 * Whether a change applies in the current context: not when the context replays what it recorded without the mark of the
 * change, and otherwise it is marked. The first answer holds for the whole context.
 */
export const patched = (id: string) =>
  inWorkflow(id, ({ context, run }, fiber) => {
    // What is no name by itself is refused as it is.
    const name = typeof id === "string" && id !== "" ? patchName(id) : id
    const isFirst = context.use(name, fiber, undefined) === 0
    const known = context.patches.get(name)
    if (!isFirst && known !== undefined) return Effect.succeed(known)
    const claimed = claimOnce(run, context, { type: "STEP", subType: SubType.Step, name })
    const answer = (applies: boolean): Effect.Effect<boolean> => {
      context.patches.set(name, applies)
      return Effect.as(applies ? mark(claimed) : Effect.void, applies)
    }
    if (claimed.record !== undefined || !isReplaying(run, context)) return answer(true)
    return Effect.flatMap(othersCaughtUp(claimed, context), () =>
      Effect.suspend(() => answer(!isReplaying(run, context)))
    )
  })

/** What is recorded and not asked for yet counts only if it is this fibre that has not asked for it. */
const othersCaughtUp = ({ run }: Claim, context: DurableContext): Effect.Effect<void> =>
  context.recorded.finished ? Effect.void : caughtUp(run, () => !isReplaying(run, context))

const mark = (claimed: Claim): Effect.Effect<void> => {
  if (claimed.record !== undefined) {
    observe(claimed, claimed.record)
    return Effect.yieldNow
  }
  claimed.run.usage.addOperation(claimed.path)
  return Effect.andThen(recordLater(claimed, { Action: "START" }), recordChange(claimed, { Action: "SUCCEED" }))
}
