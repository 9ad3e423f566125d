/**
 * The changes of recorded blocks to memory outside of them, which do not happen on a replay.
 *
 * Owns: the comparison of an invocation with a replay over its records, in which no recorded block runs again. Both have to
 * ask for the same operations, and end in the same way.
 * Does not own: when the comparison runs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import { CheckpointStore, StaleCheckpointToken } from "../CheckpointStore.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import { isFinal, type Claim } from "../execution/Claim.ts"
import type { Listener } from "../execution/Listener.ts"
import type { Namespace } from "../execution/Namespace.ts"
import { invoke } from "../invocation/Invocation.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"

/** An operation that the code asked for, and the recorded contexts around it. */
interface Asked {
  readonly id: string
  readonly path: string
  readonly around: ReadonlyArray<string>
}

/** The operations that the code of one invocation asks for. */
export class AskedFor {
  readonly #asked = new Map<string, Asked>()

  readonly listener: Pick<Listener, "claimed"> = {
    claimed: ({ id, namespace, path }: Claim) => {
      if (!this.#asked.has(id)) this.#asked.set(id, { id, path, around: contextsAround(namespace) })
    }
  }

  /**
   * Returns the paths that this invocation asked for and the other did not, except those in contexts of which only the end
   * is kept.
   */
  without(other: AskedFor, isKept: (context: string) => boolean): ReadonlyArray<string> {
    return [...this.#asked.values()].flatMap(({ around, id, path }) =>
      other.#asked.has(id) || !around.every(isKept) ? [] : [path]
    )
  }
}

const contextsAround = (namespace: Namespace): ReadonlyArray<string> => {
  const around: Array<string> = []
  for (let one: Namespace | undefined = namespace; one !== undefined; one = one.parent) {
    if (one.recorded === one && one.id !== "") around.push(one.id)
  }
  return around
}

export interface Replayed {
  readonly implementation: DurableFunction.AnyImplementation
  readonly executionArn: string
  /** The records after the end of the invocation. */
  readonly records: ReadonlyArray<Operation>
  readonly asked: AskedFor
  readonly answer: InvocationAnswer
}

/** Replays the parent of every recorded block, and returns the first difference, if there is one. */
export const difference = Effect.fnUntraced(function* (
  { answer, asked, executionArn, implementation, records }: Replayed,
  now: number
): Effect.fn.Return<string | undefined> {
  const blocks = records.filter(isClosed)
  if (blocks.length === 0) return undefined
  const again = new AskedFor()
  const event = {
    DurableExecutionArn: executionArn,
    CheckpointToken: "a replay of the test engine",
    InitialExecutionState: { Operations: records },
    UpdatedOperationIds: []
  }
  const exit = yield* Effect.exit(
    invoke(implementation, event, { listener: again.listener, warnAboutTargets: false, deadline: now + 60_000 }).pipe(
      Effect.provideService(CheckpointStore, refusing),
      Effect.provideService(Logger.CurrentLoggers, new Set()),
      Effect.provideService(Tracer.Tracer, Tracer.nativeTracer)
    )
  )
  const closed = new Set(blocks.map(({ Id }) => Id))
  const missed = asked.without(again, (id) => !closed.has(id))
  const added = again.without(asked, (id) => !closed.has(id))
  const found = Exit.isSuccess(exit) ? exit.value.answer : undefined
  const names = blocks.slice(0, 5).map(({ Id, Name = Id }) => `"${Name}"`)
  const what = described(missed, added, answer, found)
  return what === undefined
    ? undefined
    : `A replay over what is recorded ${what}. What a recorded block (${names.join(", ")}) does to a Ref, a Queue or a Deferred outside of it does not happen again on a replay: ` +
        "return it as the value of the block, or, if it is a Durable.child, give it { flat: true }."
})

/** Returns whether a replay sees only the outcome of a context. */
const isClosed = (record: Operation): boolean =>
  record.Type === "CONTEXT" && isFinal(record) && record.ContextDetails?.ReplayChildren !== true

const described = (
  missed: ReadonlyArray<string>,
  added: ReadonlyArray<string>,
  answer: InvocationAnswer,
  found: InvocationAnswer | undefined
): string | undefined => {
  const list = (paths: ReadonlyArray<string>): string =>
    paths
      .slice(0, 5)
      .map((path) => `"${path}"`)
      .join(", ")
  if (added.length > 0) return `asks for ${list(added)}, which the first run did not`
  // The replay had something to record for an operation that the first run left open, such as another attempt of a
  // step, so the comparison proves nothing.
  if (found === undefined) return undefined
  if (missed.length > 0) return `does not ask for ${list(missed)}, which the first run did`
  if (found.Status !== answer.Status) return `ends otherwise than the first run`
  return "Result" in found && "Result" in answer && found.Result !== answer.Result && answer.Result !== ""
    ? "has another result than the first run"
    : undefined
}

/** A store that accepts nothing: a replay records nothing. */
const refusing: CheckpointStore["Service"] = {
  ordered: true,
  checkpoint: () => Effect.fail(new StaleCheckpointToken({ message: "A replay of the test engine records nothing." })),
  loadState: () => Effect.fail(new StaleCheckpointToken({ message: "A replay of the test engine has no pages." }))
}
