/**
 * What a handler keeps from one invocation to the next: the services of its layer, built once per sandbox.
 *
 * A build that fails is forgotten, so the next invocation tries again. When Lambda ends the sandbox it sends SIGTERM; the
 * invocations that still run are interrupted then, and the resources of the layer are released. With a memo map it builds the
 * layer as a part of what others build with that map: what is in both is built once, and released when nobody has it any more.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/** A sandbox of any layer. */
interface Closeable {
  readonly close: () => Promise<void>
}

interface Built<R> {
  readonly services: Context.Context<R>
  readonly scope: Scope.Closeable
}

interface Build<R, E> {
  readonly ended: Promise<Exit.Exit<Built<R>, E>>
  /** What was built, once it was. */
  built: Built<R> | undefined
}

export class Sandbox<R, E> {
  readonly #layer: Layer.Layer<R, E>
  readonly #memoMap: Layer.MemoMap | undefined
  readonly #running = new Set<Fiber.Fiber<unknown, unknown>>()
  #build: Build<R, E> | undefined
  /** What is being released. */
  #closing: Promise<void> = Promise.resolve()

  constructor(layer: Layer.Layer<R, E>, memoMap?: Layer.MemoMap) {
    this.#layer = layer
    this.#memoMap = memoMap
  }

  /** The services of the layer, which is built when it is needed first. */
  get services(): Effect.Effect<Context.Context<R>, E> {
    const built = this.#build?.built
    if (built !== undefined) return Effect.succeed(built.services)
    return Effect.flatMap(
      Effect.promise(() => this.#begin().ended),
      (exit) => Effect.map(exit, ({ services }) => services)
    )
  }

  /** Notes that an invocation runs, until it has ended. */
  track(fiber: Fiber.Fiber<unknown, unknown>): void {
    this.#running.add(fiber)
    fiber.addObserver(() => this.#running.delete(fiber))
  }

  /**
   * Interrupts what runs and releases the resources of the layer, and ends when all of them are released, also those that an
   * earlier call began to release. A later invocation builds the layer anew.
   */
  async close(): Promise<void> {
    const [before, released] = [this.#closing, this.#release()]
    this.#closing = Promise.allSettled([before, released]).then(() => {})
    await this.#closing
    await released
  }

  /** Closes the sandbox for good, so that SIGTERM need not look for it any more. */
  async dispose(): Promise<void> {
    try {
      await this.close()
    } finally {
      forget(this)
    }
  }

  async #release(): Promise<void> {
    const build = this.#build
    this.#build = undefined
    const running = Array.from(this.#running)
    for (const fiber of running) fiber.interruptUnsafe()
    await Promise.all(running.map((fiber) => new Promise((resolve) => fiber.addObserver(resolve))))
    const built = await build?.ended
    if (built !== undefined && Exit.isSuccess(built)) await Effect.runPromise(Scope.close(built.value.scope, Exit.void))
  }

  #begin(): Build<R, E> {
    if (this.#build !== undefined) return this.#build
    // Before anything is acquired: a signal that comes during the build must find somebody who listens.
    closeOnSignal(this)
    const ended = Effect.runPromise(buildScoped(this.#layer, this.#memoMap ?? Layer.makeMemoMapUnsafe())).then(
      (exit) => {
        if (Exit.isSuccess(exit)) build.built = exit.value
        else if (this.#build === build) this.#build = undefined
        return exit
      }
    )
    const build: Build<R, E> = { ended, built: undefined }
    this.#build = build
    return build
  }
}

/** Builds a layer in a scope of its own, which is closed at once if the build fails. */
export const buildScoped = <R, E>(
  layer: Layer.Layer<R, E>,
  memoMap: Layer.MemoMap
): Effect.Effect<Exit.Exit<Built<R>, E>> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Layer.buildWithMemoMap(layer, memoMap, scope).pipe(
      Effect.map((services): Built<R> => ({ services, scope })),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
      Effect.exit
    )
  )

/** Sandboxes that have run something in this process. One listener serves them all. */
const sandboxes = new Set<Closeable>()

const closeOnSignal = (sandbox: Closeable): void => {
  if (sandboxes.size === 0) process.once("SIGTERM", closeAll)
  sandboxes.add(sandbox)
}

/** Without a sandbox the signal ends the process as if nobody had ever listened. */
const forget = (sandbox: Closeable): void => {
  if (sandboxes.delete(sandbox) && sandboxes.size === 0) process.off("SIGTERM", closeAll)
}

const closeAll = async (): Promise<void> => {
  const open = Array.from(sandboxes)
  sandboxes.clear()
  await Promise.allSettled(open.map((sandbox) => sandbox.close()))
  // A listener keeps the signal from ending the process, so when nobody else listens it is sent again.
  if (process.listenerCount("SIGTERM") === 0) process.kill(process.pid, "SIGTERM")
}
