/**
 * The world outside of a program: it hears of callbacks, sends heartbeats, and completes them in virtual time.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Engine from "../../src/engine/Service.ts"
import type { World } from "../../src/testing/World.ts"
import type { Answer } from "./program.ts"

/** Between two heartbeats. */
const beat = 5 * 3_600_000

/** What the world outside needs of the world. */
export interface Host {
  readonly command: <Request>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<void>,
    request: Request
  ) => Result.Result<void, Engine.Refused>
  /** Does something after so many virtual milliseconds. */
  readonly after: (millis: number, action: () => void) => void
}

/** A world of the test engine. */
export const inWorld = (world: World): Host => ({
  command: world.command,
  after: (millis, action) => {
    const late = Effect.andThen(
      Effect.sleep(millis),
      Effect.sync(() => action())
    )
    Effect.runFork(Effect.provideService(late, Clock.Clock, world.clock))
  }
})

export class Outside {
  /** What the service said about answers that it should have taken. */
  readonly refused: Array<string> = []
  readonly #host: Host
  readonly #echoes: boolean

  /** With `echoes` every callback is completed a second time at once, in another way. */
  constructor(host: Host, echoes = false) {
    this.#host = host
    this.#echoes = echoes
  }

  /** Somebody is told of a callback, maybe not for the first time, and does what the answer says. */
  readonly tell = (callbackId: string, answer: Answer): void => {
    let due = 0
    for (let count = 1; count <= answer.beats; count++) {
      due = count * beat
      this.#after(due, () => this.#send(Engine.heartbeatCallback, { callbackId }))
    }
    if (answer.kind === "never") return
    this.#after(due + answer.seconds * 1_000, () => {
      this.#complete(callbackId, answer)
      if (this.#echoes) this.#complete(callbackId, { ...answer, kind: answer.kind === "value" ? "error" : "value" })
    })
  }

  #complete(callbackId: string, { kind, seconds }: Answer): void {
    switch (kind) {
      case "value":
        return this.#send(Engine.succeedCallback, { callbackId, result: String(seconds + 1) })
      case "error":
        return this.#send(Engine.failCallback, {
          callbackId,
          error: { ErrorType: "Refused", ErrorMessage: `after ${seconds} s`, ErrorData: "by hand" }
        })
      case "declared":
        return this.#send(Engine.failCallback, {
          callbackId,
          error: { ErrorType: "Oops", ErrorData: JSON.stringify({ _tag: "Oops", code: seconds }) }
        })
      case "never":
    }
  }

  #send<Request>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<void>,
    request: Request
  ): void {
    const answer = this.#host.command(command, request)
    // A callback that is over, or whose execution is, is nobody's fault.
    if (Result.isFailure(answer) && answer.failure.exception !== "CallbackTimeoutException") {
      this.refused.push(`${answer.failure.exception}: ${answer.failure.message}`)
    }
  }

  #after(millis: number, action: () => void): void {
    if (millis === 0) action()
    else this.#host.after(millis, action)
  }
}
