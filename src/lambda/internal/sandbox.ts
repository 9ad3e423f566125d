/**
 * The sandbox: the state that a handler keeps between invocations, which is the services of its layer, built once per
 * sandbox.
 *
 * A failed build is dropped, so the next invocation tries again. A build that outlasts its invocation continues in the
 * next one; if that runs out of time as well, the build is given up, because its connection may be lost since Lambda
 * froze the sandbox. When Lambda ends the sandbox it sends SIGTERM: running invocations are interrupted, and then
 * builds; the resources of the layer are released. With a memo map the layer shares its parts with other users of that
 * map: a shared part is built once, and released when its last user releases it.
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
  readonly fiber: Fiber.Fiber<Built<R>, E>
  readonly ended: Promise<Exit.Exit<Built<R>, E>>
  /** How many invocations began to wait for the build, and how many of them ended before it did. */
  joined: number
  missed: number
  /** The built services and their scope, once they are built. */
  built: Built<R> | undefined
}

export class Sandbox<R, E> {
  readonly #layer: Layer.Layer<R, E>
  readonly #memoMap: Layer.MemoMap | undefined
  readonly #running = new Set<Fiber.Fiber<unknown, unknown>>()
  #build: Build<R, E> | undefined
  /** The release in progress. */
  #closing: Promise<void> = Promise.resolve()

  constructor(layer: Layer.Layer<R, E>, memoMap?: Layer.MemoMap) {
    this.#layer = layer
    this.#memoMap = memoMap
  }

  /** The services of the layer, which is built at its first use. */
  get services(): Effect.Effect<Context.Context<R>, E> {
    const built = this.#build?.built
    if (built !== undefined) return Effect.succeed(built.services)
    return Effect.callback((resume) => {
      const build = this.#begin()
      build.joined++
      void build.ended.then((exit) => resume(Effect.map(exit, ({ services }) => services)))
      // Gives up a build for which several invocations have waited in vain, and no invocation waits any more.
      return Effect.sync(() => {
        if (++build.missed < build.joined || build.joined < 2 || this.#build !== build) return
        this.#build = undefined
        build.fiber.interruptUnsafe()
      })
    })
  }

  /** Tracks a running invocation until it has ended. */
  track(fiber: Fiber.Fiber<unknown, unknown>): void {
    this.#running.add(fiber)
    fiber.addObserver(() => this.#running.delete(fiber))
  }

  /**
   * Interrupts running invocations and releases the resources of the layer. Ends when all of them are released, including
   * those that an earlier call began to release. A later invocation builds the layer again.
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
    // What a build of this sandbox alone waits for may never come. Others may wait for one that is shared.
    if (this.#memoMap === undefined) build?.fiber.interruptUnsafe()
    const built = await build?.ended
    if (built !== undefined && Exit.isSuccess(built)) await Effect.runPromise(Scope.close(built.value.scope, Exit.void))
  }

  #begin(): Build<R, E> {
    if (this.#build !== undefined) return this.#build
    // The listener is added before anything is acquired, so that a signal during the build finds it.
    closeOnSignal(this)
    const fiber = Effect.runFork(buildScoped(this.#layer, this.#memoMap ?? Layer.makeMemoMapUnsafe()))
    const ended = new Promise<Exit.Exit<Built<R>, E>>((resolve) => fiber.addObserver(resolve)).then((exit) => {
      if (Exit.isSuccess(exit)) build.built = exit.value
      else if (this.#build === build) this.#build = undefined
      return exit
    })
    const build: Build<R, E> = { fiber, ended, joined: 0, missed: 0, built: undefined }
    this.#build = build
    return build
  }
}

/** Builds a layer in a scope of its own, which is closed at once if the build fails. */
export const buildScoped = <R, E>(layer: Layer.Layer<R, E>, memoMap: Layer.MemoMap): Effect.Effect<Built<R>, E> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Layer.buildWithMemoMap(layer, memoMap, scope).pipe(
      Effect.map((services): Built<R> => ({ services, scope })),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  )

/** The sandboxes of this process that have run an invocation. One listener serves all of them. */
const sandboxes = new Set<Closeable>()

const closeOnSignal = (sandbox: Closeable): void => {
  if (sandboxes.size === 0) process.once("SIGTERM", closeAll)
  sandboxes.add(sandbox)
}

/** Removes a sandbox. After the last one the signal ends the process as if there had never been a listener. */
const forget = (sandbox: Closeable): void => {
  if (sandboxes.delete(sandbox) && sandboxes.size === 0) process.off("SIGTERM", closeAll)
}

const closeAll = async (): Promise<void> => {
  const open = Array.from(sandboxes)
  sandboxes.clear()
  await Promise.allSettled(open.map((sandbox) => sandbox.close()))
  // A listener keeps the signal from ending the process, so without other listeners the signal is sent again. It closes what
  // invocations have built meanwhile.
  if (process.listeners("SIGTERM").every((listener) => listener === closeAll)) process.kill(process.pid, "SIGTERM")
}
