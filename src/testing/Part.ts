/**
 * The parts of a test engine: implementations, stubs, answers and faults of steps.
 *
 * Owns: the check of the list, for callers without types. Does not own: what the engine does with its parts.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { isDurableFunction, type AnyImplementation } from "../DurableFunction.ts"
import { kindOf } from "../internal/found.ts"
import { isAnswer, type Answer } from "./Answer.ts"
import { isStepFault, type StepFault } from "./StepFault.ts"
import type { Stub } from "./Stub.ts"
import { TestFailure } from "./TestFailure.ts"

export type Part = AnyImplementation | Stub<unknown> | Answer<unknown> | StepFault

/** Refuses what a caller without types may give in place of the parts, such as a contract in place of its implementation. */
export const checkParts = (parts: ReadonlyArray<Part>): Effect.Effect<void> => {
  if (!Array.isArray(parts)) return wrongPart("a list", kindOf(parts))
  const at = parts.findIndex((part) => !isPart(part))
  return at < 0 ? Effect.void : wrongPart("its parts", `${describePart(parts[at])} at index ${at}`)
}

const wrongPart = (expected: string, found: string): Effect.Effect<never> =>
  Effect.die(
    new TestFailure({
      message: `Expected TestEngine.layer to get ${expected}, found ${found}. Pass a list of the results of implement, TestEngine.stub, TestEngine.answer and TestEngine.failFirst.`
    })
  )

const isPart = (part: unknown): boolean => {
  if (typeof part !== "object" || part === null) return false
  return isAnswer(part) || isStepFault(part) || (hasProperty(part, "contract") && isDurableFunction(part.contract))
}

const describePart = (part: unknown): string =>
  isDurableFunction(part) ? `the contract "${part.name}" without an implementation` : kindOf(part)
